//! The typed files of a pack.

use serde::{Deserialize, Serialize};

/// `pack.toml`: what the language is called, how it is written, and which names it goes by elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// BCP 47 code, which is also the folder's name.
    pub code: String,
    /// Name of the language in itself.
    pub name: String,
    /// Name of the language in English.
    pub english_name: String,
    /// Codes of [`crate::LanguageIdentifier`] that count as this language.
    pub identified_as: Vec<String>,
    /// Unicode names of the scripts that the language is written in.
    pub scripts: Vec<String>,
    /// A regular expression for one letter of the language.
    pub letters: String,
    /// Whether words are separated by spaces.
    pub spaced: bool,
    /// Name of a chat template of `tsumugi-vlm` for models of this language.
    pub chat_template: String,
    /// Hugging Face name of a model whose tokenizer suits the language.
    pub tokenizer: String,
    /// Profiles of the text filter by use.
    pub profiles: ProfileNames,
}

/// Which profile of the text filter a step takes unless told otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfileNames {
    /// For whole documents.
    pub documents: String,
    /// For texts of image-text pairs.
    pub pairs: String,
}

/// `captions.toml`: what stands in captions and `alt` attributes and says nothing of the image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Captions {
    /// Words that cameras and programs put before the number of a file.
    pub image_words: Vec<String>,
    /// Words before the number of a figure. A word in Latin letters matches in any case and with a full stop after it.
    pub figure_words: Vec<String>,
    /// Whole texts that stand for any image, such as "image".
    pub placeholders: Vec<String>,
}

/// `replies.toml`: what gives a generated reply away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Replies {
    /// Phrases by which a model declines, looked for at the beginning of an answer.
    pub refusals: Vec<String>,
    /// Phrases that betray that the writer had captions instead of the image.
    pub input_words: Vec<String>,
    /// Pairs of quotation marks; what they enclose is not the writer's own word.
    pub quotation_marks: Vec<(char, char)>,
}

/// `questions.toml`: how questions begin and what they ask for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Questions {
    /// Words that a run of letters is cut after, longer ones first; for languages without spaces.
    pub heads: Vec<String>,
    /// Letters that are words of their own, such as particles; for languages without spaces.
    pub particles: String,
    /// Words that are not cut although they begin with another one.
    pub whole_words: Vec<String>,
    /// Marks that end a sentence.
    pub terminators: String,
    /// What questions ask for; the first kind with a word that occurs counts, so narrower ones come first.
    pub kinds: Vec<QuestionKind>,
    /// Endings of a request.
    pub requests: Vec<String>,
    /// Endings of a question that is answered by yes or no.
    pub yes_or_no: Vec<String>,
    /// Beginnings of a request.
    #[serde(default)]
    pub request_beginnings: Vec<String>,
    /// Beginnings of a question that is answered by yes or no.
    #[serde(default)]
    pub yes_or_no_beginnings: Vec<String>,
}

/// What some questions ask for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuestionKind {
    /// Name in reports, such as `colour`; several entries may share one.
    pub name: String,
    /// Words that ask for it.
    pub words: Vec<String>,
}

/// Letters of a file name's ending, an address, or a number with at most one of `words` before it.
const FILE_NAME: [&str; 3] = [
    r"(?i)^(.*[/\\])?\S+\.(jpe?g|jpe|jfif|png|apng|gif|webp|bmp|svg|tiff?|avif|heic|ico)([?#].*)?$",
    r"|^https?://\S+$|^(",
    r")?[-_ .()\d]+$",
];

/// What follows the word of a figure: its number, with letters and parts, and what separates it from the caption. Full-width
/// forms and hyphens stand beside the ASCII ones.
const FIGURE_NUMBER: &str = concat!(
    r"\s*([A-Z][.\x{FF0E}-]?)?[\d\x{FF10}-\x{FF19}]+([.\x{FF0E}\x{2010}\x{2013}\x{FF0D}-][\d\x{FF10}-\x{FF19}]+)*",
    r"([.\x{FF0E}:\x{FF1A})\x{FF09}]\s*|\s+)",
);

impl Captions {
    /// A regular expression for trimmed texts that are a file name, an address or a camera's number.
    ///
    /// The paper drops file names from alt texts and does not say how; this pattern is the project's own.
    #[must_use]
    pub fn file_name_pattern(&self) -> String {
        let words: Vec<String> = self.image_words.iter().map(|word| regex::escape(word)).collect();
        let [before, middle, after] = FILE_NAME;
        format!("{before}{middle}{}{after}", words.join("|"))
    }

    /// Whether a trimmed text stands for any image; case does not matter.
    #[must_use]
    pub fn is_placeholder(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        self.placeholders.iter().any(|own| own.to_lowercase() == text)
    }

    /// A regular expression for the number of a figure at the start of a caption.
    #[must_use]
    pub fn figure_number_pattern(&self) -> String {
        let words = self.figure_words.iter().map(|word| {
            let escaped = regex::escape(word);
            if word.is_ascii() { format!(r"(?i:{escaped})\.?") } else { escaped }
        });
        format!("^({}){FIGURE_NUMBER}", words.collect::<Vec<_>>().join("|"))
    }
}
