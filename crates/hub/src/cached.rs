//! What the cache holds.

use std::fs;
use std::path::{Path, PathBuf};

use crate::files::Files;
use crate::repository::Repository;

/// A folder with files of one commit.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) folder: PathBuf,
    /// The wanted files, by their names in the repository.
    pub(crate) names: Vec<String>,
}

/// Folder of a repository in the cache.
pub(crate) fn home(cache: &Path, repository: &Repository) -> PathBuf {
    cache.join(repository.at("main").folder_name())
}

/// What an earlier download left of the revision, if all of it is there.
pub(crate) fn find(cache: &Path, repository: &Repository, files: Files<'_>) -> Option<Snapshot> {
    let home = home(cache, repository);
    let snapshots = home.join("snapshots");
    let mut folder = snapshots.join(repository.revision());
    if !folder.is_dir() {
        let commit = fs::read_to_string(home.join("refs").join(repository.revision())).ok()?;
        folder = snapshots.join(commit.trim());
    }
    let mut all = Vec::new();
    list(&folder, "", &mut all);
    all.sort();
    let names = files.wanted(&all);
    files.are_whole(&folder, &names).then_some(Snapshot { folder, names })
}

/// Names of all files below a folder. A link whose file is not there is none.
fn list(folder: &Path, before: &str, names: &mut Vec<String>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = format!("{before}{}", entry.file_name().to_string_lossy());
        let path = entry.path();
        if path.is_dir() {
            list(&path, &format!("{name}/"), names);
        } else if path.is_file() {
            names.push(name);
        }
    }
}
