//! The characters that evaluation tools drop as emoji.

use super::emoji_table::EMOJI;

/// Ranges that llm-jp-eval-mm drops besides what the Python package `emoji` knows: dingbats, regional indicators,
/// pictographs, emoticons and transport symbols.
const RANGES: [(char, char); 5] = [
    ('\u{2702}', '\u{27b0}'),
    ('\u{1f1e0}', '\u{1f1ff}'),
    ('\u{1f300}', '\u{1f5ff}'),
    ('\u{1f600}', '\u{1f64f}'),
    ('\u{1f680}', '\u{1f6ff}'),
];

/// Tells whether PyPI `emoji` 2.16.0 calls `c`, standing alone, an emoji. Variation selectors and joiners are not.
#[must_use]
pub fn is_emoji(c: char) -> bool {
    let after = EMOJI.partition_point(|(first, _)| *first <= c);
    after > 0 && c <= EMOJI[after - 1].1
}

/// Tells whether llm-jp-eval-mm drops `c` before it scores a text.
#[must_use]
pub fn is_removed(c: char) -> bool {
    c > '\u{a8}' && (is_emoji(c) || RANGES.iter().any(|(first, last)| (*first..=*last).contains(&c)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_are_emoji_and_joiners_are_not() {
        for c in ['©', '®', '™', '‼', '😀', '〰', '㊗', '🫠'] {
            assert!(is_emoji(c), "{c}");
        }
        for c in ['a', '1', '#', '猫', '\u{fe0f}', '\u{200d}', '🇯', '❶'] {
            assert!(!is_emoji(c), "{c}");
        }
        assert!(is_removed('🇯') && is_removed('❶') && !is_removed('\u{fe0f}') && !is_removed('①'));
    }

    #[test]
    fn table_is_sorted() {
        assert!(EMOJI.windows(2).all(|w| w[0].1 < w[1].0));
    }
}
