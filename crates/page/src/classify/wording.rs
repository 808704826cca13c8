//! What the first words of the texts and of the headings above them say.

use super::names::{Words, each_text_word};
use super::outline::{Outline, Row};

/// Evidence of a text's first words for main text; below 0 against it, 0 where no word is known.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Wording {
    pub(super) mean: f32,
    pub(super) least: f32,
    pub(super) most: f32,
    /// What the heading before says of what follows it, the strongest evidence against among the headings that it stands
    /// under, and the sum of all of these.
    pub(super) heading: f32,
    pub(super) worst_heading: f32,
    pub(super) headings: f32,
}

/// Rank below the last one of headings.
const RANKS: usize = 7;

/// The evidence for each row. `text` gives the text of a block.
pub(super) fn all<'t>(outline: &Outline, words: &Words, text: impl Fn(&Row) -> &'t str) -> Vec<Wording> {
    if words.len() == 0 {
        return vec![Wording::default(); outline.rows.len()];
    }
    let mut wordings = Vec::with_capacity(outline.rows.len());
    // What the open heading of each rank says.
    let mut open = [0.0_f32; RANKS];
    let mut last = 0.0;
    for row in &outline.rows {
        let (mut sum, mut heading, mut count) = (0.0, 0.0, 0.0_f32);
        let mut wording = Wording { least: f32::MAX, most: f32::MIN, ..Wording::default() };
        each_text_word(text(row), |word| {
            let Some(word) = words.find(word) else { return };
            let weight = words.weight(word);
            sum += weight;
            count += 1.0;
            wording.least = wording.least.min(weight);
            wording.most = wording.most.max(weight);
            heading += words.types(word).first().copied().unwrap_or_default();
        });
        if count > 0.0 {
            wording.mean = sum / count;
        } else {
            (wording.least, wording.most) = (0.0, 0.0);
        }
        let rank = usize::from(row.heading);
        if rank > 0 {
            last = if count > 0.0 { heading / count } else { 0.0 };
            open[rank.min(RANKS - 1)..].fill(0.0);
            open[rank.min(RANKS - 1)] = last;
        }
        wording.heading = last;
        wording.worst_heading = open.iter().copied().fold(0.0, f32::min);
        wording.headings = open.iter().sum();
        wordings.push(wording);
    }
    wordings
}
