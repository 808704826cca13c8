//! Identifies the language of a text, from the cheapest evidence to the most expensive.
//!
//! 1. letters by script ([`ScriptCounts`]): kana means Japanese, Hangul Korean, Thai letters Thai, and so on;
//! 2. for Han characters without kana, the national character sets ([`CharsetEvidence`]);
//! 3. if these do not decide, the log-odds of kanji words from dictionaries;
//! 4. the language that the page declares, as a prior;
//! 5. `lingua` if the text is still undecided.
//!
//! Codes are BCP 47: `ja`, `zh-Hans`, `zh-Hant`, `ko`, `en`, `th`, `el`, `he`; Latin text gets `en`, `fr`, `de`, `es`,
//! `it`, `pt`, `nl`, `id`, `vi` or `pl` by its function words and otherwise `en` (plain ASCII) or `und-Latn`; other
//! scripts give `und-Cyrl`, `und-Arab`, `und-Deva` or `und-Zyyy`; a text without letters is `und`.

mod charset;
mod kanji;
mod latin;
mod own_words;
mod script;

use std::sync::{Arc, LazyLock};

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::pack::LanguagePack;

pub use charset::CharsetEvidence;
pub(crate) use script::{IDEOGRAPHIC_ZERO, ITERATION_MARK, LONG_VOWEL_MARK, MIDDLE_DOT, is_full_width};
pub use script::{Script, ScriptCounts, script_of};

/// The codes that a [`LanguageIdentifier`] gives.
pub const CODES: [&str; 23] = [
    "ja", "zh-Hans", "zh-Hant", "ko", "en", "fr", "de", "es", "it", "pt", "nl", "id", "vi", "pl", "th", "el",
    "he", "und", "und-Latn", "und-Cyrl", "und-Arab", "und-Deva", "und-Zyyy",
];

/// Checks that texts can be of a language: that the identifier gives this code, or codes that begin with it (`zh`).
///
/// ```
/// use tsumugi_text::language::check_code;
///
/// assert!(check_code("zh").is_ok() && check_code("zh-Hant").is_ok());
/// assert!(check_code("jp").unwrap_err().to_string().contains("did you mean ja?"));
/// ```
///
/// # Errors
/// [`Error::UnknownCode`] with the code that was probably meant.
pub fn check_code(code: &str) -> Result<(), Error> {
    let fits =
        |known: &str| known.strip_prefix(code).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'));
    if !code.is_empty() && CODES.into_iter().any(fits) {
        return Ok(());
    }
    Err(Error::UnknownCode {
        code: code.to_owned(),
        meant: LanguagePack::meant(code),
        known: CODES.join(", "),
    })
}

/// Settings of a [`LanguageIdentifier`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LanguageConfig {
    /// Number of letters up to which a text counts as a short string (an alt text or a title), in which one kana is enough
    /// evidence of Japanese (60: measured on labelled interface texts).
    pub short_letters: u64,
    /// Share, 0 to 1, of kana among kana and Han characters from which a longer text is Japanese; below it the text is Chinese with
    /// Japanese names in it (0.03: Japanese prose has .5 and more, lists of names in kanji about .05).
    pub kana_share: f64,
    /// Number of Latin letters that outweigh one kana in a short string without Han characters (16: ours; a kana in a line of
    /// English is decoration, and no labelled Japanese string is lost).
    pub latin_per_kana: u64,
    /// Number of Latin letters that weigh as much as one kana, Han or Hangul character (4: ours; an English word of five letters
    /// says about as much as one or two of these).
    pub latin_per_cjk: f64,
    /// Natural log-odds from which the model of kanji words decides for Japanese (4: ours; fewer than 1 % of Chinese interface texts
    /// are then taken for Japanese, and more than half of the Japanese ones are found).
    pub kanji_odds: f64,
    /// Natural log-odds that a page adds by declaring Japanese, or subtracts by declaring Chinese (8: ours).
    pub page_odds: f64,
    /// Whether `lingua` decides if all other evidence is missing (yes: ours; its models of about 20 MB are loaded on first use).
    pub lingua: bool,
}

