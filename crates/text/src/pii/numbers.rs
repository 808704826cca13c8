//! My Number and payment card numbers, known by their check digits.

use std::sync::LazyLock;

use regex::Regex;

use super::{digit, follows_a_number, goes_on};

static LONG_NUMBER: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"[0-9０-９](?:[-‐‑−－ ]?[0-9０-９]){11,18}").ok());

/// `text` with all digits of such numbers masked; none if there are none.
pub(super) fn mask(text: &str) -> Option<String> {
    let pattern = LONG_NUMBER.as_ref()?;
    let mut out = String::new();
    let mut done = 0;
    for found in pattern.find_iter(text) {
        let alone = !follows_a_number(&text[..found.start()]) && !goes_on(&text[found.end()..]);
        if alone && is_personal(found.as_str()) {
            out.push_str(&text[done..found.start()]);
            out.extend(found.as_str().chars().map(|c| if digit(c).is_some() { 'X' } else { c }));
            done = found.end();
        }
    }
    (done > 0).then(|| out + &text[done..])
}

fn is_personal(number: &str) -> bool {
    let digits: Vec<u32> = number.chars().filter_map(digit).collect();
    let groups: Vec<usize> =
        number.split(|c| digit(c).is_none()).map(|group| group.chars().count()).collect();
    match (digits.len(), &groups[..]) {
        (12, [12]) => is_my_number(&digits) && !is_date(&digits),
        (12, [4, 4, 4]) => is_my_number(&digits),
        (14..=19, [_] | [4, 4, 4, 4] | [4, 6, 5] | [4, 6, 4] | [4, 4, 4, 4, 3]) => is_card(&digits),
        // Thirteen digits are more often a book or an article than a card.
        (13, [4, 3, 3, 3]) => is_card(&digits),
        _ => false,
    }
}

/// Year, month, day and what time of it.
fn is_date(digits: &[u32]) -> bool {
    let number = |range: std::ops::Range<usize>| digits[range].iter().fold(0, |sum, digit| 10 * sum + digit);
    (1900..2100).contains(&number(0..4))
        && (1..=12).contains(&number(4..6))
        && (1..=31).contains(&number(6..8))
}

/// The check digit of the Individual Number (a ministerial ordinance of 2014): weights 2 to 7 from the right, twice.
fn is_my_number(digits: &[u32]) -> bool {
    let Some((&check, payload)) = digits.split_last() else { return false };
    let weights = [2, 3, 4, 5, 6, 7, 2, 3, 4, 5, 6];
    let sum: u32 = payload.iter().rev().zip(weights).map(|(digit, weight)| digit * weight).sum();
    let rest = sum % 11;
    check == if rest <= 1 { 0 } else { 11 - rest } && payload.iter().any(|digit| *digit > 0)
}

/// A number of the ranges that card networks have (ISO/IEC 7812: 2 to 6), with the right check digit.
fn is_card(digits: &[u32]) -> bool {
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
    matches!(digits.first(), Some(2..=6)) && sum.is_multiple_of(10)
}
