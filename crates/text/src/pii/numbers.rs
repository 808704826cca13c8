//! Digits in groups, and what stands before and after a number.

use std::ops::Range;

use super::words::Words;

/// What parts two groups of digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gap {
    Space,
    Dash,
    Dot,
    Star,
    Bracket,
}

/// Groups of digits with gaps between them, in folded text.
#[derive(Debug)]
pub(super) struct Number<'a> {
    pub(super) text: &'a str,
    pub(super) groups: Vec<Range<usize>>,
    /// `gaps[i]` stands between groups `i` and `i + 1`.
    pub(super) gaps: Vec<Gap>,
}

/// Characters of the longest gap: ` ( - ) ` has more than any that is in use.
const LONGEST_GAP: usize = 6;

/// All numbers of a text.
pub(super) fn numbers(text: &str) -> Vec<Number<'_>> {
    let mut found: Vec<Number<'_>> = Vec::new();
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(start) = bytes[at..].iter().position(u8::is_ascii_digit).map(|step| at + step) {
        let len = bytes[start..].iter().position(|byte| !byte.is_ascii_digit());
        let end = len.map_or(bytes.len(), |len| start + len);
        let gap = match found.last().and_then(|number| number.groups.last()) {
            Some(last) => gap(&text[last.end..start]),
            None => None,
        };
        match (gap, found.last_mut()) {
            (Some(gap), Some(number)) => {
                number.gaps.push(gap);
                number.groups.push(start..end);
            }
            _ => found.push(Number { text, groups: vec![Range { start, end }], gaps: Vec::new() }),
        }
        at = end;
    }
    found
}

fn gap(between: &str) -> Option<Gap> {
    if between.is_empty() || between.len() > LONGEST_GAP {
        return None;
    }
    let mut kind = Gap::Space;
    for c in between.chars() {
        let next = match c {
            ' ' => continue,
            '-' => Gap::Dash,
            '.' => Gap::Dot,
            '*' => Gap::Star,
            '(' | ')' | '[' | ']' => Gap::Bracket,
            _ => return None,
        };
        kind = match (kind, next) {
            (Gap::Space, next) => next,
            (Gap::Bracket, _) | (_, Gap::Bracket) => Gap::Bracket,
            (kind, next) if kind == next => kind,
            _ => return None,
        };
    }
    Some(kind)
}

impl Number<'_> {
    /// The digits of some groups.
    pub(super) fn digits(&self, groups: Range<usize>) -> Vec<u32> {
        let text = self.groups[groups].iter().flat_map(|group| self.text[group.clone()].chars());
        text.filter_map(|c| c.to_digit(10)).collect()
    }

    /// How many digits some groups have.
    pub(super) fn lens(&self, groups: Range<usize>) -> Vec<usize> {
        self.groups[groups].iter().map(Range::len).collect()
    }

    /// What stands between a group and the next one.
    pub(super) fn between(&self, gap: usize) -> &str {
        &self.text[self.groups[gap].end..self.groups[gap + 1].start]
    }

    /// The text before a group.
    pub(super) fn before(&self, group: usize) -> &str {
        &self.text[..self.groups[group].start]
    }

    /// The text after a group.
    pub(super) fn after(&self, group: usize) -> &str {
        &self.text[self.groups[group].end..]
    }
}

/// Whether a number right after `before` stands alone: it is not part of an identifier, not a sum, and not the number of a thing. A number
/// of three groups may follow another one after a slash.
pub(super) fn begins_alone(before: &str, grouped: bool, words: &Words) -> bool {
    if words.is_other_label(before) {
        return false;
    }
    let mut last = before.chars().rev();
    let (Some(c), previous) = (last.next(), last.next()) else { return true };
    let behind_alphanumeric = previous.is_some_and(|c| c.is_ascii_alphanumeric());
    match c {
        c if c.is_ascii_alphabetic() => words.is_phone_label(before),
        '=' => words.is_phone_label(before),
        '\u{A5}' | '$' | '#' | '_' => false,
        '/' if grouped && previous.is_some_and(|c| c.is_ascii_digit()) => true,
        ':' => !previous.is_some_and(|c| c.is_ascii_digit()),
        '-' | '.' | ',' | '/' | '*' => !behind_alphanumeric || words.is_phone_label(before),
        _ => true,
    }
}

/// Whether a number right before `after` is over and no sum.
pub(super) fn ends_alone(after: &str, words: &Words) -> bool {
    let mut next = after.chars();
    match next.next() {
        Some(c) if c.is_ascii_alphabetic() => {
            let word = after.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
            // An extension is a number of its own: 03-1234-5678x12.
            let extension = matches!(word.to_ascii_lowercase().as_str(), "x" | "ext");
            words.is_phone_word(word) || extension
        }
        Some('_' | '%' | '@') => false,
        Some('-' | '.' | ',' | '*') => !next.next().is_some_and(|c| c.is_ascii_digit()),
        Some(_) => !words.units.iter().any(|unit| after.starts_with(unit.as_str())),
        None => true,
    }
}
