//! Whether Han-only text is Japanese or Chinese by the characters and pairs of characters that its words are made of.
//!
//! The log-odds are counted from dictionaries by `models/make_kanji_model.py`.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::script::{IDEOGRAPHIC_ZERO, Script, script_of};

static MODEL: LazyLock<Model> = LazyLock::new(|| Model::read(include_bytes!("../../models/kanji.bin")));

/// Log-odds are stored in twentieths.
const SCALE: f64 = 20.0;

/// Log-odds against simplified and against traditional Chinese.
type Odds = [i8; 2];

#[derive(Default)]
struct Model {
    /// Of a character, and of a pair that begins with it and is not listed.
    single: HashMap<u16, (Odds, Odds)>,
    pair: HashMap<(u16, u16), Odds>,
}

impl Model {
    fn read(bytes: &[u8]) -> Self {
        let mut model = Self::default();
        let Some((count, rest)) = bytes.split_at_checked(2) else { return model };
        let count = usize::from(short(count)) * 6;
        let Some((singles, pairs)) = rest.split_at_checked(count) else { return model };
        for entry in singles.chunks_exact(6) {
            let odds = |at: usize| [entry[at].cast_signed(), entry[at + 1].cast_signed()];
            model.single.insert(short(entry), (odds(2), odds(4)));
        }
        for entry in pairs.chunks_exact(6) {
            let odds = [entry[4].cast_signed(), entry[5].cast_signed()];
            model.pair.insert((short(entry), short(&entry[2..])), odds);
        }
        model
    }

    /// The odds of `next` after `before`; none for characters that the model does not know.
    fn odds(&self, before: Option<u16>, next: u16) -> Option<[i32; 2]> {
        let (own, _) = self.single.get(&next)?;
        let Some(before) = before else { return Some(own.map(i32::from)) };
        if let Some(pair) = self.pair.get(&(before, next)) {
            return Some(pair.map(i32::from));
        }
        let rest = self.single.get(&before).map_or([0, 0], |(_, rest)| *rest);
        Some([0, 1].map(|at| (i32::from(own[at]) + i32::from(rest[at])).clamp(-120, 120)))
    }
}

fn short(bytes: &[u8]) -> u16 {
    u16::from_le_bytes([bytes[0], bytes[1]])
}

/// What a Chinese particle takes from the log-odds, in twentieths.
const PARTICLE: i32 = 80;

/// Characters that make up Chinese sentences and that modern Japanese does not write, though Shift_JIS has them.
const PARTICLES: &str = include_str!("../../models/chinese_particles.txt");

/// A particle that also ends given names in Japan, so it counts only inside a run of Han characters.
const YE: char = '\u{4E5F}';

fn is_chinese_particle(c: char, next: Option<char>) -> bool {
    match c {
        YE => next.is_some_and(|next| script_of(next) == Script::Han),
        _ => PARTICLES.contains(c),
    }
}

/// The natural log-odds of Japanese against the likelier of simplified and traditional Chinese, from at most the
/// first `limit` Han characters.
pub(super) fn log_odds(text: &str, limit: usize) -> f64 {
    let model = &*MODEL;
    let mut total = [0_i32; 2];
    let mut before = None;
    let mut seen = 0;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if script_of(c) != Script::Han || c == IDEOGRAPHIC_ZERO {
            before = None;
            continue;
        }
        if is_chinese_particle(c, chars.peek().copied()) {
            total = total.map(|odds| odds - PARTICLE);
        }
        seen += 1;
        if seen > limit {
            break;
        }
        let next = u16::try_from(u32::from(c)).ok();
        let odds = next.and_then(|next| model.odds(before, next));
        if let Some(odds) = odds {
            total = [total[0] + odds[0], total[1] + odds[1]];
        }
        before = odds.and(next);
    }
    f64::from(total[0].min(total[1])) / SCALE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_both_languages() {
        for japanese in ["文字列", "木曜日", "柴田書店", "保存先"] {
            assert!(log_odds(japanese, 100) > 2.0, "{japanese} {}", log_odds(japanese, 100));
        }
        for chinese in ["但是如果", "公司地址", "他也不知道"] {
            assert!(log_odds(chinese, 100) < 0.0, "{chinese} {}", log_odds(chinese, 100));
        }
        assert!(log_odds("", 100).abs() < 1e-9);
    }

    #[test]
    fn the_model_is_whole() {
        assert!(MODEL.single.len() > 6000);
        assert_eq!(MODEL.pair.len(), 40_000);
        assert!(Model::read(&[1]).single.is_empty());
        assert!(Model::read(&[9, 0, 1]).single.is_empty());
    }
}
