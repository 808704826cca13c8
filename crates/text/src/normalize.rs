//! Normalisation: NFKC, white space, punctuation by majority, footers.

use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};

use crate::Error;
use crate::pii::mask_pii;

/// A change of the text that stays, as profiles name it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case", deny_unknown_fields)]
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
    /// Digits to 0 (CCNet, for deduplication and language models).
    ZeroDigits {},
    /// Removes everything from the first footer line on.
    Footer(FooterConfig),
}

/// A footer begins at the first of the last `lines` lines of which more than `share` belongs to the list's words
/// (Swallow's code).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FooterConfig {
    /// File name of the list of footer words.
    pub list: String,
    /// Lines looked at, from the end (Swallow: 10).
    #[serde(default = "swallow_lines")]
    pub lines: usize,
    /// Share of a line's letters (Swallow: .3).
    #[serde(default = "swallow_share")]
    pub share: f64,
    #[serde(skip)]
    words: Option<Arc<Vec<String>>>,
}

const fn swallow_lines() -> usize {
    10
}

const fn swallow_share() -> f64 {
    0.3
}

impl Modification {
    /// Reads the word list that it needs.
    pub(crate) fn load(&mut self, folder: Option<&Path>, missing: &mut Vec<String>) -> Result<(), Error> {
        let Self::Footer(footer) = self else { return Ok(()) };
        let Some(path) = folder.map(|folder| folder.join(&footer.list)).filter(|path| path.is_file()) else {
            missing.push(footer.list.clone());
            return Ok(());
        };
        let text = std::fs::read_to_string(&path).map_err(|source| Error::Read { path, source })?;
        footer.words = Some(Arc::new(footer_words(&text)));
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
            Self::ZeroDigits {} => text.chars().map(|c| if c.is_numeric() { '0' } else { c }).collect(),
            Self::Footer(footer) => match &footer.words {
                Some(words) => trim_footer(text, words, footer.lines, footer.share).to_owned(),
                None => return None,
            },
        };
        (changed != text).then_some(changed)
    }
}

/// Unicode's NFKC: half-width katakana, full-width Latin, ligatures and the like in their common form.
///
/// ```
/// assert_eq!(tsumugi_text::nfkc("ﾊﾝｶｸ㍿①"), "ハンカク株式会社1");
/// ```
#[must_use]
pub fn nfkc(text: &str) -> String {
    match is_nfkc_quick(text.chars()) {
        IsNormalized::Yes => text.to_owned(),
        _ => text.nfkc().collect(),
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
        '）' | '」' | '』' | '］' | '〕' | '】' | '〉' | '》' | '\u{3041}'..='\u{3096}' | '\u{30A1}'..='\u{30FA}' | '々' | '〇'
            | '〻' | '\u{3400}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}'
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

/// Footer words from a file: one a line, the longest first, as Swallow removes them.
fn footer_words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect();
    words.sort_by(|a, b| b.chars().count().cmp(&a.chars().count()).then_with(|| a.cmp(b)));
    words.dedup();
    words
}

/// `text` without its footer.
fn trim_footer<'a>(text: &'a str, words: &[String], lines: usize, share: f64) -> &'a str {
    let starts: Vec<usize> = std::iter::once(0)
        .chain(text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(at, _)| at + 1))
        .collect();
    let first = starts.len().saturating_sub(lines);
    for (index, &start) in starts.iter().enumerate().skip(first) {
        let end = starts.get(index + 1).map_or(text.len(), |next| next - 1);
        if is_footer(&text[start..end], words, share) {
            return &text[..start.saturating_sub(1)];
        }
    }
    text
}

fn is_footer(line: &str, words: &[String], share: f64) -> bool {
    let letters = line.chars().count();
    let mut rest = line.to_owned();
    for word in words {
        if rest.contains(word.as_str()) {
            rest = rest.replace(word.as_str(), "");
        }
    }
    crate::filter::share(letters - rest.chars().count(), letters) > share
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
    fn footers_go() {
        let words = footer_words("コメント\nトラックバック一覧\n\n");
        assert_eq!(trim_footer("本文。\nコメント (0)\n残り", &words, 10, 0.3), "本文。");
        assert_eq!(
            trim_footer("本文。\nコメントをいただいた人の長い話", &words, 10, 0.3),
            "本文。\nコメントをいただいた人の長い話"
        );
        assert_eq!(trim_footer("コメント\n本文1\n本文2", &words, 2, 0.3), "コメント\n本文1\n本文2");
        assert_eq!(trim_footer("コメント", &words, 2, 0.3), "");
    }

    #[test]
    fn space_is_collapsed() {
        assert_eq!(collapse_space("  青い　空\n\tと 海 "), "青い 空 と 海");
    }
}
