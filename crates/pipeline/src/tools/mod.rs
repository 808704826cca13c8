//! Commands that are no data steps: instruction data, training and evaluation, whole runs, and what reads or shows something.

#[cfg(all(feature = "train", feature = "eval"))]
pub mod ablate;
#[cfg(feature = "eval")]
pub mod compare;
#[cfg(feature = "data")]
pub mod contact_sheet;
#[cfg(feature = "data")]
pub mod cut_sample;
#[cfg(feature = "data")]
pub mod extract_page;
#[cfg(feature = "data")]
pub mod filter_text;
#[cfg(feature = "train")]
pub mod generate;
#[cfg(feature = "data")]
pub mod inspect_images;
#[cfg(feature = "data")]
pub mod list_records;
#[cfg(feature = "data")]
pub mod look_up;
#[cfg(feature = "train")]
pub mod parity;
#[cfg(all(feature = "train", feature = "eval"))]
pub mod pipeline;
#[cfg(feature = "eval")]
pub mod score;
#[cfg(feature = "eval")]
pub mod tokenize;
#[cfg(feature = "train")]
pub mod train;

use std::io::{BufWriter, ErrorKind, Stdout, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::{Command, Error, ToolCommand};

/// The commands of this module that the crate's features allow.
pub fn tools() -> Vec<&'static dyn Command> {
    vec![
        #[cfg(feature = "data")]
        &ToolCommand::<list_records::ListRecords>::COMMAND,
        #[cfg(feature = "data")]
        &ToolCommand::<extract_page::ExtractPage>::COMMAND,
        #[cfg(feature = "data")]
        &ToolCommand::<filter_text::FilterText>::COMMAND,
        #[cfg(feature = "data")]
        &ToolCommand::<inspect_images::InspectImages>::COMMAND,
        #[cfg(feature = "train")]
        &ToolCommand::<train::Train>::COMMAND,
        #[cfg(feature = "train")]
        &ToolCommand::<generate::Generate>::COMMAND,
        #[cfg(feature = "train")]
        &ToolCommand::<parity::Parity>::COMMAND,
        #[cfg(feature = "eval")]
        &ToolCommand::<score::Score>::COMMAND,
        #[cfg(feature = "eval")]
        &ToolCommand::<tokenize::Tokenize>::COMMAND,
        #[cfg(feature = "eval")]
        &ToolCommand::<compare::Compare>::COMMAND,
        #[cfg(all(feature = "train", feature = "eval"))]
        &ToolCommand::<ablate::Ablate>::COMMAND,
        #[cfg(all(feature = "train", feature = "eval"))]
        &ToolCommand::<pipeline::Pipeline>::COMMAND,
        #[cfg(feature = "data")]
        &ToolCommand::<contact_sheet::ContactSheet>::COMMAND,
        #[cfg(feature = "data")]
        &ToolCommand::<look_up::LookUp>::COMMAND,
        #[cfg(feature = "data")]
        &ToolCommand::<cut_sample::CutSample>::COMMAND,
    ]
}

/// Lines on standard output.
struct Lines(BufWriter<Stdout>);

impl Lines {
    fn new() -> Self {
        Lines(BufWriter::new(std::io::stdout()))
    }

    /// Writes a JSON line.
    fn write(&mut self, row: &impl Serialize) -> Result<(), Error> {
        let line = serde_json::to_string(row).map_err(Error::step("standard output", "JSON"))?;
        self.text(&line)
    }

    /// Writes a line, or several.
    fn text(&mut self, text: &str) -> Result<(), Error> {
        writeln!(self.0, "{text}").map_err(closed)
    }

    fn finish(mut self) -> Result<(), Error> {
        self.0.flush().map_err(closed)
    }
}

/// A reader that has seen enough (`| head`) is told apart from a failure.
fn closed(source: std::io::Error) -> Error {
    match source.kind() {
        ErrorKind::BrokenPipe => Error::Closed,
        _ => Error::io("writing", Path::new("standard output"))(source),
    }
}

/// The files that are named, and of folders those in them with one of these endings, by name.
///
/// # Errors
/// Where a folder cannot be read, or has no such file.
#[cfg(feature = "data")]
fn files_of(named: &[PathBuf], endings: &[&str]) -> Result<Vec<PathBuf>, Error> {
    let mut files = Vec::new();
    for path in named {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let before = files.len();
        add_folder(path, endings, &mut files)?;
        files[before..].sort();
        if files.len() == before {
            let reason = format!("the folder has no file that ends in {}", endings.join(", "));
            return Err(Error::config(path.display().to_string(), reason));
        }
    }
    Ok(files)
}

#[cfg(feature = "data")]
fn add_folder(folder: &Path, endings: &[&str], files: &mut Vec<PathBuf>) -> Result<(), Error> {
    for entry in std::fs::read_dir(folder).map_err(Error::io("reading the folder", folder))? {
        let path = entry.map_err(Error::io("reading the folder", folder))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        if path.is_dir() {
            add_folder(&path, endings, files)?;
        } else if endings.iter().any(|ending| name.ends_with(ending)) {
            files.push(path);
        }
    }
    Ok(())
}

/// A line of a JSON lines file, with its place for messages.
#[cfg(feature = "eval")]
struct Row {
    place: String,
    value: serde_json::Value,
}

/// The lines of a JSON lines file; empty ones are left out.
#[cfg(feature = "eval")]
fn json_lines(path: &Path) -> Result<Vec<Row>, Error> {
    let text = std::fs::read_to_string(path).map_err(Error::io("reading", path))?;
    let lines = text.split('\n').enumerate().filter(|(_, line)| !line.trim().is_empty());
    let rows = lines.map(|(number, line)| {
        let place = format!("{}: line {}", path.display(), number + 1);
        let value = serde_json::from_str(line).map_err(Error::step("reading JSON lines", place.clone()))?;
        Ok(Row { place, value })
    });
    rows.collect()
}

#[cfg(feature = "eval")]
impl Row {
    /// A text of the row.
    fn text(&self, name: &str) -> Result<String, Error> {
        let text = self.value[name].as_str().map(str::to_owned);
        text.ok_or_else(|| {
            Error::step("reading JSON lines", self.place.clone())(format!("`{name}` is missing or no text"))
        })
    }
}

/// The evaluation profile that a setting names.
#[cfg(feature = "eval")]
fn profile(name: &str) -> Result<tsumugi_eval::profile::Profile, Error> {
    name.parse().map_err(|error: String| Error::config("profile", error))
}

/// The precision of a computation.
#[cfg(feature = "train")]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// 32 bits.
    #[default]
    Float32,
    /// 16 bits with the range of 32.
    Bfloat16,
}

#[cfg(feature = "train")]
impl Precision {
    fn kind(self) -> tch::Kind {
        match self {
            Precision::Float32 => tch::Kind::Float,
            Precision::Bfloat16 => tch::Kind::BFloat16,
        }
    }
}
