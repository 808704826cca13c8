//! The report as a page to look at.

use std::fmt::Write as _;

use tsumugi_chat::Ledger;

use crate::report::{Opening, Quantiles, Report, TaskReport};

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:64em;margin:2em auto;padding:0 1em;color:#222}\
table{border-collapse:collapse;margin:.5em 0}td,th{padding:.2em .8em;border-bottom:1px solid #ddd;text-align:right}\
td:first-child,th:first-child{text-align:left}.bar{display:inline-block;height:.9em;background:#3a6ea5;vertical-align:middle}\
.bars td{border:0;padding:.05em .6em}.bars td:last-child{text-align:left}\
.stack{display:flex;height:1.5em}.stack span{overflow:hidden;white-space:nowrap;font-size:.75em;line-height:2em;padding:0 .2em;\
box-sizing:border-box;border-right:1px solid #fff;text-align:left}\
.pair{display:flex;flex-wrap:wrap;gap:0 3em;align-items:flex-start}\
h2{margin-top:2em;border-bottom:2px solid #3a6ea5}h3{margin:1em 0 .2em}";
/// Shades of the second words, in turn; the last is for all that is not listed.
const SHADES: [&str; 6] = ["#9dbfe0", "#b9d3ea", "#8ab0d6", "#c9def0", "#a8c8e4", "#d6e5f3"];
const REST: &str = "#eee";

impl Report {
    /// A self-contained HTML page: what it cost, and for each task lengths, kinds of questions, how questions and answers begin,
    /// variety, and rejections by reason.
    #[must_use]
    pub fn html(&self, ledger: &Ledger) -> String {
        let mut page = format!(
            "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Instruction data</title>\
             <style>{STYLE}</style></head><body><h1>Instruction data</h1>\n"
        );
        self.overview(&mut page);
        cost(ledger, &mut page);
        for (name, task) in &self.tasks {
            task_section(name, task, &mut page);
        }
        page.push_str("</body></html>\n");
        page
    }

    fn overview(&self, page: &mut String) {
        page.push_str("<h2>Kinds</h2><table><tr><th>task</th><th>kept</th><th>rejected</th><th>turns</th><th>replies</th><th>USD</th><th>USD for 1,000 kept</th></tr>");
        for (name, task) in &self.tasks {
            let each = match task.conversations {
                0 => "-".to_owned(),
                kept => format!("{:.3}", task.usd / kept as f64 * 1000.0),
            };
            put(
                page,
                format_args!(
                    "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{:.4}</td><td>{each}</td></tr>",
                    escape(name),
                    task.conversations,
                    task.rejected.values().sum::<u64>(),
                    task.turns,
                    task.calls,
                    task.usd
                ),
            );
        }
        page.push_str("</table>\n");
    }
}

fn cost(ledger: &Ledger, page: &mut String) {
    page.push_str("<h2>Cost</h2><table><tr><th>model</th><th>replies</th><th>prompt tokens</th><th>completion tokens</th><th>USD</th></tr>");
    for (model, spent) in &ledger.models {
        put(
            page,
            format_args!(
                "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{:.4}</td></tr>",
                escape(model),
                spent.requests,
                spent.prompt_tokens,
                spent.completion_tokens,
                spent.usd
            ),
        );
    }
    page.push_str("</table>\n");
    if ledger.usd_unknown > 0.0 {
        put(
            page,
            format_args!(
                "<p>Up to {:.4} USD more for answers that never arrived whole.</p>\n",
                ledger.usd_unknown
            ),
        );
    }
}

fn task_section(name: &str, task: &TaskReport, page: &mut String) {
    put(page, format_args!("<h2>{}</h2>\n", escape(name)));
    let models: Vec<String> =
        task.models.iter().map(|(model, rows)| format!("{} ({rows})", escape(model))).collect();
    put(
        page,
        format_args!(
            "<p>{} conversations, {} turns, written by {}.</p>\n",
            task.conversations,
            task.turns,
            if models.is_empty() { "nobody".to_owned() } else { models.join(", ") }
        ),
    );
    lengths(task, page);
    variety(task, page);
    page.push_str("<div class=\"pair\">");
    bars(
        "What questions ask for",
        task.question_kinds.iter().map(|(text, count)| (text.clone(), *count)),
        page,
    );
    let bounds = task.answer_lengths.iter().map(|(bound, count)| (format!("to {bound}"), *count));
    bars("Characters of the answers", bounds, page);
    bars("Rejected", task.rejected.iter().map(|(text, count)| (text.clone(), *count)), page);
    page.push_str("</div>\n");
    openings("How questions begin", &task.question_openings, page);
    openings("How answers begin", &task.answer_openings, page);
}

fn lengths(task: &TaskReport, page: &mut String) {
    page.push_str(
        "<table><tr><th></th><th>least</th><th>5 %</th><th>median</th><th>95 %</th><th>most</th></tr>",
    );
    let rows = [
        ("turns of a conversation", task.turns_each),
        ("characters of a question", task.question_chars),
        ("characters of an answer", task.answer_chars),
    ];
    for (label, Quantiles { min, p5, median, p95, max }) in rows {
        put(
            page,
            format_args!(
                "<tr><td>{label}</td><td>{min}</td><td>{p5}</td><td>{median}</td><td>{p95}</td><td>{max}</td></tr>"
            ),
        );
    }
    page.push_str("</table>\n");
}

fn variety(task: &TaskReport, page: &mut String) {
    let windows = task.window_distinct_2.map_or_else(|| "-".to_owned(), |share| format!("{share:.3}"));
    put(
        page,
        format_args!(
            "<table><tr><th>variety</th><th>share that is different</th></tr>\
             <tr><td>questions</td><td>{:.3}</td></tr><tr><td>first two words of the questions</td><td>{:.3}</td></tr>\
             <tr><td>characters of the answers (distinct-1)</td><td>{:.3}</td></tr>\
             <tr><td>pairs of characters (distinct-2)</td><td>{:.3}</td></tr>\
             <tr><td>pairs within 1,000 characters, whatever the size of the set</td><td>{windows}</td></tr></table>\n",
            task.distinct_questions, task.distinct_openings, task.distinct_1, task.distinct_2
        ),
    );
}

fn bars(title: &str, rows: impl Iterator<Item = (String, u64)> + Clone, page: &mut String) {
    let Some(most) = rows.clone().map(|(_, count)| count).max() else { return };
    put(page, format_args!("<div><h3>{title}</h3><table class=\"bars\">"));
    for (text, count) in rows {
        let width = 12.0 * count as f64 / most.max(1) as f64;
        put(
            page,
            format_args!(
                "<tr><td>{}</td><td>{count}</td><td><span class=\"bar\" style=\"width:{width:.1}em\"></span></td></tr>",
                escape(&text)
            ),
        );
    }
    page.push_str("</table></div>\n");
}

/// A bar for each first word, cut by the second words.
fn openings(title: &str, openings: &[Opening], page: &mut String) {
    let Some(most) = openings.iter().map(|opening| opening.count).max() else { return };
    put(page, format_args!("<h3>{title}: first word, then the word after it</h3><table class=\"bars\">"));
    for opening in openings {
        put(
            page,
            format_args!(
                "<tr><td>{}</td><td>{}</td><td><div class=\"stack\">",
                escape(&opening.word),
                opening.count
            ),
        );
        let width = |count: u64| 40.0 * count as f64 / most.max(1) as f64;
        let mut left = opening.count;
        for (at, (word, count)) in opening.next.iter().enumerate() {
            left = left.saturating_sub(*count);
            piece(SHADES[at % SHADES.len()], width(*count), word, *count, page);
        }
        if left > 0 {
            piece(REST, width(left), "other", left, page);
        }
        page.push_str("</div></td></tr>");
    }
    page.push_str("</table>\n");
}

fn piece(colour: &str, width: f64, word: &str, count: u64, page: &mut String) {
    let word = escape(word);
    put(
        page,
        format_args!(
            "<span style=\"background:{colour};width:{width:.2}em\" title=\"{word}: {count}\">{word}</span>"
        ),
    );
}

/// Writing to a string cannot fail.
fn put(page: &mut String, text: std::fmt::Arguments<'_>) {
    let _ = page.write_fmt(text);
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
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
        let page = Report { tasks: [("photo".to_owned(), task)].into() }.html(&ledger);
        for part in [
            "<h2>photo</h2>",
            "3 conversations",
            "&lt;何&gt;",
            "refusal",
            "class=\"bar\"",
            "title=\"が: 2\"",
            "title=\"other: 1\"",
            "colour",
            "<td>2.000</td>",
            "0.5000 USD more",
        ] {
            assert!(page.contains(part), "{part}");
        }
        assert!(!page.contains("<何>"));
    }
}
