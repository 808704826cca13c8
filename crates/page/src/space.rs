//! Collapses white space as browsers show it.

/// Appends `text` to `out` with white space collapsed to one space. A line break between two Japanese or
/// Chinese characters vanishes: it is there for the writer of the source only.
pub(crate) fn push_collapsed(out: &mut String, text: &str) {
    let bytes = text.as_bytes();
    let mut start = 0;
    let mut at = 0;
    while at < bytes.len() {
        let width = space_width(bytes, at);
        if width == 0 {
            at += 1;
            continue;
        }
        // A single space within a text stands as it is.
        if bytes[at] == b' ' && at > start && at + 1 < bytes.len() && space_width(bytes, at + 1) == 0 {
            at += 2;
            continue;
        }
        out.push_str(&text[start..at]);
        let mut broken = false;
        let mut width = width;
        while width > 0 {
            broken |= bytes[at] == b'\n';
            at += width;
            width = space_width(bytes, at);
        }
        start = at;
        if out.ends_with([' ', '\n']) {
            continue;
        }
        let joined = broken
            && out.chars().next_back().is_some_and(is_wide)
            && text[at..].chars().next().is_some_and(is_wide);
        if !joined {
            out.push(' ');
        }
    }
    out.push_str(&text[start..]);
}

/// The text with white space collapsed and none at its ends.
pub(crate) fn collapse(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    push_collapsed(&mut out, text);
    out.trim().to_owned()
}

/// How many bytes of white space stand at `at`: HTML's white space has one, the no-break space two. The
/// ideographic space is kept: it separates phrases.
fn space_width(bytes: &[u8], at: usize) -> usize {
    match bytes.get(at) {
        Some(b' ' | b'\t' | b'\n' | b'\r' | b'\x0c') => 1,
        Some(0xc2) if bytes.get(at + 1) == Some(&0xa0) => 2,
        _ => 0,
    }
}

/// Characters other than white space.
pub(crate) fn count(text: &str) -> u32 {
    let is_counted = |byte: &u8| {
        // Continuation bytes belong to a character that is counted already.
        *byte & 0xc0 != 0x80 && !matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b'\x0c')
    };
    text.bytes().filter(is_counted).count() as u32
}

/// Whether a character is of a script that is written without spaces between words.
pub(crate) fn is_wide(c: char) -> bool {
    matches!(c, '\u{3000}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{ff00}'..='\u{ff60}'
        | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn joins_japanese_lines() {
        assert_eq!(collapse(" 画像を\n  開く \n and\nsave "), "画像を開く and save");
        assert_eq!(collapse("a\u{a0}\u{a0}b"), "a b");
        assert_eq!(collapse("あ　い"), "あ　い");
        assert_eq!(count("あ い\u{a0}x"), 4);
    }

    /// Character by character.
    fn plain(out: &mut String, text: &str) {
        let is_space = |c| matches!(c, ' ' | '\t' | '\n' | '\r' | '\x0c' | '\u{a0}');
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            if !is_space(c) {
                out.push(c);
                rest = &rest[c.len_utf8()..];
                continue;
            }
            let after = rest.trim_start_matches(is_space);
            let broken = rest[..rest.len() - after.len()].contains('\n');
            let joined = broken
                && out.chars().next_back().is_some_and(is_wide)
                && after.chars().next().is_some_and(is_wide);
            if !joined && !out.ends_with([' ', '\n']) {
                out.push(' ');
            }
            rest = after;
        }
    }

    proptest! {
        #[test]
        fn collapses_like_the_plain_version(before in "[a あ\n]{0,3}", text in "[ab \t\r\n\u{a0}あ字、　¢]{0,30}") {
            let (mut fast, mut slow) = (before.clone(), before);
            push_collapsed(&mut fast, &text);
            plain(&mut slow, &text);
            prop_assert_eq!(fast, slow);
        }
    }
}
