//! Telephone numbers as they are written in Japan.

use std::ops::Range;

use super::numbers::{Gap, Number, begins_alone, ends_alone};
use super::words::Words;

/// The places, in folded text, of the digits of telephone numbers that are masked: the last group, or the last four where it
/// is longer.
///
/// Fixed lines (`03-1234-5678`, `(0166)12-3456`, `09808-1-2345`), mobile and IP numbers, free and paid services
/// (`0120-123-456`, `0570-01-2345`, `0800-123-4567`), also with a country code, brackets, or without hyphens. Numbers of
/// other groupings (dates, ISBN, versions), parts of longer numbers, and sums of money are none.
pub(super) fn find(numbers: &[Number<'_>], words: &Words) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for number in numbers {
        let mut at = 0;
        while at < number.groups.len() {
            let done = found.last().map(|range| range.end);
            match phone_at(number, at, done, words) {
                Some(end) => {
                    let last = &number.groups[end - 1];
                    found.push(last.start.max(last.end.saturating_sub(4))..last.end);
                    at = end;
                }
                None => at += 1,
            }
        }
    }
    found
}

/// The end of the telephone number that begins with a group. `done` is where the one before it ended.
fn phone_at(number: &Number<'_>, at: usize, done: Option<usize>, words: &Words) -> Option<usize> {
    let is_next =
        done.is_some_and(|done| is_between_phones(&number.text[done..number.groups[at].start], words));
    let ends = shapes(number, at, words);
    let begins = |end: usize| {
        is_next
            || match at.checked_sub(1) {
                Some(gap) => is_parted(number, gap, end),
                None => begins_alone(before_sign(number.before(0)), end - at == 3, words),
            }
    };
    ends.into_iter().find(|&end| begins(end) && is_over(number, at, end, words))
}

/// What stands before a number's sign, brackets and all.
fn before_sign(before: &str) -> &str {
    let sign = before.trim_end_matches(' ').strip_suffix('+');
    sign.map_or(before, |before| before.trim_end_matches(['(', '[']))
}

/// Whether a gap parts the number after it, up to group `end`, from what stands before it. Spaces do not part groups that are
/// parted by spaces themselves: they are a row of a table.
fn is_parted(number: &Number<'_>, gap: usize, end: usize) -> bool {
    match number.gaps[gap] {
        Gap::Bracket => true,
        Gap::Space => !only_spaces(&number.gaps[gap + 1..end - 1]),
        // The number of a list: `1. 03-1234-5678`.
        Gap::Dot => number.between(gap).starts_with(". "),
        _ => false,
    }
}

fn only_spaces(gaps: &[Gap]) -> bool {
    gaps.iter().all(|gap| *gap == Gap::Space)
}

/// Whether a number ends before group `end`.
fn is_over(number: &Number<'_>, at: usize, end: usize, words: &Words) -> bool {
    if end == number.groups.len() {
        let after = number.after(end - 1);
        // Another telephone number does not continue this one.
        let next = after.strip_prefix(',').unwrap_or_default();
        let listed = super::numbers::numbers(next)
            .first()
            .is_some_and(|number| number.groups[0].start == 0 && !shapes(number, 0, words).is_empty());
        return listed || ends_alone(after, words);
    }
    let row = only_spaces(&number.gaps[at..end - 1]);
    let parted = match number.gaps[end - 1] {
        Gap::Bracket => true,
        Gap::Space => !row || end - at == 1,
        // The last group of another number of the same line: the middle dot of a list is not part of a number with hyphens.
        Gap::Dot => number.gaps[at..end - 1].contains(&Gap::Dash),
        _ => false,
    };
    parted || !shapes(number, end, words).is_empty()
}

/// What stands between two telephone numbers: punctuation, white space, and perhaps what the second one is.
fn is_between_phones(text: &str, words: &Words) -> bool {
    let word = text.trim_matches(|c: char| c.is_whitespace() || "-.,/:;()[]+~".contains(c));
    !text.is_empty() && text.len() <= 16 && (word.is_empty() || words.is_phone_word(word))
}

