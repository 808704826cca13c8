//! Short texts that the author of a page did not write.

/// Labels of advertisements in several languages, one a line.
const ADVERTISEMENT: &str = include_str!("advertisement.txt");

/// Letters of East Asian dates: year, month, day, hour, minute and the days of the week.
const DATE_LETTERS: &str = include_str!("date_letters.txt");

/// Longest date, in bytes.
const DATE: usize = 48;

/// The label of an advertisement, standing alone.
pub(super) fn is_advertisement(text: &str) -> bool {
    let text = text.trim_matches(|c: char| !c.is_alphanumeric());
    ADVERTISEMENT.lines().any(|label| text.eq_ignore_ascii_case(label))
}

/// A date, or a date with a time, and nothing else: `23.12.2022`, `2024-05-01 10:00`, also with the letters for year, month
/// and day.
pub(super) fn is_date(text: &str) -> bool {
    if text.len() > DATE {
        return false;
    }
    let mut numbers = 0;
    let mut before = ' ';
    for c in text.chars() {
        let known = c.is_ascii_digit()
            || c.is_whitespace()
            || DATE_LETTERS.contains(c)
            || matches!(c, '.' | '/' | '-' | ':' | ',' | '(' | ')' | '（' | '）' | '：' | '／');
        if !known {
            return false;
        }
        numbers += u32::from(c.is_ascii_digit() && !before.is_ascii_digit());
        before = c;
    }
    numbers >= 3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_labels() {
        for text in
            ["2024年5月1日(水) 10:00", "23.12.2022", "2024-05-01", "2024/5/1", "2024年5月1日 10時30分"]
        {
            assert!(is_date(text), "{text}");
        }
        for text in ["2024年", "5月1日は祝日です", "12", "1868年 明治元年", "", "3.14", "山 2024-05-01"]
        {
            assert!(!is_date(text), "{text}");
        }
        assert!(is_advertisement("ADVERTISING") && is_advertisement("- 広告 -"));
        assert!(!is_advertisement("広告の歴史"));
    }
}