impl Default for LanguageConfig {
    fn default() -> Self {
        Self {
            short_letters: 60,
            kana_share: 0.03,
            latin_per_kana: 16,
            latin_per_cjk: 4.0,
            kanji_odds: 4.0,
            page_odds: 8.0,
            lingua: true,
        }
    }
}

/// The evidence that decided the language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum Evidence {
    /// The text has no letters.
    Nothing,
    /// Letters by script.
    Script,
    /// Membership in national character sets.
    Charset,
    /// Function words.
    Words,
    /// Characters and pairs of characters in Han-only text.
    Kanji,
    /// The language that the page declares.
    Prior,
    /// The `lingua` models.
    Lingua,
}

/// An identified language.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Language {
    /// BCP 47 code.
    pub code: &'static str,
    /// Confidence, 0 to 1.
    pub score: f64,
    /// The evidence that decided.
    pub evidence: Evidence,
}

impl Language {
    /// Whether this is Japanese.
    #[must_use]
    pub fn is_japanese(&self) -> bool {
        self.code == "ja"
    }
}

/// Identifies the language of documents and of short strings. It is cheap to clone and can be shared between threads.
///
/// ```
/// use tsumugi_text::LanguageIdentifier;
///
/// let identifier = LanguageIdentifier::default();
/// assert_eq!(identifier.identify("画像を読み込みます。").code, "ja");
/// assert_eq!(identifier.identify("发表时间").code, "zh-Hans");
/// assert_eq!(identifier.identify("Open the image").code, "en");
/// // These two characters could be either; the page that it stands on decides.
/// assert_eq!(identifier.identify_on_page("東京", Some("ja")).code, "ja");
/// ```
#[derive(Clone, Debug, Default)]
pub struct LanguageIdentifier {
    config: Arc<LanguageConfig>,
}

impl LanguageIdentifier {
    /// An identifier with these settings.
    #[must_use]
    pub fn new(config: LanguageConfig) -> Self {
        Self { config: Arc::new(config) }
    }

    /// Identifies the language of a text of unknown origin.
    #[must_use]
    pub fn identify(&self, text: &str) -> Language {
        self.identify_on_page(text, None)
    }

    /// Identifies the language of a text on a page that declares `page_language` or was identified as such, a BCP 47 tag. Unknown
    /// tags are ignored.
    #[must_use]
    pub fn identify_on_page(&self, text: &str, page_language: Option<&str>) -> Language {
        let counts = ScriptCounts::of(text);
        if counts.letters() == 0 {
            return Language { code: "und", score: 0.0, evidence: Evidence::Nothing };
        }
        if counts.letters() <= self.config.short_letters {
            self.short(text, &counts, page_language)
        } else {
            self.document(text, &counts, page_language)
        }
    }

    fn short(&self, text: &str, counts: &ScriptCounts, page: Option<&str>) -> Language {
        let (kana, han, hangul) = (counts.kana(), counts.get(Script::Han), counts.get(Script::Hangul));
        if kana > 0 && kana >= hangul {
            // The particle no decorates Chinese brand names; with characters that Japan does not write it is no evidence.
            let decorated = kana == 1
                && han >= 2
                && text.contains(HIRAGANA_NO)
                && CharsetEvidence::of(text, 64).not_japanese > 0;
            // And so it decorates Latin text: a few words beside a single letter are not written in Japanese.
            let latin = counts.get(Script::Latin);
            let foreign = han == 0 && kana * self.config.latin_per_kana <= latin;
            if !decorated && !foreign {
                return Language { code: "ja", score: 0.99, evidence: Evidence::Script };
            }
        }
        if hangul > 0 && hangul >= han {
            return Language { code: "ko", score: 0.99, evidence: Evidence::Script };
        }
        if han > 0 && counts.get(Script::Thai) == 0 {
            return self.han(text, page, 1.0);
        }
        self.dominant(text, counts, page)
    }

