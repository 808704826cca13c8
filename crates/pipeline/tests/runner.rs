//! The runner resumes, refuses another run's folder, and cleans up.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, also in its helpers")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use tsumugi_pipeline::runner::{Opened, OutputFolder, Stage, Summary, input_table};
use tsumugi_pipeline::{Error, Progress};
use tsumugi_record::Excluded;

fn open(out: &Path, setting: &str) -> Result<Opened, Error> {
    OutputFolder::open("example", out, &setting, BTreeMap::new())
}

/// A step of two phases; `stop` makes shard 2 fail the way a full disk would.
fn run(out: &Path, done: &AtomicUsize, stop: bool) -> Result<Summary, Error> {
    let step = match open(out, "a")? {
        Opened::Finished(summary) => return Ok(summary),
        Opened::Work(step) => step,
    };
    let hidden = Progress::hidden();
    step.phase("map", &[1, 2, 3, 4], &hidden, |number, value, outputs| {
        if stop && number == 2 {
            return Err(Error::config("shard", "stopped on purpose"));
        }
        done.fetch_add(1, Ordering::SeqCst);
        outputs.pass(Stage { name: "all", unit: "rows" });
        outputs.write_all("_map", [Excluded { id: value.to_string(), ..Default::default() }])
    })?;
    step.phase("final", &[()], &hidden, |_, (), outputs| {
        outputs.count("answer", 42);
        outputs.write_all("", [Excluded::default()])
    })?;
    step.finish()
}

#[test]
fn only_unfinished_shards_are_done_again() {
    let folder = tempfile::tempdir().unwrap();
    let done = AtomicUsize::new(0);
    run(folder.path(), &done, true).unwrap_err();
    let first = done.load(Ordering::SeqCst);
    assert!(matches!(input_table(folder.path(), "excluded"), Err(Error::Unfinished { .. })));
    let summary = run(folder.path(), &done, false).unwrap();
    assert_eq!(done.load(Ordering::SeqCst), 4, "{first} shards were done before the stop");
    assert_eq!(summary.funnel.stages[0].kept, 4);
    assert_eq!((summary.rows["excluded"], summary.counts["answer"]), (1, 42));
    let again = run(folder.path(), &done, false).unwrap();
    assert_eq!(again.funnel, summary.funnel);
    assert_eq!(done.load(Ordering::SeqCst), 4);
}

#[test]
fn what_is_intermediate_goes_when_the_step_is_finished() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), &AtomicUsize::new(0), false).unwrap();
    let mut names: Vec<String> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|e| e.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    assert_eq!(names, ["excluded-00000.parquet", "manifest.json"]);
    assert_eq!(input_table(folder.path(), "excluded").unwrap().shards.len(), 1);
}

#[test]
fn another_configuration_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), &AtomicUsize::new(0), false).unwrap();
    let error = open(folder.path(), "b").err().unwrap();
    assert_eq!(error.exit_code(), 2);
    assert!(error.to_string().contains("\"a\""), "{error}");
}

#[test]
fn two_processes_do_not_write_one_folder() {
    let folder = tempfile::tempdir().unwrap();
    let _first = open(folder.path(), "a").unwrap();
    assert!(matches!(open(folder.path(), "a"), Err(Error::Locked { .. })));
}

#[test]
fn a_changed_shard_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), &AtomicUsize::new(0), false).unwrap();
    let shard = folder.path().join("excluded-00000.parquet");
    std::fs::write(&shard, b"short").unwrap();
    let message = input_table(folder.path(), "excluded").unwrap_err().to_string();
    assert!(message.contains("excluded-00000.parquet"), "{message}");
}
