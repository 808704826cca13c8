//! Scores without the questions that occur in training data.

use std::collections::HashSet;

use super::file::Results;
use crate::Registry;
use crate::contamination::Contaminated;

/// Records what was found in training data, and computes each score also over the questions of which nothing was
/// found.
pub fn set_contamination(results: &mut Results, found: Contaminated, registry: &Registry) {
    let names: HashSet<&str> = found.findings.iter().map(|f| f.question_id.as_str()).collect();
    let (items, profile) = (&results.items, results.profile);
    let clean: Vec<usize> =
        (0..items.len()).filter(|i| !names.contains(items[*i].question_id.as_str())).collect();
    for score in &mut results.scores {
        let scorer = registry.scorer(&score.metric).ok().filter(|_| !clean.is_empty());
        score.clean = scorer
            .map(|scorer| scorer.corpus_score(items, &clean, profile))
            .filter(|score| score.is_finite());
    }
    results.contamination = Some(found);
}
