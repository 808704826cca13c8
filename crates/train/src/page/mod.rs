//! The run page: what a person wants to see of a run, in one HTML file that is renewed while the run goes on.

mod chart;

use std::fmt::Write;
use std::path::Path;

pub use chart::{Line, line_chart, line_svg};

use crate::atomic::atomic_file;
use crate::evaluate::{Answer, read_answers};
use crate::metrics::StepMetrics;
use crate::recipe::Recipe;
use crate::{Error, Result, StageSummary};

/// Points of a curve at most; steps between are averaged.
const POINTS: usize = 400;
/// Seconds after which an open page of an unfinished run looks for news.
const REFRESH: u32 = 30;

/// Whether a run is still going on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing<'a> {
    /// It is.
    Running,
    /// It came to its end.
    Done,
    /// It was stopped, and why.
    Failed(&'a str),
}

/// Writes `run.html` into a run's folder: curves of each stage, what was dropped, sample answers, the recipe. `stages` are
/// the finished ones.
///
/// # Errors
/// [`Error::Io`] where metrics or answers cannot be read or the page cannot be written.
pub fn write_page(recipe: &Recipe, stages: &[StageSummary], standing: Standing<'_>) -> Result<()> {
    let metrics = Metrics::read(&recipe.out.join("metrics.jsonl"))?;
    let html = page(recipe, stages, &metrics, &read_answers(&recipe.out)?, standing)?;
    let path = recipe.out.join("run.html");
    atomic_file(&path, |part| std::fs::write(part, html).map_err(Error::io(part)))
}

/// The lines of `metrics.jsonl`.
#[derive(Default)]
struct Metrics {
    steps: Vec<StepMetrics>,
    scalars: Vec<Scalar>,
}

#[derive(serde::Deserialize)]
struct Scalar {
    stage: String,
    step: u64,
    name: String,
    value: f64,
}

impl Metrics {
    fn read(path: &Path) -> Result<Self> {
        let mut all = Self::default();
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(all),
            Err(error) => return Err(Error::io(path)(error)),
        };
        for line in text.lines() {
            if let Ok(step) = serde_json::from_str(line) {
                all.steps.push(step);
            } else if let Ok(scalar) = serde_json::from_str(line) {
                all.scalars.push(scalar);
            }
        }
        Ok(all)
    }
}

fn page(
    recipe: &Recipe,
    stages: &[StageSummary],
    metrics: &Metrics,
    answers: &[Answer],
    standing: Standing<'_>,
) -> Result<String> {
    let name = escape(&recipe.name);
    let refresh = match standing {
        Standing::Running => format!("<meta http-equiv=\"refresh\" content=\"{REFRESH}\">"),
        _ => String::new(),
    };
    let said = match standing {
        Standing::Running => "still running; this page renews itself".to_owned(),
        Standing::Done => "done".to_owned(),
        Standing::Failed(why) => format!("<strong>stopped: {}</strong>", escape(why)),
    };
    let mut html = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">{refresh}<title>{name}</title>\
         <style>{STYLE}</style><h1>{name}</h1><p>{said}</p>"
    );
    for stage in &recipe.stages {
        let steps: Vec<&StepMetrics> = metrics.steps.iter().filter(|s| s.stage == stage.name).collect();
        if steps.is_empty() {
            let _ = write!(html, "<h2>{}</h2><p>not begun</p>", escape(&stage.name));
            continue;
        }
        let _ = write!(html, "<h2>{}</h2>", escape(&stage.name));
        html.push_str(&facts(&steps, stages.iter().find(|done| done.name == stage.name)));
        let scalars: Vec<&Scalar> = metrics.scalars.iter().filter(|s| s.stage == stage.name).collect();
        html.push_str(&charts(&steps, &scalars));
        let given: Vec<&Answer> = answers.iter().filter(|a| a.stage == stage.name).collect();
        html.push_str(&answer_table(&given));
    }
    let _ =
        write!(html, "<details><summary>recipe</summary><pre>{}</pre></details>", escape(&recipe.to_toml()?));
    Ok(html)
}

