//! Names of this crate's scorers.

/// ROUGE-L F1 over MeCab's words, 0 to 100.
pub const ROUGE_L: &str = "rouge-l";
/// ROUGE-L F1 in which answers that are not Japanese, where the reference is, count as empty, 0 to 100.
pub const ROUGE_L_JA: &str = "rouge-l-ja";
/// Percentage of answers that equal the reference answer.
pub const EXACT_MATCH: &str = "exact-match";
/// A judge's points in percent of its points for the reference answers.
pub const JUDGE_RELATIVE: &str = "judge-relative";
/// A judge's points, 1 to 5 (0 where the profile `eval-mm` gives none).
pub const JUDGE_POINTS: &str = "judge-points";
