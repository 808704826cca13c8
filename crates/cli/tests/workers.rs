//! Map phases that other processes run from the settings alone: the driver takes their shards over, and the files are the same
//! as those of one process.
#![cfg(feature = "data")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, also in its helpers")]

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::SystemTime;

fn tsumugi(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tsumugi"));
    command.args(arguments).arg("-q").env_remove("RUST_LOG");
    command
}

fn succeed(arguments: &[&str], input: &str) -> String {
    let mut command = tsumugi(arguments);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// All files of a folder, by their path in it.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(next) = waiting.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else {
                found.insert(path.strip_prefix(folder).unwrap().to_owned(), std::fs::read(&path).unwrap());
            }
        }
    }
    found
}

fn modified(path: &Path) -> SystemTime {
    std::fs::metadata(path).unwrap().modified().unwrap()
}

/// The settings of each data step over the folders of a project, its first map phase, and a file that this phase writes.
const STEPS: [(&str, &str, &str, &str); 5] = [
    ("extract_documents", "warc = [\"{a}/sample.warc.gz\"]", "archives", "documents-00000.parquet"),
    ("filter_documents", "documents = \"{a}/extract_documents\"", "map", "_mapped/documents-00000.parquet"),
    (
        "fetch_images",
        "documents = \"{a}/filter_documents\"\nfrom = [\"warc:{a}/sample.warc.gz\"]",
        "read",
        "_found/images-00000.parquet",
    ),
    (
        "build_pairs",
        "documents = \"{a}/filter_documents\"\nimages = \"{a}/fetch_images\"",
        "addresses",
        "_addresses/address_keys-00000.parquet",
    ),
    (
        "build_interleaved",
        "documents = \"{a}/filter_documents\"\nimages = \"{a}/fetch_images\"",
        "addresses",
        "_addresses/address_keys-00000.parquet",
    ),
];

#[test]
fn phases_run_by_workers_give_the_files_of_one_process() {
    let home = tempfile::tempdir().unwrap();
    let at = |name: &str| home.path().join(name);
    tsumugi_demo::write_sample(&at("sample.warc.gz"), 12, "ja").unwrap();
    for (step, settings, phase, file) in STEPS {
        let config = |out: &Path| {
            let text = settings.replace("{a}", &home.path().display().to_string());
            let path = at(&format!("{step}.toml"));
            std::fs::write(&path, format!("out = \"{}\"\n{text}\n", out.display())).unwrap();
            path.display().to_string()
        };
        let (alone, shared) = (at(step), at(&format!("{step}-by-worker")));
        succeed(&[step, "--config", &config(&alone)], "");

        let by_worker = config(&shared);
        let line = succeed(&["worker", step, phase, "--config", &by_worker], "0\n");
        let fields: Vec<&str> = line.trim().split('\t').collect();
        assert!(fields.len() == 3 && fields[0] == "0" && fields[2].len() == 64, "{line}");
        // A shard that is treated already is told again and not done again.
        let before = modified(&shared.join(file));
        assert_eq!(succeed(&["worker", step, phase, "--config", &by_worker], "0\n"), line);
        assert_eq!(modified(&shared.join(file)), before);

        // So little memory that what is compared is sorted on disk.
        succeed(&[step, "--config", &by_worker, "--memory", "1KiB"], "");
        assert_eq!(files(&shared), files(&alone), "{step}");
    }
}

#[test]
fn a_worker_names_the_phases_that_there_are() {
    let home = tempfile::tempdir().unwrap();
    let archive = home.path().join("sample.warc.gz");
    tsumugi_demo::write_sample(&archive, 2, "ja").unwrap();
    let config = home.path().join("a.toml");
    let out = home.path().join("out");
    std::fs::write(&config, format!("out = \"{}\"\nwarc = [\"{}\"]\n", out.display(), archive.display()))
        .unwrap();
    let config = config.display().to_string();
    let output = tsumugi(&["worker", "extract_documents", "reduce", "--config", &config]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("archives"), "{output:?}");
}
