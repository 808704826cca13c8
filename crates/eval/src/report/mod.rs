//! HTML pages: one run with every question, its image, answers, scores and the judge's replies ([`page`]), and runs side by
//! side ([`comparison_page`]).

mod comparison;
mod summary;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use tsumugi_record::{Judgement, Prediction};
use tsumugi_report::{Block, Card, Cards, Chart, Facts, Image, Layout, Page, RadarChart, Section};

pub use self::comparison::comparison_page;
pub use self::summary::score_section;
use crate::Error;
use crate::bench::Benchmark;
use crate::contamination::Part;
use crate::results::{Item, MetricScore, Results};

/// Name of the page in a run's folder.
pub const FILE: &str = "report.html";

/// Longest side of an embedded image in pixels: details that questions ask about can still be seen, and 500 images stay
/// below 20 MB.
const SIDE: u32 = 384;
/// Findings in training data that are named one by one; of the rest, only the number is shown.
const FINDINGS: usize = 5;

/// Writes the page of a run into its folder. `note` is shown at the top, such as a remark that the judge was a stand-in.
///
/// # Errors
/// [`Error::Report`] where the file cannot be written.
pub fn write(
    folder: &Path,
    benchmark: &Benchmark,
    results: &Results,
    predictions: &[Prediction],
    judgements: &[Judgement],
    note: Option<&str>,
) -> Result<PathBuf, Error> {
    let path = folder.join(FILE);
    page(benchmark, results, predictions, judgements, note).write(&path)?;
    Ok(path)
}

/// The page of a run: scores, facts about the judge, and a card for each answer. `predictions` are in the order of
/// [`Results::items`].
#[must_use]
pub fn page(
    benchmark: &Benchmark,
    results: &Results,
    predictions: &[Prediction],
    judgements: &[Judgement],
    note: Option<&str>,
) -> Page {
    let title = format!("{}: {} ({})", results.model, results.benchmark, results.profile);
    let mut page = Page::new(title);
    if let Some(note) = note {
        page.push(Block::note(note));
    }
    page.push(score_section(results));
    page.push(Section::new("Answers").with(answer_cards(benchmark, results, predictions, judgements)));
    let markdown = Block::preformatted(results.markdown());
    page.push(Section::new("As Markdown").with(Block::details("Scores as a Markdown table", [markdown])));
    page
}

/// A card for each answer, which the reader can search, sort by score, and choose by category and remark. `predictions` are
/// the first ones of the run, in the order of [`Results::items`].
#[must_use]
pub fn answer_cards(
    benchmark: &Benchmark,
    results: &Results,
    predictions: &[Prediction],
    judgements: &[Judgement],
) -> Cards {
    let items = &results.items[..results.items.len().min(predictions.len())];
    let images = images(benchmark, items);
    let contexts: HashMap<&str, &str> =
        benchmark.questions.iter().filter_map(|q| Some((q.id.as_str(), q.context.as_deref()?))).collect();
    let mut replies: HashMap<&str, Vec<&Judgement>> = HashMap::new();
    for judgement in judgements {
        replies.entry(&judgement.question_id).or_default().push(judgement);
    }
    let mut found = findings(results);
    let mut cards = Cards::new().layout(Layout::Rows).filter_by("remark");
    for metric in items.first().into_iter().flat_map(|item| item.scores.keys()) {
        cards = cards.sort_by(metric);
    }
    cards = cards.sort_by("points");
    if predictions.iter().any(|prediction| !prediction.category.is_empty()) {
        cards = cards.filter_by("category");
    }
    for (prediction, item) in predictions.iter().zip(items) {
        let id = prediction.question_id.as_str();
        let mut card = answer_card(prediction, item, contexts.get(id).copied());
        if let Some(image) = item.image.as_ref().and_then(|id| images.get(id.as_str())) {
            card = card.image(image.clone());
        }
        if let Some(found) = found.remove(id) {
            card = card.fact("remark", "found in training data").fact("found", shortened(&found));
        }
        if let Some(replies) = replies.remove(id) {
            card.push(Block::details("Judge", replies.into_iter().map(reply)));
        }
        cards.push(card);
    }
    cards
}

fn answer_card(prediction: &Prediction, item: &Item, context: Option<&str>) -> Card {
    let mut texts = Facts::new()
        .with("question", &prediction.question)
        .with("reference", &prediction.reference)
        .with("answer", &prediction.answer);
    if let Some(context) = context {
        texts.push("context", context);
    }
    let mut card = Card::new().with(texts).fact("id", &prediction.question_id);
    if !prediction.category.is_empty() {
        card = card.fact("category", &prediction.category);
    }
    for (metric, value) in &item.scores {
        card = card.fact(metric, *value);
    }
    let mean = |points: &[Option<f64>]| crate::stats::mean(points.iter().copied().flatten());
    for (name, points) in [("points", &item.points), ("points of the reference", &item.reference_points)] {
        if let Some(points) = mean(points) {
            card = card.fact(name, points);
        }
    }
    if prediction.answer.trim().is_empty() {
        card = card.fact("remark", "empty answer");
    }
    if item.failures > 0 {
        card = card.fact("remark", "failed judgements").fact("failed judgements", item.failures);
    }
    card
}

