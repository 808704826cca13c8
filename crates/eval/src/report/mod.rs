//! The report of one run: an HTML page with every question, its picture, the answers, the scores and the judge's words.
//!
//! The page needs no server: the rows are JSON inside it, drawn as one scrolls, and pictures are files beside it that
//! load when they come into view.

mod comparison;
mod radar;

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

pub use self::comparison::comparison_page;
use serde::Serialize;
use tsumugi_record::{Judgement, Prediction};

use crate::Error;
use crate::bench::Benchmark;
use crate::contamination::Part;
use crate::published::standings;
use crate::results::Results;
use crate::scorer::names;

/// Name of the page in a run's folder.
pub const FILE: &str = "report.html";
/// Name of the folder with its pictures.
pub const PICTURES: &str = "report_pictures";

#[derive(Serialize)]
struct RowData<'a> {
    id: &'a str,
    category: &'a str,
    picture: Option<String>,
    question: &'a str,
    context: Option<&'a str>,
    reference: &'a str,
    answer: &'a str,
    rouge: f64,
    points: Option<f64>,
    reference_points: Option<f64>,
    failures: usize,
    /// Where the question was found again in training data.
    found: Vec<String>,
    judge: Vec<Words<'a>>,
}

#[derive(Serialize)]
struct Words<'a> {
    run: u32,
    reply: &'a str,
    score: Option<f64>,
    error: Option<&'a str>,
}

/// Writes the page and its pictures into a run's folder. `note` is shown at the top, such as a remark that the judge
/// was a stand-in.
///
/// # Errors
/// Where a file cannot be written.
pub fn write(
    folder: &Path,
    benchmark: &Benchmark,
    results: &Results,
    predictions: &[Prediction],
    judgements: &[Judgement],
    note: Option<&str>,
) -> Result<PathBuf, Error> {
    let pictures = write_pictures(folder, benchmark)?;
    let page = page(benchmark, results, predictions, judgements, note, &pictures);
    let path = folder.join(FILE);
    write_whole(&path, page.as_bytes())?;
    Ok(path)
}

fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let temporary = path.with_extension("tmp");
    std::fs::write(&temporary, bytes).map_err(|e| Error::io(&temporary, e))?;
    std::fs::rename(&temporary, path).map_err(|e| Error::io(path, e))
}

/// Writes each picture once. Returns the page's link by picture id.
fn write_pictures(folder: &Path, benchmark: &Benchmark) -> Result<BTreeMap<String, String>, Error> {
    let mut links = BTreeMap::new();
    for picture in benchmark.questions.iter().filter_map(|question| question.image.as_ref()) {
        if links.contains_key(&picture.id) {
            continue;
        }
        let place = folder.join(PICTURES);
        std::fs::create_dir_all(&place).map_err(|e| Error::io(&place, e))?;
        let name = format!("{}.{}", picture.id, picture.format().1);
        let path = place.join(&name);
        let is_there = std::fs::metadata(&path).is_ok_and(|m| m.len() == picture.bytes.len() as u64);
        if !is_there {
            write_whole(&path, &picture.bytes)?;
        }
        links.insert(picture.id.clone(), format!("{PICTURES}/{name}"));
    }
    Ok(links)
}

