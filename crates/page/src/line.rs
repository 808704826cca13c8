//! A line of text as browsers show it, made of the pieces that stand in its inline elements.

use crate::space::{Special, is_plain, is_space, joins, special};

/// White space that was read and not written yet: what it becomes depends on the next character.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Gap {
    #[default]
    None,
    Space,
    /// With a line break of the source, which vanishes between wide characters.
    Break,
    /// With a no-break space.
    NoBreak,
}

/// Where `<sup>` and `<sub>` put their text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shift {
    Up,
    Down,
}

/// Text with white space collapsed. A line break between wide characters vanishes, also where tags stand beside it: it is
/// there for the writer of the source only.
#[derive(Debug, Default)]
pub(crate) struct Line {
    text: String,
    gap: Gap,
    /// The outermost open `<sup>` or `<sub>`, where its text begins, and how many are open.
    shift: Option<(Shift, usize)>,
    shifts: u32,
    /// How many `<ruby>` are open.
    rubies: u32,
    /// Where the text of the last link ended.
    link_end: Option<usize>,
}

impl Line {
    /// What was written so far.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the next character would stand directly behind a letter or digit.
    pub(crate) fn is_in_word(&self) -> bool {
        self.gap == Gap::None && self.text.ends_with(char::is_alphanumeric)
    }

    /// Whether the line that is being written has any text.
    pub(crate) fn is_begun(&self) -> bool {
        !self.text.is_empty() && !self.text.ends_with('\n')
    }

    /// A link begins. Right behind another link it is a word of its own: style sheets keep the items of a list apart. Wide
    /// characters need no space.
    pub(crate) fn open_link(&mut self) {
        if self.gap == Gap::None && self.link_end == Some(self.text.len()) {
            self.gap = Gap::Break;
        }
    }

    /// A link ends.
    pub(crate) fn close_link(&mut self) {
        self.link_end = Some(self.text.len());
    }

    /// Leaves an empty line.
    pub(crate) fn clear(&mut self) {
        self.gap = Gap::None;
        self.link_end = None;
        if let Some((_, start)) = &mut self.shift {
            *start = 0;
        }
        self.text.clear();
    }

    /// Appends text whose white space collapses.
    pub(crate) fn push(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let (mut start, mut at) = (0, 0);
        while let Some(&byte) = bytes.get(at) {
            if is_plain(byte) {
                at += 1;
                continue;
            }
            // A single space within a text stands as it is.
            if byte == b' ' && at > start && bytes.get(at + 1).is_some_and(|next| is_plain(*next)) {
                at += 2;
                continue;
            }
            if is_space(byte) {
                self.append(&text[start..at]);
                let mut gap = Gap::Space;
                while let Some(&byte) = bytes.get(at).filter(|byte| is_space(**byte)) {
                    if matches!(byte, b'\n' | b'\r') {
                        gap = Gap::Break;
                    }
                    at += 1;
                }
                start = at;
                self.gap = self.gap.max(gap);
                continue;
            }
            let (kind, width) = special(bytes, at);
            if kind == Special::Shown {
                at += width;
                continue;
            }
            self.append(&text[start..at]);
            at += width;
            start = at;
            match kind {
                Special::NoBreak => self.gap = Gap::NoBreak,
                Special::LineEnd => self.end_line(),
                Special::Space | Special::Break | Special::Invisible | Special::Shown => {}
            }
        }
        self.append(&text[start..]);
        // White space between the parts of a ruby is not a word's end.
        if self.rubies > 0 && self.gap == Gap::Space {
            self.gap = Gap::Break;
        }
    }

    /// Appends text as it stands, but for what is not shown.
    pub(crate) fn push_preformatted(&mut self, text: &str) {
        self.gap = Gap::None;
        let text = crate::space::without_invisible(text);
        if text.contains('\r') {
            self.text.push_str(&text.replace("\r\n", "\n").replace('\r', "\n"));
        } else {
            self.text.push_str(&text);
        }
    }

    /// Appends a piece without white space at its beginning.
    #[inline]
    fn append(&mut self, piece: &str) {
        if piece.is_empty() {
            return;
        }
        if self.gap != Gap::None {
            self.close_gap(piece);
        }
        self.text.push_str(piece);
    }

    /// Writes the white space that was read before `piece`, if it is any.
    fn close_gap(&mut self, piece: &str) {
        let gap = std::mem::take(&mut self.gap);
        let (Some(&last), Some(&first)) = (self.text.as_bytes().last(), piece.as_bytes().first()) else {
            return;
        };
        if matches!(last, b' ' | b'\n') {
            return;
        }
        // No character of ASCII is wide.
        let is_joined = gap == Gap::Break && !last.is_ascii() && !first.is_ascii() && {
            let neighbours = self.text.chars().next_back().zip(piece.chars().next());
            neighbours.is_some_and(|(last, first)| joins(last, first))
        };
        if !is_joined {
            self.text.push(' ');
        }
    }

