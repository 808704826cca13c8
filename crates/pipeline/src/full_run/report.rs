//! The page that a full run ends with.

use std::path::{Path, PathBuf};

use tsumugi_record::{Judgement, Prediction, Record, ShardReader, shards};
use tsumugi_report::{Block, Page, Section};

use super::run::Done;
use crate::Error;
use crate::report::{
    conversation_samples, evaluation_section, funnel_section, interleaved_samples, pair_samples,
    training_section,
};

/// Samples of each dataset that the page shows.
const PAIRS: usize = 24;
const DOCUMENTS: usize = 5;
const CONVERSATIONS: usize = 8;
const ANSWERS: usize = 30;

/// Writes `report.html` into the output folder. `language` is that of the data, as a BCP 47 tag.
pub(super) fn write(done: &Done, language: &str) -> Result<PathBuf, Error> {
    let mut page = Page::new("Tsumugi: from a web archive to an evaluated model").lead(
        "A full run. Each data set below is a Parquet table in the folder of this page. What was dropped is in the folders \
         named excluded, with the reason.",
    );
    page.push(funnel_section(&done.summaries));
    let out = &done.out;
    let folder = |name: &str| Some(out.join(name)).filter(|folder| folder.is_dir());
    if let Some(pairs) = folder("pairs") {
        page.push(pair_samples(&pairs, PAIRS, language)?);
    }
    if let Some(interleaved) = folder("interleaved") {
        page.push(interleaved_samples(&interleaved, DOCUMENTS, language)?);
    }
    if let Some(conversations) = folder("conversations") {
        let samples = conversation_samples(&conversations, CONVERSATIONS, language)?;
        page.push(noted(samples, done.writer_is_stand_in, "The conversations were written"));
    }
    if let Some(training) = &done.training {
        page.push(training_section(training, &out.join("train").join("metrics.jsonl"))?);
    }
    if let Some((benchmark, results)) = &done.verdict {
        let folder = out.join("evaluation");
        let predictions: Vec<Prediction> = read(&folder)?;
        let judgements: Vec<Judgement> = read(&folder.join("judgements"))?;
        let section = evaluation_section(benchmark, results, &predictions, &judgements, ANSWERS);
        page.push(noted(section, done.judge_is_stand_in, "The points were given"));
    }
    let path = out.join("report.html");
    page.write(&path).map_err(Error::step("report", path.display().to_string()))?;
    Ok(path)
}

/// Adds a note where the stand-in took the place of a language model.
fn noted(section: Section, stand_in: bool, what: &str) -> Section {
    if !stand_in {
        return section;
    }
    section.with_first(Block::note(format!(
        "{what} by {}, a loopback stand-in inside this project that follows fixed rules. It is not a language model. Name the \
         URL and the model of an API to use a real one.",
        tsumugi_demo::MODEL
    )))
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
