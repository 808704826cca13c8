//! Telephone numbers as they are written in Japan.

use std::sync::LazyLock;

use regex::Regex;

use super::digits::{digit, follows_a_number, goes_on};
use crate::language::LONG_VOWEL_MARK;

/// Whatever may be a number; what is one, the lengths of its groups decide.
static CANDIDATE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?x)
        (?: [+＋][8８][1１] [-‐‑−－–\x{30FC}\ ]? (?: [(（][0０][)）] )? [(（]? | [(（]? [0０] )
        [0-9０-９]{1,5} [)）]? [-‐‑−－–\x{30FC}\ ]? [(（]?
        [0-9０-９]{1,4} [)）]? [-‐‑−－–\x{30FC}\ ]?
        [0-9０-９]{3,4}",
    )
    .ok()
});

/// `text` with the last group of digits of every telephone number masked, or the last four where it is written in one;
/// none if there are none.
///
/// Fixed lines (`03-1234-5678`, `(0166)12-3456`, `09808-1-2345`), mobile and IP numbers, free and paid services
/// (`0120-123-456`, `0570-01-2345`, `0800-123-4567`), also with country code, brackets, full-width digits, or without
/// hyphens. Numbers of other groupings (dates, ISBN, versions), parts of longer numbers, and sums of money stay.
pub(super) fn mask(text: &str) -> Option<String> {
    let pattern = CANDIDATE.as_ref()?;
    let mut out = String::new();
    let (mut done, mut from) = (0, 0);
    while let Some(found) = pattern.find_at(text, from) {
        let behind_another = done > 0 && is_between_numbers(&text[done..found.start()]);
        let begins = behind_another || begins_alone(&text[..found.start()], found.as_str());
        if begins && ends_alone(&text[found.end()..]) && is_phone(found.as_str()) {
            out.push_str(&text[done..found.start()]);
            push_masked(&mut out, found.as_str());
            (done, from) = (found.end(), found.end());
        } else {
            from = found.start() + text[found.start()..].chars().next().map_or(1, char::len_utf8);
        }
    }
    (done > 0).then(|| out + &text[done..])
}

/// What stands between two telephone numbers: punctuation, white space, and perhaps what the second one is.
fn is_between_numbers(text: &str) -> bool {
    let word =
        text.trim_matches(|c: char| c.is_whitespace() || "-‐−－.．,，/／\u{30FB}:：;；()（）".contains(c));
    !text.is_empty() && text.len() <= 16 && (word.is_empty() || is_word_for_phone(word))
}

/// Whether a number that begins right behind `before` is not the rest of a longer one.
fn begins_alone(before: &str, number: &str) -> bool {
    if !follows_a_number(before) {
        return true;
    }
    // A number with hyphens is not the rest of what stands before a space: of an address, say.
    let hyphenated =
        number.contains(['-', '‐', '‑', '−', '－', '–', LONG_VOWEL_MARK]) && !number.contains(' ');
    if before.ends_with(' ') && hyphenated && !before.trim_end().ends_with("ISBN") {
        return true;
    }
    // TEL03-..., T:03-...
    let label = before.trim_end_matches([':', '：', '.', '．']);
    let start = label
        .rfind(|c: char| !c.is_ascii_alphabetic())
        .map_or(0, |at| at + label[at..].chars().next().map_or(1, char::len_utf8));
    let word = &label[start..];
    let joined = label[..start].chars().next_back().is_some_and(|c| digit(c).is_some() || c == '_');
    let letter = matches!(word, "T" | "F" | "M") && label.len() < before.len();
    !joined && (letter || is_word_for_phone(word))
}

/// Whether a number is over where `after` follows: another telephone number, or a word for one, does not continue it.
fn ends_alone(after: &str) -> bool {
    if !goes_on(after) {
        return true;
    }
    let word = after.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
    if is_word_for_phone(word) {
        return true;
    }
    let next = after.strip_prefix([',', '，']).unwrap_or_default();
    let candidate =
        CANDIDATE.as_ref().and_then(|pattern| pattern.find(next)).filter(|found| found.start() == 0);
    candidate.is_some_and(|found| is_phone(found.as_str()))
}

fn is_word_for_phone(word: &str) -> bool {
    ["tel", "fax", "phone", "cell", "mobile"].iter().any(|known| known.eq_ignore_ascii_case(word))
}

/// Whether the groups of digits are those of a Japanese number.
fn is_phone(candidate: &str) -> bool {
    let mut digits: Vec<u32> = Vec::new();
    let mut groups: Vec<usize> = Vec::new();
    let mut in_group = false;
    let (national, body) = match candidate.strip_prefix(['+', '＋']) {
        // 81 and, in brackets, the 0 that is dialled inside the country.
        Some(rest) => {
            (false, rest.chars().skip(2).collect::<String>().replace("(0)", "").replace("（０）", ""))
        }
        None => (true, candidate.to_owned()),
    };
    if !national {
        digits.push(0);
    }
    for c in body.chars() {
        let value = digit(c);
        if let Some(value) = value {
            digits.push(value);
            match groups.last_mut().filter(|_| in_group) {
                Some(group) => *group += 1,
                None => groups.push(1),
            }
        }
        in_group = value.is_some();
    }
    if let Some(first) = groups.first_mut().filter(|_| !national) {
        *first += 1;
    }
    has_phone_groups(&digits, &groups)
}

fn has_phone_groups(digits: &[u32], groups: &[usize]) -> bool {
    match (digits, groups) {
        // Mobile, IP and other services of eleven digits; 0800 is free.
        ([0, 8, 0, 0, ..], [11] | [4, 3, 4] | [4, 7]) => true,
        ([0, 2 | 5..=9, 0, first, ..], [11] | [3, 8] | [3, 4, 4]) => *first > 0,
        // Free, shared and paid services.
        (
            [0, 1, 2 | 8, 0, ..] | [0, 5, 7, 0, ..] | [0, 9, 9, 0, ..],
            [10] | [4, 3, 3] | [4, 2, 4] | [4, 6],
        ) => true,
        // Fixed lines: area code and exchange have six digits together.
        ([0, 1..=9, ..], [10] | [6, 4] | [2, 8] | [3, 7] | [4, 6] | [5, 5]) => true,
        ([0, 1..=9, ..], [area @ 2..=5, exchange, 4]) => area + exchange == 6,
        _ => false,
    }
}

fn push_masked(out: &mut String, number: &str) {
    let last = number.char_indices().rev().take_while(|(_, c)| digit(*c).is_some()).take(4).last();
    let at = last.map_or(number.len(), |(at, _)| at);
    out.push_str(&number[..at]);
    out.extend(number[at..].chars().map(|_| 'X'));
}
