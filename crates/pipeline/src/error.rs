use std::error::Error as StdError;
use std::path::PathBuf;

/// What can stop a step.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Rows could not be read or written.
    #[error(transparent)]
    Record(#[from] tsumugi_record::Error),
    /// The file system refused.
    #[error("{path}: {action} failed", path = path.display())]
    Io {
        /// What was being done.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// An input is not there.
    #[error("{path}: there is no such file or folder", path = path.display())]
    Missing {
        /// The file or folder.
        path: PathBuf,
    },
    /// A table that a step reads has no rows.
    #[error("{path}: the table `{kind}` has no rows; see why the step that wrote it kept nothing, or allow empty tables (`allow_empty`)", path = folder.display())]
    EmptyTable {
        /// The folder of the table.
        folder: PathBuf,
        /// The table.
        kind: String,
    },
    /// What a command writes would take the place of what it reads.
    #[error("out: {path} is also the input `{input}`; give another output", path = out.display())]
    Overwrites {
        /// The output.
        out: PathBuf,
        /// The setting that names the same file or folder.
        input: String,
    },
    /// A value of the settings does not make sense.
    #[error("{what}: {reason}")]
    Config {
        /// The field, key or file.
        what: String,
        /// What is wrong with it and what would be right.
        reason: String,
    },
    /// A setting is refused by the crate that it is for.
    #[error("{what}")]
    Setting {
        /// The field or file.
        what: String,
        /// What is wrong with it.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The settings of a command have an unknown key or a wrong value.
    #[error("the settings of `{command}` cannot be read")]
    Settings {
        /// The command.
        command: &'static str,
        /// The key and what is wrong with it.
        source: serde_json::Error,
    },
    /// A step has no map phase of this name.
    #[error("step `{step}` has no map phase `{phase}`; it has: {phases}")]
    NoPhase {
        /// The step.
        step: &'static str,
        /// The phase asked for.
        phase: String,
        /// Its map phases.
        phases: String,
    },
    /// A step reads an input that it has not declared.
    #[error(
        "step `{step}` is given the input `{key}` and does not declare what it holds; this is a mistake in the step"
    )]
    UndeclaredInput {
        /// The step.
        step: &'static str,
        /// The setting.
        key: String,
    },
    /// A step writes a row into a file that it has not begun.
    #[error("no file of table `{kind}` was begun in folder `{folder}`; this is a mistake in the step")]
    NotBegun {
        /// Folder inside the output folder.
        folder: String,
        /// The table.
        kind: &'static str,
    },
    /// The output folder holds results of another run.
    #[error("{path}: holds results of step `{step}` with another configuration or other input ({difference}); give another output folder, or delete this one", path = out.display())]
    OtherRun {
        /// The output folder.
        out: PathBuf,
        /// The step that wrote there.
        step: String,
        /// The first thing that differs.
        difference: String,
    },
    /// Shards of a phase are left to the next run; all others are finished.
    #[error(
        "step `{step}`, phase `{phase}`: {unfinished} of {shards} shards are not finished ({why}); all others are. Run again to do these alone"
    )]
    ShardsUnfinished {
        /// The step.
        step: String,
        /// The phase.
        phase: String,
        /// How many shards are not finished.
        unfinished: usize,
        /// How many there are.
        shards: usize,
        /// Why the last of them is not.
        why: String,
    },
    /// Another process is writing the same folder.
    #[error("{path}: another process is writing this folder; wait for it, or give another output folder", path = out.display())]
    Locked {
        /// The output folder.
        out: PathBuf,
    },
    /// An input folder is of a step that has not finished.
    #[error("{path}: the step that writes this folder has not finished; run it again first, it goes on where it stopped", path = folder.display())]
    Unfinished {
        /// The input folder.
        folder: PathBuf,
    },
    /// An input folder holds no shard of the table.
    #[error("{path}: holds no `{kind}` table; give the output folder of the step that writes one", path = folder.display())]
    NoTable {
        /// The input folder.
        folder: PathBuf,
        /// The table that was looked for.
        kind: String,
    },
    /// An archive or an index cannot be opened or read.
    #[cfg(feature = "data")]
    #[error(transparent)]
    Archive(Box<tsumugi_warc::Error>),
    /// A remote archive or an index cannot be opened or read.
    #[cfg(feature = "remote")]
    #[error(transparent)]
    Remote(Box<tsumugi_warc_remote::Error>),
    /// A command went through its inputs and could not use some of them.
    #[error("{failed} of {total} {what} could not be used")]
    Incomplete {
        /// What the inputs are.
        what: &'static str,
        /// Inputs that could not be used.
        failed: usize,
        /// All inputs.
        total: usize,
        /// The counts of the run.
        summary: serde_json::Value,
    },
    /// Whoever reads standard output has closed it.
    #[error("standard output was closed")]
    Closed,
    /// A step failed in one of the crates below.
    #[error("{step}: {place}")]
    Step {
        /// The step.
        step: &'static str,
        /// The shard, file or item.
        place: String,
        /// The crate's own error.
        source: Box<dyn StdError + Send + Sync>,
    },
}

