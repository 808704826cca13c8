//! Short texts that are no part of what an author wrote.

/// Longest date, in bytes.
const DATE: usize = 48;

/// The label of an advertisement, standing alone.
pub(super) fn is_advertisement(text: &str) -> bool {
    let text = text.trim_matches(|c: char| !c.is_alphanumeric());
    ["advertisement", "advertising", "sponsored", "広告", "スポンサーリンク", "スポンサードリンク"]
        .iter()
        .any(|label| text.eq_ignore_ascii_case(label))
}

/// A date, or a date with a time, and nothing else: `2024年5月1日(水) 10:00`, `23.12.2022`, `2024-05-01`.
pub(super) fn is_date(text: &str) -> bool {
    if text.len() > DATE {
        return false;
    }
    let mut numbers = 0;
    let mut before = ' ';
    for c in text.chars() {
        let known = c.is_ascii_digit()
            || c.is_whitespace()
            || matches!(c, '年' | '月' | '日' | '時' | '分' | '曜' | '火' | '水' | '木' | '金' | '土')
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
