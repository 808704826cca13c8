//! Files and folders that are complete or absent, and JSON files.

use std::fs::{self, File};
use std::path::Path;

use serde::Serialize;

use crate::{Error, Result};

/// Makes a folder that is complete or absent: filled under a hidden name, synced, then renamed.
pub(crate) fn atomic_folder(target: &Path, fill: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let parent = target.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(parent).map_err(Error::io(parent))?;
    let name = target.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let partial = parent.join(format!(".{name}.partial"));
    let cleared = match fs::remove_dir_all(&partial) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io(&partial)(error)),
        _ => Ok(()),
    };
    cleared?;
    fs::create_dir(&partial).map_err(Error::io(&partial))?;
    let filled = fill(&partial).and_then(|()| sync_all(&partial)).and_then(|()| {
        if target.exists() {
            fs::remove_dir_all(target).map_err(Error::io(target))?;
        }
        fs::rename(&partial, target).map_err(Error::io(target))
    });
    if filled.is_err() {
        // Best effort: the first error is the one to report.
        let _ = fs::remove_dir_all(&partial);
    }
    filled?;
    sync(parent)
}

/// Makes a file that is complete or absent.
pub(crate) fn atomic_file(target: &Path, fill: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let parent = target.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(parent).map_err(Error::io(parent))?;
    let name = target.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let partial = parent.join(format!(".{name}.partial"));
    let filled = fill(&partial)
        .and_then(|()| sync(&partial))
        .and_then(|()| fs::rename(&partial, target).map_err(Error::io(target)));
    if filled.is_err() {
        let _ = fs::remove_file(&partial);
    }
    filled?;
    sync(parent)
}

fn sync(path: &Path) -> Result<()> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    File::open(path).and_then(|f| f.sync_all()).map_err(Error::io(path))
}

fn sync_all(folder: &Path) -> Result<()> {
    for entry in fs::read_dir(folder).map_err(Error::io(folder))? {
        sync(&entry.map_err(Error::io(folder))?.path())?;
    }
    sync(folder)
}

pub(crate) fn write_json(path: &Path, value: &impl Serialize) -> Result<()> {
    let mut text = serde_json::to_string_pretty(value).map_err(Error::json(path))?;
    text.push('\n');
    fs::write(path, text).map_err(Error::io(path))
}

pub(crate) fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T> {
    let text = fs::read_to_string(path).map_err(Error::io(path))?;
    serde_json::from_str(&text).map_err(Error::json(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_complete_or_absent() {
        let place = tempfile::tempdir().unwrap();
        let target = place.path().join("a/b");
        let fail = atomic_folder(&target, |f| {
            fs::write(f.join("x"), "1").map_err(Error::io(f))?;
            Err(Error::recipe("no space"))
        });
        assert!(fail.is_err() && !target.exists());
        assert_eq!(fs::read_dir(place.path().join("a")).unwrap().count(), 0);
        for text in ["1", "2"] {
            atomic_folder(&target, |f| fs::write(f.join("x"), text).map_err(Error::io(f))).unwrap();
            assert_eq!(fs::read_to_string(target.join("x")).unwrap(), text);
        }
    }
}
