//! What users get wrong, and what the program says to it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, also in its helpers")]

use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tsumugi"));
    command.args(arguments).env_remove("RUST_LOG").stdin(Stdio::null()).output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The lines of standard output.
fn lines(output: &Output) -> Vec<Value> {
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// An archive with a page of this text.
fn archive(folder: &Path, name: &str, text: &str) -> String {
    let http = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<title>t</title><p>{text}</p>"
    );
    let record = format!(
        "WARC/1.0\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:uuid:00000000-0000-4000-8000-000000000001>\r\n\
         WARC-Date: 2024-05-01T00:00:00Z\r\nWARC-Target-URI: http://a.test/\r\n\
         Content-Type: application/http; msgtype=response\r\nContent-Length: {}\r\n\r\n{http}\r\n\r\n",
        http.len()
    );
    let path = folder.join(name);
    std::fs::write(&path, record).unwrap();
    path.display().to_string()
}

const ENGLISH: &str = "This is a page in English, and there is nothing else on it than this one sentence.";
const JAPANESE: &str =
    "春の朝、庭の梅に鶯がとまって鳴いていた。母は縁側に座り、湯気の立つ茶を両手で包んでいる。";

#[test]
fn a_wrong_language_code_is_asked_back() {
    let folder = tempfile::tempdir().unwrap();
    let warc = archive(folder.path(), "a.warc", JAPANESE);
    let out = folder.path().join("out");
    let wrong =
        run(&["extract_documents", "--warc", &warc, "--language", "jp", "--out", out.to_str().unwrap()]);
    assert_eq!(wrong.status.code(), Some(2), "{}", stderr(&wrong));
    assert!(stderr(&wrong).contains("did you mean ja?"), "{}", stderr(&wrong));
    assert!(!out.exists());
}

#[test]
fn a_step_that_keeps_nothing_says_so_and_the_next_one_refuses() {
    let folder = tempfile::tempdir().unwrap();
    let warc = archive(folder.path(), "a.warc", ENGLISH);
    let place = |name: &str| folder.path().join(name).display().to_string();
    let (documents, filtered) = (place("documents"), place("filtered"));
    let first = ["extract_documents", "--warc", &warc, "--out", &documents];
    // The second time the answer comes from the manifest.
    for _ in 0..2 {
        let empty = run(&first);
        assert_eq!(empty.status.code(), Some(0), "{}", stderr(&empty));
        assert!(stderr(&empty).contains("nothing was kept"), "{}", stderr(&empty));
        let warning = lines(&empty).last().unwrap()["warnings"][0].as_str().unwrap().to_owned();
        assert!(warning.contains("`documents`") && warning.contains("language:en"), "{warning}");
    }
    let next = ["filter_documents", "--documents", &documents, "--out", &filtered];
    let refused = run(&next);
    assert_eq!(refused.status.code(), Some(2));
    let message = stderr(&refused);
    assert!(message.contains("has no rows") && message.contains("`--allow-empty`"), "{message}");
    assert!(!Path::new(&filtered).exists());
    let allowed = run(&[&next[..], &["--allow-empty"]].concat());
    assert_eq!(allowed.status.code(), Some(0), "{}", stderr(&allowed));
}

#[test]
fn an_input_is_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let warc = archive(folder.path(), "a.warc", JAPANESE);
    let before = std::fs::read(&warc).unwrap();
    let cut = run(&["cut_sample", &warc, "--out", &warc]);
    assert_eq!(cut.status.code(), Some(2));
    assert!(stderr(&cut).contains("is also the input"), "{}", stderr(&cut));
    assert_eq!(std::fs::read(&warc).unwrap(), before);
    let documents = folder.path().join("documents").display().to_string();
    assert!(run(&["extract_documents", "--warc", &warc, "--out", &documents]).status.success());
    let dotted = format!("{documents}/.");
    let filter = run(&["filter_documents", "--documents", &documents, "--out", &dotted]);
    assert_eq!(filter.status.code(), Some(2));
    assert!(stderr(&filter).contains("`--documents`"), "{}", stderr(&filter));
}

