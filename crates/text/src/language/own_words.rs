//! Words in kanji that Japanese has and Chinese has not, and numerals, which both write alike.

use std::collections::HashSet;
use std::sync::LazyLock;

/// Hashes of words of dictionaries (`models/make_kanji_model.py`), and of the language pack's list.
static WORDS: LazyLock<HashSet<u32>> = LazyLock::new(|| {
    let counted = include_bytes!("../../models/kanji_words.bin").as_chunks::<4>().0;
    let listed = include_str!("../../languages/ja/texts/kanji_words.txt").lines();
    counted
        .iter()
        .map(|bytes| u32::from_le_bytes(*bytes))
        .chain(listed.map(|word| hash(word.chars())))
        .collect()
});

/// Numerals, and on the second line the units of dates.
const NUMERALS: &str = include_str!("../../languages/ja/texts/kanji_numerals.txt");

/// The longest and the shortest words, in characters.
const LONGEST: usize = 5;
const SHORTEST: usize = 2;

/// How many words of a run of Han characters only Japanese has, the longest first.
pub(super) fn count(run: &[char]) -> usize {
    let mut at = 0;
    let mut found = 0;
    while at < run.len() {
        let most = LONGEST.min(run.len() - at);
        let is_word = |len: &usize| WORDS.contains(&hash(run[at..at + len].iter().copied()));
        let len = (SHORTEST..=most).rev().find(is_word);
        found += usize::from(len.is_some());
        at += len.unwrap_or(1);
    }
    found
}

/// Length of the number or date at the beginning of some characters: three numerals and more, or numerals with the unit of a
/// date. Both languages write it alike, so it says nothing.
pub(super) fn numeral(chars: &[char]) -> usize {
    let (numerals, units) = NUMERALS.split_once('\n').unwrap_or_default();
    let len = chars.iter().take_while(|c| numerals.contains(**c)).count();
    let has_unit = chars.get(len).is_some_and(|c| units.trim_end().contains(*c));
    match len {
        0 => 0,
        len if has_unit => len + 1,
        len if len >= 3 => len,
        _ => 0,
    }
}

/// FNV-1a of the UTF-8 of a word.
fn hash(word: impl Iterator<Item = char>) -> u32 {
    let mut value = 0x811C_9DC5_u32;
    for c in word {
        for byte in c.encode_utf8(&mut [0; 4]).bytes() {
            value = (value ^ u32::from(byte)).wrapping_mul(0x0100_0193);
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chars(text: &str) -> Vec<char> {
        text.chars().collect()
    }

    #[test]
    fn words_of_japanese_only() {
        assert_eq!(count(&chars("駐車場完備")), 1);
        assert_eq!(count(&chars("仮想変数")), 2);
        assert_eq!(count(&chars("公司地址")), 0);
        assert_eq!(count(&[]), 0);
        assert!(WORDS.len() > 20_000);
    }

    #[test]
    fn numbers_and_dates_say_nothing() {
        assert_eq!(numeral(&chars("二〇二五年七月")), 5);
        assert_eq!(numeral(&chars("七月")), 2);
        assert_eq!(numeral(&chars("三百二十")), 4);
        assert_eq!(numeral(&chars("一般")), 0);
        assert_eq!(numeral(&chars("七")), 0);
        assert_eq!(numeral(&chars("月")), 0);
    }
}
