//! Digits, and whether a number stands alone.

/// The character for yen after a sum of money.
const YEN: char = '\u{5186}';

/// The value of a half- or full-width digit.
pub(super) fn digit(c: char) -> Option<u32> {
    match c {
        '０'..='９' => Some(u32::from(c) - u32::from('０')),
        _ => c.to_digit(10),
    }
}

/// Whether a number right after `before` would be part of a longer one, a sum of money or an identifier.
pub(super) fn follows_a_number(before: &str) -> bool {
    let mut last = before.chars().rev();
    let joins = |c: char| matches!(c, '-' | '‐' | '‑' | '−' | '－' | '.' | '．' | ',' | '，' | '/' | ':');
    match last.next() {
        Some(c)
            if digit(c).is_some()
                || c.is_ascii_alphabetic()
                || matches!(c, '¥' | '￥' | '$' | '#' | '_' | '=') =>
        {
            true
        }
        Some(c) if joins(c) => {
            last.next().is_some_and(|c| c.is_ascii_alphanumeric() || digit(c).is_some()) && !is_label(before)
        }
        Some(' ') => before.trim_end().ends_with("ISBN") || last.next().is_some_and(|c| digit(c).is_some()),
        _ => false,
    }
}

/// A word for a telephone number right before it: `TEL:`, `Fax.`
fn is_label(before: &str) -> bool {
    let word = before.trim_end_matches(|c: char| !c.is_alphanumeric());
    let tail: String = word.chars().rev().take(3).collect();
    matches!(tail.to_ascii_lowercase().as_str(), "let" | "xaf" | "eno" | "lic" | "lec")
}

/// Whether a number right before `after` goes on, or is a sum of money.
pub(super) fn goes_on(after: &str) -> bool {
    let mut next = after.chars();
    match next.next() {
        Some(c) if digit(c).is_some() || c.is_ascii_alphabetic() || matches!(c, YEN | '_' | '%' | '％') => {
            true
        }
        Some('-' | '‐' | '‑' | '−' | '－' | '.' | ',') => {
            next.next().is_some_and(|c| digit(c).is_some())
        }
        _ => false,
    }
}
