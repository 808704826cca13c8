//! Normalisation: NFKC, white space, punctuation by majority, the normalisations of NEologd and CCNet, headers and
//! footers.

mod blocks;
mod ccnet;
mod emoji;
mod emoji_table;
mod footer;
mod neologd;
mod neologdn;
mod nfkc;
mod own_language;
mod scoring;
mod space;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::filter::Resources;
use crate::language::{IDEOGRAPHIC_ZERO, ITERATION_MARK};
use crate::pii::{mask_pii, mask_pii_strict};

pub use ccnet::normalize_ccnet;
pub use emoji::{is_emoji, is_removed};
pub use footer::{Footer, HeaderFooter};
pub use neologd::normalize_neologd;
pub use neologdn::neologdn;
pub use nfkc::nfkc;
pub use own_language::OwnLanguage;
pub use scoring::Normalizer;
pub use space::{is_python_space, squeeze};

/// A change of the text that stays, as profiles name it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum Modification {
    /// [`nfkc`].
    Nfkc {},
    /// [`collapse_space`].
    CollapseSpace {},
    /// [`majority_punctuation`].
    MajorityPunctuation {},
    /// [`mask_pii`].
    MaskPii {},
    /// [`mask_pii_strict`].
    MaskPiiStrict {},
    /// Digits to 0 (CCNet, for deduplication and language models).
    ZeroDigits {},
    /// [`normalize_neologd`].
    Neologd {},
    /// [`normalize_ccnet`].
    Ccnet {},
    /// Removes everything from the first footer line on (Swallow).
    Footer(Footer),
    /// Removes lines of key words at both ends (HojiChar).
    HeaderFooter(HeaderFooter),
    /// Removes paragraphs (lines) in another language than that of the profile's pack, such as English ones that a translation has
    /// left.
    OwnLanguage(OwnLanguage),
}

impl Modification {
    /// Whether it hides personal data, which short texts such as titles have too.
    pub(crate) fn masks(&self) -> bool {
        matches!(self, Self::MaskPii {} | Self::MaskPiiStrict {})
    }

    /// Whether it cuts off what stands at the ends of a text.
    pub(crate) fn trims_ends(&self) -> bool {
        matches!(self, Self::Footer(_) | Self::HeaderFooter(_))
    }

    /// The word list that it needs.
    pub(crate) fn file(&self) -> Option<&str> {
        match self {
            Self::Footer(footer) => Some(&footer.list),
            Self::HeaderFooter(edges) => Some(&edges.list),
            _ => None,
        }
    }

    /// Reads the word list that it needs, and takes the language from the pack.
    pub(crate) fn load(&mut self, resources: &Resources<'_>, missing: &mut Vec<String>) -> Result<(), Error> {
        let (list, words) = match self {
            Self::Footer(footer) => (&footer.list, &mut footer.words),
            Self::HeaderFooter(edges) => (&edges.list, &mut edges.words),
            Self::OwnLanguage(own) => {
                own.load(resources.pack);
                return Ok(());
            }
            _ => return Ok(()),
        };
        match resources.file(list) {
            Some(path) => *words = Some(Arc::new(footer::read_words(&path)?)),
            None => missing.push(list.clone()),
        }
        Ok(())
    }

    /// The changed text, or none if it stays as it is.
    #[must_use]
    pub fn apply(&self, text: &str) -> Option<String> {
        let changed = match self {
            Self::Nfkc {} => nfkc(text),
            Self::CollapseSpace {} => collapse_space(text),
            Self::MajorityPunctuation {} => majority_punctuation(text),
            Self::MaskPii {} => mask_pii(text)?,
            Self::MaskPiiStrict {} => mask_pii_strict(text)?,
            Self::ZeroDigits {} => ccnet::zero_digits(text),
            Self::Neologd {} => normalize_neologd(text),
            Self::Ccnet {} => normalize_ccnet(text),
            Self::Footer(footer) => footer.trim(text)?.to_owned(),
            Self::HeaderFooter(edges) => edges.trim(text)?,
            Self::OwnLanguage(own) => {
                let mut kept = own.kept_lines(text)?.into_iter();
                text.split('\n').filter(|_| kept.next().unwrap_or(true)).collect::<Vec<_>>().join("\n")
            }
        };
        (changed != text).then_some(changed)
    }
}

/// Runs of white space become one space; none stays at the ends (the paper's rule for alt texts).
#[must_use]
pub fn collapse_space(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Makes ，and ．after Japanese letters into 、and 。where they outnumber those (Swallow's code: a run counts once,
/// full-width Latin letters and digits before the mark, and `^`, protect it).
#[must_use]
pub fn majority_punctuation(text: &str) -> String {
    let comma = runs_after_japanese(text, '，') > runs_after_japanese(text, '、');
    let stop = runs_after_japanese(text, '．') > runs_after_japanese(text, '。');
    if !comma && !stop {
        return text.to_owned();
    }
    let text = if comma { replace_runs(text, '，', '、') } else { text.to_owned() };
    if stop { replace_runs(&text, '．', '。') } else { text }
}

/// Runs of `mark` right after a Japanese letter or closing bracket.
fn runs_after_japanese(text: &str, mark: char) -> usize {
    let mut before = None;
    let mut runs = 0;
    for c in text.chars() {
        if c == mark && before.is_some_and(takes_mark) {
            runs += 1;
        }
        before = Some(c);
    }
    runs
}

fn takes_mark(c: char) -> bool {
    matches!(
        c,
        '）' | '」' | '』' | '］' | '〕' | '】' | '〉' | '》' | '\u{3041}'..='\u{3096}' | '\u{30A1}'..='\u{30FA}' | ITERATION_MARK | IDEOGRAPHIC_ZERO
            | '\u{303B}' | '\u{3400}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}'
    )
}

/// Replaces each run of `from` that follows any character but a full-width Latin letter or digit or `^`. A run's
/// first mark can itself be the character before (at the start of a text, or after a protected one).
fn replace_runs(text: &str, from: char, to: char) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        out.push(c);
        let protects = matches!(c, '０'..='９' | 'Ａ'..='Ｚ' | 'ａ'..='ｚ' | '^');
        while !protects && chars.next_if_eq(&from).is_some() {
            out.push(to);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn punctuation_follows_the_majority() {
        let check = |text: &str, expected: &str| assert_eq!(majority_punctuation(text), expected);
        check("句点，読点を直す。", "句点、読点を直す。");
        check("句点，読点を直す．", "句点、読点を直す。");
        check("Ｈｉ，全角でも，直す．", "Ｈｉ，全角でも、直す。");
        check("円周率は３．１４です，とある．", "円周率は３．１４です、とある。");
        check("お待ち．．．", "お待ち。。。");
        check("一、二、三，四。", "一、二、三，四。");
        check("", "");
    }

    #[test]
    fn space_is_collapsed() {
        assert_eq!(collapse_space("  青い　空\n\tと 海 "), "青い 空 と 海");
    }
}
