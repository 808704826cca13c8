//! The normalisation that CCNet applies before it scores a text with its language models.

use std::sync::LazyLock;

use regex::Regex;
use unicode_normalization::UnicodeNormalization as _;

static MARK: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\p{Mn}+").ok());
static DIGIT: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\d").ok());

/// Normalises `text` as CCNet (Wenzek et al. 2019) does for its language models: lower case, no combining marks (the sound
/// marks of kana among them: が is か), digits 0, common punctuation in ASCII, no control characters (line feeds among
/// them).
///
/// ```
/// assert_eq!(tsumugi_text::normalize_ccnet("  Élan、がん「１２」。\n"), "elan,かん\"00\".");
/// ```
#[must_use]
pub fn normalize_ccnet(text: &str) -> String {
    let lower = text.trim_matches(super::is_python_space).to_lowercase();
    let decomposed: String = lower.nfd().collect();
    let bare = replace(MARK.as_ref(), &decomposed, "");
    let mut out = String::with_capacity(bare.len());
    for c in zero_digits(&bare).chars() {
        match punctuation(c) {
            Some(ascii) => out.push_str(ascii),
            None if c.is_control() => {}
            None => out.push(c),
        }
    }
    out
}

/// Replaces every decimal digit, of any script, by 0.
#[must_use]
pub(super) fn zero_digits(text: &str) -> String {
    replace(DIGIT.as_ref(), text, "0")
}

fn replace(pattern: Option<&Regex>, text: &str, with: &str) -> String {
    pattern.map_or_else(|| text.to_owned(), |pattern| pattern.replace_all(text, with).into_owned())
}

const fn punctuation(c: char) -> Option<&'static str> {
    Some(match c {
        '，' | '、' => ",",
        '。' => ".",
        '„' | '”' | '“' | '«' | '»' | '」' | '「' | '《' | '》' => "\"",
        '´' | '’' => "'",
        '∶' | '：' => ":",
        '？' => "?",
        '！' => "!",
        '（' => "(",
        '）' => ")",
        '；' => ";",
        '–' | '━' | '►' => "-",
        '—' => " - ",
        '．' => ". ",
        '～' => "~",
        '…' => "...",
        '〈' => "<",
        '〉' => ">",
        '【' => "[",
        '】' => "]",
        '％' => "%",
        _ => return None,
    })
}
