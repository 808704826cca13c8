//! The data steps, killed at random moments and run again, give the bytes of an undisturbed run.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, also in its helpers")]

mod common;

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use common::{Random, assert_same, files, kill_after, run_ok, step};

/// Moments at which the run is killed.
const KILLS: usize = 20;

fn data_steps(out: &Path) -> Command {
    let mut command = step("pipeline");
    command.args(["--pages", "14", "--until", "build_interleaved", "--out"]).arg(out);
    command
}

fn tables(name: &str) -> bool {
    name.ends_with(".parquet") || name == "manifest.json" || name.ends_with(".warc.gz")
}

#[test]
fn killed_data_steps_end_with_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let undisturbed = folder.path().join("undisturbed");
    let started = Instant::now();
    run_ok(&mut data_steps(&undisturbed));
    let duration = started.elapsed();
    let reference = files(&undisturbed, &tables);
    for table in ["documents", "filtered", "images", "pairs", "interleaved"] {
        assert!(reference.keys().any(|name| name.starts_with(table)), "no table in {table}");
    }

    let mut random = Random(20_241_022);
    let mut interrupted = 0;
    for kill in 0..KILLS {
        let out = folder.path().join(format!("killed-{kill}"));
        let wait = Duration::from_secs_f64(duration.as_secs_f64() * random.unit());
        interrupted += usize::from(kill_after(&mut data_steps(&out), wait));
        run_ok(&mut data_steps(&out));
        let others = files(&out, &|name| name != "report.html" && !tables(name));
        assert!(others.is_empty(), "left behind: {:?}", others.keys());
        assert_same(&files(&out, &tables), &reference, &format!("killed after {wait:?}"));
        std::fs::remove_dir_all(&out).unwrap();
    }
    assert!(interrupted >= KILLS / 2, "only {interrupted} of {KILLS} runs were killed before their end");
}

#[test]
fn threads_do_not_change_the_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let (one, four) = (folder.path().join("one"), folder.path().join("four"));
    run_ok(data_steps(&one).args(["--threads", "1"]));
    run_ok(data_steps(&four).args(["--threads", "4"]));
    assert_same(&files(&one, &tables), &files(&four, &tables), "one thread and four");
}
