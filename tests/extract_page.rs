//! The step `extract_page`: what it says, and to whom.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, also in its helpers")]

mod common;

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use common::{run, run_ok, step};

#[test]
fn says_what_a_page_forbids() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("page.html");
    std::fs::write(&file, "<meta name=robots content=noimageai><p>山<img src=a.png></p>").unwrap();
    let output = run(step("extract_page").arg(&file));
    let stdout = String::from_utf8_lossy(&output.stdout);
    let line: serde_json::Value = serde_json::from_str(stdout.lines().next().unwrap()).unwrap();
    assert_eq!(line["opt_out"], false);
    assert_eq!(line["opt_out_images"], true);
    assert_eq!(line["opt_out_signals"][0], "meta robots: noimageai");
    assert_eq!(line["images"][0]["opt_out"], true);
    assert_eq!(line["limited"], false);
    let sums = run_ok(step("extract_page").arg(&file));
    assert_eq!((&sums["opted_out"], &sums["images_opted_out"]), (&0.into(), &1.into()));
}

/// Whoever closes the pipe, as `head -1` does, gets no panic for it.
#[test]
fn ends_quietly_when_nobody_reads_on() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("page.html");
    std::fs::write(&file, "<p>日本語の文章です。".repeat(20_000)).unwrap();
    let mut command = step("extract_page");
    command.args([&file; 8]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with('{'));
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", output.status);
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}
