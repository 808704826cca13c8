//! The Rust files of the repository.

use std::fs;
use std::path::Path;

/// A file with its path from the root.
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) text: String,
}

/// All Rust files below a folder of the repository, in order. Build products and data are left out.
pub(crate) fn sources(folder: &str) -> Vec<Source> {
    let mut found = Vec::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![root.join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && !path.is_symlink() {
                if !(name.starts_with('.') || name == "target" || name == "node_modules") {
                    folders.push(path);
                }
            } else if name.ends_with(".rs") {
                let text = fs::read_to_string(&path).unwrap();
                let path =
                    path.strip_prefix(root).unwrap().to_string_lossy().trim_start_matches("./").to_owned();
                found.push(Source { path, text });
            }
        }
    }
    assert!(!found.is_empty(), "{folder} holds no Rust");
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

impl Source {
    /// The folder of its crate.
    pub(crate) fn krate(&self) -> &str {
        self.path.strip_prefix("crates/").and_then(|rest| rest.split('/').next()).unwrap_or_default()
    }

    /// Code that users of a crate get: no test, bench or example.
    pub(crate) fn is_library(&self) -> bool {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        let is_test = name == "tests.rs" || name.ends_with("_tests.rs") || self.path.contains("/tests/");
        self.path.contains("/src/") && !is_test
    }

    /// Its lines before the tests at its end, numbered from 1.
    pub(crate) fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let code = self.text.lines().take_while(|line| line.trim() != "#[cfg(test)]");
        code.enumerate().map(|(number, line)| (number + 1, line))
    }

    /// The places of lines of code that `wanted` finds.
    pub(crate) fn places(&self, wanted: impl Fn(&str) -> bool) -> Vec<String> {
        let found = self.code().filter(|(_, line)| wanted(line));
        found.map(|(number, line)| format!("{}:{number}: {}", self.path, line.trim())).collect()
    }

    /// The functions of its code: line, name, and length from the signature to the closing brace. rustfmt puts that brace below the
    /// first letter of the signature.
    pub(crate) fn functions(&self) -> Vec<(usize, String, usize)> {
        let lines: Vec<&str> = self.code().map(|(_, line)| line).collect();
        let mut found = Vec::new();
        for (at, line) in lines.iter().enumerate() {
            let Some(name) = function_name(line) else { continue };
            let indent = line.len() - line.trim_start().len();
            let is_end = |line: &&str| {
                let inner = line.trim_start();
                line.len() - inner.len() == indent && (inner.starts_with('}') || inner.ends_with(';'))
            };
            // On one line, or a declaration without a body.
            if line.ends_with('}') || line.ends_with(';') {
                continue;
            }
            if let Some(length) = lines[at + 1..].iter().position(is_end) {
                found.push((at + 1, name.to_owned(), length + 2));
            }
        }
        found
    }
}

/// The name of the function that a line begins.
fn function_name(line: &str) -> Option<&str> {
    let mut words = line.trim_start();
    loop {
        let (word, rest) = words.split_once(' ')?;
        match word {
            "fn" => return rest.split(['(', '<']).next(),
            "const" | "async" | "unsafe" | "extern" | "\"C\"" => words = rest,
            _ if word.starts_with("pub") => words = rest,
            _ => return None,
        }
    }
}

#[test]
fn functions_are_measured() {
    let text = "impl A {\n    pub(crate) fn long(\n        &self,\n    ) -> u8 {\n        if true {\n        }\n        1\n    }\n    fn short() {}\n}\n";
    let source = Source { path: "crates/a/src/a.rs".into(), text: text.into() };
    assert_eq!(source.functions(), [(2, "long".to_owned(), 7)]);
    assert_eq!(source.krate(), "a");
}