/// Where the telephone numbers that begin with a group can end, by the digits and groups alone; the longest first.
fn shapes(number: &Number<'_>, at: usize, words: &Words) -> Vec<usize> {
    let most = number.groups.len();
    let before = number.before(at);
    let is_signed = before.trim_end_matches(' ').ends_with('+');
    let (first, second) = (number.digits(at..at + 1), number.digits(at + 1..most.min(at + 2)));
    let dials_out = first == [0, 0, 8, 1] || (first == [0, 1, 0] && second == [8, 1]);
    let ends = (at + 1..=most.min(at + 6)).rev();
    if is_signed || dials_out {
        return ends.filter(|&end| is_international(number, at..end)).collect();
    }
    ends.filter(|&end| end - at <= 3 && is_national(number, at..end, words)).collect()
}

/// Whether digits after a plus sign, or after the digits that dial out of a country, are a number with a country code.
fn is_international(number: &Number<'_>, groups: Range<usize>) -> bool {
    let digits = number.digits(groups.clone());
    let digits = digits.strip_prefix(&[0, 0]).or_else(|| digits.strip_prefix(&[0, 1, 0])).unwrap_or(&digits);
    let last = number.groups[groups.end - 1].len();
    match digits {
        // The 0 that is dialled inside Japan stands in brackets, or is left out.
        [8, 1, 0, rest @ ..] | [8, 1, rest @ ..] => {
            last >= 3
                && match rest {
                    [5..=9, 0, ..] => rest.len() == 10,
                    [1..=9, 1..=9, ..] | [3 | 6, ..] => rest.len() == 9,
                    _ => false,
                }
        }
        // E.164: a country code and at most 15 digits in all. Fewer than ten are too often a difference.
        [1..=9, ..] => {
            (10..=15).contains(&digits.len()) && last >= 2 && number.groups[groups.start].len() != 4
        }
        _ => false,
    }
}

/// Whether groups of digits are those of a number as it is dialled inside Japan.
fn is_national(number: &Number<'_>, groups: Range<usize>, words: &Words) -> bool {
    let (digits, lens) = (number.digits(groups.clone()), number.lens(groups.clone()));
    let gaps = &number.gaps[groups.start..groups.end - 1];
    let marked = |gap: &Gap| matches!(gap, Gap::Dot | Gap::Star);
    let mixed = gaps.iter().any(marked) && gaps.iter().any(|gap| *gap != gaps[0]);
    // Two groups with a space or a dot between them are too often something else, except after the code of mobile numbers.
    let loose = matches!(gaps, [Gap::Space | Gap::Dot | Gap::Star]) && lens != [3, 8];
    !mixed && !loose && has_phone_groups(&digits, &lens, words)
}

fn has_phone_groups(digits: &[u32], groups: &[usize], words: &Words) -> bool {
    match (digits, groups) {
        // Digits in their order are an example of something else.
        ([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], [10]) => false,
        // Mobile, IP and other services of eleven digits; 0800 is free.
        ([0, 8, 0, 0, ..], [4, 3, 4] | [4, 7]) => true,
        ([0, 2 | 5..=9, 0, ..], [11] | [3, 8] | [7, 4] | [3, 4, 4]) => true,
        // Free, shared and paid services.
        (
            [0, 1, 2 | 8, 0, ..] | [0, 5, 7, 0, ..] | [0, 9, 9, 0, ..],
            [10] | [4, 3, 3] | [4, 2, 4] | [4, 6],
        ) => true,
        // Fixed lines: area code and exchange have six digits together. Area codes of two digits are few.
        ([0, 3 | 4 | 6, ..], [2, 4, 4] | [2, 8] | [6, 4]) => true,
        ([0, 3 | 6, _, ..] | [0, 1..=9, 1..=9, ..], [10]) => true,
        ([0, 1..=9, 1..=9, ..], [3, 3, 4] | [4, 2, 4] | [3, 7] | [4, 6]) => true,
        ([0, 1..=9, 1..=9, ..], [5, 1, 4] | [5, 5]) => words.is_long_area(&digits[..5]),
        _ => false,
    }
}
