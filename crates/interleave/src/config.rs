//! Thresholds of the builders. The defaults are the paper's (arXiv 2410.22736). Where the paper states no value, each field
//! names the source of its default.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use tsumugi_text::LanguagePack;

use crate::error::{Error, Result};

/// Which images are kept, by their size and place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ImageRules {
    /// Least length of the shorter side in pixels (150: mmc4; the paper states none).
    pub min_side: u32,
    /// Greatest length of the longer side in pixels (20,000: OBELICS; the paper states none).
    pub max_side: u32,
    /// Least ratio of width to height (0.5: mmc4; the paper states none).
    pub min_aspect: f64,
    /// Greatest ratio of width to height (2: mmc4; the paper states none).
    pub max_aspect: f64,
    /// Whether to drop images outside of the main text: logos, adverts, thumbnails of related pages, footers (yes: ours; the
    /// paper and its peers state nothing and use all images of a page).
    pub skip_boilerplate: bool,
    /// Greatest probability, 0 to 1, that an image is not safe for work, if there is an NSFW classifier (0.1: WAON; the paper
    /// uses such a classifier and states no threshold).
    pub max_nsfw: f64,
}

impl Default for ImageRules {
    fn default() -> ImageRules {
        ImageRules {
            min_side: 150,
            max_side: 20_000,
            min_aspect: 0.5,
            max_aspect: 2.0,
            skip_boilerplate: true,
            max_nsfw: 0.1,
        }
    }
}

/// Which images are too frequent across documents: icons, adverts, "image not found".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FrequencyRules {
    /// Number of occurrences in a sample (60,000: the paper).
    pub sample: usize,
    /// Drops an image that occurs at least this often in its sample (10: the paper); 0 drops none.
    pub count: usize,
    /// Seed by which occurrences are drawn into samples (0: ours).
    pub seed: u64,
}

impl Default for FrequencyRules {
    fn default() -> FrequencyRules {
        FrequencyRules { sample: 60_000, count: 10, seed: 0 }
    }
}

/// Where the text of a pair comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum TextSource {
    /// The `alt` attribute.
    Alt,
    /// The caption of the figure.
    Caption,
}

impl TextSource {
    /// The source as the table writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            TextSource::Alt => "alt",
            TextSource::Caption => "caption",
        }
    }
}

/// Which texts make pairs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TextRules {
    /// Regular expression that the text must match (none: a letter of the language pack; the paper asks for a hiragana, katakana
    /// or kanji).
    pub must_match: Option<String>,
    /// Whether to drop texts in another language that is written with the same letters, such as Chinese texts among Japanese ones;
    /// the language of the page and the characters tell them apart (yes: ours; the paper asks for a letter only).
    pub same_language: bool,
    /// Least number of characters without white space, a Han character counted as two (6: COYO drops texts of five or fewer; the
    /// paper states none. That a Han character counts as two is ours: in Japanese it is read as two kana on the mean).
    pub min_characters: usize,
    /// Greatest number of characters without white space (1,000: COYO; the paper states none).
    pub max_characters: usize,
    /// Regular expression for file names (none: that of the language pack, which is ours; the paper drops file names and does not
    /// say how).
    pub file_name: Option<String>,
    /// Whether to drop the language pack's placeholders, texts that stand for any image (yes: ours; the paper has no such rule).
    pub drop_placeholders: bool,
    /// Whether to remove the number of the figure, such as "Figure 3:", from the start of captions (yes: ours; the paper uses no
    /// captions).
    pub drop_figure_numbers: bool,
    /// Whether to drop a text of an image that differs from an earlier one in digits and punctuation only (yes: ours, for the
    /// same reason).
    pub drop_repeated: bool,
    /// File with one adult word a line, such as HojiChar's `adult_keywords_ja.txt`, which the paper uses; without a file no text is
    /// dropped for its words (none: no list comes with this crate).
    pub adult_words: Option<PathBuf>,
    /// Drops a text with at least this many occurrences of adult words (1: HojiChar, which the paper follows).
    pub adult_hits: usize,
}

