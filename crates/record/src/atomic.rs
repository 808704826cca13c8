//! Files and folders that appear under their name only when they are complete.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

use crate::Error;

/// Writes a file under a temporary name in the same folder, syncs it, and renames it into place. The folder is made where
/// it is missing, and the file gets the permissions that the process's umask gives.
///
/// ```
/// use std::io::Write as _;
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("made/note.txt");
/// tsumugi_record::write_atomic(&path, |file| file.write_all(b"complete or absent"))?;
/// assert_eq!(std::fs::read(&path)?, b"complete or absent");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Where the folder or the file cannot be written, or `write` fails; the temporary file is removed.
pub fn write_atomic(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<&mut File>) -> io::Result<()>,
) -> Result<(), Error> {
    let folder = parent(path);
    fs::create_dir_all(folder).map_err(Error::io("create folder", folder))?;
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // The system takes the umask off; without this a temporary file is readable for its owner alone.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let mut file =
        builder.prefix(".").suffix(".partial").tempfile_in(folder).map_err(Error::io("create", path))?;
    let mut buffered = BufWriter::new(file.as_file_mut());
    write(&mut buffered).and_then(|()| buffered.flush()).map_err(Error::io("write", path))?;
    drop(buffered);
    file.as_file().sync_all().map_err(Error::io("sync", path))?;
    file.persist(path).map_err(|e| Error::io("rename", path)(e.error))?;
    sync_folder(path)
}

/// Fills a folder under a hidden name beside `target`, syncs it, and renames it into place; a folder that is already there is
/// replaced. Files that `fill` creates get the permissions that the process's umask gives.
///
/// ```
/// use tsumugi_record::{Error, write_atomic, write_folder};
/// # use std::io::Write as _;
///
/// let place = tempfile::tempdir()?;
/// let target = place.path().join("model");
/// write_folder(&target, |folder| write_atomic(&folder.join("config.json"), |file| file.write_all(b"{}")))?;
/// assert!(target.join("config.json").is_file());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Where the folder cannot be written, or `fill` fails; what it wrote is removed, and a folder that was there stays.
pub fn write_folder<E: From<Error>>(
    target: &Path,
    fill: impl FnOnce(&Path) -> Result<(), E>,
) -> Result<(), E> {
    let place = parent(target);
    fs::create_dir_all(place).map_err(Error::io("create folder", place))?;
    let name = target.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let beside = |ending: &str| target.with_file_name(format!(".{name}.{ending}"));
    let (partial, replaced) = (beside("partial"), beside("replaced"));
    remove(&partial)?;
    remove(&replaced)?;
    fs::create_dir(&partial).map_err(Error::io("create folder", &partial))?;
    let filled = fill(&partial).and_then(|()| Ok(sync_all(&partial)?));
    if filled.is_err() {
        // The first error is the one to report.
        let _ = fs::remove_dir_all(&partial);
        return filled;
    }
    if target.exists() {
        fs::rename(target, &replaced).map_err(Error::io("rename", target))?;
    }
    fs::rename(&partial, target).map_err(Error::io("rename", target))?;
    sync_folder(target)?;
    Ok(remove(&replaced)?)
}

/// Removes a folder if it is there.
fn remove(folder: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::io("remove folder", folder)(error))
        }
        _ => Ok(()),
    }
}

/// Syncs a folder and all that is in it.
fn sync_all(folder: &Path) -> Result<(), Error> {
    for entry in fs::read_dir(folder).map_err(Error::io("read folder", folder))? {
        let path = entry.map_err(Error::io("read folder", folder))?.path();
        if path.is_dir() {
            sync_all(&path)?;
        } else {
            File::open(&path).and_then(|file| file.sync_all()).map_err(Error::io("sync", &path))?;
        }
    }
    File::open(folder).and_then(|file| file.sync_all()).map_err(Error::io("sync folder", folder))
}

/// Makes a rename durable.
pub(crate) fn sync_folder(path: &Path) -> Result<(), Error> {
    let folder = parent(path);
    File::open(folder).and_then(|f| f.sync_all()).map_err(Error::io("sync folder", folder))
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_leaves_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "old").unwrap();
        let failed = write_atomic(&path, |file| {
            file.write_all(b"half")?;
            Err(io::Error::other("stopped"))
        });
        assert!(failed.is_err());
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn folders_are_complete_or_absent_and_replaced() {
        let place = tempfile::tempdir().unwrap();
        let target = place.path().join("a/b");
        let fill = |text: &'static str, fails: bool| {
            move |folder: &Path| {
                write_atomic(&folder.join("inner/x"), |file| file.write_all(text.as_bytes()))?;
                if fails {
                    return Err(Error::io("write", folder)(io::Error::other("stopped")));
                }
                Ok(())
            }
        };
        assert!(write_folder(&target, fill("0", true)).is_err() && !target.exists());
        for text in ["1", "2"] {
            write_folder(&target, fill(text, false)).unwrap();
            assert_eq!(fs::read_to_string(target.join("inner/x")).unwrap(), text);
        }
        assert!(write_folder(&target, fill("3", true)).is_err());
        assert_eq!(fs::read_to_string(target.join("inner/x")).unwrap(), "2");
        assert_eq!(fs::read_dir(place.path().join("a")).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_has_the_permissions_of_any_other_new_file() {
        use std::os::unix::fs::PermissionsExt as _;

        let folder = tempfile::tempdir().unwrap();
        let (ours, plain) = (folder.path().join("ours"), folder.path().join("plain"));
        write_atomic(&ours, |file| file.write_all(b"x")).unwrap();
        fs::write(&plain, "x").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&ours), mode(&plain));
    }
}
