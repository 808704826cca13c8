//! UTF-16 without a mark.

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE};

/// Bytes at the start that are looked at.
const START: usize = 2 << 10;

/// UTF-16 without a mark shows by a zero in every other byte of its markup. A few zeros are on the other side: those of
/// characters such as the ideographic space (U+3000) and the digit one (U+4E00).
pub(super) fn without_mark(bytes: &[u8]) -> Option<&'static Encoding> {
    let start = &bytes[..bytes.len().min(START)];
    if start.len() < 4 || memchr::memchr(0, start).is_none() {
        return None;
    }
    let (mut little, mut big, mut tags) = (0, 0, [0, 0]);
    let units = start.chunks_exact(2);
    let count = units.len();
    for unit in units {
        match *unit {
            [byte, 0] if is_written(byte) => {
                little += 1;
                tags[0] += usize::from(matches!(byte, b'<' | b'>'));
            }
            [0, byte] if is_written(byte) => {
                big += 1;
                tags[1] += usize::from(matches!(byte, b'<' | b'>'));
            }
            _ => {}
        }
    }
    // Much markup shows it alone; of little there must be a tag, and what stands between must be text.
    let shows = |side: usize, other: usize, tags: [usize; 2], encoding: &'static Encoding| {
        let much = side > count / 6 && other <= side / 4 && tags[0] >= tags[1];
        much || (tags[0] >= 2 && tags[1] == 0 && is_text(start, encoding))
    };
    if shows(little, big, tags, UTF_16LE) {
        Some(UTF_16LE)
    } else if shows(big, little, [tags[1], tags[0]], UTF_16BE) {
        Some(UTF_16BE)
    } else {
        None
    }
}

/// ASCII that stands in texts.
fn is_written(byte: u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\t' | b'\n' | b'\r')
}

/// Whether bytes are hardly anything but letters and signs of living scripts in an encoding.
fn is_text(bytes: &[u8], encoding: &'static Encoding) -> bool {
    let (text, _) = encoding.decode_without_bom_handling(bytes);
    // A character cut in two at the end is not an error.
    let text = text.trim_end_matches('\u{fffd}');
    let ordinary = |c: &char| {
        matches!(c, ' '..='~' | '\t' | '\n' | '\r' | '\u{a0}'..='\u{52f}' | '\u{2010}'..='\u{26ff}' | '\u{3000}'..='\u{30ff}'
            | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' | '\u{ff00}'..='\u{ffee}')
    };
    let all = text.chars().count();
    20 * text.chars().filter(ordinary).count() >= 19 * all
}