impl Default for TextRules {
    fn default() -> TextRules {
        TextRules {
            must_match: None,
            same_language: true,
            min_characters: 6,
            max_characters: 1000,
            file_name: None,
            drop_placeholders: true,
            drop_figure_numbers: true,
            drop_repeated: true,
            adult_words: None,
            adult_hits: 1,
        }
    }
}

/// How image-text pairs are built (part 2 of the paper).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PairConfig {
    /// Language pack of the texts: a code such as `ja`, or the folder of a pack (`ja`: the paper).
    pub language: String,
    /// Where texts are taken from; each text makes a pair of its own (`alt`: the paper; `caption`: WAON).
    pub text_sources: Vec<TextSource>,
    /// Which images are kept.
    pub images: ImageRules,
    /// Which texts are kept.
    pub text: TextRules,
    /// Which images are too frequent.
    pub frequency: FrequencyRules,
    /// Drops a text that occurs at least this often in all pairs (10: the paper); 0 drops none.
    pub text_count: usize,
    /// Whether to keep only one pair of each perceptual hash and text (yes: the paper).
    pub unique: bool,
    /// Share, 0 to 1, of the pairs with the lowest similarity that is dropped if there is a scorer (0.3: the paper).
    pub drop_lowest: f64,
}

impl Default for PairConfig {
    fn default() -> PairConfig {
        PairConfig {
            language: LanguagePack::DEFAULT.to_owned(),
            text_sources: vec![TextSource::Alt, TextSource::Caption],
            images: ImageRules::default(),
            text: TextRules::default(),
            frequency: FrequencyRules::default(),
            text_count: 10,
            unique: true,
            drop_lowest: 0.3,
        }
    }
}

/// What happens to images if there are more of them than sentences.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Surplus {
    /// They are dropped; the paper's assignment gives them no sentence.
    #[default]
    Drop,
    /// They share their best sentence with another image, as in mmc4.
    Best,
}

/// What happens to a document of more images, sentences or characters than the recipe allows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Long {
    /// It is dropped.
    #[default]
    Drop,
    /// It is cut into windows, each a document of its own: at headings, and inside a section that is too long by itself between
    /// paragraphs, then between sentences.
    Split,
}

/// How interleaved documents are built (part 1 of the paper).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct InterleavedConfig {
    /// Language pack whose rules split the text into sentences: a code such as `ja`, or the folder of a pack (`ja`: the paper).
    pub language: String,
    /// Which images are kept.
    pub images: ImageRules,
    /// Keeps, of the images of a document whose perceptual hashes differ in at most this many bits, the one of highest resolution
    /// (5: the paper).
    pub phash_distance: u32,
    /// Which images are too frequent.
    pub frequency: FrequencyRules,
    /// Least number of images in a document (2: the paper).
    pub min_images: usize,
    /// Greatest number of images in a document (5: the paper).
    pub max_images: usize,
    /// Least number of sentences in a document (10: the paper).
    pub min_sentences: usize,
    /// Greatest number of sentences in a document (100: the paper).
    pub max_sentences: usize,
    /// Greatest number of characters in a document (none: the paper keeps documents whose tokens fit the model's context, and the
    /// trainer truncates at its own context, since only it knows the tokenizer).
    pub max_characters: Option<usize>,
    /// What happens to a document that has more than that (`drop`: the paper. It loses tutorials, so `split` gives more of a manual).
    pub long: Long,
    /// Least similarity of an image to its best sentence, and to the one that it is assigned to (0.2: the paper). Without a scorer
    /// images keep their place in the text.
    pub min_similarity: f64,
    /// What happens to images beyond the number of sentences (`drop`: the paper).
    pub surplus: Surplus,
}

impl Default for InterleavedConfig {
    fn default() -> InterleavedConfig {
        InterleavedConfig {
            language: LanguagePack::DEFAULT.to_owned(),
            images: ImageRules::default(),
            phash_distance: 5,
            frequency: FrequencyRules::default(),
            min_images: 2,
            max_images: 5,
            min_sentences: 10,
            max_sentences: 100,
            max_characters: None,
            long: Long::Drop,
            min_similarity: 0.2,
            surplus: Surplus::Drop,
        }
    }
}

