//! What characters do to the line they stand in: white space, invisible characters, and line breaks that vanish.

/// What bytes at a place of a text are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Special {
    /// A character that is shown.
    Shown,
    /// White space that collapses.
    Space,
    /// A line break of the source.
    Break,
    /// A no-break space, which the author meant.
    NoBreak,
    /// A separator of lines or paragraphs.
    LineEnd,
    /// A control or format character that has no shape of its own.
    Invisible,
}

/// For each byte whether a character that begins with it may be anything but [`Special::Shown`].
static MAY_BE_SPECIAL: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte <= 0x20 {
        table[byte] = true;
        byte += 1;
    }
    table[0x7f] = true;
    // C1 controls, the no-break space and the soft hyphen; U+061C; U+180E; U+2000 to U+2FFF; U+FFF9 and the byte order mark.
    table[0xc2] = true;
    table[0xd8] = true;
    table[0xe1] = true;
    table[0xe2] = true;
    table[0xef] = true;
    table
};

/// Whether a byte is white space of HTML.
#[inline]
pub(crate) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b'\x0c')
}

/// Whether a byte begins no character that [`special`] has something to say about.
#[inline]
pub(crate) fn is_plain(byte: u8) -> bool {
    !MAY_BE_SPECIAL[usize::from(byte)]
}

/// What the character at `at` is, and how many bytes it takes. For [`Special::Shown`] the number is that of its first
/// byte, 1, since the others are plain.
///
/// The ideographic space is shown: it separates phrases. Joiners (U+200C, U+200D) are shown as well where they decide how
/// Persian and Indic letters and families of emoji look; behind kana, Han characters and ASCII they do nothing.
pub(crate) fn special(bytes: &[u8], at: usize) -> (Special, usize) {
    let byte = |ahead: usize| bytes.get(at + ahead).copied().unwrap_or(0);
    match byte(0) {
        b' ' | b'\t' | b'\x0c' => (Special::Space, 1),
        b'\n' | b'\r' => (Special::Break, 1),
        b'\x0b' => (Special::LineEnd, 1),
        0..=0x1f | 0x7f => (Special::Invisible, 1),
        0xc2 => match byte(1) {
            0xa0 => (Special::NoBreak, 2),
            0x85 => (Special::LineEnd, 2),
            0x80..=0x9f | 0xad => (Special::Invisible, 2),
            _ => (Special::Shown, 1),
        },
        // The mark of direction for Arabic letters.
        0xd8 if byte(1) == 0x9c => (Special::Invisible, 2),
        // The Mongolian vowel separator.
        0xe1 if byte(1) == 0xa0 && byte(2) == 0x8e => (Special::Invisible, 3),
        0xe2 => match (byte(1), byte(2)) {
            (0x80, 0x8c | 0x8d) if follows_what_never_joins(bytes, at) => (Special::Invisible, 3),
            // Zero-width space and marks of direction.
            (0x80, 0x8b | 0x8e | 0x8f | 0xaa..=0xae) => (Special::Invisible, 3),
            (0x80, 0xa8 | 0xa9) => (Special::LineEnd, 3),
            // Word joiner, invisible operators, isolates of direction and their forerunners.
            (0x81, 0xa0..=0xaf) => (Special::Invisible, 3),
            _ => (Special::Shown, 1),
        },
        0xef => match (byte(1), byte(2)) {
            (0xbb, 0xbf) => (Special::Invisible, 3),
            // Marks of interlinear annotation and the stand-in for an object.
            (0xbf, 0xb9..=0xbc | 0xbe | 0xbf) => (Special::Invisible, 3),
            _ => (Special::Shown, 1),
        },
        _ => (Special::Shown, 1),
    }
}

/// Whether the character before `at` is one of ASCII, a kana or a Han character.
fn follows_what_never_joins(bytes: &[u8], at: usize) -> bool {
    let before = &bytes[..at];
    match before.last() {
        None => false,
        Some(byte) if byte.is_ascii() => true,
        Some(_) => matches!(before, [.., 0xe3, 0x81..=0x83, _] | [.., 0xe4..=0xe9, _, _]),
    }
}

/// The text without control and format characters that are not shown; separators of lines are line feeds. White space
/// stays as it is.
pub(crate) fn without_invisible(text: &str) -> std::borrow::Cow<'_, str> {
    let bytes = text.as_bytes();
    let (mut out, mut start, mut at) = (String::new(), 0, 0);
    while at < bytes.len() {
        let (kind, width) = if is_plain(bytes[at]) { (Special::Shown, 1) } else { special(bytes, at) };
        if matches!(kind, Special::Invisible | Special::LineEnd) {
            out.push_str(&text[start..at]);
            if kind == Special::LineEnd {
                out.push('\n');
            }
            start = at + width;
        }
        at += width;
    }
    if start == 0 {
        return text.into();
    }
    out.push_str(&text[start..]);
    out.into()
}

