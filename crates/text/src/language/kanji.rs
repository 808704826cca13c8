//! Whether Han-only text is Japanese or Chinese by its words and by the characters and pairs of characters that they are made of.
//!
//! The log-odds are counted from dictionaries by `models/make_kanji_model.py`.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::own_words;
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

/// What a word that only Japanese has adds to the log-odds, in twentieths: a little less than the threshold (ours; of the
/// kanji-only strings in the Japanese translations of Debian's programs .395 are found instead of .328, and 1.3 % of the Chinese
/// ones, as before).
const OWN_WORD: i32 = 70;

/// A particle that also ends given names in Japan, so it counts only inside a run of Han characters.
const YE: char = '\u{4E5F}';

/// The Chinese particle before a noun, which Japanese has inside some words: half the weight of a particle.
const DE: char = '\u{7684}';

fn particle(c: char, next: Option<char>) -> i32 {
    let inside = next.is_some_and(|next| script_of(next) == Script::Han);
    match c {
        DE if inside => PARTICLE / 2,
        YE if inside => PARTICLE,
        YE => 0,
        _ if PARTICLES.contains(c) => PARTICLE,
        _ => 0,
    }
}

/// The natural log-odds of Japanese against the likelier of simplified and traditional Chinese, from at most the
/// first `limit` Han characters.
pub(super) fn log_odds(text: &str, limit: usize) -> f64 {
    let is_word = |c: &char| script_of(*c) == Script::Han && *c != IDEOGRAPHIC_ZERO;
    let han = text.chars().filter(is_word).count();
    let chars: Vec<char> = match han.checked_sub(limit) {
        None | Some(0) => text.chars().collect(),
        Some(_) => {
            let mut seen = 0;
            let within = |c: &char| {
                seen += usize::from(is_word(c));
                seen <= limit
            };
            text.chars().take_while(within).collect()
        }
    };
    let mut total = [0_i32; 2];
    let mut at = 0;
    while at < chars.len() {
        let numeral = own_words::numeral(&chars[at..]);
        let run = chars[at + numeral..].iter().take_while(|c| is_word(c)).count();
        // A numeral inside a run ends it.
        let run = (0..run).find(|len| own_words::numeral(&chars[at + numeral + len..]) > 0).unwrap_or(run);
        let end = at + numeral + run;
        add_run(&chars[at + numeral..end], chars.get(end).copied(), &mut total);
        at = if end == at { end + 1 } else { end };
    }
    f64::from(total[0].min(total[1])) / SCALE
}

/// Adds what a run of Han characters says, before `after`.
fn add_run(run: &[char], after: Option<char>, total: &mut [i32; 2]) {
    let model = &*MODEL;
    let own = OWN_WORD * i32::try_from(own_words::count(run)).unwrap_or(0);
    let mut before = None;
    let mut sum = [own; 2];
    for (at, &c) in run.iter().enumerate() {
        let particle = particle(c, run.get(at + 1).copied().or(after));
        let next = u16::try_from(u32::from(c)).ok();
        let odds = next.and_then(|next| model.odds(before, next));
        for (sum, odds) in sum.iter_mut().zip(odds.unwrap_or_default()) {
            *sum += odds - particle;
        }
        before = odds.and(next);
    }
    for (total, sum) in total.iter_mut().zip(sum) {
        *total += sum;
    }
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
