//! Which files of a crate name which others by `use crate::`.

use std::collections::{BTreeMap, BTreeSet};

use super::tree::Source;

/// The one circle that stays: the tree builder of HTML is one machine in several files.
const ALLOWED: &str = "crates/page/src/html";

/// Every group of files that use each other in a circle.
pub(crate) fn all(sources: &[Source]) -> Vec<String> {
    let mut crates: BTreeMap<&str, Vec<&Source>> = BTreeMap::new();
    for source in sources.iter().filter(|source| source.is_library()) {
        crates.entry(source.krate()).or_default().push(source);
    }
    let mut found = Vec::new();
    for files in crates.values() {
        let circles = circles(&arrows(files));
        found.extend(
            circles.into_iter().filter(|circle| !circle.iter().all(|path| path.starts_with(ALLOWED))),
        );
    }
    found.into_iter().map(|circle| circle.join(" <-> ")).collect()
}

/// From each file to the files that its `use crate::` lines name.
fn arrows(files: &[&Source]) -> BTreeMap<String, BTreeSet<String>> {
    let modules: BTreeMap<String, String> =
        files.iter().filter_map(|file| Some((module(&file.path)?, file.path.clone()))).collect();
    let mut arrows = BTreeMap::new();
    for file in files {
        let to: BTreeSet<String> = used(file)
            .iter()
            .filter_map(|path| target(path, &modules))
            .filter(|target| *target != file.path)
            .collect();
        arrows.insert(file.path.clone(), to);
    }
    arrows
}

/// `a::b` of `crates/x/src/a/b.rs` and of `crates/x/src/a/b/mod.rs`; none for the root of a crate, which names all its parts.
fn module(path: &str) -> Option<String> {
    let inner = path.split_once("/src/")?.1.strip_suffix(".rs")?;
    let inner = inner.strip_suffix("/mod").unwrap_or(inner);
    (inner != "lib" && inner != "main").then(|| inner.replace('/', "::"))
}

/// The paths of a file's `use crate::...;`, groups written out.
fn used(file: &Source) -> Vec<String> {
    let code: String = file.code().map(|(_, line)| format!("{line}\n")).collect();
    let mut paths = Vec::new();
    for statement in code.split(';') {
        let Some((_, tree)) = statement.rsplit_once("use crate::") else { continue };
        let tree: String = tree.split_whitespace().collect();
        expand("", &tree, &mut paths);
    }
    paths
}

fn expand(before: &str, tree: &str, paths: &mut Vec<String>) {
    let Some((head, group)) = tree.split_once('{') else {
        paths.push(format!("{before}{tree}"));
        return;
    };
    let group = group.strip_suffix('}').unwrap_or(group);
    let (mut depth, mut start) = (0, 0);
    for (at, c) in group.char_indices().chain([(group.len(), ',')]) {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                if start < at {
                    expand(&format!("{before}{head}"), &group[start..at], paths);
                }
                start = at + 1;
            }
            _ => {}
        }
    }
}

/// The file of the longest beginning of a path that is a module.
fn target(path: &str, modules: &BTreeMap<String, String>) -> Option<String> {
    let parts: Vec<&str> = path.split("::").collect();
    (1..=parts.len()).rev().find_map(|n| modules.get(&parts[..n].join("::")).cloned())
}

/// The strongly connected groups of more than one file: those that reach each other.
fn circles(arrows: &BTreeMap<String, BTreeSet<String>>) -> Vec<Vec<String>> {
    let reach = |from: &String| {
        let (mut seen, mut next) = (BTreeSet::new(), vec![from]);
        while let Some(file) = next.pop() {
            next.extend(arrows.get(file).into_iter().flatten().filter(|to| seen.insert((*to).clone())));
        }
        seen
    };
    let reached: BTreeMap<&String, BTreeSet<String>> =
        arrows.keys().map(|file| (file, reach(file))).collect();
    let mut found: BTreeSet<Vec<String>> = BTreeSet::new();
    for (file, to) in &reached {
        let circle: Vec<String> = to
            .iter()
            .filter(|other| reached.get(other).is_some_and(|back| back.contains(*file)))
            .cloned()
            .collect();
        if circle.len() > 1 {
            found.insert(circle);
        }
    }
    found.into_iter().collect()
}

#[test]
fn a_circle_is_found_through_groups_and_parents() {
    let file =
        |path: &str, text: &str| Source { path: format!("crates/x/src/{path}"), text: text.to_owned() };
    let files = [
        file("a.rs", "use crate::{Error, b::{self, C}};\n"),
        file("b/mod.rs", "use crate::d::{\n    E,\n    F,\n};\n"),
        file("d.rs", "use crate::a::G;\n#[cfg(test)]\nmod tests { use crate::h::I; }\n"),
        file("h.rs", "use crate::d::J;\n"),
        file("lib.rs", "use crate::h::K;\n"),
    ];
    let path = |name: &str| format!("crates/x/src/{name}");
    assert_eq!(all(&files), [[path("a.rs"), path("b/mod.rs"), path("d.rs")].join(" <-> ")]);
}
