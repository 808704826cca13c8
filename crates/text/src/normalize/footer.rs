//! Removes headers and footers of pages from a text.

use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::Error;

/// A footer begins at the first of the last `lines` lines of which more than `share` belongs to the list's words
/// (Swallow's code).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Footer {
    /// File name of the list of footer words.
    pub list: String,
    /// Number of lines that are searched, from the end (10: Swallow).
    #[serde(default = "swallow_lines")]
    pub lines: usize,
    /// Share, 0 to 1, of a line's code points in words of the list above which it begins the footer (0.3: Swallow).
    #[serde(default = "swallow_share")]
    pub share: f64,
    #[serde(skip)]
    pub(super) words: Option<Arc<Vec<String>>>,
}

const fn swallow_lines() -> usize {
    10
}

const fn swallow_share() -> f64 {
    0.3
}

impl Footer {
    /// Returns `text` without its footer, or `None` if the list was not loaded.
    pub(super) fn trim<'a>(&self, text: &'a str) -> Option<&'a str> {
        let words = self.words.as_deref()?;
        Some(trim_footer(text, words, self.lines, self.share))
    }
}

/// Lines of navigation at the ends of a text: of the first and of the last few lines, those that begin with a word of
/// the list. HojiChar looks at one line of a text of up to three, at two of up to five, and at three of longer ones.
///
/// For a footer, HojiChar's code drops the line that is as far from the beginning as the key word is from the end. This
/// implementation drops the line that has the key word.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HeaderFooter {
    /// File name of the list of key words, such as `header_footer_keywords_ja.txt`.
    pub list: String,
    #[serde(skip)]
    pub(super) words: Option<Arc<Vec<String>>>,
}

impl HeaderFooter {
    /// Returns `text` without such lines at its ends, or `None` if the list was not loaded.
    pub(super) fn trim(&self, text: &str) -> Option<String> {
        let mut kept = self.kept_lines(text)?.into_iter();
        let lines = text.split('\n').filter(|_| kept.next().unwrap_or(true));
        Some(lines.collect::<Vec<_>>().join("\n"))
    }

    /// Says for each line whether it stays, or returns `None` if the list was not loaded.
    pub(super) fn kept_lines(&self, text: &str) -> Option<Vec<bool>> {
        let words = self.words.as_deref()?;
        let is_navigation =
            |line: &str| words.iter().any(|word| line.trim_start().starts_with(word.as_str()));
        let filled = |line: &&str| !line.trim().is_empty();
        let count = text.split('\n').filter(filled).count();
        let look = match count {
            0..4 => 1,
            4..6 => 2,
            _ => 3,
        };
        let mut number = 0;
        let kept = text.split('\n').map(|line| {
            let at = number;
            number += usize::from(filled(&line));
            let is_edge = at < look || at + look >= count;
            !(filled(&line) && is_edge && is_navigation(line))
        });
        Some(kept.collect())
    }
}

/// Reads the words of a list, one a line, and sorts them by length, the longest first, as Swallow does.
pub(super) fn read_words(path: &Path) -> Result<Vec<String>, Error> {
    let text =
        std::fs::read_to_string(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
    Ok(footer_words(&text))
}

fn footer_words(text: &str) -> Vec<String> {
    let mut words: Vec<String> =
        text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
    words.sort_by(|a, b| b.chars().count().cmp(&a.chars().count()).then_with(|| a.cmp(b)));
    words.dedup();
    words
}

/// Returns `text` without its footer.
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
    fn navigation_at_both_ends_goes() {
        let words = Some(Arc::new(footer_words("トップページ\n次の記事\nカテゴリー\n")));
        let edges = HeaderFooter { list: "list".into(), words };
        let trim = |text| edges.trim(text).unwrap();
        assert_eq!(trim("トップページ > 庭\n梅が咲いた。\n鶯も来た。\n次の記事"), "梅が咲いた。\n鶯も来た。");
        assert_eq!(trim("一\n次の記事\n二\n三\n四\n次の記事：桜\n終"), "一\n二\n三\n四\n終");
        assert_eq!(trim("一\n次の記事\n二"), "一\n次の記事\n二");
        assert_eq!(trim("次の記事"), "");
        assert_eq!(trim(""), "");
    }
}
