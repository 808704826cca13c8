//! What became of the rows that a stage drew: counts by source, dropped rows by reason, and how both are told.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::prepare::Prepared;

/// Identifiers that are kept of the rows dropped for one reason.
const IDS: usize = 5;

/// What became of the rows of one source.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SourceCounts {
    /// Rows drawn.
    pub rows: u64,
    /// Samples that were used.
    pub samples: u64,
    /// Of these, samples that were cut to fit a row.
    pub cut: u64,
    /// Images of the samples.
    pub images: u64,
    /// Tokens of the samples, including features of images.
    pub tokens: u64,
    /// Positions with loss.
    pub targets: u64,
}

/// What became of the rows drawn so far. Checkpoints keep it with the position in the data.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tally {
    /// Rows dropped, by `source: reason`.
    pub dropped: BTreeMap<String, u64>,
    /// Identifiers of the first rows dropped, by the same keys.
    #[serde(default)]
    pub dropped_ids: BTreeMap<String, Vec<String>>,
    /// Counts by source, in the order of the mixture.
    #[serde(default)]
    pub sources: Vec<SourceCounts>,
}

impl Tally {
    /// Counts a sample that was used.
    pub(crate) fn used(&mut self, source: usize, sample: &Prepared, cut: bool) {
        let counts = self.source(source);
        counts.rows += 1;
        counts.samples += 1;
        counts.cut += u64::from(cut);
        counts.images += sample.pixels.len() as u64;
        counts.tokens += sample.ids.len() as u64;
        counts.targets += sample.targets() as u64;
    }

    /// Counts a row that was dropped.
    pub(crate) fn drop_row(&mut self, source: usize, name: &str, reason: &str, id: String) {
        self.source(source).rows += 1;
        let key = format!("{name}: {reason}");
        *self.dropped.entry(key.clone()).or_default() += 1;
        let ids = self.dropped_ids.entry(key).or_default();
        // A row comes again in each epoch.
        if ids.len() < IDS && !ids.contains(&id) {
            ids.push(id);
        }
    }

    fn source(&mut self, source: usize) -> &mut SourceCounts {
        if self.sources.len() <= source {
            self.sources.resize(source + 1, SourceCounts::default());
        }
        &mut self.sources[source]
    }

    /// Rows dropped for all reasons.
    pub fn rows_dropped(&self) -> u64 {
        self.dropped.values().sum()
    }
}

/// A source of a mixture: the share that was asked for, and what was trained on.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceShare {
    /// Name of the source.
    pub source: String,
    /// The share of the rows that the recipe asks for, 0 to 1.
    pub asked: f64,
    /// Its share of the samples that were used, 0 to 1.
    pub trained: f64,
    /// Its share of the tokens of these samples, 0 to 1.
    pub trained_tokens: f64,
    /// The counts behind the shares.
    pub counts: SourceCounts,
}

/// The mixture that was trained on beside the one asked for. `asked` has the name and share of each source.
pub(crate) fn shares(asked: &[(String, f64)], tally: &Tally) -> Vec<SourceShare> {
    let share = |part: u64, all: u64| if all == 0 { 0.0 } else { part as f64 / all as f64 };
    let total = |count: fn(&SourceCounts) -> u64| tally.sources.iter().map(count).sum::<u64>();
    let (samples, tokens) = (total(|c| c.samples), total(|c| c.tokens));
    let counts = tally.sources.iter().copied().chain(std::iter::repeat(SourceCounts::default()));
    let shares = asked.iter().zip(counts).map(|((source, asked), counts)| SourceShare {
        source: source.clone(),
        asked: *asked,
        trained: share(counts.samples, samples),
        trained_tokens: share(counts.tokens, tokens),
        counts,
    });
    shares.collect()
}

/// The dropped rows and the mixture of a stage as lines of text; nothing where all rows were used and there is one source.
pub(crate) fn lines(stage: &str, tally: &Tally, mixture: &[SourceShare]) -> Vec<String> {
    let mut lines = Vec::new();
    let drawn: u64 = tally.sources.iter().map(|counts| counts.rows).sum();
    if tally.rows_dropped() > 0 {
        lines.push(format!("{stage}: {} of {drawn} rows were dropped", tally.rows_dropped()));
    }
    for (reason, rows) in &tally.dropped {
        lines.push(format!("{stage}:   {reason} {rows} ({})", ids(tally, reason, *rows)));
    }
    let percent = |share: f64| format!("{:.1} %", 100.0 * share);
    for share in mixture.iter().filter(|share| mixture.len() > 1 || share.counts.cut > 0) {
        let cut = if share.counts.cut > 0 { format!(", {} cut", share.counts.cut) } else { String::new() };
        lines.push(format!(
            "{stage}: {} asked {}, trained {} of the samples and {} of the tokens ({} samples{cut})",
            share.source,
            percent(share.asked),
            percent(share.trained),
            percent(share.trained_tokens),
            share.counts.samples,
        ));
    }
    lines
}

/// Some identifiers of the rows dropped for a reason.
pub(crate) fn ids(tally: &Tally, reason: &str, rows: u64) -> String {
    let ids = tally.dropped_ids.get(reason).map(Vec::as_slice).unwrap_or_default();
    let dots = if (ids.len() as u64) < rows { ", ..." } else { "" };
    format!("{}{dots}", ids.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drops_are_told_by_reason_and_the_mixture_beside_what_was_asked() {
        let sample = Prepared { ids: vec![1; 10], labels: vec![-100; 10], pixels: Vec::new() };
        let mut tally = Tally::default();
        for _ in 0..3 {
            tally.used(0, &sample, false);
        }
        tally.used(1, &sample, true);
        for id in ["a", "b", "a", "c", "d", "e", "f"] {
            tally.drop_row(1, "llava", "too_long", id.into());
        }
        let asked = [("pairs".to_owned(), 0.5), ("llava".to_owned(), 0.5)];
        let mixture = shares(&asked, &tally);
        assert_eq!((mixture[0].trained, mixture[1].trained, mixture[1].counts.rows), (0.75, 0.25, 8));
        assert_eq!(
            lines("sft", &tally, &mixture),
            [
                "sft: 7 of 11 rows were dropped",
                "sft:   llava: too_long 7 (a, b, c, d, e, ...)",
                "sft: pairs asked 50.0 %, trained 75.0 % of the samples and 75.0 % of the tokens (3 samples)",
                "sft: llava asked 50.0 %, trained 25.0 % of the samples and 25.0 % of the tokens (1 samples, 1 cut)",
            ]
        );
        assert!(lines("sft", &Tally::default(), &shares(&asked[..1], &Tally::default())).is_empty());
    }
}
