//! The run page: curves, dropped rows and sample answers of a run, in one HTML file that is written again while the run goes
//! on.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use tsumugi_report::{Block, Cell, Chart, Column, Facts, Image, Page, Section, Series, Table};

use crate::evaluate::{Answer, read_answers};
use crate::metrics::StepMetrics;
use crate::recipe::Recipe;
use crate::tally::SourceShare;
use crate::{Error, Result, StageSummary};

/// Points of a curve at most; steps between are averaged.
const POINTS: usize = 400;
/// Seconds after which an open page of an unfinished run loads itself again.
const REFRESH: u32 = 30;
/// Longest side of the images beside answers, in pixels.
const SIDE: u32 = 160;

/// State of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunState<'a> {
    /// Still going on.
    Running,
    /// Complete.
    Done,
    /// Stopped, with the reason.
    Failed(&'a str),
}

/// Writes `run.html` into a run's folder: curves of each stage, dropped rows, sample answers, the recipe. `stages` are the
/// finished ones.
///
/// # Errors
/// [`Error::Io`] if metrics or answers cannot be read, [`Error::Report`] if the page cannot be written.
pub fn write_page(recipe: &Recipe, stages: &[StageSummary], state: RunState<'_>) -> Result<()> {
    let metrics = Metrics::read(&recipe.out.join("metrics.jsonl"))?;
    let page = page(recipe, stages, &metrics, &read_answers(&recipe.out)?, state)?;
    Ok(page.write(recipe.out.join("run.html"))?)
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
    state: RunState<'_>,
) -> Result<Page> {
    let page = Page::new(&recipe.name);
    let mut page = match state {
        RunState::Running => page.lead("Still running. This page loads itself again.").refresh(REFRESH),
        RunState::Done => page.lead("Done."),
        RunState::Failed(why) => page.with(Block::note(format!("Stopped: {why}"))),
    };
    for stage in &recipe.stages {
        let mut section = Section::new(&stage.name);
        let steps: Vec<&StepMetrics> = metrics.steps.iter().filter(|s| s.stage == stage.name).collect();
        if steps.is_empty() {
            page.push(section.with("Not started."));
            continue;
        }
        let done = stages.iter().find(|done| done.name == stage.name);
        section.push(facts(&steps, done));
        if let Some(done) = done {
            section.push(mixture_table(&done.mixture));
            if !done.dropped.is_empty() {
                section.push(drop_table(&done.dropped, &done.dropped_ids));
            }
        }
        let scalars: Vec<&Scalar> = metrics.scalars.iter().filter(|s| s.stage == stage.name).collect();
        section.push(charts(&steps, &scalars));
        let of_stage: Vec<&Answer> = answers.iter().filter(|a| a.stage == stage.name).collect();
        if !of_stage.is_empty() {
            section.push(Block::open_details(
                "Answers to held-out rows",
                [answer_table(&of_stage, &recipe.out)],
            ));
        }
        page.push(section);
    }
    let recipe = Block::preformatted(recipe.to_toml()?);
    Ok(page.with(Section::new("Recipe").with(Block::details("The recipe with all defaults", [recipe]))))
}

/// The figures of a stage so far.
fn facts(steps: &[&StepMetrics], done: Option<&StageSummary>) -> Facts {
    let total = |f: fn(&StepMetrics) -> u64| steps.iter().map(|s| f(s)).sum::<u64>();
    let (Some(first), Some(last)) = (steps.first(), steps.last()) else { return Facts::new() };
    let seconds: f64 = steps.iter().map(|s| s.seconds).sum();
    let tokens = total(|s| s.tokens);
    let mut facts = Facts::new()
        .with("steps", last.step)
        .with("loss at the first step", first.loss)
        .with("loss at the last step", last.loss)
        .with("samples", total(|s| s.samples))
        .with("images", total(|s| s.images))
        .with("tokens", tokens)
        .with("tokens per second", (tokens as f64 / seconds.max(1e-9)).round())
        .with("utilisation (MFU)", format!("{:.1} %", 100.0 * last.mfu))
        .with("peak memory", format!("{} MiB", last.peak_memory_mib))
        .with("rows drawn", last.rows_drawn)
        .with("rows dropped", last.rows_dropped)
        .with("steps skipped (loss or gradient not finite)", steps.iter().filter(|s| s.skipped).count());
    if let Some(done) = done {
        facts.push("loss spikes", done.loss_spikes);
        facts.push("trained parameters", done.trained_parameters);
    }
    facts
}

