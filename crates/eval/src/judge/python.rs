//! Python's readings of numbers and JSON, which decide what a reference makes of a judge's reply.

use serde_json::Value;

use tsumugi_text::normalize::is_python_space;

/// The value of a decimal digit of any script, as Python's `\d` and `int()` take it.
pub(super) fn digit(c: char) -> Option<u8> {
    if let Some(digit) = c.to_digit(10) {
        return Some(digit as u8);
    }
    if c.is_ascii() || !c.is_numeric() {
        return None;
    }
    // Decimal digits come in runs of ten from zero to nine; these are the zeros outside ASCII.
    let code = u32::from(c);
    let zero = ZEROS.iter().rev().find(|zero| **zero <= code)?;
    let value = code - zero;
    // The mathematical digits are five runs in a row.
    let run = if *zero == 0x1d7ce { 50 } else { 10 };
    (value < run).then_some((value % 10) as u8)
}

/// Code points of the digit zero of each script (Unicode 14, general category Nd).
const ZEROS: [u32; 61] = [
    0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6, 0xe50, 0xed0,
    0xf20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40, 0x1c50,
    0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10, 0x104a0, 0x10d30, 0x11066, 0x110f0,
    0x11136, 0x111d0, 0x112f0, 0x11450, 0x114d0, 0x11650, 0x116c0, 0x11730, 0x118e0, 0x11950, 0x11c50,
    0x11d50, 0x11da0, 0x16a60, 0x16ac0, 0x16b50, 0x1d7ce, 0x1e140, 0x1e2f0, 0x1e950, 0x1fbf0,
];

/// Strips white space and writes digits of all scripts in ASCII.
fn plain(text: &str) -> String {
    let text = text.trim_matches(is_python_space);
    text.chars().map(|c| digit(c).map_or(c, |d| char::from(b'0' + d))).collect()
}

/// Removes underscores between digits; `None` where one stands elsewhere.
fn without_underscores(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let at = |i: Option<usize>| i.and_then(|i| bytes.get(i)).is_some_and(u8::is_ascii_digit);
    let allowed = |i: usize| at(i.checked_sub(1)) && at(Some(i + 1));
    bytes.iter().enumerate().all(|(i, b)| *b != b'_' || allowed(i)).then(|| text.replace('_', ""))
}

/// Python's `int(text)`.
pub(super) fn int(text: &str) -> Option<f64> {
    let text = without_underscores(&plain(text))?;
    let digits = text.strip_prefix(['+', '-']).unwrap_or(&text);
    let all_digits = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    all_digits.then(|| text.parse().ok()).flatten()
}

/// Python's `float(text)`.
pub(super) fn float(text: &str) -> Option<f64> {
    let text = without_underscores(&plain(text))?;
    // Rust takes the same words for infinity and NaN, but also allows forms that Python does not know: none that
    // begins otherwise than below.
    let body = text.strip_prefix(['+', '-']).unwrap_or(&text);
    let begins = body.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    let word = ["inf", "infinity", "nan"].iter().any(|word| body.eq_ignore_ascii_case(word));
    (begins || word).then(|| text.parse().ok()).flatten()
}

/// Python's `json.loads`, which also takes `NaN` and the infinities (here as JSON null under their name).
///
/// Where a value is one of those it becomes the string `"\u{0}NaN"` and the like, which no `int()` takes.
pub(super) fn json(text: &str) -> Option<Value> {
    if let Ok(value) = serde_json::from_str(text) {
        return Some(value);
    }
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text;
    let mut in_string = false;
    while let Some(c) = rest.chars().next() {
        let word =
            ["-Infinity", "Infinity", "NaN"].into_iter().find(|word| !in_string && rest.starts_with(word));
        if let Some(word) = word {
            out.push_str("\"\\u0000");
            out.push_str(word);
            out.push('"');
            rest = &rest[word.len()..];
            continue;
        }
        // A number too large for a float is infinite for Python.
        let number = if in_string {
            0
        } else {
            rest.find(|c: char| !"+-.eE0123456789".contains(c)).unwrap_or(rest.len())
        };
        if number > 0 {
            let huge = rest[..number].parse().is_ok_and(f64::is_infinite);
            out.push_str(if huge { "\"\\u0000Infinity\"" } else { &rest[..number] });
            rest = &rest[number..];
            continue;
        }
        if in_string && c == '\\' {
            // A surrogate half is a character for Python; any stand-in will do, since only numbers are read.
            let half = rest.get(2..6).filter(|_| rest[1..].starts_with('u'));
            let half = half
                .and_then(|hex| u16::from_str_radix(hex, 16).ok())
                .is_some_and(|u| (0xd800..0xe000).contains(&u));
            let length = if half { 6 } else { 1 + rest[1..].chars().next().map_or(0, char::len_utf8) };
            out.push_str(if half { "\\ufffd" } else { &rest[..length] });
            rest = &rest[length..];
            continue;
        }
        in_string ^= c == '"';
        out.push(c);
        rest = &rest[c.len_utf8()..];
    }
    serde_json::from_str(&out).ok()
}

/// Python's `int(value)` of a JSON value; the error says what stops the reference.
pub(super) fn int_of(value: &Value) -> Result<f64, String> {
    let stop = |what: String| Err(format!("the reference stops at int({what})"));
    match value {
        Value::Bool(yes) => Ok(f64::from(u8::from(*yes))),
        Value::Number(number) => match number.as_f64() {
            Some(number) if number.is_finite() => Ok(number.trunc()),
            _ => stop(number.to_string()),
        },
        Value::String(text) => int(text).map_or_else(|| stop(format!("{text:?}")), Ok),
        other => stop(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        assert_eq!(int(" ８\u{3000}"), Some(8.0));
        assert_eq!(int("+1_0"), Some(10.0));
        for no in ["", "8.5", "1__0", "_1", "1_", "八", "0x8", "--1", "1 2"] {
            assert_eq!(int(no), None, "{no}");
        }
        assert_eq!(float("8."), Some(8.0));
        assert_eq!(float(".5e1"), Some(5.0));
        assert!(float("NaN").is_some_and(f64::is_nan));
        assert_eq!(float("-Infinity"), Some(f64::NEG_INFINITY));
        for no in ["", "8点", "e5", "1e", "0x1p3", "1,5"] {
            assert_eq!(float(no), None, "{no}");
        }
        assert_eq!(digit('𝟗'), Some(9));
        assert_eq!(digit('²'), None);
        assert_eq!(digit('५'), Some(5));
    }

    #[test]
    fn json_with_pythons_extras() {
        assert!(json(r#"{"a": NaN, "b": -Infinity, "c": "NaN \" \ud83d x"}"#).is_some());
        assert!(json("{'a': 1}").is_none());
        assert!(int_of(&json("[NaN]").unwrap()[0]).is_err());
        assert_eq!(int_of(&serde_json::json!(-8.9)), Ok(-8.0));
        assert!(int_of(&serde_json::json!(null)).is_err());
    }
}
