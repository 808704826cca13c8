//! A run that is killed at any moment and started again ends with the same bytes as one that was not.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, also in its helpers")]

mod common;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tsumugi_train::{Progress, train};

const FOLDER: &str = "TSUMUGI_TEST_FOLDER";

/// Not a test of its own: the process that is killed.
#[test]
fn child() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let folder = Path::new(&folder);
    let data = folder.join("../data");
    let held_out = format!(
        "stages.instruct.evaluation={{every=3,rows=4,answers=1,max_new_tokens=4,data=[{{source=\"conversations\",path={:?}}}]}}",
        data.join("conversations")
    );
    let sets = [
        held_out.as_str(),
        "stages.instruct.checkpoint.best=finish",
        "stages.instruct.tune=[\"projector\"]",
        "stages.instruct.lora={rank=4}",
    ];
    let recipe = common::recipe(&data, &folder.join("out"), &sets);
    train(&recipe, &Progress::hidden()).unwrap();
}

fn start(folder: &Path) -> std::process::Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--test-threads=1"])
        .env(FOLDER, folder)
        .stdout(Stdio::null())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap()
}

fn lines(folder: &Path) -> usize {
    std::fs::read_to_string(folder.join("out/metrics.jsonl")).map_or(0, |t| t.lines().count())
}

fn model(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<(String, Vec<u8>)> = std::fs::read_dir(folder.join("out/model"))
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(path).unwrap())
        })
        .collect();
    files.sort();
    files
}

/// Losses by stage and step, those on held-out rows too; a resumed run must not leave a step out or say it twice.
fn losses(folder: &Path) -> Vec<(String, u64, f64)> {
    let text = std::fs::read_to_string(folder.join("out/metrics.jsonl")).unwrap();
    text.lines()
        .map(|line| {
            let value: serde_json::Value = serde_json::from_str(line).unwrap();
            (
                value["stage"].as_str().unwrap().to_owned(),
                value["step"].as_u64().unwrap(),
                value["loss"].as_f64().or(value["value"].as_f64()).unwrap(),
            )
        })
        .collect()
}

#[test]
fn killed_runs_end_with_the_same_bytes() {
    let place = tempfile::tempdir().unwrap();
    common::write_tables(&place.path().join("data"));
    let undisturbed = place.path().join("a");
    std::fs::create_dir(&undisturbed).unwrap();
    assert!(start(&undisturbed).wait().unwrap().success());

    let killed = place.path().join("b");
    std::fs::create_dir(&killed).unwrap();
    // In the first stage between two checkpoints, near its end, and in the last: 36 steps and four measurements in all.
    for after in [5, 11, 29] {
        let mut process = start(&killed);
        let began = Instant::now();
        while lines(&killed) < after
            && process.try_wait().unwrap().is_none()
            && began.elapsed() < Duration::from_secs(300)
        {
            std::thread::sleep(Duration::from_millis(1));
        }
        process.kill().unwrap();
        process.wait().unwrap();
    }
    assert!(lines(&killed) < 40, "the run was over before it was killed");
    assert!(start(&killed).wait().unwrap().success());

    assert_eq!(losses(&undisturbed), losses(&killed));
    let answers = |folder: &Path| std::fs::read_to_string(folder.join("out/answers.jsonl")).unwrap();
    assert_eq!(answers(&undisturbed), answers(&killed));
    let (a, b) = (model(&undisturbed), model(&killed));
    assert_eq!(a.iter().map(|f| &f.0).collect::<Vec<_>>(), b.iter().map(|f| &f.0).collect::<Vec<_>>());
    for (one, two) in a.iter().zip(&b) {
        assert!(one.1 == two.1, "{} differs", one.0);
    }
}