    fn document(&self, text: &str, counts: &ScriptCounts, page: Option<&str>) -> Language {
        self.dominant(text, counts, page)
    }

    /// The language of the script that weighs most.
    #[expect(clippy::cast_precision_loss, reason = "letter counts of a text are far below 2^52")]
    fn dominant(&self, text: &str, counts: &ScriptCounts, page: Option<&str>) -> Language {
        let weigh = |script: Script| counts.get(script) as f64;
        let kana = counts.kana() as f64;
        let han = weigh(Script::Han) + weigh(Script::Bopomofo);
        let alphabet = self.config.latin_per_cjk.max(f64::MIN_POSITIVE);
        let groups = [
            (Group::East, kana + han),
            (Group::Code("ko"), weigh(Script::Hangul)),
            (Group::Latin, weigh(Script::Latin) / alphabet),
            (Group::Code("und-Cyrl"), weigh(Script::Cyrillic) / alphabet),
            (Group::Code("el"), weigh(Script::Greek) / alphabet),
            (Group::Code("und-Arab"), weigh(Script::Arabic) / alphabet),
            (Group::Code("he"), weigh(Script::Hebrew) / alphabet),
            (Group::Code("th"), weigh(Script::Thai) / alphabet),
            (Group::Code("und-Deva"), weigh(Script::Devanagari) / alphabet),
            (Group::Code("und-Zyyy"), weigh(Script::Other) / alphabet),
        ];
        let total: f64 = groups.iter().map(|(_, weight)| weight).sum();
        let (group, weight) = groups
            .into_iter()
            .fold((Group::Latin, 0.0), |best, next| if next.1 > best.1 { next } else { best });
        let score = weight / total;
        match group {
            Group::Code(code) => Language { code, score, evidence: Evidence::Script },
            Group::Latin => latin_language(text, page, score),
            Group::East if kana > 0.0 && self.is_japanese(text, kana / (kana + han)) => {
                Language { code: "ja", score, evidence: Evidence::Script }
            }
            Group::East => self.han(text, page, score),
        }
    }

    /// Whether a text with this share of kana is Japanese rather than Chinese with Japanese names in it.
    #[expect(clippy::cast_precision_loss, reason = "at most HAN_LIMIT characters are counted")]
    fn is_japanese(&self, text: &str, kana_share: f64) -> bool {
        if kana_share >= CLEAR_KANA_SHARE {
            return true;
        }
        let evidence = CharsetEvidence::of(text, HAN_LIMIT);
        kana_share >= self.config.kana_share
            && (evidence.not_japanese as f64) < FOREIGN_SHARE * evidence.han as f64
    }

    /// Japanese, simplified or traditional Chinese, from a text with Han characters and next to no kana.
    #[expect(clippy::cast_precision_loss, reason = "at most HAN_LIMIT characters are counted")]
    fn han(&self, text: &str, page: Option<&str>, weight: f64) -> Language {
        let evidence = CharsetEvidence::of(text, HAN_LIMIT);
        let certain =
            |code, score: f64| Language { code, score: score * weight, evidence: Evidence::Charset };
        let (foreign, own) = (evidence.not_japanese as f64, evidence.japanese_only as f64);
        if foreign > 0.0 && foreign >= own {
            return certain(evidence.chinese(), 0.5 + 0.5 * foreign / (foreign + own));
        }
        if own > 0.0 {
            return certain("ja", 0.5 + 0.45 * own / (foreign + own));
        }
        if evidence.simplified > 0 && evidence.traditional > 0 {
            // Shift_JIS can write the whole, and neither GB 2312 nor Big5 can (two characters of the text are each in one of them only).
            return certain("ja", 0.9);
        }
        self.kanji(text, page, &evidence, weight)
    }

