//! My Number and payment card numbers, known by their check digits.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::digits::{digit, follows_a_number, goes_on};

static LONG_NUMBER: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"[0-9０-９](?:[-‐‑−－ ]?[0-9０-９]){11,18}").ok());

/// `text` with all digits of such numbers masked; none if there are none.
pub(super) fn mask(text: &str) -> Option<String> {
    let pattern = LONG_NUMBER.as_ref()?;
    let mut out = String::new();
    let (mut done, mut from) = (0, 0);
    while let Some(found) = pattern.find_at(text, from) {
        let Some(range) = first_personal(text, done, &groups(found.range(), text)) else {
            from = found.end();
            continue;
        };
        out.push_str(&text[done..range.start]);
        out.extend(text[range.clone()].chars().map(|c| if digit(c).is_some() { 'X' } else { c }));
        (done, from) = (range.end, range.end);
    }
    (done > 0).then(|| out + &text[done..])
}

/// Where the groups of digits stand in a range of the text.
fn groups(range: Range<usize>, text: &str) -> Vec<Range<usize>> {
    let mut groups: Vec<Range<usize>> = Vec::new();
    for (at, c) in text[range.clone()].char_indices().filter(|(_, c)| digit(*c).is_some()) {
        let (start, end) = (range.start + at, range.start + at + c.len_utf8());
        match groups.last_mut().filter(|group| group.end == start) {
            Some(group) => group.end = end,
            None => groups.push(start..end),
        }
    }
    groups
}

/// The first personal number among groups of digits, the longest where several begin at one place. Other numbers may stand
/// beside a card's, such as the month it is valid to, or another card's, which ended at `done`; only white space parts it
/// from them.
fn first_personal(text: &str, done: usize, groups: &[Range<usize>]) -> Option<Range<usize>> {
    let apart = |from: usize, to: usize| text[from..to].chars().all(char::is_whitespace);
    for first in 0..groups.len() {
        for last in (first..groups.len()).rev() {
            let range = groups[first].start..groups[last].end;
            let begins = match first.checked_sub(1) {
                Some(before) => apart(groups[before].end, range.start),
                None if done > 0 && apart(done, range.start) => true,
                None => !follows_a_number(&text[..range.start]),
            };
            let ends = match groups.get(last + 1) {
                Some(after) => apart(range.end, after.start),
                None => !goes_on(&text[range.end..]),
            };
            // Twelve digits among others are too often no My Number.
            let whole = last + 1 - first == groups.len();
            if begins && ends && is_personal(&text[range.clone()], whole) {
                return Some(range);
            }
        }
    }
    None
}

fn is_personal(number: &str, whole: bool) -> bool {
    let digits: Vec<u32> = number.chars().filter_map(digit).collect();
    let groups: Vec<usize> =
        number.split(|c| digit(c).is_none()).map(|group| group.chars().count()).collect();
    match (digits.len(), &groups[..]) {
        (12, [12]) if whole => is_my_number(&digits) && !is_date(&digits),
        (12, [4, 4, 4]) if whole => is_my_number(&digits),
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
