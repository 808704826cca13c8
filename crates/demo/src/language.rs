//! The words of a site in one language, as data: `languages/CODE.toml`, and `languages/CODE.txt` with its prose.
//! `languages/guides.toml` has the pages of languages that are foreign to a site.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::Error;

/// The languages that the site can be made in.
static ALL: LazyLock<Vec<Language>> = LazyLock::new(|| {
    let read = |text: &str, prose: &'static str| {
        let mut language: Language = toml::from_str(text).ok()?;
        language.topics = topics(prose);
        Some(language)
    };
    [
        read(include_str!("../languages/ja.toml"), include_str!("../languages/ja.txt")),
        read(include_str!("../languages/en.toml"), include_str!("../languages/en.txt")),
        read(include_str!("../languages/ko.toml"), include_str!("../languages/ko.txt")),
    ]
    .into_iter()
    .flatten()
    .collect()
});

/// The guide to the town in each language.
static GUIDES: LazyLock<BTreeMap<String, Guide>> =
    LazyLock::new(|| toml::from_str(include_str!("../languages/guides.toml")).unwrap_or_default());

/// Everything that is written on a site of one language, and what the stand-in answers in it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Language {
    pub(crate) code: String,
    /// The languages of pages that are not in this one.
    pub(crate) foreign: [String; 3],
    /// Labels of the old encodings of some pages.
    pub(crate) encodings: [String; 2],
    /// Between the sentences of a paragraph.
    pub(crate) separator: String,
    pub(crate) numerals: Vec<String>,
    /// The verb after one thing, and after several.
    pub(crate) be: [String; 2],
    /// Alternative texts in four wordings.
    pub(crate) alts: [String; 4],
    #[serde(rename = "where")]
    pub(crate) place: String,
    pub(crate) number: String,
    pub(crate) thing: String,
    pub(crate) sentence: String,
    pub(crate) site: Site,
    /// Each colour before a noun, and alone.
    pub(crate) colours: BTreeMap<String, [String; 2]>,
    /// The words for each light, and the time of day that it shows, with the reason.
    pub(crate) lights: BTreeMap<String, [String; 2]>,
    /// The words for each kind of image.
    pub(crate) kinds: BTreeMap<String, BTreeMap<String, String>>,
    pub(crate) questions: Questions,
    #[cfg_attr(not(feature = "api"), expect(dead_code, reason = "the stand-in is not built"))]
    pub(crate) stand_in: StandInWords,
    /// The topics of the prose; the last one fits everywhere.
    #[serde(skip)]
    pub(crate) topics: Vec<Topic>,
}

/// A topic of the prose: its title, and sentences with blanks such as `{person}`.
#[derive(Debug)]
pub(crate) struct Topic {
    pub(crate) title: &'static str,
    pub(crate) sentences: Vec<&'static str>,
}

/// Texts around the articles.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Site {
    pub(crate) name: String,
    pub(crate) part: String,
    pub(crate) index: String,
    pub(crate) near_copy: String,
    pub(crate) thin_title: String,
    /// A page that says too little.
    pub(crate) thin: Vec<String>,
    pub(crate) advert_title: String,
    pub(crate) advert: Vec<String>,
    pub(crate) repeated_title: String,
    /// A sentence that a page repeats over and over.
    pub(crate) repeated: String,
    /// Contact data, which must not reach the training data.
    pub(crate) contact: String,
    pub(crate) missing: String,
    pub(crate) author: String,
    pub(crate) view: String,
    pub(crate) label: String,
    pub(crate) foreign_alt: String,
    pub(crate) logo: String,
    pub(crate) home: String,
    pub(crate) about: String,
    pub(crate) access: String,
    pub(crate) contact_link: String,
    pub(crate) top: String,
    pub(crate) sitemap: String,
    pub(crate) policy: String,
    pub(crate) banner: String,
    pub(crate) editors: String,
    pub(crate) script: String,
    pub(crate) people: Vec<String>,
    pub(crate) places: Vec<String>,
    pub(crate) months: Vec<String>,
    pub(crate) tens: Vec<String>,
}

/// What a site shows in a language that is foreign to it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Guide {
    pub(crate) title: String,
    pub(crate) paragraphs: Vec<String>,
}

/// Questions of the benchmark and their answers.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Questions {
    pub(crate) colour: String,
    pub(crate) colour_answer: String,
    pub(crate) number: String,
    pub(crate) number_answer: String,
    pub(crate) describe: String,
    pub(crate) light: String,
}

