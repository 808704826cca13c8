//! Thresholds of the builders. Defaults are the paper's (arXiv 2410.22736); where it is open, another's, named.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Which pictures are worth keeping, by size alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ImageRules {
    /// Shortest side, in pixels (150: mmc4; the paper is open).
    pub min_side: u32,
    /// Longest side, in pixels (20,000: OBELICS; the paper is open).
    pub max_side: u32,
    /// Least width over height (0.5: mmc4; the paper is open).
    pub min_aspect: f64,
    /// Greatest width over height (2: mmc4; the paper is open).
    pub max_aspect: f64,
    /// Whether pictures that the page's reader takes for a part of menus, footers and the like are left out (no: the paper and
    /// the peers take all of a page; figures with little text around them look like such parts).
    pub skip_boilerplate: bool,
    /// Greatest probability of being not safe for work, where a probe judges it (0.1: WAON; the paper filters by such a
    /// probe and is open on its number).
    pub max_nsfw: f64,
}

impl Default for ImageRules {
    fn default() -> ImageRules {
        ImageRules {
            min_side: 150,
            max_side: 20_000,
            min_aspect: 0.5,
            max_aspect: 2.0,
            skip_boilerplate: false,
            max_nsfw: 0.1,
        }
    }
}

/// Frequent pictures across documents: icons, adverts, "image not found".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FrequencyRules {
    /// Occurrences drawn into a sample (60,000: the paper).
    pub sample: usize,
    /// A picture that stands this often in its sample is dropped (10: the paper); 0 switches the step off.
    pub count: usize,
    /// Seed of the draw.
    pub seed: u64,
}

impl Default for FrequencyRules {
    fn default() -> FrequencyRules {
        FrequencyRules { sample: 60_000, count: 10, seed: 0 }
    }
}

/// Where a pair's text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TextSource {
    /// The `alt` attribute.
    Alt,
    /// The figure's caption.
    Caption,
}

impl TextSource {
    /// The word that stands in the table.
    pub fn as_str(self) -> &'static str {
        match self {
            TextSource::Alt => "alt",
            TextSource::Caption => "caption",
        }
    }
}

/// What a pair's text must be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TextRules {
    /// What the text must contain (a hiragana, katakana or kanji: the paper).
    pub must_match: String,
    /// Fewest characters, white space not counted (6: COYO drops texts of five or fewer; the paper is open).
    pub min_characters: usize,
    /// Most characters (1,000: COYO; the paper is open).
    pub max_characters: usize,
    /// What is a file name and no text (ours; the paper drops them and does not say how).
    pub file_name: String,
    /// Whether the number of a figure before a caption is left out (図17.267; yes: ours, since the paper takes no captions).
    pub drop_figure_numbers: bool,
    /// Whether of a picture's texts that differ in digits and marks alone the first stays (yes: ours, for the same reason).
    pub drop_repeated: bool,
    /// Adult words, a file of one a line, such as HojiChar's `adult_keywords_ja.txt`; none comes with this crate, and
    /// without it the step is skipped (the paper uses HojiChar's list).
    pub adult_words: Option<PathBuf>,
    /// Occurrences of adult words from which a text is dropped (1: HojiChar, which the paper follows).
    pub adult_hits: usize,
}

impl Default for TextRules {
    fn default() -> TextRules {
        TextRules {
            must_match: r"[\p{Hiragana}\p{Katakana}\p{Han}]".to_owned(),
            min_characters: 6,
            max_characters: 1000,
            file_name: tsumugi_text::FILE_NAME.to_owned(),
            drop_figure_numbers: true,
            drop_repeated: true,
            adult_words: None,
            adult_hits: 1,
        }
    }
}