fn reply(judgement: &Judgement) -> Block {
    let result = match (&judgement.error, judgement.score) {
        (Some(error), _) => error.clone(),
        (None, Some(score)) => format!("{score:.2} points"),
        (None, None) => "no points".to_owned(),
    };
    Block::paragraph(format!("Run {}: {result}\n{}", judgement.run + 1, judgement.reply))
}

/// A thumbnail of each image that the items need, by its identifier.
fn images<'a>(benchmark: &'a Benchmark, items: &[Item]) -> BTreeMap<&'a str, Image> {
    let needed: HashSet<&str> = items.iter().filter_map(|item| item.image.as_deref()).collect();
    let distinct: BTreeMap<&'a str, &[u8]> = benchmark
        .questions
        .iter()
        .filter_map(|question| question.image.as_ref())
        .filter(|image| needed.contains(image.id.as_str()))
        .map(|image| (image.id.as_str(), &*image.bytes))
        .collect();
    let embedded = |(id, bytes): (&&'a str, &&[u8])| {
        let alt = format!("image {id}");
        (*id, Image::thumbnail(bytes, &alt, SIDE).unwrap_or_else(|_| Image::missing(alt)))
    };
    distinct.par_iter().map(embedded).collect()
}

/// Where questions were found in training data.
fn findings(results: &Results) -> HashMap<&str, Vec<String>> {
    let mut found: HashMap<&str, Vec<String>> = HashMap::new();
    for finding in results.contamination.iter().flat_map(|contaminated| &contaminated.findings) {
        let part = match finding.part {
            Part::Question => "question",
            Part::Reference => "reference",
            Part::Image => "image",
        };
        let text = format!("{part} in {} ({:.0} %)", finding.row, 100.0 * finding.share);
        found.entry(&finding.question_id).or_default().push(text);
    }
    found
}

fn shortened(found: &[String]) -> String {
    let shown = found.iter().take(FINDINGS).cloned().collect::<Vec<_>>().join(", ");
    if found.len() > FINDINGS { format!("{shown} and {} more", found.len() - FINDINGS) } else { shown }
}

/// Scores by category of one run or several, over the categories of the first. None with fewer than three categories.
fn radar(runs: &[(&str, &MetricScore)]) -> Option<RadarChart> {
    let (_, first) = runs.first()?;
    let names: Vec<&str> =
        first.categories.iter().map(|c| c.category.as_str()).filter(|name| !name.is_empty()).collect();
    if names.len() < 3 {
        return None;
    }
    let mut chart = Chart::radar(format!("{} by category", first.title), names.clone()).most(first.maximum);
    for (run, score) in runs {
        let of =
            |name: &&str| score.categories.iter().find(|c| c.category == *name).map_or(f64::NAN, |c| c.score);
        chart.push(*run, names.iter().map(of));
    }
    Some(chart)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::CategoryScore;

    fn score(scores: &[f64]) -> MetricScore {
        let category = |(name, score): (&&str, &f64)| CategoryScore {
            category: (*name).into(),
            score: *score,
            questions: 1,
        };
        MetricScore {
            metric: "judge-relative".into(),
            title: "Judge".into(),
            maximum: 100.0,
            answers: 3,
            score: 0.0,
            interval: Default::default(),
            interval_by_image: Default::default(),
            categories: ["conv", "detail", "com<plex"].iter().zip(scores).map(category).collect(),
            clean: None,
        }
    }

    #[test]
    fn categories_of_runs_are_drawn_over_each_other() {
        let (a, b) = (score(&[100.0, 50.0, f64::NAN]), score(&[10.0, 20.0, 30.0]));
        let svg = |runs: &[(&str, &MetricScore)]| Chart::from(radar(runs).unwrap()).svg().unwrap().unwrap();
        let alone = svg(&[("a", &a)]);
        assert!(alone.contains("conv 100.0") && alone.contains("com&lt;plex"));
        let both = svg(&[("a", &a), ("b", &b)]);
        assert_eq!(both.matches("class=\"area").count(), 2);
        assert!(radar(&[("a", &score(&[1.0, 2.0]))]).is_none());
    }

    #[test]
    fn long_findings_are_counted() {
        let found: Vec<String> = (0..7).map(|n| n.to_string()).collect();
        assert_eq!(shortened(&found), "0, 1, 2, 3, 4 and 2 more");
        assert_eq!(shortened(&found[..2]), "0, 1");
    }
}
