//! Runs in processes of their own, which can be killed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tsumugi_train::{Progress, train};

const FOLDER: &str = "TSUMUGI_TEST_FOLDER";
const SETS: &str = "TSUMUGI_TEST_SETS";

/// Trains in the folder that a parent process names, if it does. To be called by a test named `child`.
pub(crate) fn be_child() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let sets = std::env::var(SETS).unwrap();
    let sets: Vec<&str> = sets.lines().collect();
    let folder = Path::new(&folder);
    let recipe = crate::common::recipe(&folder.join("../data"), &folder.join("out"), &sets);
    train(&recipe, &Progress::hidden()).unwrap();
}

/// A run in `folder/out` on the tables in the folder `data` beside it.
pub(crate) fn start(folder: &Path, sets: &[&str]) -> Child {
    std::fs::create_dir_all(folder).unwrap();
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--test-threads=1", "--nocapture"])
        .env(FOLDER, folder)
        .env(SETS, sets.join("\n"))
        .stdout(Stdio::null())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap()
}

/// Runs to the end.
pub(crate) fn finish(folder: &Path, sets: &[&str]) {
    assert!(start(folder, sets).wait().unwrap().success());
}

/// Runs until `metrics.jsonl` has so many lines, and kills. True if the run was still going on.
pub(crate) fn kill_after(folder: &Path, sets: &[&str], lines: usize) -> bool {
    let mut process = start(folder, sets);
    let began = Instant::now();
    let metrics = folder.join("out/metrics.jsonl");
    let is_due = || std::fs::read_to_string(&metrics).is_ok_and(|text| text.lines().count() >= lines);
    while !is_due() && process.try_wait().unwrap().is_none() && began.elapsed() < Duration::from_secs(300) {
        std::thread::sleep(Duration::from_millis(1));
    }
    let running = process.try_wait().unwrap().is_none();
    process.kill().unwrap();
    process.wait().unwrap();
    running
}

/// The files of the finished model, by name.
pub(crate) fn model(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = std::fs::read_dir(folder.join("out/model")).unwrap();
    entries
        .map(|entry| {
            let path = entry.unwrap().path();
            (path.file_name().unwrap().into(), std::fs::read(path).unwrap())
        })
        .collect()
}

/// Asserts that two runs end with the same bytes.
pub(crate) fn assert_same_model(one: &Path, other: &Path) {
    let (a, b) = (model(one), model(other));
    assert_eq!(a.keys().collect::<Vec<_>>(), b.keys().collect::<Vec<_>>());
    for (name, bytes) in &a {
        assert!(*bytes == b[name], "{} differs", name.display());
    }
}

/// Losses by stage and step, those on held-out rows too; a resumed run must not leave a step out or say it twice.
pub(crate) fn losses(folder: &Path) -> Vec<(String, u64, f64)> {
    let text = std::fs::read_to_string(folder.join("out/metrics.jsonl")).unwrap();
    text.lines()
        .map(|line| {
            let value: serde_json::Value = serde_json::from_str(line).unwrap();
            let loss = value["loss"].as_f64().or(value["value"].as_f64()).unwrap();
            (value["stage"].as_str().unwrap().to_owned(), value["step"].as_u64().unwrap(), loss)
        })
        .collect()
}
