use std::path::{Path, PathBuf};

/// Reports why the sample could not be made or the stand-in could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file, folder, port or thread could not be used.
    #[error("{path}: {action} failed; check that it is accessible and that the disk has free space", path = path.display())]
    Io {
        /// What was being done.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The archive could not be written.
    #[error("{path}: the archive could not be written", path = path.display())]
    Archive {
        /// The archive.
        path: PathBuf,
        /// The writer's reason.
        source: tsumugi_warc::Error,
    },
    /// An image could not be encoded.
    #[error("an image of the sample could not be encoded as {format}")]
    Encode {
        /// The image format.
        format: &'static str,
        /// The encoder's reason.
        source: image::ImageError,
    },
    /// The site does not exist in a language.
    #[error("the sample site does not exist in the language `{code}`; choose one of {known}")]
    Language {
        /// The code asked for.
        code: String,
        /// The codes that exist.
        known: String,
    },
    /// A line of the benchmark could not be written as JSON.
    #[error("a question of the benchmark could not be written as JSON")]
    Json(#[from] serde_json::Error),
}

impl Error {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Error {
        let path = path.to_owned();
        move |source| Error::Io { action, path, source }
    }
}
