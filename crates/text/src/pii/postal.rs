//! Japanese postal codes with the address after them, and addresses behind a word for one.

use std::ops::Range;

use super::words::{ADDRESS, BUILDING, WORDS};

/// The places of such addresses in folded text, buildings and rooms included, with what stands there afterwards.
pub(super) fn find(text: &str) -> Vec<(Range<usize>, String)> {
    let (Some(address), Some(building)) = (ADDRESS.as_ref(), BUILDING.as_ref()) else { return Vec::new() };
    if !may_have_one(text) {
        return Vec::new();
    }
    let mut edits: Vec<(Range<usize>, String)> = Vec::new();
    for found in address.captures_iter(text) {
        let whole = found.get_match();
        let joined = |before: &str| before.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '-');
        if found.name("bare").is_some() && joined(&text[..whole.start()]) {
            continue;
        }
        let label = found.name("label").or_else(|| found.name("place"));
        let start = label.map_or(whole.start(), |label| label.end());
        let mut end = whole.end();
        if let Some(found) = building.find(&text[end..]) {
            end += found.end();
            end += bare_room(&text[end..]);
        }
        edits.push((start..end, "〒XXX-XXXX".to_owned()));
    }
    edits
}

/// Whether a text may have an address, which is cheap to see.
pub(super) fn may_have_one(text: &str) -> bool {
    WORDS.address_words.iter().any(|word| text.contains(word.as_str()))
}

/// Length of a room's number right after a building, with a letter before it or not, that is not the beginning of a longer
/// number.
fn bare_room(after: &str) -> usize {
    let room = after.strip_prefix(' ').unwrap_or(after);
    let behind_letter = room.strip_prefix(|c: char| c.is_ascii_uppercase());
    let digits = behind_letter.map_or(room, |rest| rest.strip_prefix('-').unwrap_or(rest));
    let len = digits.bytes().take_while(u8::is_ascii_digit).count();
    let goes_on =
        digits[len..].starts_with(['-', '.', '(', ',', '/', ':']) || digits[len..].starts_with(" (");
    if (1..=4).contains(&len) && !goes_on { after.len() - digits.len() + len } else { 0 }
}
