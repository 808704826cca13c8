#[cfg(feature = "api")]
use std::path::Path;
use std::path::PathBuf;

/// Reports why the sample could not be made or the stand-in could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A port or a thread could not be used.
    #[error("{path}: {action} failed; check that it is accessible and that the disk has free space", path = path.display())]
    Io {
        /// What was being done.
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A file could not be written.
    #[error(transparent)]
    Record(#[from] tsumugi_record::Error),
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

#[cfg(feature = "api")]
impl Error {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Error {
        let path = path.to_owned();
        move |source| Error::Io { action, path, source }
    }
}
