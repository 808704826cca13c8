//! The page that a whole run ends with.

use std::path::{Path, PathBuf};

use tsumugi_record::{Judgement, Prediction, Record, ShardReader, shards};

use super::run::Done;
use crate::Error;
use crate::report::{
    Page, conversation_samples, funnel_section, interleaved_samples, pair_samples, training_section,
    verdict_section,
};

/// Samples of each dataset that the page shows.
const CARDS: usize = 24;
const DOCUMENTS: usize = 5;
const CONVERSATIONS: usize = 8;
const ANSWERS: usize = 30;

/// Writes `report.html` into the output folder.
pub(super) fn write(done: &Done) -> Result<PathBuf, Error> {
    let mut page = Page::new(
        "Tsumugi: from a web archive to an evaluated model",
        "One run of the whole thread. Each table below is Parquet in the folder beside this page; what was dropped is in \
         the folders named excluded, with its reason.",
    );
    page.section("Data funnel", funnel_section(&done.summaries));
    let out = &done.out;
    if out.join("pairs").is_dir() {
        page.section("Image-text pairs", pair_samples(&out.join("pairs"), CARDS)?);
    }
    if out.join("interleaved").is_dir() {
        page.section("Interleaved documents", interleaved_samples(&out.join("interleaved"), DOCUMENTS)?);
    }
    if out.join("conversations").is_dir() {
        let note = stand_in_note(done.writer_is_stand_in, "The conversations were written");
        let samples = conversation_samples(&out.join("conversations"), CONVERSATIONS)?;
        page.section("Instruction data", note + &samples);
    }
    if let Some(training) = &done.training {
        let metrics = out.join("train").join("metrics.jsonl");
        page.section("Training", training_section(training, &metrics)?);
    }
    if let Some((benchmark, results)) = &done.verdict {
        let folder = out.join("evaluation");
        let predictions: Vec<Prediction> = read(&folder)?;
        let judgements: Vec<Judgement> = read(&folder.join("judgements"))?;
        let note = stand_in_note(done.judge_is_stand_in, "The points were given");
        let body = verdict_section(benchmark, results, &predictions, &judgements, ANSWERS);
        page.section("Benchmark", note + &body);
    }
    let path = out.join("report.html");
    let partial = out.join(".report.html.partial");
    std::fs::write(&partial, page.render()).map_err(Error::io("write", &partial))?;
    std::fs::rename(&partial, &path).map_err(Error::io("rename", &path))?;
    Ok(path)
}

fn stand_in_note(stand_in: bool, what: &str) -> String {
    if !stand_in {
        return String::new();
    }
    format!(
        "<p class=\"note\">{what} by <code>{}</code>, a loopback stand-in inside this project that follows fixed rules. \
         It is no language model; give <code>--base-url</code> and <code>OPENAI_API_KEY</code> for a real one.</p>",
        tsumugi_demo::MODEL
    )
}

fn read<R: Record>(folder: &Path) -> Result<Vec<R>, Error> {
    let mut rows = Vec::new();
    if folder.is_dir() {
        for shard in shards(folder, R::KIND)? {
            rows.extend(ShardReader::<R>::open(&shard)?.read_all()?);
        }
    }
    Ok(rows)
}
