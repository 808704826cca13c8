//! Where the dictionary unidic-lite may lie.

use std::path::{Path, PathBuf};

/// Environment variable that names the dictionary's folder.
pub const ENVIRONMENT: &str = "TSUMUGI_UNIDIC";

/// The folders looked at, in order: the environment variable `TSUMUGI_UNIDIC`; `.unidic/dicdir` in the current
/// folder or one above it (where `cargo xtask provision` puts the dictionary); the user's cache.
#[must_use]
pub fn candidates() -> Vec<PathBuf> {
    let mut folders = Vec::new();
    if let Some(named) = std::env::var_os(ENVIRONMENT).filter(|value| !value.is_empty()) {
        folders.push(PathBuf::from(named));
    }
    if let Ok(current) = std::env::current_dir() {
        folders.extend(
            current.ancestors().map(|dir| dir.join(".unidic/dicdir")).filter(|dir| dir.is_dir()).take(1),
        );
        if folders.is_empty() {
            folders.push(current.join(".unidic/dicdir"));
        }
    }
    let cache = std::env::var_os("XDG_CACHE_HOME")
        .filter(|value| !value.is_empty())
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache")));
    folders.extend(cache.map(|cache| cache.join("tsumugi/unidic-lite/dicdir")));
    folders
}
