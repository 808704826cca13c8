//! White space as it is shown.

/// Appends `text` to `out` with white space collapsed to one space. A line break between two Japanese or
/// Chinese characters vanishes: it is there for the writer of the source only.
pub(crate) fn push_collapsed(out: &mut String, text: &str) {
    let mut rest = text;
    while !rest.is_empty() {
        let word_end = rest.find(is_space).unwrap_or(rest.len());
        out.push_str(&rest[..word_end]);
        rest = &rest[word_end..];
        if rest.is_empty() {
            break;
        }
        let space_end = rest.find(|c| !is_space(c)).unwrap_or(rest.len());
        let broken = rest[..space_end].contains('\n');
        rest = &rest[space_end..];
        if out.ends_with([' ', '\n']) {
            continue;
        }
        let joined = broken
            && out.chars().next_back().is_some_and(is_wide)
            && rest.chars().next().is_some_and(is_wide);
        if !joined {
            out.push(' ');
        }
    }
}

/// The text with white space collapsed and none at its ends.
pub(crate) fn collapse(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    push_collapsed(&mut out, text);
    out.trim().to_owned()
}

/// HTML's white space and the no-break space. The ideographic space is kept: it separates phrases.
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\x0c' | '\u{a0}')
}

/// Written without spaces between words.
pub(crate) fn is_wide(c: char) -> bool {
    matches!(c, '\u{3000}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{ff00}'..='\u{ff60}'
        | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joins_japanese_lines() {
        assert_eq!(collapse(" 画像を\n  開く \n and\nsave "), "画像を開く and save");
        assert_eq!(collapse("a\u{a0}\u{a0}b"), "a b");
        assert_eq!(collapse("あ い"), "あ い");
    }
}
