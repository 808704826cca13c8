use tsumugi_eval::bench::Benchmark;
use tsumugi_eval::report::{answer_cards, score_section};
use tsumugi_eval::results::Results;
use tsumugi_record::{Judgement, Prediction};
use tsumugi_report::Section;

/// Scores of a benchmark, and the first `count` answers with image, question and reference.
pub fn evaluation_section(
    benchmark: &Benchmark,
    results: &Results,
    predictions: &[Prediction],
    judgements: &[Judgement],
    count: usize,
) -> Section {
    let shown = &predictions[..predictions.len().min(count)];
    let cards = answer_cards(benchmark, results, shown, judgements);
    let answers =
        Section::new("Answers").with(format!("The first {} of {} answers.", shown.len(), predictions.len()));
    Section::new("Benchmark")
        .with(format!(
            "{} questions of {}, answered by {}, under profile {}.",
            results.questions, results.benchmark, results.model, results.profile
        ))
        .with(score_section(results))
        .with(answers.with(cards))
}