    /// Breaks the line, as `<br>` does.
    pub(crate) fn end_line(&mut self) {
        self.gap = Gap::None;
        let end = self.text.trim_end_matches(' ').len();
        self.text.truncate(end);
        self.text.push('\n');
    }

    /// A `<ruby>` begins.
    pub(crate) fn open_ruby(&mut self) {
        self.rubies += 1;
    }

    /// A `<ruby>` ends.
    pub(crate) fn close_ruby(&mut self) {
        self.rubies = self.rubies.saturating_sub(1);
    }

    /// A `<sup>` or `<sub>` begins.
    pub(crate) fn open_shift(&mut self, shift: Shift) {
        self.shifts += 1;
        self.shift.get_or_insert((shift, self.text.len()));
    }

    /// A `<sup>` or `<sub>` ends. Raised and lowered numbers stay apart from what stands before them: 10³, H₂O, x^(2k).
    pub(crate) fn close_shift(&mut self) {
        self.shifts = self.shifts.saturating_sub(1);
        if self.shifts > 0 {
            return;
        }
        let Some((shift, start)) = self.shift.take() else { return };
        let Some(piece) = self.text.get(start..) else { return };
        let piece = piece.trim_start();
        let start = self.text.len() - piece.len();
        let is_number = |c: char| c.is_ascii_digit() || matches!(c, '０'..='９' | 'n');
        if !piece.contains(is_number) {
            return;
        }
        // A dash before a number is a minus sign, whichever one was at hand.
        let signed = piece.strip_prefix(is_dash).filter(|rest| rest.starts_with(is_number));
        let signed = signed.map(|rest| format!("-{rest}"));
        let piece = signed.as_deref().unwrap_or(piece);
        if let Some(shifted) = piece.chars().map(|c| shifted(c, shift)).collect::<Option<String>>() {
            self.text.replace_range(start.., &shifted);
            return;
        }
        // Letters of formulas, also Greek and full-width ones, and closing brackets.
        let stands_behind = self.text[..start].ends_with(|c: char| {
            c.is_ascii_alphanumeric()
                || matches!(c, ')' | ']' | '}' | '\u{ff09}' | '\u{3b1}'..='\u{3c9}' | '\u{ff10}'..='\u{ff5a}')
        });
        let is_exponent = |c: char| {
            c.is_ascii_alphanumeric()
                || matches!(c, '+' | '-' | '/' | '.' | '*' | '(' | ')' | '\u{2212}' | '\u{3b1}'..='\u{3c9}')
        };
        if stands_behind && piece.contains(|c: char| c.is_ascii_digit()) && piece.chars().all(is_exponent) {
            let sign = if shift == Shift::Up { '^' } else { '_' };
            let is_simple = piece.chars().all(|c| c.is_ascii_digit() || c == '.');
            let written = if is_simple { format!("{sign}{piece}") } else { format!("{sign}({piece})") };
            self.text.replace_range(start.., &written);
        }
    }
}

/// Dashes and the long vowel mark, which stand for a minus sign before a number.
fn is_dash(c: char) -> bool {
    matches!(c, '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{30fc}' | '\u{ff0d}' | '\u{ff70}')
}

/// The raised or lowered form of a character, where Unicode has one. What separates numbers stays as it is.
fn shifted(c: char, shift: Shift) -> Option<char> {
    const UP: &str = "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿ, \u{2013}";
    const DOWN: &str = "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₙ, \u{2013}";
    let plain = match c {
        '０'..='９' | '＋' | '－' => char::from_u32(u32::from(c) - 0xfee0)?,
        '\u{2212}' => '-',
        c => c,
    };
    let at = "0123456789+-=()n, \u{2013}".chars().position(|known| known == plain)?;
    let forms = if shift == Shift::Up { UP } else { DOWN };
    forms.chars().nth(at)
}

/// The text in one line, with white space collapsed and none at its ends.
pub(crate) fn collapse(text: &str) -> String {
    let mut line = Line::default();
    line.push(text);
    one_line(line.as_str())
}

