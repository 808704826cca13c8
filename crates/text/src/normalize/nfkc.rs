//! NFKC as Unicode 14 defines it.
//!
//! The version is that of the Python interpreters that the reference tools run on. It is fixed so that scores and tables do not
//! depend on the Unicode version that the crate `unicode-normalization` implements.

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};

/// Ranges of characters that later versions of Unicode added and that NFKC changes or composes. Unicode 14 leaves them
/// unchanged.
#[rustfmt::skip]
const LATER: [(char, char); 53] = [
    ('\u{558}', '\u{558}'), ('\u{58b}', '\u{58c}'), ('\u{5c8}', '\u{5c9}'), ('\u{897}', '\u{897}'),
    ('\u{1acf}', '\u{1af0}'), ('\u{209d}', '\u{209f}'), ('\u{a7f1}', '\u{a7f1}'), ('\u{105c9}', '\u{105c9}'),
    ('\u{105d2}', '\u{105d2}'), ('\u{105da}', '\u{105da}'), ('\u{105e4}', '\u{105e4}'),
    ('\u{107bb}', '\u{107bf}'), ('\u{10d69}', '\u{10d6d}'), ('\u{10ecb}', '\u{10ecf}'),
    ('\u{10ef0}', '\u{10efb}'), ('\u{10efd}', '\u{10eff}'), ('\u{11382}', '\u{11385}'),
    ('\u{1138b}', '\u{1138b}'), ('\u{1138e}', '\u{1138e}'), ('\u{11390}', '\u{11391}'),
    ('\u{113b8}', '\u{113b8}'), ('\u{113bb}', '\u{113bb}'), ('\u{113c2}', '\u{113c2}'),
    ('\u{113c5}', '\u{113c5}'), ('\u{113c7}', '\u{113c9}'), ('\u{113ce}', '\u{113d0}'),
    ('\u{11f41}', '\u{11f42}'), ('\u{1611e}', '\u{16129}'), ('\u{1612f}', '\u{1612f}'),
    ('\u{16d63}', '\u{16d63}'), ('\u{16d67}', '\u{16d6a}'), ('\u{1b123}', '\u{1b126}'),
    ('\u{1ccd6}', '\u{1ccf9}'), ('\u{1d127}', '\u{1d128}'), ('\u{1d250}', '\u{1d252}'),
    ('\u{1d25b}', '\u{1d25c}'), ('\u{1d25f}', '\u{1d25f}'), ('\u{1d280}', '\u{1d281}'),
    ('\u{1d6a6}', '\u{1d6a6}'), ('\u{1df2b}', '\u{1df2c}'), ('\u{1df3e}', '\u{1df3f}'),
    ('\u{1df50}', '\u{1df50}'), ('\u{1df57}', '\u{1df59}'), ('\u{1df95}', '\u{1df95}'),
    ('\u{1dfcd}', '\u{1dfff}'), ('\u{1e030}', '\u{1e06d}'), ('\u{1e08f}', '\u{1e08f}'),
    ('\u{1e4ec}', '\u{1e4ef}'), ('\u{1e5ee}', '\u{1e5ef}'), ('\u{1e6e3}', '\u{1e6e3}'),
    ('\u{1e6e6}', '\u{1e6e6}'), ('\u{1e6ee}', '\u{1e6ef}'), ('\u{1e6f5}', '\u{1e6f5}'),
];

/// Normalises `text` to Unicode's form NFKC: half-width katakana, full-width Latin letters, ligatures and the like
/// become their common form.
///
/// ```
/// assert_eq!(tsumugi_text::nfkc("ﾊﾝｶｸ㍿①"), "ハンカク株式会社1");
/// ```
#[must_use]
pub fn nfkc(text: &str) -> String {
    if text.is_ascii() || is_nfkc_quick(text.chars()) == IsNormalized::Yes {
        return text.to_owned();
    }
    if !text.contains(is_later) {
        return text.nfkc().collect();
    }
    let mut out = String::with_capacity(text.len());
    for piece in text.split_inclusive(is_later) {
        let end = piece.chars().next_back().filter(|c| is_later(*c));
        let body = &piece[..piece.len() - end.map_or(0, char::len_utf8)];
        out.extend(body.nfkc());
        out.extend(end);
    }
    out
}

fn is_later(c: char) -> bool {
    if c < LATER[0].0 {
        return false;
    }
    let after = LATER.partition_point(|(first, _)| *first <= c);
    after > 0 && c <= LATER[after - 1].1
}

#[cfg(test)]
mod tests {
    use super::{LATER, nfkc};

    #[test]
    fn later_characters_stay() {
        assert!(LATER.windows(2).all(|w| w[0].1 < w[1].0));
        assert_eq!(nfkc("ﬁ①か\u{3099}"), "fi1が");
        assert_eq!(nfkc("Ａ\u{1ccd6}Ｂ"), "A\u{1ccd6}B");
        assert_eq!(nfkc("か\u{897}\u{3099}"), "か\u{897}\u{3099}");
    }
}
