//! The normalisation of PyPI `neologdn` 0.5.6 with its default arguments: folds widths, unifies hyphens and prolonged
//! sound marks, drops tildes and the spaces beside Japanese characters.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::compose;

/// U+30FC, which every mark of a prolonged sound becomes.
const PROLONGED: char = '\u{30fc}';

/// Normalises `text` as `neologdn.normalize(text)` does.
#[must_use]
pub fn neologdn(text: &str) -> String {
    let mut out: Vec<char> = Vec::with_capacity(text.len());
    let mut previous = '\0';
    // Whether the last character written is a space after a basic Latin character: it is dropped before a Japanese one.
    let mut latin_space = false;
    for c in text.chars() {
        if matches!(c, ' ' | '\u{3000}') {
            if out.is_empty() || previous == ' ' || is_japanese(previous) {
                continue;
            }
            if previous != '*' && previous.is_ascii() {
                latin_space = true;
                out.push(' ');
            }
            previous = ' ';
            continue;
        }
        let c = match c {
            _ if is_hyphen(c) && previous == '-' => continue,
            _ if is_hyphen(c) => '-',
            _ if is_prolonged(c) && previous == PROLONGED => continue,
            _ if is_prolonged(c) => PROLONGED,
            '~' | '\u{223c}' | '\u{223e}' | '\u{301c}' | '\u{3030}' | '\u{ff5e}' => continue,
            _ => {
                let mut c = fold(c);
                if let Some(joined) = join(previous, c).filter(|_| !out.is_empty()) {
                    out.pop();
                    c = joined;
                }
                if latin_space && is_japanese(c) {
                    out.pop();
                }
                c
            }
        };
        latin_space = false;
        out.push(c);
        previous = c;
    }
    if out.last() == Some(&' ') {
        out.pop();
    }
    // neologdn hands its buffer to a UTF-32 decoder, which takes a leading U+FEFF for a byte order mark.
    let start = usize::from(out.first() == Some(&'\u{feff}'));
    out[start..].iter().collect()
}

fn is_hyphen(c: char) -> bool {
    matches!(
        c,
        '\u{2d7}' | '\u{58a}' | '\u{2010}'..='\u{2013}' | '\u{2043}' | '\u{207b}' | '\u{208b}' | '\u{2212}'
    )
}

fn is_prolonged(c: char) -> bool {
    matches!(
        c,
        '\u{2014}' | '\u{2015}' | '\u{2500}' | '\u{2501}' | PROLONGED | '\u{fe63}' | '\u{ff0d}' | '\u{ff70}'
    )
}

/// Japanese punctuation, kana, kanji and full- or half-width forms.
fn is_japanese(c: char) -> bool {
    matches!(c, '\u{3001}'..='\u{30ff}' | '\u{4e00}'..='\u{9fff}' | '\u{ff00}'..='\u{ffef}')
}

/// Folds the width of one character.
fn fold(c: char) -> char {
    let code = u32::from(c);
    match c {
        '\u{a5}' => '\\',
        '\u{2018}' => '`',
        '\u{2019}' => '\'',
        '\u{201c}' | '\u{201d}' => '"',
        '\u{309b}' => '\u{ff9e}',
        '\u{309c}' => '\u{ff9f}',
        // Full-width quotation mark, apostrophe, backslash, grave accent and tilde stay.
        '\u{ff02}' | '\u{ff07}' | '\u{ff3c}' | '\u{ff40}' | '\u{ff5e}' => c,
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(code - 0xfee0).unwrap_or(c),
        // Half-width punctuation and katakana; U+FF70 is a prolonged sound mark, treated before.
        '\u{ff61}'..='\u{ff9d}' => std::iter::once(c).nfkc().next().unwrap_or(c),
        _ => c,
    }
}

/// Composes the character before a half-width sound mark with that mark, where neologdn does: of hiragana, it composes
/// only U+3046 with the voiced mark.
fn join(before: char, mark: char) -> Option<char> {
    match (mark, before) {
        ('\u{ff9e}', '\u{3046}' | '\u{30a6}'..='\u{30db}') => compose(before, '\u{3099}'),
        ('\u{ff9f}', _) => compose(before, '\u{309a}'),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::neologdn;

    #[test]
    fn as_the_reference() {
        for (text, expected) in [
            ("", ""),
            ("　　日本 語　", "日本語"),
            ("ｱﾙｺﾞﾘｽﾞﾑ ﾊﾟﾝ", "アルゴリズムパン"),
            ("スーパーーーー—―", "スーパー"),
            ("a˗˗֊b a--b", "a-b a--b"),
            ("natural language 処理 ABC", "natural language処理ABC"),
            ("é a", "éa"),
            ("x*  b", "x*b"),
            ("か゛う゛は゜カ~ﾞ", "かﾞゔぱガ"),
            ("“Ａ”¥～", "\"A\"\\"),
            ("\u{feff}\u{feff}あ", "\u{feff}あ"),
        ] {
            assert_eq!(neologdn(text), expected, "{text:?}");
        }
    }
}
