//! Which crate may depend on which.

use std::fs;
use std::path::Path;

/// Each crate and what of ours it may use (`docs/architecture.md`). A crate above may use what stands below it only where it
/// is listed.
const ARROWS: &[(&str, &[&str])] = &[
    (
        "tsumugi",
        &[
            "chat",
            "demo",
            "eval",
            "images",
            "interleave",
            "page",
            "pipeline",
            "record",
            "report",
            "robots",
            "synth",
            "tables",
            "text",
            "train",
            "vlm",
            "warc",
            "warc-remote",
        ],
    ),
    ("cli", &["pipeline"]),
    (
        "pipeline",
        &[
            "chat",
            "demo",
            "eval",
            "images",
            "interleave",
            "page",
            "record",
            "report",
            "robots",
            "synth",
            "tables",
            "text",
            "train",
            "vlm",
            "warc",
            "warc-remote",
        ],
    ),
    ("demo", &["record", "warc"]),
    ("train", &["record", "report", "torch-ext", "vlm"]),
    ("eval", &["chat", "hub", "images", "record", "report", "text", "torch-ext", "vlm"]),
    ("synth", &["chat", "images", "record", "report", "tables", "text"]),
    ("interleave", &["images", "record", "tables", "text"]),
    ("vlm", &["hub", "images", "record", "torch-ext"]),
    ("warc-remote", &["robots", "warc"]),
    ("page", &["record", "robots"]),
    ("images", &["record", "robots"]),
    ("tables", &["record"]),
    ("record", &[]),
    ("report", &["record"]),
    ("hub", &[]),
    ("robots", &[]),
    ("warc", &[]),
    ("text", &[]),
    ("chat", &["record", "robots"]),
    ("torch-ext", &[]),
    // For tests: not published, and only among dev-dependencies.
    ("testkit", &["chat", "images", "record", "warc"]),
];

/// Dependencies that the list does not have, dev-dependencies aside; and crates that it does not know.
pub(crate) fn forbidden() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates");
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let Ok(text) = fs::read_to_string(path.join("Cargo.toml")) else { continue };
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let Some((_, allowed)) = ARROWS.iter().find(|(krate, _)| *krate == name) else {
            found.push(format!("{name}: is not in the list"));
            continue;
        };
        for used in dependencies(&text) {
            if !allowed.contains(&used.as_str()) {
                found.push(format!("{name} -> {used}"));
            }
        }
    }
    found.sort();
    found
}

/// The crates of ours that a manifest names as ordinary dependencies.
fn dependencies(manifest: &str) -> Vec<String> {
    let manifest: toml::Table = manifest.parse().unwrap();
    let table = manifest.get("dependencies").and_then(toml::Value::as_table);
    let names = table.into_iter().flat_map(toml::Table::keys);
    names
        .filter_map(|name| {
            if name == "tsumugi" { Some("tsumugi") } else { name.strip_prefix("tsumugi-") }.map(str::to_owned)
        })
        .collect()
}