fn page(
    benchmark: &Benchmark,
    results: &Results,
    predictions: &[Prediction],
    judgements: &[Judgement],
    note: Option<&str>,
    pictures: &BTreeMap<String, String>,
) -> String {
    let contexts: HashMap<&str, &str> =
        benchmark.questions.iter().filter_map(|q| Some((q.id.as_str(), q.context.as_deref()?))).collect();
    let mut words: HashMap<&str, Vec<Words<'_>>> = HashMap::new();
    for j in judgements {
        let word = Words { run: j.run, reply: &j.reply, score: j.score, error: j.error.as_deref() };
        words.entry(&j.question_id).or_default().push(word);
    }
    let mut found: HashMap<&str, Vec<String>> = HashMap::new();
    for finding in results.contamination.iter().flat_map(|found| &found.findings) {
        let part = match finding.part {
            Part::Question => "question",
            Part::Reference => "reference",
            Part::Image => "image",
        };
        let text = format!("{part} in {} ({:.0} %)", finding.row, 100.0 * finding.share);
        found.entry(&finding.question_id).or_default().push(text);
    }
    let average = |values: &[Option<f64>]| crate::stats::mean(values.iter().copied().flatten());
    let rows: Vec<RowData<'_>> = predictions
        .iter()
        .zip(&results.items)
        .map(|(prediction, item)| RowData {
            id: &prediction.question_id,
            category: &prediction.category,
            picture: item.image.as_ref().and_then(|id| pictures.get(id).cloned()),
            question: &prediction.question,
            context: contexts.get(prediction.question_id.as_str()).copied(),
            reference: &prediction.reference,
            answer: &prediction.answer,
            rouge: item.scores.get(names::ROUGE_L).copied().unwrap_or_default(),
            points: average(&item.points),
            reference_points: average(&item.reference_points),
            failures: item.failures,
            found: found.remove(prediction.question_id.as_str()).unwrap_or_default(),
            judge: words.remove(prediction.question_id.as_str()).unwrap_or_default(),
        })
        .collect();
    // `<` never stands in the data as itself, so that no text can end the script element.
    let data = serde_json::to_string(&rows).unwrap_or_else(|_| "[]".to_owned()).replace('<', "\\u003c");
    let title = format!("{}: {} ({})", results.model, results.benchmark, results.profile);
    include_str!("page.html")
        .replace("@@TITLE@@", &escape(&title))
        .replace(
            "@@NOTE@@",
            &note.map(|note| format!("<p class=note>{}</p>", escape(note))).unwrap_or_default(),
        )
        .replace("@@SUMMARY@@", &summary(results))
        .replace("@@MARKDOWN@@", &escape(&results.markdown()))
        .replacen("@@DATA@@", &data, 1)
}

/// Scores, judge facts and radar as HTML.
fn summary(results: &Results) -> String {
    let mut out =
        String::from("<table><tr><th>metric<th>score<th>95 % interval<th>pictures drawn<th>categories</tr>");
    for score in &results.scores {
        let categories: Vec<String> = score
            .categories
            .iter()
            .filter(|c| !c.category.is_empty())
            .map(|c| format!("{} {:.2} ({})", escape(&c.category), c.score, c.questions))
            .collect();
        let _ = write!(
            out,
            "<tr><td>{}<td class=n><b>{:.2}</b><td class=n>{:.2} to {:.2}<td class=n>{:.2} to {:.2}<td>{}</tr>",
            escape(&score.title),
            score.score,
            score.interval.low,
            score.interval.high,
            score.interval_by_image.low,
            score.interval_by_image.high,
            categories.join(", ")
        );
    }
    out.push_str("</table><p>");
    let _ = write!(out, "{} questions, {} without an answer. ", results.questions, results.unanswered);
    if let Some(judge) = &results.judge {
        let runs: Vec<String> = judge
            .run_scores
            .iter()
            .map(|s| s.map_or_else(|| "-".to_owned(), |s| format!("{s:.2}")))
            .collect();
        let _ = write!(
            out,
            "Judge {}: {} judgements in {} runs (scores {}; the score is their mean); {} replies unreadable (counted as the reference counts them), {} over which the reference stops, {} not given. ",
            escape(&judge.model),
            judge.judgements,
            judge.runs,
            runs.join(", "),
            judge.unreadable,
            judge.crashes,
            judge.unanswered
        );
        if let Some(v) = judge.variance {
            let _ = write!(
                out,
                "Standard error of the mean points: {:.3} from the choice of questions, {:.3} from the judge.",
                v.error_from_questions, v.error_from_judge
            );
        }
    }
    if let Some(found) = &results.contamination {
        let clean: Vec<String> = results
            .scores
            .iter()
            .filter_map(|score| Some(format!("{} {:.2}", escape(&score.title), score.clean?)))
            .collect();
        let _ = write!(
            out,
            " Of {} questions something was found in training data ({} texts and {} pictures looked at); without them: {}.",
            found.questions,
            found.texts,
            found.images,
            clean.join(", ")
        );
    }
    if let Some(detector) = &results.language_detector {
        let _ = write!(out, " Language detector: {}.", escape(detector));
    }
    out.push_str("</p>");
    for standing in standings(results) {
        let rows = standing.rows.iter().map(|(name, score, own)| {
            let name = if *own { format!("<b>{}</b>", escape(name)) } else { escape(name) };
            format!("{name} {score:.2}")
        });
        let rows: Vec<String> = rows.collect();
        let title = escape(&standing.title);
        let _ = write!(out, "<p>Among the models of the paper, {title}: {}.</p>", rows.join(", "));
    }
    let radar = [names::JUDGE_RELATIVE, names::JUDGE_POINTS, names::ROUGE_L]
        .into_iter()
        .find_map(|metric| radar::svg(&[(&results.model, results.metric(metric)?)]));
    out.push_str(&radar.unwrap_or_default());
    out
}

/// Text inside HTML.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
