//! Postal codes with the address after them.

use std::sync::LazyLock;

use regex::Regex;

/// 〒 with a code, or a code before the name of a prefecture; then the address up to the house number.
static POSTAL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?x)
        (?: 〒 \s* [0-9０-９]{3} [-‐‑−－ー]? [0-9０-９]{4}
          | \b[0-9０-９]{3} [-‐‑−－ー] [0-9０-９]{4} (?P<bare> \s* (?: 東京都 | 北海道 | 京都府 | 大阪府 | \p{Han}{2,3}県 ) ) )
        (?: \s* (?: 東京都 | 北海道 | 京都府 | 大阪府 | \p{Han}{2,3}県 )?
            [\p{Han}\p{Hiragana}\p{Katakana}ーヶ]{1,24}
            [0-9０-９一二三四五六七八九十]+
            (?: (?: 丁目 | 番地 | 番 | 号 | の | 条 | [-‐‑−－ー] ) [東西南北]? [0-9０-９一二三四五六七八九十]* )* )?",
    )
    .ok()
});

/// `text` with such addresses as 〒XXX-XXXX; none if there are none.
pub(super) fn mask(text: &str) -> Option<String> {
    match POSTAL.as_ref()?.replace_all(text, "〒XXX-XXXX") {
        std::borrow::Cow::Owned(masked) => Some(masked),
        std::borrow::Cow::Borrowed(_) => None,
    }
}
