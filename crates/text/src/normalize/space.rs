//! White space as Python defines it.

/// Tells whether Python's `str.strip` and `str.split` take `c` for white space: Unicode's property White_Space, and the
/// separators U+001C to U+001F.
#[must_use]
pub fn is_python_space(c: char) -> bool {
    matches!(c, '\t'..='\r' | '\u{1c}'..=' ' | '\u{85}' | '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}')
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202f}' | '\u{205f}' | '\u{3000}')
}

/// Joins the words of `text` with single spaces, as Python's `" ".join(text.split())` does.
#[must_use]
pub fn squeeze(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split(is_python_space).filter(|word| !word.is_empty()) {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}
