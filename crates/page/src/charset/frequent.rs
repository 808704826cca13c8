//! The characters that texts have most of.

use std::collections::HashMap;
use std::sync::LazyLock;

use encoding_rs::{BIG5, EUC_KR, Encoding, GB18030, GBK};

/// A line each, the most frequent character first: Han characters of Japanese, of simplified and of traditional Chinese,
/// Hangul of Korean. Written by `tests/fixtures/make_frequent.py`.
const TABLE: &str = include_str!("frequent.txt");

static LINES: LazyLock<Vec<HashMap<char, u16>>> =
    LazyLock::new(|| TABLE.lines().map(|line| line.chars().zip(1..).collect()).collect());

/// The rank of a character among the most frequent ones of the languages that an encoding was made for: 1 is the most
/// frequent one. None for those that are seldom, and for all that are neither Han characters nor Hangul.
pub(super) fn rank(c: char, encoding: &'static Encoding) -> Option<u16> {
    let line = if encoding == BIG5 {
        2
    } else if [GBK, GB18030].contains(&encoding) {
        1
    } else if encoding == EUC_KR {
        3
    } else {
        0
    };
    LINES.get(line)?.get(&c).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use encoding_rs::EUC_JP;

    #[test]
    fn knows_frequent_characters() {
        for (encoding, frequent, other) in [
            (EUC_JP, "日会気", "们淦"),
            (GBK, "们会气", "気淦"),
            (BIG5, "們會氣", "们気"),
            (EUC_KR, "이다한", "뷁日"),
        ] {
            assert!(
                frequent.chars().all(|c| rank(c, encoding).is_some_and(|rank| rank <= 500)),
                "{}",
                encoding.name()
            );
            assert!(!other.chars().any(|c| rank(c, encoding).is_some()), "{}", encoding.name());
        }
        assert_eq!(LINES.iter().map(HashMap::len).collect::<Vec<_>>(), [2000, 2000, 2000, 1000]);
    }
}
