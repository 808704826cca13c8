//! What goes wrong outside: each fault gives one clear message and the right exit code, and leaves nothing that a later
//! step would take for whole.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, also in its helpers")]

mod common;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use common::{files, run, run_ok, step};

fn extract(warc: &Path, out: &Path) -> Command {
    let mut command = step("extract_documents");
    command.arg("--warc").arg(warc).arg("--out").arg(out);
    command
}

/// Asserts the exit code, and one message on standard error that holds all `words`.
fn assert_fails(output: &Output, code: i32, words: &[&str]) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{stderr}");
    for word in words {
        assert!(stderr.contains(word), "`{word}` is not in: {stderr}");
    }
    assert!(!stderr.contains("panicked"), "{stderr}");
}

/// Asserts that no finished table stands in the folder.
fn assert_no_tables(out: &Path) {
    if out.is_dir() {
        let left = files(out, &|name| name.ends_with(".parquet") || name == "manifest.json");
        assert!(left.is_empty(), "left behind: {:?}", left.keys());
    }
}

fn sample(folder: &Path) -> std::path::PathBuf {
    let out = folder.join("sample-run");
    run_ok(step("pipeline").args(["--pages", "6", "--until", "list_records", "--out"]).arg(&out));
    out.join("sample/sample.warc.gz")
}

#[test]
fn an_empty_archive_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let warc = folder.path().join("empty.warc.gz");
    fs::write(&warc, b"").unwrap();
    let out = folder.path().join("out");
    assert_fails(&run(&mut extract(&warc, &out)), 1, &["empty.warc.gz", "empty"]);
    assert_no_tables(&out);
}

#[test]
fn a_text_file_is_no_archive() {
    let folder = tempfile::tempdir().unwrap();
    let warc = folder.path().join("text.warc.gz");
    fs::write(&warc, "これはアーカイブではありません。\n".repeat(50)).unwrap();
    let out = folder.path().join("out");
    assert_fails(&run(&mut extract(&warc, &out)), 1, &["text.warc.gz"]);
    assert_no_tables(&out);
}

#[test]
fn a_truncated_archive_is_read_as_far_as_it_goes() {
    let folder = tempfile::tempdir().unwrap();
    let whole = fs::read(sample(folder.path())).unwrap();
    let warc = folder.path().join("cut.warc.gz");
    fs::write(&warc, &whole[..whole.len() * 2 / 3]).unwrap();
    let out = folder.path().join("out");
    let summary = run_ok(&mut extract(&warc, &out));
    assert!(summary["rows"]["documents"].as_u64().unwrap() > 0, "{summary}");
    assert!(summary.to_string().contains("damage"), "the damage is not counted: {summary}");
}

#[test]
fn a_wrong_flag_is_bad_usage() {
    assert_fails(&run(step("pipeline").arg("--no-such-flag")), 2, &["--no-such-flag"]);
    assert_fails(&run(step("pipeline").args(["--until", "nowhere"])), 2, &["nowhere", "build_pairs"]);
}

#[test]
fn an_unknown_key_of_a_recipe_is_found_before_any_work() {
    let folder = tempfile::tempdir().unwrap();
    let recipe = folder.path().join("recipe.toml");
    fs::write(&recipe, "name = \"x\"\nlerning_rate = 1e-3\n").unwrap();
    let out = folder.path().join("out");
    let output = run(step("pipeline").arg("--recipe").arg(&recipe).arg("--out").arg(&out));
    assert_fails(&output, 2, &["lerning_rate"]);
    assert_no_tables(&out);
}

#[test]
fn a_folder_of_another_run_is_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let warc = sample(folder.path());
    let out = folder.path().join("out");
    run_ok(&mut extract(&warc, &out));
    let before = files(&out, &|_| true);
    assert_fails(&run(extract(&warc, &out).args(["--language", "en"])), 2, &["language", "another"]);
    assert_eq!(before, files(&out, &|_| true));
}

#[test]
fn an_api_that_refuses_the_connection_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let port = tsumugi_testkit::closed_port();
    let url = format!("http://127.0.0.1:{port}/v1");
    let output = run(step("pipeline")
        .args(["--pages", "8", "--until", "synthesize", "--base-url", &url, "--out"])
        .arg(&out)
        .env("OPENAI_API_KEY", "sk-not-a-key"));
    assert_fails(&output, 1, &[&format!("127.0.0.1:{port}")]);
    assert!(!String::from_utf8_lossy(&output.stderr).contains("sk-not-a-key"));
    assert!(!out.join("conversations/manifest.json").exists());
    assert!(out.join("pairs/manifest.json").exists(), "what was finished stays");
}

#[cfg(unix)]
#[test]
fn a_folder_without_permission_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let warc = sample(folder.path());
    let locked = folder.path().join("locked");
    fs::create_dir(&locked).unwrap();
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o500)).unwrap();
    // The administrator may write anywhere; for them a file in place of the folder refuses as well.
    let out = if fs::write(locked.join("probe"), b"").is_ok() {
        fs::write(folder.path().join("file"), b"").unwrap();
        folder.path().join("file/out")
    } else {
        locked.join("out")
    };
    assert_fails(&run(&mut extract(&warc, &out)), 1, &["out"]);
}

/// A disk of a few kilobytes. Needs the right to mount; where there is none the test says so and ends.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_leaves_no_half_written_shard() {
    let folder = tempfile::tempdir().unwrap();
    let warc = sample(folder.path());
    let disk = folder.path().join("disk");
    fs::create_dir(&disk).unwrap();
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=24k", "tmpfs"]).arg(&disk).status();
    if !mounted.is_ok_and(|status| status.success()) {
        eprintln!("no right to mount a small disk here; the full disk was not tried");
        return;
    }
    let out = disk.join("out");
    let output = run(&mut extract(&warc, &out));
    let left = files(&out, &|name| name.ends_with(".partial") || name == "manifest.json");
    // A shard that was finished before the disk was full may stay: without a manifest no later step reads it.
    let mut filter = step("filter_documents");
    filter
        .arg("--documents")
        .arg(&out)
        .args(["--profile", "paper", "--out"])
        .arg(folder.path().join("filtered"));
    let later = run(&mut filter);
    let unmounted = Command::new("umount").arg(&disk).status();
    assert_fails(&output, 1, &["out"]);
    assert!(left.is_empty(), "left behind: {:?}", left.keys());
    assert_fails(&later, 1, &["has not finished"]);
    assert!(unmounted.is_ok_and(|status| status.success()));
}
