//! Masking of personal data: phone numbers and mail addresses as HojiChar masks them, and, on request, postal codes
//! with an address, My Number and payment card numbers with a valid check digit.

use std::sync::LazyLock;

use regex::{Captures, Regex};

/// HojiChar's phone numbers: a 0 or a country code, two to five digits in one of Japan's groupings, four digits.
static PHONE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"((0|\+\d{1,3}[- ]?)(\d{2}[- ]?\d{4}[- ]?|\d[- ]?\d{4}[- ]?|\d{2}[- ]?\d{3}[- ]?|\d{3}[- ]?\d{2}[- ]?|\d{4}[- ]?\d{1}[- ]?))\d{4}",
    )
    .ok()
});

static MAIL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"[a-zA-Z0-9!#$%&'*+\-/=?^_`{|}~.]+@[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~.]+(\.[A-Za-z0-9\-]+)").ok()
});

/// 〒100-0001 with the address after it, up to the house number.
static POSTAL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(〒\s*\d{3}[-－‐]?\d{4}\s*)(\p{Han}{2,4}?[都道府県][\p{Han}\p{Hiragana}\p{Katakana}ー]{1,20}[0-9０-９一二三四五六七八九十]+[-－‐0-9０-９丁目番地号の]*)?").ok()
});

static LONG_NUMBER: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\d(?:[- ]?\d){11,18}").ok());

/// `text` with phone numbers and mail addresses masked as HojiChar's `MaskPersonalInformation` does, or none if
/// there are none.
///
/// ```
/// use tsumugi_text::mask_pii;
///
/// assert_eq!(mask_pii("090-1234-5678").as_deref(), Some("090-1234-XXXX"));
/// assert_eq!(mask_pii("山田@事務局"), None);
/// ```
#[must_use]
pub fn mask_pii(text: &str) -> Option<String> {
    let mut changed: Option<String> = None;
    // Most texts have neither four digits in a row nor an @, which is cheap to see.
    if has_digits(text) {
        replace(&mut changed, text, PHONE.as_ref(), |found| format!("{}XXXX", group(found, 1)));
    }
    if text.contains('@') {
        replace(&mut changed, text, MAIL.as_ref(), |found| format!("xxxx@yyy{}", group(found, 1)));
    }
    changed
}

/// [`mask_pii`], and postal codes with their address, My Number (12 digits) and card numbers (13 to 19 digits) whose
/// check digit is right.
#[must_use]
pub fn mask_pii_strict(text: &str) -> Option<String> {
    let mut changed: Option<String> = None;
    if text.contains('〒') {
        replace(&mut changed, text, POSTAL.as_ref(), |_| "〒XXX-XXXX".to_owned());
    }
    let current = changed.clone().unwrap_or_else(|| text.to_owned());
    if has_digits(&current) {
        replace(&mut changed, text, LONG_NUMBER.as_ref(), |found| {
            let digits: Vec<u32> = found[0].chars().filter_map(|c| c.to_digit(10)).collect();
            let valid =
                if digits.len() == 12 { is_my_number(&digits) } else { digits.len() > 12 && luhn(&digits) };
            if valid { "X".repeat(digits.len()) } else { found[0].to_owned() }
        });
    }
    let masked = mask_pii(changed.as_deref().unwrap_or(text));
    masked.or(changed)
}

fn has_digits(text: &str) -> bool {
    let mut run = 0_u32;
    let ascii = text.bytes().any(|byte| {
        run = if byte.is_ascii_digit() { run + 1 } else { 0 };
        run == 4
    });
    // The patterns know the digits of every script, as Python's do; most texts have only ASCII ones.
    ascii || text.chars().any(|c| !c.is_ascii() && c.is_numeric())
}

fn replace(
    changed: &mut Option<String>,
    text: &str,
    pattern: Option<&Regex>,
    with: impl Fn(&Captures<'_>) -> String,
) {
    let Some(pattern) = pattern else { return };
    let current = changed.as_deref().unwrap_or(text);
    let next = pattern.replace_all(current, |found: &Captures<'_>| with(found));
    if let std::borrow::Cow::Owned(next) = next
        && next != current
    {
        *changed = Some(next);
    }
}

fn group<'a>(found: &'a Captures<'_>, number: usize) -> &'a str {
    found.get(number).map_or("", |part| part.as_str())
}

/// The check digit of the Individual Number (a ministerial ordinance of 2014): weights 2 to 7 from the right, twice.
fn is_my_number(digits: &[u32]) -> bool {
    let Some((&check, payload)) = digits.split_last() else { return false };
    let sum: u32 = payload
        .iter()
        .rev()
        .zip([2, 3, 4, 5, 6, 7, 2, 3, 4, 5, 6])
        .map(|(digit, weight)| digit * weight)
        .sum();
    let rest = sum % 11;
    check == if rest <= 1 { 0 } else { 11 - rest }
}

/// The check digit of payment cards (ISO/IEC 7812).
fn luhn(digits: &[u32]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, &digit)| match at % 2 {
            0 => digit,
            _ if digit > 4 => digit * 2 - 9,
            _ => digit * 2,
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(mask_pii(text).as_deref().unwrap_or(text), expected);
    }

    #[test]
    fn phones_and_mail_as_hojichar_masks_them() {
        check("06-1234-5678", "06-1234-XXXX");
        check("0166-12-3456", "0166-12-XXXX");
        check("09808-1-2345", "09808-1-XXXX");
        check("連絡は075-123-4567 まで", "連絡は075-123-XXXX まで");
        check("+818012345678", "+81801234XXXX");
        check("何かあれば hogehoge@example.ne.jp まで連絡", "何かあれば xxxx@yyy.jp まで連絡");
        check("ISBN978-4-06-123456-7", "ISBN978-4-06-123456-7");
        check("2024-01-23", "2024-01-23");
        check("カード4111-1111-1111-1111", "カード4111-1111-1111-1111");
    }

    #[test]
    fn numbers_with_check_digits() {
        assert_eq!(mask_pii_strict("カード4111-1111-1111-1111").as_deref(), Some("カードXXXXXXXXXXXXXXXX"));
        assert_eq!(mask_pii_strict("番号 4111 1111 1111 1112"), None);
        assert_eq!(
            mask_pii_strict("マイナンバー 1234 5678 9018").as_deref(),
            Some("マイナンバー XXXXXXXXXXXX")
        );
        assert_eq!(
            mask_pii_strict("〒100-0001 東京都千代田区千代田1-1です").as_deref(),
            Some("〒XXX-XXXXです")
        );
    }
}
