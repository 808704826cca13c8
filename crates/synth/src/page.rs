//! The report as a page to look at.

use std::fmt::Write as _;

use tsumugi_chat::Ledger;

use crate::report::{Quantiles, Report, TaskReport};

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em;color:#222}\
table{border-collapse:collapse;margin:.5em 0}td,th{padding:.2em .8em;border-bottom:1px solid #ddd;text-align:right}\
td:first-child,th:first-child{text-align:left}.bar{display:inline-block;height:.8em;background:#3a6ea5;vertical-align:middle}\
h2{margin-top:2em;border-bottom:2px solid #3a6ea5}";

impl Report {
    /// A self-contained HTML page: what it cost, and for each task lengths, variety, rejections and the openings of its
    /// questions as a chart.
    #[must_use]
    pub fn html(&self, ledger: &Ledger) -> String {
        let mut page = format!(
            "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Instruction data</title>\
             <style>{STYLE}</style></head><body><h1>Instruction data</h1>\n"
        );
        self.cost(ledger, &mut page);
        for (name, task) in &self.tasks {
            task_section(name, task, &mut page);
        }
        page.push_str("</body></html>\n");
        page
    }

    fn cost(&self, ledger: &Ledger, page: &mut String) {
        page.push_str("<table><tr><th>model</th><th>replies</th><th>prompt tokens</th><th>completion tokens</th><th>USD</th></tr>");
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
    page.push_str("<table><tr><th>characters</th><th>least</th><th>5 %</th><th>median</th><th>95 %</th><th>most</th></tr>");
    for (label, Quantiles { min, p5, median, p95, max }) in
        [("questions", task.question_chars), ("answers", task.answer_chars)]
    {
        put(
            page,
            format_args!(
                "<tr><td>{label}</td><td>{min}</td><td>{p5}</td><td>{median}</td><td>{p95}</td><td>{max}</td></tr>"
            ),
        );
    }
    put(
        page,
        format_args!(
            "</table><p>Variety: {:.3} of the questions' openings and {:.3} of the answers' character pairs are different.</p>\n",
            task.distinct_openings, task.distinct_2
        ),
    );
    bars("How questions begin", task.openings.iter().map(|(text, count)| (text.as_str(), *count)), page);
    bars("Rejected", task.rejected.iter().map(|(text, count)| (text.as_str(), *count)), page);
}

fn bars<'a>(title: &str, rows: impl Iterator<Item = (&'a str, u64)> + Clone, page: &mut String) {
    let Some(most) = rows.clone().map(|(_, count)| count).max() else { return };
    put(page, format_args!("<h3>{title}</h3><table>"));
    for (text, count) in rows {
        let width = 24.0 * count as f64 / most.max(1) as f64;
        put(
            page,
            format_args!(
                "<tr><td>{}</td><td>{count}</td><td style=\"text-align:left\"><span class=\"bar\" style=\"width:{width:.1}em\"></span></td></tr>",
                escape(text)
            ),
        );
    }
    page.push_str("</table>\n");
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
            openings: vec![("<何が>".into(), 2)],
            rejected: [("refusal".to_owned(), 1)].into(),
            ..TaskReport::default()
        };
        let page = Report { tasks: [("photo".to_owned(), task)].into() }.html(&Ledger::default());
        for part in ["<h2>photo</h2>", "3 conversations", "&lt;何が&gt;", "refusal", "class=\"bar\""] {
            assert!(page.contains(part), "{part}");
        }
        assert!(!page.contains("<何が>"));
    }
}