impl PairConfig {
    /// A recipe by name: `paper` (the default), `waon`, or the image rules of `mmc4` or `obelics`, which make no pairs; or the
    /// recipe of a TOML file with these fields, where the paper's values stand for absent ones.
    ///
    /// # Errors
    /// [`Error::UnknownProfile`], [`Error::Read`] or [`Error::Recipe`].
    pub fn profile(name: &str) -> Result<PairConfig> {
        if let Some(recipe) = from_file(name) {
            return recipe;
        }
        let paper = PairConfig::default();
        Ok(match name {
            "paper" | "mmc4" => paper,
            "waon" => PairConfig {
                text_sources: vec![TextSource::Caption, TextSource::Alt],
                frequency: FrequencyRules { count: 0, ..paper.frequency },
                text_count: 0,
                drop_lowest: 0.0,
                ..paper
            },
            "obelics" => PairConfig { images: obelics_images(), ..paper },
            _ => return Err(Error::UnknownProfile { name: name.to_owned() }),
        })
    }
}

impl InterleavedConfig {
    /// A recipe by name: `paper` (the default), `mmc4`, `obelics`, or the image rules of `waon`; or the recipe of a TOML file with
    /// these fields, where the paper's values stand for absent ones.
    ///
    /// # Errors
    /// [`Error::UnknownProfile`], [`Error::Read`] or [`Error::Recipe`].
    pub fn profile(name: &str) -> Result<InterleavedConfig> {
        if let Some(recipe) = from_file(name) {
            return recipe;
        }
        let paper = InterleavedConfig::default();
        Ok(match name {
            "paper" | "waon" => paper,
            "mmc4" => InterleavedConfig {
                frequency: FrequencyRules { count: 11, ..paper.frequency },
                min_images: 1,
                max_images: usize::MAX,
                min_sentences: 1,
                max_sentences: usize::MAX,
                min_similarity: 0.15,
                surplus: Surplus::Best,
                ..paper
            },
            "obelics" => InterleavedConfig {
                images: obelics_images(),
                frequency: FrequencyRules { count: 0, ..paper.frequency },
                min_images: 1,
                max_images: 30,
                min_sentences: 1,
                max_sentences: usize::MAX,
                ..paper
            },
            _ => return Err(Error::UnknownProfile { name: name.to_owned() }),
        })
    }
}

/// The recipe of a file, if `name` is the path of a TOML file.
fn from_file<T: serde::de::DeserializeOwned>(name: &str) -> Option<Result<T>> {
    let path = PathBuf::from(name);
    path.extension().filter(|extension| *extension == "toml")?;
    Some(match std::fs::read_to_string(&path) {
        Ok(text) => toml::from_str(&text).map_err(|source| Error::Recipe { path, source: Box::new(source) }),
        Err(source) => Err(Error::Read { path, source }),
    })
}

/// The image rules of OBELICS: sides of 150 to 20,000 pixels, neither more than twice as long as the other.
fn obelics_images() -> ImageRules {
    ImageRules { min_side: 150, max_side: 20_000, min_aspect: 0.5, max_aspect: 2.0, ..ImageRules::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recipes_come_from_files_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.toml");
        let name = path.display().to_string();
        std::fs::write(&path, "text_count = 3\n[images]\nmin_side = 64\n").unwrap();
        let recipe = PairConfig::profile(&name).unwrap();
        assert_eq!((recipe.text_count, recipe.images.min_side, recipe.drop_lowest), (3, 64, 0.3));
        let error = InterleavedConfig::profile(&name).unwrap_err();
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(error.to_string().contains("mine.toml") && cause.contains("text_count"), "{error}: {cause}");
        assert!(matches!(PairConfig::profile("missing.toml"), Err(Error::Read { .. })));
        assert!(matches!(PairConfig::profile("mine"), Err(Error::UnknownProfile { .. })));
    }
}