/// What the stage came to, as far as it is.
fn facts(steps: &[&StepMetrics], done: Option<&StageSummary>) -> String {
    let total = |f: fn(&StepMetrics) -> u64| steps.iter().map(|s| f(s)).sum::<u64>();
    let Some(last) = steps.last() else { return String::new() };
    let seconds: f64 = steps.iter().map(|s| s.seconds).sum();
    let tokens = total(|s| s.tokens);
    let mut rows = vec![
        ("steps", last.step.to_string()),
        ("loss at first and last", format!("{:.4} · {:.4}", steps[0].loss, last.loss)),
        ("samples", total(|s| s.samples).to_string()),
        ("pictures", total(|s| s.images).to_string()),
        ("tokens", tokens.to_string()),
        ("tokens a second", format!("{:.0}", tokens as f64 / seconds.max(1e-9))),
        ("utilisation (MFU)", format!("{:.1} %", 100.0 * last.mfu)),
        ("memory at its highest", format!("{} MiB", last.peak_memory_mib)),
        ("rows drawn and dropped", format!("{} · {}", last.rows_drawn, last.rows_dropped)),
        ("steps left out (no number)", steps.iter().filter(|s| s.skipped).count().to_string()),
    ];
    if let Some(done) = done {
        let reasons: Vec<String> =
            done.dropped.iter().map(|(why, n)| format!("{} {n}", escape(why))).collect();
        rows.push((
            "dropped, by reason",
            if reasons.is_empty() { "none".into() } else { reasons.join(" · ") },
        ));
        rows.push(("loss spikes", done.loss_spikes.to_string()));
        rows.push(("trained parameters", done.trained_parameters.to_string()));
    }
    let cells = rows.iter().map(|(name, value)| format!("<tr><th>{name}<td>{value}"));
    format!("<table>{}</table>", cells.collect::<String>())
}

fn charts(steps: &[&StepMetrics], scalars: &[&Scalar]) -> String {
    let curve = |name: &str, value: fn(&StepMetrics) -> f64| Line {
        name: name.to_owned(),
        points: thinned(&steps.iter().map(|s| (s.step as f64, value(s))).collect::<Vec<_>>()),
    };
    let mut loss = vec![curve("training", |s| s.loss)];
    let mut others: Vec<Line> = Vec::new();
    for scalar in scalars {
        let lines = if scalar.name == HELD_OUT { &mut loss } else { &mut others };
        let name = if scalar.name == HELD_OUT { "held out" } else { &scalar.name };
        let point = (scalar.step as f64, scalar.value);
        match lines.iter_mut().find(|line| line.name == name) {
            Some(line) => line.points.push(point),
            None => lines.push(Line { name: name.to_owned(), points: vec![point] }),
        }
    }
    let mut html = String::from("<div class=\"charts\">");
    html.push_str(&line_chart("loss", "step", &loss));
    for (name, value) in [
        ("learning rate", (|s| s.lr) as fn(&StepMetrics) -> f64),
        ("norm of the gradients", |s| s.grad_norm),
        ("tokens a second", |s| s.tokens_per_second),
        ("pictures a second", |s| s.images_per_second),
        ("utilisation (MFU), %", |s| 100.0 * s.mfu),
        ("memory at its highest, MiB", |s| s.peak_memory_mib as f64),
    ] {
        html.push_str(&line_chart(name, "step", &[curve(name, value)]));
    }
    for line in others {
        html.push_str(&line_chart(&line.name.clone(), "step", &[line]));
    }
    html + "</div>"
}

/// Name of the held-out loss among the scalars.
pub(crate) const HELD_OUT: &str = "held_out_loss";

