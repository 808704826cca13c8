//! Image files that rows name.

use std::path::{Component, Path, PathBuf};

use tsumugi_record::{Image, local_path};

/// A folder that rows may read images from, and nothing outside of it.
#[derive(Debug, Clone)]
pub(crate) struct ImageFolder {
    folder: PathBuf,
    /// Its names as absolute paths: as it was given, and without symbolic links.
    absolute: Vec<PathBuf>,
}

impl ImageFolder {
    pub(crate) fn new(folder: &Path) -> Self {
        let names = [std::path::absolute(folder), folder.canonicalize()];
        Self { folder: folder.to_owned(), absolute: names.into_iter().flatten().collect() }
    }

    /// Reads the file that a row names by a path relative to the folder, an absolute path or a `file:` URL.
    ///
    /// # Errors
    /// The reason for dropping the row: `image_is_url`, `image_outside_folder` or `image_missing`.
    pub(crate) fn read(&self, name: &str) -> Result<Vec<u8>, &'static str> {
        let named = local_path(name).ok_or("image_is_url")?;
        let path = lexical(&named).ok_or("image_outside_folder")?;
        if path.is_relative() {
            return std::fs::read(self.folder.join(path)).map_err(|_| "image_missing");
        }
        let inside = |path: &Path| self.absolute.iter().any(|folder| path.starts_with(folder));
        if !inside(&path) && !path.canonicalize().is_ok_and(|real| inside(&real)) {
            return Err("image_outside_folder");
        }
        std::fs::read(path).map_err(|_| "image_missing")
    }

    /// An image of a table with its bytes, which are read where it has a path alone.
    pub(crate) fn fill(folder: Option<&Self>, image: Option<Image>) -> Result<Image, &'static str> {
        let mut image = image.ok_or("no_image_bytes")?;
        let is_empty = image.bytes.as_ref().is_none_or(Vec::is_empty);
        if let (true, Some(folder), Some(path)) = (is_empty, folder, &image.path) {
            image.bytes = Some(folder.read(path)?);
        }
        Ok(image)
    }
}

/// A path without `.` and `..`; nothing where it leads above where it begins.
fn lexical(path: &Path) -> Option<PathBuf> {
    let mut out = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            // Nothing is above the root, and `pop` says so.
            Component::ParentDir if !out.pop() => return None,
            Component::ParentDir => {}
            other => out.push(other),
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_into_the_folder_only() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("images");
        std::fs::create_dir_all(folder.join("a")).unwrap();
        for file in ["images/a/b c.png", "images/d.png", "e.png"] {
            std::fs::write(place.path().join(file), file).unwrap();
        }
        std::os::unix::fs::symlink(&folder, place.path().join("link")).unwrap();
        let at = |rest: &str| format!("{}/{rest}", place.path().display());
        for root in ["images", "link", "./images/../images"] {
            let images = ImageFolder::new(&place.path().join(root));
            for (name, expected) in [
                ("d.png".to_owned(), Ok("images/d.png")),
                ("./d.png".into(), Ok("images/d.png")),
                ("a/../d.png".into(), Ok("images/d.png")),
                ("a//./b c.png".into(), Ok("images/a/b c.png")),
                (at("images/d.png"), Ok("images/d.png")),
                (at("link/d.png"), Ok("images/d.png")),
                (format!("file://{}", at("images/a/b%20c.png")), Ok("images/a/b c.png")),
                ("../e.png".into(), Err("image_outside_folder")),
                ("a/../../e.png".into(), Err("image_outside_folder")),
                (at("e.png"), Err("image_outside_folder")),
                (at("images/../e.png"), Err("image_outside_folder")),
                (at("imagesx/d.png"), Err("image_outside_folder")),
                ("/nowhere.png".into(), Err("image_outside_folder")),
                ("f.png".into(), Err("image_missing")),
                (at("images/f.png"), Err("image_missing")),
                ("a".into(), Err("image_missing")),
                ("http://example.org/d.png".into(), Err("image_is_url")),
            ] {
                let read = images.read(&name);
                assert_eq!(
                    read.as_deref(),
                    expected.map(str::as_bytes).as_ref().map(|b| *b),
                    "{root} {name}"
                );
            }
        }
    }
}