/// What the stand-in for an API asks and answers.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(not(feature = "api"), expect(dead_code, reason = "the stand-in is not built"))]
pub(crate) struct StandInWords {
    pub(crate) unknown: String,
    pub(crate) no_text: String,
    /// A word in questions that ask for reasons.
    pub(crate) reason_word: String,
    pub(crate) translated_question: String,
    pub(crate) translated_answer: String,
    /// Colours as captions name them, and alone.
    pub(crate) colours: Vec<[String; 2]>,
    /// A regular expression for the number in a caption.
    pub(crate) number: String,
    /// Words that tell the time of day, with what they let one conclude.
    pub(crate) lights: Vec<[String; 2]>,
    pub(crate) empty: String,
    pub(crate) terminators: String,
    pub(crate) exclamations: String,
    /// Endings of captions that are sentences.
    pub(crate) verbal_endings: Vec<String>,
    pub(crate) verbal: String,
    pub(crate) nominal: String,
    pub(crate) describe: [String; 3],
    pub(crate) colour: [String; 2],
    pub(crate) count: [String; 2],
    pub(crate) title: [String; 2],
    pub(crate) detail_start: String,
    pub(crate) detail_colour: String,
    pub(crate) detail_count: String,
    pub(crate) detail_end: String,
    pub(crate) light: String,
    pub(crate) meaning: [String; 2],
    /// Names of colours.
    pub(crate) seen: BTreeMap<String, String>,
    pub(crate) seen_sentence: String,
    pub(crate) wide: String,
    pub(crate) tall: String,
    pub(crate) square: String,
    pub(crate) shapeless: String,
    pub(crate) ask_colours: String,
    pub(crate) ask_shape: String,
    pub(crate) ask_widest: String,
    pub(crate) ask_form: String,
}

impl Language {
    /// The language of a code.
    pub(crate) fn named(code: &str) -> Result<&'static Self, Error> {
        let known = || ALL.iter().map(|language| language.code.as_str()).collect::<Vec<_>>().join(", ");
        ALL.iter()
            .find(|language| language.code == code)
            .ok_or_else(|| Error::Language { code: code.to_owned(), known: known() })
    }

    /// The code of a foreign language, with the guide to the town in it.
    pub(crate) fn guide(&self, foreign: usize) -> Option<(&str, &'static Guide)> {
        let code = self.foreign.get(foreign)?;
        Some((code, GUIDES.get(code)?))
    }

    /// The language of a text, by its scripts; Japanese for a text without letters.
    #[cfg(feature = "api")]
    pub(crate) fn of_text(text: &str) -> Result<&'static Self, Error> {
        let count = |from: char, to: char| text.chars().filter(|c| (from..=to).contains(c)).count();
        let kana = count('\u{3041}', '\u{30FA}');
        let hangul = count('\u{AC00}', '\u{D7A3}');
        Self::named(if hangul > kana {
            "ko"
        } else if kana > 0 {
            "ja"
        } else if text.chars().any(|c| c.is_ascii_alphabetic()) {
            "en"
        } else {
            "ja"
        })
    }

    /// How many topics have pages of their own.
    pub(crate) fn own_topics(&self) -> usize {
        self.topics.len().saturating_sub(1).max(1)
    }

    /// The title of a topic.
    pub(crate) fn title(&self, topic: usize) -> &'static str {
        self.topics[topic % self.own_topics()].title
    }
}

/// The sections of a prose file.
fn topics(prose: &'static str) -> Vec<Topic> {
    let section = |section: &'static str| {
        let mut lines = section.lines();
        Topic { title: lines.next().unwrap_or_default(), sentences: lines.collect() }
    };
    prose.split("# ").skip(1).map(section).collect()
}

/// A template with its blanks filled in.
pub(crate) fn fill(template: &str, values: &[(&str, &str)]) -> String {
    values.iter().fold(template.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_is_whole() {
        for code in ["ja", "en", "ko"] {
            let language = Language::named(code).unwrap();
            assert_eq!((language.colours.len(), language.lights.len(), language.kinds.len()), (9, 4, 18));
            assert_eq!((language.numerals.len(), language.site.tens.len()), (8, 8));
            assert!(language.own_topics() >= 6);
            assert!(language.topics.iter().all(|topic| topic.sentences.len() >= 8), "{code}");
            for at in 0..3 {
                let (foreign, guide) = language.guide(at).unwrap();
                assert!(foreign != code && guide.paragraphs.len() == 5);
            }
        }
        assert!(Language::named("tlh").unwrap_err().to_string().contains("ja, en, ko"));
    }
}