/// Characters other than white space.
pub(crate) fn count(text: &str) -> u32 {
    let is_counted = |byte: &u8| {
        // Continuation bytes belong to a character that is counted already.
        *byte & 0xc0 != 0x80 && !matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b'\x0c')
    };
    text.bytes().filter(is_counted).count() as u32
}

/// Whether a line break between two characters vanishes, as CSS Text 3 has it (section 4.1.3): both are wide, or one is
/// wide and the other a punctuation mark or symbol of ambiguous width. Spaces separate words of Hangul, so it counts
/// with the letters of Latin.
pub(crate) fn joins(before: char, after: char) -> bool {
    match (is_wide(before), is_wide(after)) {
        (true, true) => true,
        (true, false) => is_ambiguous_sign(after),
        (false, true) => is_ambiguous_sign(before),
        (false, false) => false,
    }
}

/// Whether a character is of East Asian width wide, full-width or half-width, and not Hangul (Unicode Standard Annex 11).
pub(crate) fn is_wide(c: char) -> bool {
    matches!(c,
        '\u{2e80}'..='\u{303e}' | '\u{3041}'..='\u{312f}' | '\u{3190}'..='\u{31ff}' | '\u{3220}'..='\u{325f}'
        | '\u{3280}'..='\u{4dbf}' | '\u{4e00}'..='\u{a4cf}' | '\u{f900}'..='\u{faff}' | '\u{fe10}'..='\u{fe19}'
        | '\u{fe30}'..='\u{fe6f}' | '\u{ff01}'..='\u{ff9f}' | '\u{ffe0}'..='\u{ffe6}' | '\u{16fe0}'..='\u{18cff}'
        | '\u{1aff0}'..='\u{1b2ff}' | '\u{1f200}'..='\u{1f251}' | '\u{1f300}'..='\u{1f64f}'
        | '\u{1f680}'..='\u{1f6ff}' | '\u{1f900}'..='\u{1f9ff}' | '\u{1fa70}'..='\u{1faff}' | '\u{20000}'..='\u{3ffff}')
}

/// Punctuation and symbols of ambiguous width that Japanese and Chinese texts use: quotation marks, ellipses, dashes,
/// circled numbers, shapes, arrows.
fn is_ambiguous_sign(c: char) -> bool {
    matches!(c,
        '\u{a7}' | '\u{b0}' | '\u{b1}' | '\u{b6}' | '\u{b7}' | '\u{d7}' | '\u{f7}'
        | '\u{2010}'..='\u{2016}' | '\u{2018}' | '\u{2019}' | '\u{201c}' | '\u{201d}' | '\u{2020}'..='\u{2027}'
        | '\u{2030}'..='\u{203b}' | '\u{2103}' | '\u{2116}' | '\u{2190}'..='\u{2199}' | '\u{21d2}' | '\u{21d4}'
        | '\u{2200}'..='\u{22ff}' | '\u{2460}'..='\u{24ff}' | '\u{2500}'..='\u{25ff}' | '\u{2605}' | '\u{2606}'
        | '\u{260e}'..='\u{261f}' | '\u{2640}' | '\u{2642}' | '\u{2660}'..='\u{266f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_what_is_written() {
        assert_eq!(count("あ い\u{a0}x"), 4);
    }

    #[test]
    fn leaves_out_what_is_not_shown() {
        for (text, expected) in [
            ("山\u{200b}頂\u{feff}か\u{ad}ら", "山頂から"),
            ("次\u{8}の\u{7f}行\u{9b}", "次の行"),
            ("一\u{2028}二\u{85}三\u{2029}四\u{b}五", "一\n二\n三\n四\n五"),
            ("\u{202d}090\u{202c} \u{2066}x\u{2069}", "090 x"),
            ("絵\u{fffc}文\u{2060}字", "絵文字"),
            ("海\u{200c}です a\u{200d}b\u{61c}", "海です ab"),
            // Kept: joiners, variation selectors, private use, tags of flags, the replacement character.
            (
                "👨\u{200d}👩 字\u{e0100} \u{e43e} می\u{200c}خ \u{fffd}",
                "👨\u{200d}👩 字\u{e0100} \u{e43e} می\u{200c}خ \u{fffd}",
            ),
            ("…—“”ﾊﾟ！\u{2003}", "…—“”ﾊﾟ！\u{2003}"),
            (" a\r\n\tb\u{a0}c ", " a\r\n\tb\u{a0}c "),
        ] {
            assert_eq!(without_invisible(text), expected, "{text:?}");
        }
    }

    #[test]
    fn knows_between_which_characters_a_break_vanishes() {
        for (before, after, expected) in [
            ('山', '海', true),
            ('ア', 'ー', true),
            ('ｱ', 'ｲ', true),
            ('。', '「', true),
            ('！', '😀', true),
            ('た', '…', true),
            ('”', 'と', true),
            ('①', '山', true),
            ('…', '”', false),
            ('山', 'a', false),
            ('1', '月', false),
            ('한', '국', false),
            ('한', '字', false),
            ('字', 'ㄱ', false),
            ('a', 'b', false),
        ] {
            assert_eq!(joins(before, after), expected, "{before}{after}");
        }
    }
}
