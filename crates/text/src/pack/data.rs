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
    /// Other codes and names by which the language is called, for messages about a wrong code: `jp` for Japanese.
    #[serde(default)]
    pub aliases: Vec<String>,
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
    /// Words that programs write between the parts of a file's name: "copy", "at", units of dates and times.
    #[serde(default)]
    pub name_words: Vec<String>,
    /// Whole texts that stand for any image, such as "image". A number may follow.
    pub placeholders: Vec<String>,
    /// Regular expressions for whole texts that stand for any image, such as what a content-management system writes where an image
    /// has no text.
    #[serde(default)]
    pub placeholder_patterns: Vec<String>,
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

/// Ends of the names of image files.
const ENDINGS: &str = r"\.(?:jpe?g|jpe|jfif|png|apng|gif|webp|bmp|svg|tiff?|avif|heic|ico)(?:[?#].*)?";

/// A digit in any of the forms that numbers of files have: half- and full-width, and circled.
const NAME_DIGIT: &str = r"[\d\x{2460}-\x{2473}]";

/// A part of a file's name between spaces. The marks that it lacks are those of sentences.
const NAME_PART: &str = r"[^\s:;\x{3001}\x{3002}\x{FF0C}\x{FF1A}\x{FF1B}]+";

/// What stands between the parts of a file's name.
const NAME_GAP: &str = r"[-_ .,:~()\[\]\x{3000}\x{FF08}\x{FF09}\x{FF0D}\x{FF3F}\x{FF1A}]";

/// What follows the word of a figure: its number, with letters and parts, and what separates it from the caption. Full-width
/// forms and hyphens stand beside the ASCII ones.
const FIGURE_NUMBER: &str = concat!(
    r"\s*([A-Z][.\x{FF0E}-]?)?[\d\x{FF10}-\x{FF19}]+([.\x{FF0E}\x{2010}\x{2013}\x{FF0D}-][\d\x{FF10}-\x{FF19}]+)*",
    r"([.\x{FF0E}:\x{FF1A})\x{FF09}]\s*|\s+)",
);

impl Captions {
    /// A regular expression for trimmed texts that are a file name, with or without its ending, an address, or a number with at
    /// most one of the image words before it: `photo.jpg`, `DSC_0123`, `Screenshot 2024-05-01 at 12.34.56`, `IMG-20240501-WA0001`.
    ///
    /// The paper drops file names from alt texts and does not say how; this pattern is the project's own.
    #[must_use]
    pub fn file_name_pattern(&self) -> String {
        let (word, between) = (alternatives(&self.image_words), alternatives(&self.name_words));
        let part = format!("{NAME_GAP}|{NAME_DIGIT}|{between}|[A-Z]{{1,3}}{NAME_DIGIT}");
        let number = format!("{NAME_GAP}*(?:[A-Z]{{1,3}}_{{0,2}})?{NAME_DIGIT}(?:{part})*");
        let copied = format!("(?:{word})(?:{NAME_GAP}|{between})*(?:{between})");
        format!(
            concat!(
                r"(?i)^(?:.*[/\\])?\S+{ENDINGS}$|^{PART}(?:\s{PART}){{1,3}}{ENDINGS}$|^https?://\S+$|",
                r"^(?:(?:{word})?(?:{number})(?:_[A-Z][A-Z.]*)?|{copied})(?:{ENDINGS})?$"
            ),
            ENDINGS = ENDINGS,
            PART = NAME_PART,
            word = word,
            number = number,
            copied = copied,
        )
    }

    /// A regular expression for trimmed texts that stand for any image; case does not matter.
    #[must_use]
    pub fn placeholder_pattern(&self) -> String {
        let texts = alternatives(&self.placeholders);
        let patterns = std::iter::once(format!("(?:{texts})(?:{NAME_GAP}|{NAME_DIGIT})*"))
            .chain(self.placeholder_patterns.iter().map(|pattern| format!("(?:{pattern})")));
        format!(r"(?i)^(?:{})[\s.\x{{3002}}]*$", patterns.collect::<Vec<_>>().join("|"))
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

/// The words as alternatives of a regular expression, longer ones first. Without words it matches nothing.
fn alternatives(words: &[String]) -> String {
    let mut words: Vec<&String> = words.iter().collect();
    words.sort_by_key(|word| std::cmp::Reverse(word.len()));
    if words.is_empty() {
        return r"[^\s\S]".to_owned();
    }
    words.into_iter().map(|word| regex::escape(word)).collect::<Vec<_>>().join("|")
}