/// The mixture that was trained on beside the one asked for.
pub(crate) fn mixture_table(mixture: &[SourceShare]) -> Table {
    let mut table = Table::new([
        Column::text("source"),
        Column::number("asked").unit("% of rows").decimals(1),
        Column::number("trained").unit("% of samples").decimals(1),
        Column::number("of tokens").unit("%").decimals(1),
        Column::number("rows drawn"),
        Column::number("samples"),
        Column::number("cut"),
        Column::number("images"),
        Column::number("tokens"),
    ])
    .caption("Mixture");
    for share in mixture {
        let counts = share.counts;
        table.push((
            &share.source,
            100.0 * share.asked,
            100.0 * share.trained,
            100.0 * share.trained_tokens,
            counts.rows,
            counts.samples,
            counts.cut,
            counts.images,
            counts.tokens,
        ));
    }
    table
}

/// Dropped rows by source and reason, with some of their identifiers.
pub(crate) fn drop_table(
    dropped: &BTreeMap<String, u64>,
    dropped_ids: &BTreeMap<String, Vec<String>>,
) -> Table {
    let mut table = Table::new([Column::text("dropped"), Column::number("rows"), Column::text("such as")]);
    for (reason, rows) in dropped {
        let ids = dropped_ids.get(reason).map(|ids| ids.join(", ")).unwrap_or_default();
        table.push((reason, *rows, ids));
    }
    table
}

fn charts(steps: &[&StepMetrics], scalars: &[&Scalar]) -> Block {
    let curve = |name: &str, value: fn(&StepMetrics) -> f64| {
        Series::new(name, steps.iter().map(|s| (s.step as f64, value(s)))).averaged(POINTS)
    };
    let mut held_out = Series::new("held out", []);
    let mut others: Vec<Series> = Vec::new();
    for scalar in scalars {
        let (step, value) = (scalar.step as f64, scalar.value);
        if scalar.name == HELD_OUT {
            held_out.push(step, value);
        } else if let Some(series) = others.iter_mut().find(|series| series.name() == scalar.name) {
            series.push(step, value);
        } else {
            others.push(Series::new(&scalar.name, [(step, value)]));
        }
    }
    let mut loss = Chart::line("Loss by step").x("step").with(curve("training", |s| s.loss));
    if !held_out.is_empty() {
        loss.push(held_out);
    }
    let mut charts = vec![Block::from(loss)];
    for (name, unit, value) in [
        ("Learning rate", "", (|s| s.lr) as fn(&StepMetrics) -> f64),
        ("Gradient norm", "", |s| s.grad_norm),
        ("Tokens per second", "", |s| s.tokens_per_second),
        ("Images per second", "", |s| s.images_per_second),
        ("Utilisation (MFU)", "%", |s| 100.0 * s.mfu),
        ("Peak memory", "MiB", |s| s.peak_memory_mib as f64),
    ] {
        let series = curve(&name.to_lowercase(), value);
        charts.push(Chart::line(format!("{name} by step")).x("step").unit(unit).with(series).into());
    }
    for series in others {
        charts.push(Chart::line(format!("{} by step", series.name())).x("step").with(series).into());
    }
    Block::grid(charts)
}

/// Name of the held-out loss among the scalars.
pub(crate) const HELD_OUT: &str = "held_out_loss";

/// Answers, the newest first. `out` is the run's folder, where the images lie.
fn answer_table(answers: &[&Answer], out: &Path) -> Table {
    let mut table = Table::new([
        Column::number("step"),
        Column::image("images"),
        Column::text("prompt"),
        Column::text("reference"),
        Column::text("answer"),
    ]);
    let mut images: HashMap<&PathBuf, Image> = HashMap::new();
    let mut newest: Vec<&&Answer> = answers.iter().collect();
    newest.sort_by_key(|answer| std::cmp::Reverse(answer.step));
    for answer in newest {
        let shown = answer
            .images
            .iter()
            .map(|path| images.entry(path).or_insert_with(|| thumbnail(out, path)).clone());
        let shown = Cell::images(shown.collect::<Vec<_>>());
        table.push((answer.step, shown, &answer.prompt, &answer.reference, &answer.answer));
    }
    table
}

fn thumbnail(out: &Path, path: &Path) -> Image {
    let alt = path.display().to_string();
    let embedded =
        std::fs::read(out.join(path)).ok().and_then(|bytes| Image::thumbnail(&bytes, &alt, SIDE).ok());
    embedded.unwrap_or_else(|| Image::missing(alt))
}

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
        let html = |answers: &[Answer], state| {
            page(&recipe, &[], &metrics, answers, state).unwrap().render().unwrap()
        };
        let running = html(&[answer], RunState::Running);
        assert!(running.contains("a &lt; b") && running.contains("&lt;script&gt;"));
        assert_eq!(running.matches("<script>").count(), 1, "only the page's own");
        assert!(running.contains("25.0 %") && running.contains("held out") && running.contains("x.png"));
        assert!(running.contains("http-equiv"));
        let failed = html(&[], RunState::Failed("not finite"));
        assert!(failed.contains("Stopped: not finite") && !failed.contains("http-equiv"));
    }
}
