//! My Number and payment card numbers, known by their check digits.

use std::ops::Range;

use super::numbers::{Gap, Number, begins_alone, ends_alone};
use super::words::Words;

/// The places of all such numbers in folded text.
pub(super) fn find(numbers: &[Number<'_>], words: &Words) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for number in numbers {
        let mut first = 0;
        while first < number.groups.len() {
            let done = found.last().map(|range| range.end);
            match personal(number, first, done, words) {
                Some(end) => {
                    found.push(number.groups[first].start..number.groups[end - 1].end);
                    first = end;
                }
                None => first += 1,
            }
        }
    }
    found
}

/// The end of the personal number that begins with a group, the longest where there are several. Other numbers may stand
/// beside a card's, such as the month it is valid to, or another card's, which ended at `done`; only spaces part it from
/// them.
fn personal(number: &Number<'_>, first: usize, done: Option<usize>, words: &Words) -> Option<usize> {
    let begins = match first.checked_sub(1) {
        Some(gap) => number.gaps[gap] == Gap::Space,
        None if done.is_some_and(|done| number.text[done..number.groups[0].start].trim().is_empty()) => true,
        None => begins_alone(number.before(0), false, words),
    };
    let most = number.groups.len().min(first + 5);
    let ends = |end: usize| match number.gaps.get(end - 1) {
        Some(gap) => *gap == Gap::Space,
        None => ends_alone(number.after(end - 1), words),
    };
    begins
        .then(|| (first + 1..=most).rev().find(|&end| ends(end) && is_personal(number, first..end, words)))
        .flatten()
}

fn is_personal(number: &Number<'_>, groups: Range<usize>, words: &Words) -> bool {
    let digits = number.digits(groups.clone());
    let gaps = &number.gaps[groups.start..groups.end - 1];
    if gaps.iter().any(|gap| *gap != gaps[0] || matches!(gap, Gap::Star | Gap::Bracket)) {
        return false;
    }
    // Twelve digits among others are too often no My Number.
    let alone = groups.len() == number.groups.len();
    match (digits.len(), &number.lens(groups)[..]) {
        // One in eleven numbers of twelve digits has the right check digit.
        (12, [12]) if alone => is_my_number(&digits) && words.is_my_number_label(number.before(0)),
        (12, [4, 4, 4]) if alone => is_my_number(&digits),
        (14..=19, [_] | [4, 4, 4, 4] | [4, 6, 5] | [4, 6, 4] | [4, 4, 4, 4, 3]) => is_card(&digits),
        // Thirteen digits are more often a book or an article than a card.
        (13, [4, 3, 3, 3]) => is_card(&digits),
        _ => false,
    }
}

fn value(digits: &[u32]) -> u32 {
    digits.iter().fold(0, |sum, digit| 10 * sum + digit)
}

/// The check digit of the Individual Number (a ministerial ordinance of 2014): weights 2 to 7 from the right, twice.
fn is_my_number(digits: &[u32]) -> bool {
    let Some((&check, payload)) = digits.split_last() else { return false };
    let weights = [2, 3, 4, 5, 6, 7, 2, 3, 4, 5, 6];
    let sum: u32 = payload.iter().rev().zip(weights).map(|(digit, weight)| digit * weight).sum();
    let rest = sum % 11;
    check == if rest <= 1 { 0 } else { 11 - rest } && payload.iter().any(|digit| *digit > 0)
}

/// A number of the ranges that the card networks have, of a length that they use, with the right check digit (ISO/IEC 7812).
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
    sum.is_multiple_of(10) && is_issued(value(&digits[..4]), digits.len())
}

/// Whether a card network issues numbers of this length that begin with these four digits.
fn is_issued(prefix: u32, len: usize) -> bool {
    match prefix {
        // Visa.
        4000..=4999 => matches!(len, 13 | 16 | 19),
        // Mastercard, and its range of 2017.
        5100..=5599 | 2221..=2720 => len == 16,
        // American Express.
        3400..=3499 | 3700..=3799 => len == 15,
        // Diners Club.
        3000..=3059 | 3600..=3699 | 3800..=3999 => len == 14 || len == 16,
        // JCB.
        3528..=3589 => len >= 16,
        // Discover and UnionPay.
        6011 | 6440..=6499 | 6500..=6599 | 6200..=6299 | 8100..=8199 => len >= 16,
        // Maestro.
        5000..=5099 | 5600..=5899 | 6300..=6399 | 6700..=6799 => len >= 16,
        _ => false,
    }
}
