//! Scores and facts of one run.

use tsumugi_report::{Bar, Block, Chart, Column, Facts, Section, Table};

use super::radar;
use crate::contamination::Contaminated;
use crate::published::{Standing, standings};
use crate::results::{JudgeFacts, Results};
use crate::scorer::names;

/// The scores of a run with intervals and by category, facts about the judge, and the place among published models.
#[must_use]
pub fn score_section(results: &Results) -> Section {
    let mut section = Section::new("Scores").with(scores(results));
    let mut facts =
        Facts::new().with("questions", results.questions).with("without an answer", results.unanswered);
    if let Some(judge) = &results.judge {
        judge_facts(&mut facts, judge);
    }
    if let Some(found) = &results.contamination {
        contamination_facts(&mut facts, found, results);
    }
    if let Some(detector) = &results.language_detector {
        facts.push("language detector", detector);
    }
    section.push(facts);
    let mut charts: Vec<Block> = standings(results).iter().map(standing).collect();
    let radar = [names::JUDGE_RELATIVE, names::JUDGE_POINTS, names::ROUGE_L]
        .into_iter()
        .find_map(|metric| radar(&[(&results.model, results.metric(metric)?)]));
    charts.extend(radar.map(Block::from));
    if !charts.is_empty() {
        section.push(Block::grid(charts));
    }
    let categories = categories(results);
    if !categories.is_empty() {
        section.push(categories);
    }
    section
}

fn scores(results: &Results) -> Table {
    let mut table = Table::new([
        Column::text("metric"),
        Column::text("answers"),
        Column::number("score").decimals(2),
        Column::text("95 % interval, questions drawn"),
        Column::text("95 % interval, images drawn"),
    ]);
    for score in &results.scores {
        let (questions, images) = (score.interval, score.interval_by_image);
        table.push((
            &score.title,
            format!("{} of {}", score.answers, results.questions),
            score.score,
            format!("{:.2} to {:.2}", questions.low, questions.high),
            format!("{:.2} to {:.2}", images.low, images.high),
        ));
    }
    table
}

fn categories(results: &Results) -> Table {
    let mut table = Table::new([
        Column::text("metric").filter(),
        Column::text("category").filter(),
        Column::number("score").decimals(2),
        Column::number("questions"),
    ])
    .caption("Scores by category");
    for score in &results.scores {
        for category in score.categories.iter().filter(|category| !category.category.is_empty()) {
            table.push((&score.title, &category.category, category.score, category.questions));
        }
    }
    table
}

fn judge_facts(facts: &mut Facts, judge: &JudgeFacts) {
    let runs: Vec<String> = judge
        .run_scores
        .iter()
        .map(|score| score.map_or_else(|| "-".to_owned(), |s| format!("{s:.2}")))
        .collect();
    facts.push("judge", &judge.model);
    facts.push("judge runs", judge.runs);
    facts.push("scores of the runs (the score is their mean)", runs.join(", "));
    facts.push("judgements", judge.judgements);
    facts.push("unreadable replies (counted as the reference counts them)", judge.unreadable);
    facts.push("replies that stop the reference implementation", judge.crashes);
    facts.push("judgements not given by the server", judge.unanswered);
    for (parameter, instead) in &judge.sent_instead {
        let instead =
            instead.as_ref().map_or("is left out".to_owned(), |other| format!("{other} is sent instead"));
        facts.push(format!("the judge refuses {parameter}"), instead);
    }
    if let Some(variance) = judge.variance {
        facts.push(
            "standard error of the mean points, from the choice of questions",
            variance.error_from_questions,
        );
        facts.push("standard error of the mean points, from the judge", variance.error_from_judge);
    }
}

fn contamination_facts(facts: &mut Facts, found: &Contaminated, results: &Results) {
    facts.push("questions found in training data", found.questions);
    facts.push("training texts compared", found.texts);
    facts.push("training images compared", found.images);
    for score in &results.scores {
        if let Some(clean) = score.clean {
            facts.push(format!("{} without the questions found", score.title), clean);
        }
    }
}

/// The run among the models of the paper.
fn standing(standing: &Standing) -> Block {
    let caption = format!("{} among the models of the paper", standing.title);
    let mut chart = Chart::bar(caption);
    for (name, score, own) in &standing.rows {
        let label = if *own { format!("{name} (this run)") } else { name.clone() };
        chart.push(Bar::new(label, *score));
    }
    chart.into()
}