/// At most [`POINTS`] points, each the mean of its neighbours.
fn thinned(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let size = points.len().div_ceil(POINTS).max(1);
    let mean = |part: &[(f64, f64)]| {
        let n = part.len() as f64;
        (part.iter().map(|p| p.0).sum::<f64>() / n, part.iter().map(|p| p.1).sum::<f64>() / n)
    };
    points.chunks(size).map(mean).collect()
}

/// The newest answers first, a row for each.
fn answer_table(answers: &[&Answer]) -> String {
    if answers.is_empty() {
        return String::new();
    }
    let mut html = String::from(
        "<details open><summary>answers to held-out rows</summary>\
         <table class=\"answers\"><tr><th>step<th>pictures<th>asked<th>expected<th>answered",
    );
    let mut newest: Vec<&&Answer> = answers.iter().collect();
    newest.sort_by_key(|answer| std::cmp::Reverse(answer.step));
    for answer in newest {
        let pictures: String = answer
            .images
            .iter()
            .map(|path| {
                format!("<img loading=\"lazy\" src=\"{}\" alt=\"\">", escape(&path.to_string_lossy()))
            })
            .collect();
        let _ = write!(
            html,
            "<tr><td>{}<td>{pictures}<td>{}<td>{}<td>{}",
            answer.step,
            escape(&answer.prompt),
            escape(&answer.reference),
            escape(&answer.answer)
        );
    }
    html + "</table></details>"
}

/// Plain text as HTML.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:76rem;padding:0 1rem;color:#1d2433}\
    h2{margin-top:2.5rem;border-bottom:1px solid #e3e6ee}table{border-collapse:collapse;margin:1rem 0}\
    th,td{text-align:left;vertical-align:top;padding:.2rem .8rem .2rem 0;border-bottom:1px solid #eef0f5}\
    th{font-weight:500;color:#5b6478}td{font-variant-numeric:tabular-nums}\
    .charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(21rem,1fr));gap:1rem}figure{margin:0}\
    figcaption{color:#5b6478}.answers td{white-space:pre-wrap}.answers img{max-width:8rem;max-height:8rem}\
    pre{background:#f6f7fa;padding:1rem;overflow:auto}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_shows_what_was_measured_and_no_markup_of_the_data() {
        let recipe = Recipe {
            name: "a < b".into(),
            stages: vec![crate::recipe::StageConfig { name: "align".into(), ..Default::default() }],
            ..Recipe::default()
        };
        let step = |step: u64| StepMetrics {
            stage: "align".into(),
            step,
            loss: 4.0,
            mfu: 0.25,
            ..Default::default()
        };
        let scalar = Scalar { stage: "align".into(), step: 2, name: HELD_OUT.into(), value: 3.5 };
        let metrics = Metrics { steps: (1..=1000).map(step).collect(), scalars: vec![scalar] };
        let answer = Answer {
            stage: "align".into(),
            answer: "<script>".into(),
            images: vec!["answers/x.png".into()],
            ..Answer::default()
        };
        let html = page(&recipe, &[], &metrics, &[answer], Standing::Running).unwrap();
        assert!(html.contains("a &lt; b") && html.contains("&lt;script&gt;") && !html.contains("<script>"));
        assert!(html.contains("25.0 %") && html.contains("held out") && html.contains("answers/x.png"));
        assert!(html.contains("http-equiv"));
        let failed = page(&recipe, &[], &metrics, &[], Standing::Failed("no number")).unwrap();
        assert!(failed.contains("stopped: no number") && !failed.contains("http-equiv"));
    }

    #[test]
    fn long_runs_are_thinned_to_means() {
        let points: Vec<(f64, f64)> = (0..4_000).map(|i| (f64::from(i), f64::from(i % 2))).collect();
        let thin = thinned(&points);
        assert_eq!(thin.len(), POINTS);
        assert_eq!(thin[0], (4.5, 0.5));
        assert_eq!(thinned(&points[..3]), points[..3]);
    }
}