/// Lines joined by spaces, empty ones left out.
pub(crate) fn one_line(text: &str) -> String {
    let lines = text.split('\n').map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn joins_lines() {
        for (text, expected) in [
            (" 画像を\n  開く \n and\nsave ", "画像を開く and save"),
            ("a\u{a0}\u{a0}b", "a b"),
            ("あ　い", "あ　い"),
            ("山です。\u{a0}\n海", "山です。 海"),
            ("山\n\u{200b}\n頂", "山頂"),
            ("終わった…\nそして", "終わった…そして"),
            ("한국어\n문서", "한국어 문서"),
            ("山\u{2028}海", "山 海"),
        ] {
            assert_eq!(collapse(text), expected, "{text:?}");
        }
    }

    #[test]
    fn keeps_numbers_apart() {
        for (before, shift, piece, expected) in [
            ("10", Shift::Up, "3", "10³"),
            ("10", Shift::Up, "-3", "10⁻³"),
            ("10", Shift::Up, "−１２", "10⁻¹²"),
            ("10", Shift::Up, "–3", "10⁻³"),
            ("10", Shift::Up, "ー3", "10⁻³"),
            ("研究", Shift::Up, "1–3", "研究¹–³"),
            ("λ", Shift::Up, "2k", "λ^(2k)"),
            ("（ｘ＋１）", Shift::Up, "2k", "（ｘ＋１）^(2k)"),
            ("x", Shift::Up, "n+1", "xⁿ⁺¹"),
            ("H", Shift::Down, "2", "H₂"),
            ("x", Shift::Down, "10", "x₁₀"),
            ("e", Shift::Up, "2x", "e^(2x)"),
            ("10", Shift::Up, "0.5", "10^0.5"),
            ("C", Shift::Down, "2v", "C_(2v)"),
            ("研究", Shift::Up, "1,2", "研究¹,²"),
            ("1", Shift::Up, "st", "1st"),
            ("製品", Shift::Up, "TM", "製品TM"),
            ("文", Shift::Up, "[1]", "文[1]"),
            ("文", Shift::Up, "※1", "文※1"),
            ("x", Shift::Up, "", "x"),
            ("10", Shift::Up, " 3", "10 ³"),
        ] {
            let mut line = Line::default();
            line.push(before);
            line.open_shift(shift);
            line.push(piece);
            line.close_shift();
            assert_eq!(line.as_str(), expected, "{before} {piece}");
        }
        let mut line = Line::default();
        line.open_shift(Shift::Up);
        line.push("ずっと長い");
        line.clear();
        line.push("2");
        line.close_shift();
        assert_eq!(line.as_str(), "²");
    }

    #[test]
    fn ruby_has_no_words() {
        let mut line = Line::default();
        line.push("この ");
        line.open_ruby();
        for part in ["\n", "短", " ", " ", "槍", " "] {
            line.push(part);
        }
        line.close_ruby();
        line.push("を Tokyo で");
        assert_eq!(line.as_str(), "この短槍を Tokyo で");
    }

    #[test]
    fn links_side_by_side_are_words_of_their_own() {
        for (links, expected) in [
            (&["Open World", "Crafting"][..], "Open World Crafting"),
            (&["山", "川"], "山川"),
            (&["山", "", "GIMP"], "山 GIMP"),
            (&["a ", " b"], "a b"),
        ] {
            let mut line = Line::default();
            for text in links {
                line.open_link();
                line.push(text);
                line.close_link();
            }
            line.push("s");
            assert_eq!(line.as_str(), format!("{expected}s"));
        }
        let mut line = Line::default();
        line.open_link();
        line.push("part");
        line.close_link();
        line.push("ly");
        line.open_link();
        line.push("seen");
        assert_eq!(line.as_str(), "partlyseen");
    }

    /// Character by character.
    fn plain(text: &str) -> String {
        let mut out = String::new();
        let (mut space, mut broken, mut fixed) = (false, false, false);
        for c in text.chars() {
            match c {
                ' ' | '\t' => space = true,
                '\n' | '\r' => broken = true,
                '\u{a0}' => fixed = true,
                '\u{200b}' | '\u{8}' => {}
                '\u{2028}' => {
                    out.truncate(out.trim_end_matches(' ').len());
                    out.push('\n');
                    (space, broken, fixed) = (false, false, false);
                }
                _ => {
                    let last = out.chars().next_back();
                    let joined = broken && !fixed && last.is_some_and(|last| joins(last, c));
                    let any = space || broken || fixed;
                    if any && !joined && last.is_some_and(|last| last != ' ' && last != '\n') {
                        out.push(' ');
                    }
                    out.push(c);
                    (space, broken, fixed) = (false, false, false);
                }
            }
        }
        out
    }

    proptest! {
        #[test]
        fn collapses_like_the_plain_version(text in "[ab \t\r\n\u{a0}あ字、　¢…ﾊ\u{200b}\u{2028}\u{8}]{0,30}", cut in 0..30_usize) {
            let at = text.floor_char_boundary(cut);
            let mut line = Line::default();
            line.push(&text[..at]);
            line.push(&text[at..]);
            prop_assert_eq!(line.as_str(), plain(&text));
        }
    }
}
