//! Where the dictionary unidic-lite may lie.

use std::path::{Path, PathBuf};

/// Environment variable that names the dictionary's folder.
pub const ENVIRONMENT: &str = "TSUMUGI_UNIDIC";

/// The folders looked at, in order: the environment variable `TSUMUGI_UNIDIC`; `.unidic/dicdir` (where
/// `cargo xtask provision` puts the dictionary) in or above the current folder, the package that cargo runs, and the
/// program's own folder; the user's cache.
#[must_use]
pub fn candidates() -> Vec<PathBuf> {
    let named = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let current = std::env::current_dir().ok();
    let mut folders: Vec<PathBuf> = named(ENVIRONMENT).into_iter().collect();
    let starts = [current.clone(), named("CARGO_MANIFEST_DIR"), std::env::current_exe().ok()];
    folders.extend(starts.into_iter().flatten().filter_map(|start| above(&start)));
    if folders.is_empty() {
        folders.extend(current.map(|current| current.join(PROVISIONED)));
    }
    let cache = named("XDG_CACHE_HOME").or_else(|| named("HOME").map(|home| home.join(".cache")));
    folders.extend(cache.map(|cache| cache.join("tsumugi/unidic-lite/dicdir")));
    folders.dedup();
    folders
}

/// Where the provisioning puts the dictionary, below the workspace.
const PROVISIONED: &str = ".unidic/dicdir";

/// The provisioned folder in `start` or the nearest folder above it that has one.
fn above(start: &Path) -> Option<PathBuf> {
    start.ancestors().map(|dir| dir.join(PROVISIONED)).find(|dir| dir.is_dir())
}
