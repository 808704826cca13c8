//! Numbers as text.

/// A number with thousands separators: with `decimals` places, or with as many as make four significant digits.
pub(crate) fn number(value: f64, decimals: Option<usize>) -> String {
    if !value.is_finite() {
        return if value.is_nan() { "NaN".into() } else { format!("{value}").replace("inf", "∞") };
    }
    let size = value.abs();
    if size >= 1e15 || (decimals.is_none() && size > 0.0 && size < 1e-3) {
        return format!("{value:.3e}");
    }
    let text = match decimals {
        Some(decimals) => format!("{value:.decimals$}"),
        None => trimmed(format!("{value:.0$}", significant_decimals(size))),
    };
    let negative_zero = text.starts_with('-') && !text.contains(|c: char| ('1'..='9').contains(&c));
    grouped(if negative_zero { &text[1..] } else { &text })
}

fn significant_decimals(size: f64) -> usize {
    match size {
        s if s >= 1000.0 => 0,
        s if s >= 100.0 => 1,
        s if s >= 10.0 => 2,
        s if s >= 1.0 => 3,
        s if s >= 0.1 => 4,
        s if s >= 0.01 => 5,
        _ => 6,
    }
}

/// Without zeros at the end of the decimals.
fn trimmed(text: String) -> String {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// Commas between groups of three digits.
pub(crate) fn grouped(text: &str) -> String {
    let (sign, rest) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    let (whole, fraction) = rest.split_at(rest.find('.').unwrap_or(rest.len()));
    let mut out = String::from(sign);
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out + fraction
}

/// Width of a text in the page's font, in ems. An estimate: SVG cannot measure text before a browser draws it.
pub(crate) fn width(text: &str) -> f64 {
    text.chars()
        .map(|c| match c {
            'i' | 'l' | 'j' | '.' | ',' | ':' | '|' | '\'' => 0.32,
            'm' | 'w' | 'M' | 'W' | '%' => 0.9,
            'A'..='Z' => 0.7,
            c if u32::from(c) >= 0x1100 => 1.0,
            _ => 0.58,
        })
        .sum()
}

/// The beginning of a text that fits into `ems`, with an ellipsis where something was cut off.
pub(crate) fn fitted(text: &str, ems: f64) -> String {
    if width(text) <= ems {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 1.0;
    for c in text.chars() {
        used += width(c.encode_utf8(&mut [0; 4]));
        if used > ems {
            break;
        }
        out.push(c);
    }
    out + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_tell_values_apart() {
        let cases = [
            (0.0, None, "0"),
            (-0.0, Some(2), "0.00"),
            (-0.001, Some(1), "0.0"),
            (1234.5, None, "1,234"),
            (1234567.0, Some(0), "1,234,567"),
            (-1234.25, Some(2), "-1,234.25"),
            (-123.0, None, "-123"),
            (3.0, None, "3"),
            (2.116_3, None, "2.116"),
            (0.000_25, None, "2.500e-4"),
            (0.000_25, Some(3), "0.000"),
            (1e300, Some(0), "1.000e300"),
            (f64::NAN, Some(1), "NaN"),
            (f64::NEG_INFINITY, None, "-∞"),
        ];
        for (value, decimals, expected) in cases {
            assert_eq!(number(value, decimals), expected, "{value} {decimals:?}");
        }
    }

    #[test]
    fn long_text_is_cut_at_a_character() {
        assert_eq!(fitted("赤い提灯", 4.0), "赤い提灯");
        assert_eq!(fitted("赤い提灯", 3.0), "赤い…");
        assert_eq!(fitted("", 0.0), "");
    }
}