/// The recipe of image-text pairs (part 2 of the paper).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PairConfig {
    /// Where texts are taken from (the paper: alt; the captions are ours, WAON's too). Each gives a pair of its own.
    pub text_sources: Vec<TextSource>,
    /// Rules of pictures.
    pub images: ImageRules,
    /// Rules of texts.
    pub text: TextRules,
    /// Frequent pictures.
    pub frequency: FrequencyRules,
    /// A text that stands this often in all is dropped (10: the paper); 0 switches the step off.
    pub text_count: usize,
    /// Whether of each (pHash, text) one stays (the paper: yes).
    pub unique: bool,
    /// Share of pairs of lowest similarity that is dropped (0.3: the paper); skipped without a scorer.
    pub drop_lowest: f64,
}

impl Default for PairConfig {
    fn default() -> PairConfig {
        PairConfig {
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

/// What becomes of pictures where there are more than sentences.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Surplus {
    /// They are dropped (the paper's assignment gives them no sentence).
    #[default]
    Drop,
    /// They take their best sentence, shared with another picture (mmc4).
    Best,
}

/// The recipe of interleaved documents (part 1 of the paper).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct InterleavedConfig {
    /// Rules of pictures.
    pub images: ImageRules,
    /// Of pictures of a document whose perceptual hashes differ in this many bits or fewer, the one of highest
    /// resolution stays (5: the paper).
    pub phash_distance: u32,
    /// Frequent pictures.
    pub frequency: FrequencyRules,
    /// Fewest pictures of a document (2: the paper).
    pub min_images: usize,
    /// Most pictures of a document (5: the paper).
    pub max_images: usize,
    /// Fewest sentences (10: the paper).
    pub min_sentences: usize,
    /// Most sentences (100: the paper).
    pub max_sentences: usize,
    /// Most characters of text (none by default). The paper keeps documents whose tokens fit the model's context; the
    /// trainer cuts at its own context, since only it knows the tokenizer.
    pub max_characters: Option<usize>,
    /// Least similarity of a picture to its best sentence, and of every assigned pair (0.2: the paper). Without a
    /// scorer the step is skipped and pictures keep their place in the text.
    pub min_similarity: f64,
    /// Pictures beyond the number of sentences.
    pub surplus: Surplus,
}

impl Default for InterleavedConfig {
    fn default() -> InterleavedConfig {
        InterleavedConfig {
            images: ImageRules::default(),
            phash_distance: 5,
            frequency: FrequencyRules::default(),
            min_images: 2,
            max_images: 5,
            min_sentences: 10,
            max_sentences: 100,
            max_characters: None,
            min_similarity: 0.2,
            surplus: Surplus::Drop,
        }
    }
}

impl PairConfig {
    /// The recipe of a profile: `paper` (the default), `waon`, `mmc4` or `obelics` (the last two make no pairs; theirs
    /// are the rules of pictures); or of a TOML file with these fields, what it leaves out being the paper's.
    ///
    /// # Errors
    /// [`Error::UnknownProfile`], [`Error::Recipe`].
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
    /// The recipe of a profile: `paper` (the default), `mmc4`, `obelics` or `waon` (rules of pictures only); or of a TOML
    /// file with these fields, what it leaves out being the paper's.
    ///
    /// # Errors
    /// [`Error::UnknownProfile`], [`Error::Recipe`].
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

/// A recipe from a file, if that is what `name` names.
fn from_file<T: serde::de::DeserializeOwned>(name: &str) -> Option<Result<T>> {
    let path = PathBuf::from(name);
    path.extension().filter(|extension| *extension == "toml")?;
    let text = std::fs::read_to_string(&path).map_err(|error| error.to_string());
    let recipe = text.and_then(|text| toml::from_str(&text).map_err(|error| error.to_string()));
    Some(recipe.map_err(|reason| Error::Recipe { path, reason }))
}

/// OBELICS: sides of 150 to 20,000 pixels, neither side more than twice the other.
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
        let error = InterleavedConfig::profile(&name).unwrap_err().to_string();
        assert!(error.contains("mine.toml") && error.contains("text_count"), "{error}");
        assert!(matches!(PairConfig::profile("mine"), Err(Error::UnknownProfile { .. })));
    }
}