    /// The same where the character sets leave it open.
    fn kanji(&self, text: &str, page: Option<&str>, evidence: &CharsetEvidence, weight: f64) -> Language {
        let declared = page.map(primary_subtag).unwrap_or_default();
        let (prior, by) = match declared.as_str() {
            "ja" => (self.config.page_odds, Evidence::Prior),
            "zh" => (-self.config.page_odds, Evidence::Prior),
            _ => (0.0, Evidence::Kanji),
        };
        let odds = kanji::log_odds(text, HAN_LOOK) + prior - self.config.kanji_odds;
        let japanese = 1.0 / (1.0 + (-odds).exp());
        if odds > 0.0 {
            return Language { code: "ja", score: japanese * weight, evidence: by };
        }
        let code =
            page.filter(|_| declared == "zh").map_or(evidence.chinese(), |tag| chinese_of(tag, evidence));
        if odds < -UNSURE || !self.config.lingua {
            return Language { code, score: (1.0 - japanese) * weight, evidence: by };
        }
        // Near the border lingua has the last word; it knows sentences better than single words.
        let japanese = lingua_japanese(text);
        let (code, score) = if japanese > 0.5 { ("ja", japanese) } else { (code, 1.0 - japanese) };
        Language { code, score: score * weight, evidence: Evidence::Lingua }
    }
}

/// The particle that Chinese brand names borrow.
const HIRAGANA_NO: char = '\u{306E}';

/// Han characters that the model of kanji words looks at.
const HAN_LOOK: usize = 60;

/// Log-odds below the threshold within which `lingua` is asked.
const UNSURE: f64 = 2.0;

/// Han characters looked at; more do not change the answer.
const HAN_LIMIT: u64 = 2000;

/// Share of kana from which nobody needs to look at the Han characters.
const CLEAR_KANA_SHARE: f64 = 0.3;

/// Share of characters foreign to Japan from which a text with few kana is Chinese; in Chinese text it is .2 and more.
const FOREIGN_SHARE: f64 = 0.05;

enum Group {
    East,
    Latin,
    Code(&'static str),
}

fn latin_language(text: &str, page: Option<&str>, weight: f64) -> Language {
    if let Some((code, share)) = latin::guess(text) {
        return Language { code, score: share * weight, evidence: Evidence::Words };
    }
    const KNOWN: [&str; 10] = ["en", "fr", "de", "es", "it", "pt", "nl", "id", "vi", "pl"];
    let declared = page.map(primary_subtag).unwrap_or_default();
    if let Some(code) = KNOWN.into_iter().find(|code| *code == declared) {
        return Language { code, score: 0.6 * weight, evidence: Evidence::Prior };
    }
    let plain = !text.chars().any(|c| !c.is_ascii() && script_of(c) == Script::Latin);
    let code = if plain { "en" } else { "und-Latn" };
    Language { code, score: 0.5 * weight, evidence: Evidence::Script }
}

/// Lower-case language part of a BCP 47 tag (`zh` of `zh-Hant-TW`, `ja` of `ja_JP`).
fn primary_subtag(tag: &str) -> String {
    tag.trim().split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase()
}

fn chinese_of(tag: &str, evidence: &CharsetEvidence) -> &'static str {
    if evidence.traditional != evidence.simplified {
        return evidence.chinese();
    }
    let tag = tag.to_ascii_lowercase();
    let traditional =
        ["hant", "tw", "hk", "mo"].iter().any(|part| tag.split(['-', '_']).any(|have| have == *part));
    if traditional { "zh-Hant" } else { "zh-Hans" }
}

/// lingua's confidence that `text`, known to be Japanese or Chinese, is Japanese.
fn lingua_japanese(text: &str) -> f64 {
    use lingua::{Language::Chinese, Language::Japanese, LanguageDetector, LanguageDetectorBuilder};
    static DETECTOR: LazyLock<LanguageDetector> =
        LazyLock::new(|| LanguageDetectorBuilder::from_languages(&[Japanese, Chinese]).build());
    DETECTOR.compute_language_confidence(prefix(text, 4096), Japanese)
}

/// At most `bytes` bytes from the start of `text`, cut at a character.
pub(crate) fn prefix(text: &str, bytes: usize) -> &str {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests;