#[test]
fn what_became_of_an_item_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name).display().to_string();
    let (kept, dropped) = (place("kept"), place("dropped"));
    // One name, since identifiers are of the archive's name and the place in it.
    let archive = |language: &str, text: &str| {
        let inside = folder.path().join(language);
        std::fs::create_dir(&inside).unwrap();
        archive(&inside, "a.warc", text)
    };
    let (japanese, english) = (archive("ja", JAPANESE), archive("en", ENGLISH));
    let extract = |warc: &str, out: &str| {
        assert!(run(&["extract_documents", "--warc", warc, "--out", out]).status.success());
    };
    extract(&japanese, &kept);
    extract(&english, &dropped);
    let found = lines(&run(&["look_up", "http://a.test/", &dropped, "--value"]));
    let id = found[0]["id"].as_str().unwrap();
    let answer = |folders: &[&str], id: &str| {
        let output = run(&[&["look_up", id], folders].concat());
        assert!(output.status.success(), "{}", stderr(&output));
        lines(&output).last().unwrap()["answer"].as_str().unwrap().to_owned()
    };
    let answered = answer(&[&dropped], id);
    assert!(answered.starts_with("dropped by extract_documents"), "{answered}");
    assert!(answered.contains("language:en"), "{answered}");
    let answered = answer(&[&kept], id);
    assert!(answered.starts_with("kept, in ") && answered.contains("documents-00000.parquet"), "{answered}");
    assert_eq!(answer(&[&kept, &dropped], "0000"), "unknown id");
}

#[test]
fn a_missing_input_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out").display().to_string();
    let there = archive(folder.path(), "a.warc", JAPANESE);
    let cases: [&[&str]; 5] = [
        &["extract_documents", "--warc", &there, "/nowhere/b.warc", "--out", &out],
        &["filter_documents", "--documents", "/nowhere/documents", "--out", &out],
        &["build_pairs", "--documents", "/nowhere/documents", "--images", "/nowhere/images", "--out", &out],
        &["cut_sample", "/nowhere/a.warc", "--out", &out],
        &["filter_text", "--input", "/nowhere/in.jsonl", "--profile", "paper"],
    ];
    for arguments in cases {
        let output = run(arguments);
        let message = stderr(&output);
        assert!(!output.status.success() && message.contains("/nowhere/"), "{arguments:?}: {message}");
        assert!(!message.contains("space"), "{arguments:?}: {message}");
    }
}

#[test]
fn folders_of_files_are_read() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("b")).unwrap();
    for (name, title) in [("a.html", "First"), ("b/c.htm", "Second")] {
        std::fs::write(folder.path().join(name), format!("<title>{title}</title><p>Text.")).unwrap();
    }
    // A bitmap of two times two pixels.
    let mut bitmap = b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x02\0\0\0\x02\0\0\0\x01\0\x18\0".to_vec();
    bitmap.resize(0x46, 0);
    std::fs::write(folder.path().join("b/d.bmp"), bitmap).unwrap();
    let place = folder.path().display().to_string();
    let pages = lines(&run(&["extract_page", &place]));
    let titles: Vec<&str> = pages.iter().filter_map(|page| page["title"].as_str()).collect();
    assert_eq!(titles, ["First", "Second"]);
    assert_eq!(pages[2]["pages"], 2);
    let images = lines(&run(&["inspect_images", &place]));
    assert_eq!((&images[0]["width"], &images[1]["images"]), (&2.into(), &1.into()));
    let none = tempfile::tempdir().unwrap();
    let empty = run(&["inspect_images", none.path().to_str().unwrap()]);
    assert_eq!(empty.status.code(), Some(2));
    assert!(stderr(&empty).contains(".png"), "{}", stderr(&empty));
}

#[test]
fn the_values_of_a_recipe_are_printed() {
    let printed = |arguments: &[&str]| {
        let output = run(&[arguments, &["--print-config"]].concat());
        assert!(output.status.success(), "{}", stderr(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    let paper = printed(&["build_interleaved"]);
    assert!(paper.contains("(5: the paper).\nmax_images = 5\n"), "{paper}");
    assert!(paper.contains("\nlong = \"drop\"\n"), "{paper}");
    let obelics = printed(&["build_interleaved", "--profile", "obelics"]);
    assert!(obelics.contains("\nmax_images = 30\n"), "{obelics}");
    let waon = printed(&["build_pairs", "--profile", "waon"]);
    assert!(waon.contains("\ntext_count = 0\n") && waon.contains("\nmin_characters = 6\n"), "{waon}");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("waon.toml").display().to_string();
    std::fs::write(&file, &waon).unwrap();
    assert_eq!(printed(&["build_pairs", "--config", &file]), waon);
    assert_eq!(run(&["build_pairs", "--profile", "nowhere", "--print-config"]).status.code(), Some(2));
}
