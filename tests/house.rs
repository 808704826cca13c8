//! Rules of the house that a compiler does not check, read off the source tree.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, also in its helpers")]

#[path = "house/arrows.rs"]
mod arrows;
#[path = "house/circles.rs"]
mod circles;
#[path = "house/tree.rs"]
mod tree;

use tree::{Source, sources};

/// Longest function, in lines with its signature.
const FUNCTION_LINES: usize = 80;
/// Longest file.
const FILE_LINES: usize = 500;

fn assert_none(what: &str, found: &[String]) {
    assert!(found.is_empty(), "{} places: {what}\n{}", found.len(), found.join("\n"));
}

#[test]
fn only_the_program_names_flags() {
    // A flag in a string begins with two hyphens and a letter.
    let names_flag = |line: &str| {
        line.match_indices("\"--")
            .any(|(at, _)| line[at + 3..].starts_with(|c: char| c.is_ascii_alphabetic()))
    };
    let mut found = Vec::new();
    for source in sources("crates").iter().filter(|source| source.is_library() && source.krate() != "cli") {
        found.extend(source.places(|line| names_flag(line)));
    }
    assert_none("libraries know nothing of flags; name the setting instead", &found);
}

#[test]
fn no_language_stands_in_code() {
    // Hiragana, katakana (half-width too) and Han characters. The middle dot and the long-vowel mark are of no script: a
    // normaliser may name them.
    let is_letter = |c: char| {
        matches!(c, '\u{3041}'..='\u{3096}' | '\u{30a1}'..='\u{30fa}' | '\u{ff66}'..='\u{ff6f}' | '\u{ff71}'..='\u{ff9d}')
            || matches!(c, '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}')
    };
    let mut found = Vec::new();
    for source in sources("crates").iter().filter(|source| source.is_library() && source.krate() != "demo") {
        // Comments may show what a rule is about, and examples in them are tests.
        found.extend(source.places(|line| !line.trim_start().starts_with("//") && line.contains(is_letter)));
    }
    assert_none("what belongs to a language is in a language pack, the demo or a test", &found);
}

#[test]
fn functions_are_short() {
    let mut found = Vec::new();
    let is_measured =
        |source: &&Source| source.is_library() && !source.path.starts_with("crates/page/src/html/");
    for source in sources(".").iter().filter(is_measured) {
        for (line, name, length) in source.functions() {
            if length > FUNCTION_LINES {
                found.push(format!("{}:{line}: {name} has {length} lines", source.path));
            }
        }
    }
    assert_none(&format!("a function has at most {FUNCTION_LINES} lines"), &found);
}

#[test]
fn files_are_short() {
    let long = |source: &Source| {
        let lines = source.text.lines().count();
        (lines > FILE_LINES).then(|| format!("{}: {lines} lines", source.path))
    };
    let found: Vec<String> = sources(".").iter().filter_map(long).collect();
    assert_none(&format!("a file has at most {FILE_LINES} lines"), &found);
}

#[test]
fn files_of_a_crate_use_each_other_in_one_direction() {
    assert_none("files that use each other in a circle", &circles::all(&sources("crates")));
}

#[test]
fn crates_use_only_what_stands_below_them() {
    assert_none("a dependency that the list of arrows does not have", &arrows::forbidden());
}

/// The example of the README is compiled as part of the façade's.
#[test]
fn the_readme_shows_the_example_of_the_facade() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let example = |path: &str| {
        let text = std::fs::read_to_string(root.join(path)).unwrap();
        let (_, rest) = text.split_once("```rust,no_run\n").unwrap();
        rest.split_once("```").unwrap().0.to_owned()
    };
    assert_eq!(example("README.md"), example("crates/tsumugi/README.md"));
}

/// A crate outside the workspace shares what is built only where its profile is the same.
#[test]
fn the_crate_outside_has_the_profile_of_the_workspace() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let profile = |path: &str| {
        let manifest: toml::Table = std::fs::read_to_string(root.join(path)).unwrap().parse().unwrap();
        manifest["profile"]["dev"].clone()
    };
    assert_eq!(profile("tests/outside/Cargo.toml"), profile("Cargo.toml"));
}

/// What a registry shows of a crate: a README with an example, keywords and categories.
#[test]
fn crates_are_described() {
    let mut found = Vec::new();
    for source in sources("crates").iter().filter(|source| source.path.ends_with("/src/lib.rs")) {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("crates").join(source.krate());
        let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        if manifest.contains("publish = false") {
            continue;
        }
        let missing = ["readme", "keywords", "categories"]
            .into_iter()
            .find(|key| !manifest.contains(&format!("\n{key} =")));
        found.extend(missing.map(|key| format!("{}: no {key}", source.krate())));
        let readme = std::fs::read_to_string(folder.join("README.md")).unwrap_or_default();
        if !readme.contains("```rust") && !readme.contains("```sh") {
            found.push(format!("{}: no README with an example", source.krate()));
        }
    }
    assert_none("every published crate is described", &found);
}
