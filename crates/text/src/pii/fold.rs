//! Text in which the many forms of a digit, dash, dot and space are one, with the way back to the original.

/// A text whose full-width forms are ASCII, whose dashes are `-`, whose dots are `.`, and whose spaces are ASCII spaces. Line
/// breaks stay, since a number does not go on behind one.
pub(super) struct Folded {
    /// The folded text.
    pub(super) text: String,
    /// For each character where it begins in the folded text and in the original, and the ends of both.
    starts: Vec<(usize, usize)>,
}

impl Folded {
    pub(super) fn of(original: &str) -> Folded {
        let mut folded = Folded { text: String::with_capacity(original.len()), starts: Vec::new() };
        for (at, c) in original.char_indices() {
            folded.starts.push((folded.text.len(), at));
            folded.text.push(fold(c));
        }
        folded.starts.push((folded.text.len(), original.len()));
        folded
    }

    /// The place in the original of a place in the folded text.
    pub(super) fn original(&self, at: usize) -> usize {
        let found = self.starts.partition_point(|(folded, _)| *folded < at);
        self.starts.get(found).map_or(0, |(_, original)| *original)
    }
}

/// Whether a character is a digit that numbers are written with.
pub(super) fn is_digit(c: char) -> bool {
    fold(c).is_ascii_digit()
}

/// The form that stands for a character.
fn fold(c: char) -> char {
    match c {
        '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => c,
        // The long vowel marks stand between digits where a dash is meant, and so do lines of tables and letters that are one
        // line.
        '\u{AD}'
        | '\u{1173}'
        | '\u{2010}'..='\u{2015}'
        | '\u{207B}'
        | '\u{2212}'
        | '\u{2043}'
        | '\u{2500}'
        | '\u{2501}'
        | '\u{2796}'
        | '\u{2D7}'
        | '\u{30FC}'
        | '\u{3161}'
        | '\u{FE58}'
        | '\u{FE63}'
        | '\u{FF70}' => '-',
        '\u{B7}' | '\u{2022}' | '\u{2024}' | '\u{2027}' | '\u{2219}' | '\u{22C5}' | '\u{30FB}'
        | '\u{FF65}' => '.',
        '\u{FE6B}' => '@',
        '\u{FFE5}' => '\u{A5}',
        '\u{3014}' | '\u{3010}' => '[',
        '\u{3015}' | '\u{3011}' => ']',
        '\u{3008}' | '\u{300A}' => '<',
        '\u{3009}' | '\u{300B}' => '>',
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
        '\u{200B}' | '\u{2060}' | '\u{FEFF}' | '\u{180E}' => ' ',
        c if c.is_whitespace() => ' ',
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_found_again() {
        let original = "Ａ０３ー１\u{3000}＠x";
        let folded = Folded::of(original);
        assert_eq!(folded.text, "A03-1 @x");
        assert_eq!(&original[folded.original(1)..folded.original(5)], "０３ー１");
        assert_eq!(folded.original(folded.text.len()), original.len());
    }
}
