//! The paper's tables as data, so that a new model can be placed among the published ones.
//!
//! Scores are those of arXiv 2410.22736, made with the profile [`Profile::Paper`](crate::profile::Profile::Paper):
//! judge gpt-4o-2024-05-13, Heron Bench and JA-VLM-Bench as the mean of five judge runs. Scores under other profiles
//! must not be put beside them.

use crate::results::{MetricScore, Results};
use crate::scorer::names;
use crate::stats::mean;

/// A row of the paper's tables.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Published {
    /// The model, or what an ablation left out.
    pub model: &'static str,
    /// Is it one of the paper's ablations rather than a model of its own?
    pub ablation: bool,
    /// Heron Bench: judge's points in percent of the reference's.
    pub heron: f64,
    /// JA-VLM-Bench-In-the-Wild: ROUGE-L.
    pub wild_rouge: f64,
    /// JA-VLM-Bench-In-the-Wild: judge's points, 1 to 5.
    pub wild_points: f64,
    /// JA-VG-VQA-500: ROUGE-L, where it was measured.
    pub vg_rouge: Option<f64>,
    /// JA-VG-VQA-500: judge's points, where they were measured.
    pub vg_points: Option<f64>,
}

const fn row(
    model: &'static str,
    heron: f64,
    wild_rouge: f64,
    wild_points: f64,
    vg: Option<(f64, f64)>,
) -> Published {
    let (vg_rouge, vg_points) = match vg {
        Some((rouge, points)) => (Some(rouge), Some(points)),
        None => (None, None),
    };
    Published { model, ablation: false, heron, wild_rouge, wild_points, vg_rouge, vg_points }
}

const fn ablation(model: &'static str, heron: f64, wild: (f64, f64), vg: (f64, f64)) -> Published {
    Published { ablation: true, ..row(model, heron, wild.0, wild.1, Some(vg)) }
}

/// Tables 2 and 3 of the paper.
pub const PUBLISHED: [Published; 14] = [
    row("Japanese InstructBLIP Alpha", 14.0, 20.8, 2.42, None),
    row("Japanese Stable VLM", 24.2, 23.3, 2.47, None),
    row("LLaVA-1.6 7B", 25.8, 28.6, 2.40, Some((11.7, 2.67))),
    row("LLaVA-1.5 7B", 34.8, 40.6, 2.48, Some((13.9, 2.66))),
    row("Llama 3.2 11B Vision", 36.5, 27.4, 2.77, Some((13.8, 2.95))),
    row("Llama-3-EvoVLM-JP-v2", 39.3, 41.4, 2.92, Some((23.5, 2.96))),
    row("LLaVA-CALM2-SigLIP", 43.3, 47.2, 3.15, Some((17.4, 3.21))),
    row("InternVL2 8B", 45.2, 33.7, 2.98, Some((11.6, 3.13))),
    row("Qwen2-VL 7B", 54.8, 45.3, 3.53, Some((16.2, 3.48))),
    row("LLM-jp-3 VILA", 57.2, 52.3, 3.69, Some((16.2, 3.62))),
    row("GPT-4o", 87.6, 37.6, 3.85, Some((12.1, 3.58))),
    ablation("step 2 on machine-translated data", 47.2, (45.6, 3.19), (15.7, 3.33)),
    ablation("no step 1", 56.5, (57.3, 3.47), (16.1, 3.54)),
    ablation("step 1 without interleaved data", 58.6, (52.2, 3.50), (16.7, 3.61)),
];

impl Published {
    /// Its score on a benchmark by name, in a metric.
    #[must_use]
    pub fn score(&self, benchmark: &str, metric: &str) -> Option<f64> {
        match (benchmark, metric) {
            ("heron-bench", names::JUDGE_RELATIVE) => Some(self.heron),
            ("ja-vlm-bench-in-the-wild", names::ROUGE_L) => Some(self.wild_rouge),
            ("ja-vlm-bench-in-the-wild", names::JUDGE_POINTS) => Some(self.wild_points),
            ("ja-vg-vqa-500", names::ROUGE_L) => self.vg_rouge,
            ("ja-vg-vqa-500", names::JUDGE_POINTS) => self.vg_points,
            _ => None,
        }
    }
}

/// A model among the published ones in one metric, best first.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// Name of the metric.
    pub metric: String,
    /// Name of the metric in tables and charts.
    pub title: String,
    /// Names and scores, best first; the run itself is where the flag is set.
    pub rows: Vec<(String, f64, bool)>,
    /// Mean of the published scores.
    pub mean: f64,
}

/// Where a run stands among the paper's models (ablations left out), for each of its scores that the paper has too.
/// Empty for other profiles than `paper` and other benchmarks.
///
/// ```
/// use tsumugi_eval::published::PUBLISHED;
/// use tsumugi_eval::scorer::names;
///
/// let vila = PUBLISHED.iter().find(|row| row.model == "LLM-jp-3 VILA").unwrap();
/// assert_eq!(vila.score("heron-bench", names::JUDGE_RELATIVE), Some(57.2));
/// ```
#[must_use]
pub fn standings(results: &Results) -> Vec<Standing> {
    if results.profile != crate::profile::Profile::Paper {
        return Vec::new();
    }
    let standing = |score: &MetricScore| {
        let published = PUBLISHED.iter().filter(|row| !row.ablation);
        let mut rows: Vec<_> = published
            .filter_map(|row| {
                Some((row.model.to_owned(), row.score(&results.benchmark, &score.metric)?, false))
            })
            .collect();
        let mean = mean(rows.iter().map(|row| row.1))?;
        rows.push((results.model.clone(), score.score, true));
        rows.sort_by(|a, b| b.1.total_cmp(&a.1));
        Some(Standing { metric: score.metric.clone(), title: score.title.clone(), rows, mean })
    };
    results.scores.iter().filter_map(standing).collect()
}
