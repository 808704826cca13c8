//! Character references: `&amp;`, `&#x3042;` and the like.

use std::sync::LazyLock;

/// The named references of the HTML standard, a line each: the name, a tab, its characters in hexadecimal. Sorted by name,
/// written by `tests/fixtures/make_references.py`.
const TABLE: &str = include_str!("references.tsv");

static NAMES: LazyLock<Vec<(&str, String)>> = LazyLock::new(|| {
    let character = |hex: &str| u32::from_str_radix(hex, 16).ok().and_then(char::from_u32);
    let line = |line: &'static str| {
        let (name, characters) = line.split_once('\t')?;
        Some((name, characters.split(' ').filter_map(character).collect()))
    };
    TABLE.lines().filter_map(line).collect()
});

/// Longest name with its semicolon.
const LONGEST: usize = 32;
/// Longest name that counts without a semicolon.
const LONGEST_BARE: usize = 6;

/// Appends `text` to `out` with its character references resolved. In attributes a name without a semicolon
/// does not count before a letter, a digit or `=`: there it is part of an address.
pub(crate) fn decode(text: &str, in_attribute: bool, out: &mut String) {
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'&', rest.as_bytes()) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let taken = if rest.as_bytes().get(1) == Some(&b'#') {
            numeric(rest.as_bytes(), out)
        } else {
            named(rest, in_attribute, out)
        };
        if taken == 0 {
            out.push('&');
            rest = &rest[1..];
        } else {
            rest = &rest[taken..];
        }
    }
    out.push_str(rest);
}

/// Resolves the numeric reference at the beginning of `text`; gives the bytes it took, 0 if it is none.
fn numeric(text: &[u8], out: &mut String) -> usize {
    let hex = matches!(text.get(2), Some(b'x' | b'X'));
    let (start, radix) = if hex { (3, 16) } else { (2, 10) };
    let mut value = 0_u32;
    let mut at = start;
    while let Some(digit) = text.get(at).and_then(|byte| (*byte as char).to_digit(radix)) {
        value = value.saturating_mul(radix).saturating_add(digit);
        at += 1;
    }
    if at == start {
        return 0;
    }
    out.push(character(value));
    at + usize::from(text.get(at) == Some(&b';'))
}

/// The character of a number: those of windows-1252 where ISO 8859-1 has controls.
fn character(value: u32) -> char {
    match value {
        0x80..=0x9f => {
            let byte = [value as u8];
            let (text, _) = encoding_rs::WINDOWS_1252.decode_without_bom_handling(&byte);
            text.chars().next().unwrap_or('\u{fffd}')
        }
        0 => '\u{fffd}',
        _ => char::from_u32(value).unwrap_or('\u{fffd}'),
    }
}

/// Resolves the named reference at the beginning of `text`; gives the bytes it took, 0 if it is none.
fn named(text: &str, in_attribute: bool, out: &mut String) -> usize {
    let name = &text.as_bytes()[1..];
    let letters = name.iter().take(LONGEST).take_while(|byte| byte.is_ascii_alphanumeric()).count();
    if name.get(letters) == Some(&b';')
        && let Some(value) = lookup(&text[1..letters + 2])
    {
        out.push_str(value);
        return letters + 2;
    }
    for length in (2..=letters.min(LONGEST_BARE)).rev() {
        let Some(value) = lookup(&text[1..=length]) else { continue };
        let next = name.get(length).copied().unwrap_or(b' ');
        if in_attribute && (next == b'=' || next.is_ascii_alphanumeric()) {
            return 0;
        }
        out.push_str(value);
        return length + 1;
    }
    0
}

/// The characters of a name; most names end with a semicolon.
fn lookup(name: &str) -> Option<&'static str> {
    match name {
        "amp;" => Some("&"),
        "nbsp;" => Some("\u{a0}"),
        "quot;" => Some("\""),
        "lt;" => Some("<"),
        "gt;" => Some(">"),
        _ => NAMES.binary_search_by(|(known, _)| (*known).cmp(name)).ok().map(|at| NAMES[at].1.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, in_attribute: bool, expected: &str) {
        let mut out = String::new();
        decode(text, in_attribute, &mut out);
        assert_eq!(out, expected, "{text}");
    }

    #[test]
    fn resolves_references() {
        for (text, expected) in [
            ("a&amp;b&lt;&gt;&quot;", "a&b<>\""),
            ("&hearts;&Hearts;&NotEqualTilde;", "♥&Hearts;\u{2242}\u{338}"),
            ("&notit;&notin;", "¬it;∉"),
            ("&copy2024&COPY", "©2024©"),
            ("&#12354;&#x3042&#X3042;あ", "あああ\u{3042}"),
            ("&#x80;&#150;", "€\u{2013}"),
            ("&#0;&#xd800;&#x110000;&#99999999999;", "\u{fffd}\u{fffd}\u{fffd}\u{fffd}"),
            ("&#;&#x;&;& &a", "&#;&#x;&;& &a"),
            ("&日本;&amp日", "&日本;&日"),
            ("&", "&"),
        ] {
            check(text, false, expected);
        }
        check("?a=1&copy=2&lt=3&amp;x&para", true, "?a=1&copy=2&lt=3&x¶");
    }
}