impl Error {
    /// An error of a step's crate, with the place where it happened.
    pub fn step<E>(step: &'static str, place: impl Into<String>) -> impl FnOnce(E) -> Error
    where
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        move |source| Error::Step { step, place: place.into(), source: source.into() }
    }

    /// A value of the settings that does not make sense.
    pub fn config(what: impl Into<String>, reason: impl Into<String>) -> Error {
        Error::Config { what: what.into(), reason: reason.into() }
    }

    /// A setting that the crate it is for refuses.
    pub fn setting<E>(what: impl Into<String>) -> impl FnOnce(E) -> Error
    where
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        move |source| Error::Setting { what: what.into(), source: source.into() }
    }

    /// The counts of a command, or an error with them where some inputs could not be used.
    pub(crate) fn incomplete(
        what: &'static str,
        failed: usize,
        total: usize,
        summary: serde_json::Value,
    ) -> Result<serde_json::Value, Error> {
        if failed == 0 { Ok(summary) } else { Err(Error::Incomplete { what, failed, total, summary }) }
    }

    pub(crate) fn io(action: &'static str, path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Error {
        let path = path.to_owned();
        move |source| match source.kind() {
            std::io::ErrorKind::NotFound => Error::Missing { path },
            _ => Error::Io { action, path, source },
        }
    }

    /// The exit code of a command that ends with this error: 2 for bad usage or configuration, 1 for all else.
    pub fn exit_code(&self) -> u8 {
        match self {
            Error::Config { .. }
            | Error::Setting { .. }
            | Error::Settings { .. }
            | Error::EmptyTable { .. }
            | Error::Overwrites { .. }
            | Error::NoPhase { .. }
            | Error::OtherRun { .. } => 2,
            _ => 1,
        }
    }
}

/// An error and its causes in one line. A cause that a message already contains is not repeated. Where a write failed for want
/// of space, the line says so whatever the messages say.
pub fn with_causes(error: &(dyn StdError + 'static)) -> String {
    let mut shown = error.to_string();
    let mut next = error.source();
    let mut full = out_of_space(error);
    while let Some(cause) = next {
        let message = cause.to_string();
        if !shown.contains(&message) {
            shown = format!("{shown}: {message}");
        }
        full = full.or_else(|| out_of_space(cause));
        next = cause.source();
    }
    match full {
        Some(why) => format!("{shown} ({why}; free some space and run again)"),
        None => shown,
    }
}

fn out_of_space(error: &(dyn StdError + 'static)) -> Option<&'static str> {
    use std::io::ErrorKind::{QuotaExceeded, StorageFull};
    match error.downcast_ref::<std::io::Error>()?.kind() {
        StorageFull => Some("the disk is full"),
        QuotaExceeded => Some("the disk is full up to its quota"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Layer(&'static str, Option<Box<Layer>>);

    impl std::fmt::Display for Layer {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str(self.0)
        }
    }

    impl StdError for Layer {
        fn source(&self) -> Option<&(dyn StdError + 'static)> {
            self.1.as_deref().map(|layer| layer as &(dyn StdError + 'static))
        }
    }

    #[test]
    fn causes_are_shown_once() {
        let layer = |text, below: Option<Layer>| Layer(text, below.map(Box::new));
        let plain = layer("a.parquet: reading failed", Some(layer("disk", Some(layer("cable", None)))));
        assert_eq!(with_causes(&plain), "a.parquet: reading failed: disk: cable");
        let embedding = layer("reading failed: disk", Some(layer("disk", Some(layer("cable", None)))));
        assert_eq!(with_causes(&embedding), "reading failed: disk: cable");
    }

    #[test]
    fn a_full_disk_is_called_full() {
        let full = || std::io::Error::from(std::io::ErrorKind::StorageFull);
        let path = std::path::Path::new("a.parquet");
        for error in [
            Error::io("write", path)(full()),
            Error::step("s", "shard 3")(full()),
            Error::step("s", "cache")(tsumugi_record::write_atomic(path, |_| Err(full())).unwrap_err()),
        ] {
            assert!(
                with_causes(&error).ends_with("(the disk is full; free some space and run again)"),
                "{error}"
            );
        }
        let other = std::io::Error::from(std::io::ErrorKind::PermissionDenied);
        assert!(!with_causes(&Error::io("write", path)(other)).contains("full"));
    }
}
