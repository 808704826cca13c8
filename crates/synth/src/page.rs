//! The report as a page.

use tsumugi_chat::Ledger;
use tsumugi_report::{Bar, Block, Chart, Column, Facts, Page, Section, Table};

use crate::report::{Opening, Quantiles, Report, TaskReport};

impl Report {
    /// An HTML page: the cost, and for each task the lengths, kinds of questions, openings of questions and answers, variety,
    /// and rejections by reason.
    #[must_use]
    pub fn page(&self, ledger: &Ledger) -> Page {
        let overview = Section::new("Overview").with(self.tasks()).with(models(ledger));
        let overview = if ledger.usd_unknown > 0.0 {
            let most = ledger.usd_unknown;
            overview.with(format!("Replies that never arrived completely cost up to {most:.4} USD more."))
        } else {
            overview
        };
        let tasks = self.tasks.iter().map(|(name, task)| task_section(name, task));
        tasks.fold(Page::new("Instruction data").with(overview), Page::with)
    }

    fn tasks(&self) -> Table {
        let mut table = Table::new([
            Column::text("task"),
            Column::number("kept"),
            Column::number("rejected"),
            Column::number("turns"),
            Column::number("replies"),
            Column::number("cost").unit("USD").decimals(4),
            Column::number("cost per 1,000 kept").unit("USD").decimals(3),
        ])
        .caption("Conversations and cost by task");
        for (name, task) in &self.tasks {
            let each = (task.conversations > 0).then(|| task.usd / task.conversations as f64 * 1000.0);
            let rejected = task.rejected.values().sum::<u64>();
            table.push((name, task.conversations, rejected, task.turns, task.calls, task.usd, each));
        }
        table
    }
}

fn models(ledger: &Ledger) -> Table {
    let mut table = Table::new([
        Column::text("model"),
        Column::number("replies"),
        Column::number("prompt tokens"),
        Column::number("completion tokens"),
        Column::number("cost").unit("USD").decimals(4),
    ])
    .caption("Cost by model");
    for (model, spent) in &ledger.models {
        table.push((model, spent.requests, spent.prompt_tokens, spent.completion_tokens, spent.usd));
    }
    table
}

fn task_section(name: &str, task: &TaskReport) -> Section {
    let models: Vec<String> = task.models.iter().map(|(model, rows)| format!("{model} ({rows})")).collect();
    let facts = Facts::new()
        .with("conversations", task.conversations)
        .with("turns", task.turns)
        .with("written by", if models.is_empty() { "no model".to_owned() } else { models.join(", ") });
    let kinds = task.question_kinds.iter().map(|(kind, count)| (kind.clone(), *count));
    let lengths = task.answer_lengths.iter().map(|(bound, count)| (format!("up to {bound}"), *count));
    let rejected = task.rejected.iter().map(|(reason, count)| (reason.clone(), *count));
    let charts = [
        bars("Questions by kind", "questions", kinds),
        bars("Answers by length in characters", "answers", lengths),
        bars("Rejected by reason", "replies and items", rejected),
        openings("Openings of questions: first word, then second word", &task.question_openings),
        openings("Openings of answers: first word, then second word", &task.answer_openings),
    ];
    Section::new(name)
        .with(facts)
        .with(lengths_table(task))
        .with(variety_table(task))
        .with(Block::grid(charts.into_iter().flatten()))
}

fn lengths_table(task: &TaskReport) -> Table {
    let mut table = Table::new([
        Column::text("length"),
        Column::number("least"),
        Column::number("5 %"),
        Column::number("median"),
        Column::number("95 %"),
        Column::number("most"),
    ])
    .caption("Lengths");
    let rows = [
        ("turns of a conversation", task.turns_each),
        ("characters of a question", task.question_chars),
        ("characters of an answer", task.answer_chars),
    ];
    for (label, Quantiles { min, p5, median, p95, max }) in rows {
        table.push((label, min, p5, median, p95, max));
    }
    table
}

fn variety_table(task: &TaskReport) -> Table {
    Table::new([Column::text("of"), Column::number("distinct share").decimals(3)])
        .caption("Variety")
        .with(("questions", task.distinct_questions))
        .with(("first two words of the questions", task.distinct_openings))
        .with(("characters of the answers (distinct-1)", task.distinct_1))
        .with(("character pairs of the answers (distinct-2)", task.distinct_2))
        .with(("character pairs in windows of 1,000 characters", task.window_distinct_2))
}

/// None where there is nothing to count.
fn bars(caption: &str, unit: &str, rows: impl Iterator<Item = (String, u64)>) -> Option<Chart> {
    let mut rows = rows.peekable();
    rows.peek()?;
    let chart = Chart::bar(caption).unit(unit);
    Some(rows.fold(chart, |chart, (label, count)| chart.with(Bar::new(label, count as f64))).into())
}

/// A bar for each first word, divided by the second words.
fn openings(caption: &str, openings: &[Opening]) -> Option<Chart> {
    if openings.is_empty() {
        return None;
    }
    let bar = |opening: &Opening| {
        let whole = Bar::new(&opening.word, opening.count as f64);
        opening.next.iter().fold(whole, |bar, (word, count)| bar.part(word, *count as f64))
    };
    Some(openings.iter().map(bar).fold(Chart::bar(caption), |chart, bar| chart.with(bar)).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_shows_all_and_escapes() {
        let task = TaskReport {
            conversations: 3,
            usd: 0.006,
            question_openings: vec![Opening {
                word: "<何>".into(), count: 3, next: vec![("が".into(), 2)]
            }],
            question_kinds: vec![("colour".into(), 2)],
            rejected: [("refusal".to_owned(), 1)].into(),
            ..TaskReport::default()
        };
        let ledger: Ledger = serde_json::from_value(serde_json::json!({"usd_unknown": 0.5})).unwrap();
        let page = Report { tasks: [("photo".to_owned(), task)].into() }.page(&ledger).render().unwrap();
        for part in [
            "<h2>photo</h2>",
            "<dd>3</dd>",
            "&lt;何&gt;",
            "Rejected by reason",
            "<title>refusal: 1</title>",
            "<title>&lt;何&gt; が: 2</title>",
            "<title>&lt;何&gt; other: 1</title>",
            "<title>colour: 2</title>",
            ">2.000</td>",
            "0.5000 USD more",
        ] {
            assert!(page.contains(part), "{part}");
        }
        assert!(!page.contains("<何>") && !page.contains("Answers by length"));
    }
}
