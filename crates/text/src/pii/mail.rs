//! Mail addresses, also as they are written against programs that collect them.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::words::WORDS;

static MAIL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let any = |words: &[String]| words.iter().map(|word| regex::escape(word)).collect::<Vec<_>>().join("|");
    let bare = any(&WORDS.at_words);
    let inside = format!("{bare}|{}", any(&WORDS.bracketed_at_words));
    let dot = any(&WORDS.bracketed_dot_words);
    Regex::new(&format!(
        r"(?x)
        [A-Za-z0-9_] [A-Za-z0-9!\#$%&'*+/=?^_`{{|}}~.-]{{0,63}}
        (?: \x20{{0,2}} (?: @ | [\[({{<] \x20? (?:{inside}) \x20? [\])}}>] | {bare} ) \x20{{0,2}}
            [A-Za-z0-9-]{{1,63}} (?: {DOT} [A-Za-z0-9-]{{1,63}} ){{0,6}} {DOT} (?P<tld> [A-Za-z]{{2,24}} | xn--[A-Za-z0-9-]+ ) (?-u:\b)
          | \x20 (?: at | AT ) \x20 [A-Za-z][A-Za-z0-9-]{{1,63}}
            (?: \x20 (?: dot | DOT ) \x20 [A-Za-z0-9-]{{1,63}} ){{0,6}} \x20 (?: dot | DOT ) \x20 (?P<spelt> [A-Za-z]{{2,24}} ) (?-u:\b) )",
        DOT = format_args!(r"(?: \. | \x20? [\[({{<] \x20? (?:{dot}) \x20? [\])}}>] \x20? )"),
    ))
    .ok()
});

/// Ends of file names that stand behind an @ and a dot as the end of a domain does: `image@2x.png`, `getty@tty1.service`.
const FILES: [&str; 15] = [
    "png", "jpg", "jpeg", "gif", "webp", "svg", "css", "js", "html", "htm", "json", "zip", "service",
    "socket", "target",
];

/// The places of mail addresses in folded text, with what stands there afterwards.
pub(super) fn find(text: &str) -> Vec<(Range<usize>, String)> {
    let Some(pattern) = MAIL.as_ref().filter(|_| may_have_one(text)) else { return Vec::new() };
    let found = pattern.captures_iter(text).filter_map(|found| {
        let end = found.name("tld").or_else(|| found.name("spelt"))?.as_str();
        let is_file = FILES.iter().any(|file| file.eq_ignore_ascii_case(end));
        (!is_file).then(|| (found.get_match().range(), format!("xxxx@yyy.{end}")))
    });
    found.collect()
}

/// Whether a text, folded or not, may have an address, which is cheap to see.
pub(super) fn may_have_one(text: &str) -> bool {
    let in_brackets = |word: &String| {
        text.match_indices(word.as_str()).any(|(at, _)| text[..at].trim_end().ends_with(OPENING))
    };
    text.contains(['@', '\u{FF20}', '\u{FE6B}', '\u{FF41}', '\u{FF21}'])
        || WORDS.at_words.iter().any(|word| text.contains(word.split('-').next().unwrap_or(word)))
        || WORDS.bracketed_at_words.iter().any(in_brackets)
        || text.contains(" dot ")
        || text.contains(" DOT ")
}

/// Opening brackets in all their widths.
const OPENING: [char; 12] = [
    '[', '(', '{', '<', '\u{FF3B}', '\u{FF08}', '\u{FF5B}', '\u{FF1C}', '\u{3008}', '\u{300A}', '\u{3014}',
    '\u{3010}',
];
