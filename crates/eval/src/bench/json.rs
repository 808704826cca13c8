//! Questions as JSON: an array, or JSON lines.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use base64::Engine;
use serde::Deserialize;
use serde_json::Value;
use tsumugi_record::{JsonFile, JsonRow, local_path};

use super::columns::{Fault, Found};
use super::question::{DroppedRow, Image, Question, Questions};
use crate::Error;

/// One row. Unknown fields are ignored, so that files made for other tools can be read.
#[derive(Debug, Deserialize)]
struct Row {
    #[serde(alias = "id")]
    question_id: Option<Value>,
    #[serde(alias = "input_text", alias = "text")]
    question: String,
    #[serde(alias = "answer")]
    reference: String,
    #[serde(default)]
    category: Option<String>,
    #[serde(default)]
    context: Option<String>,
    #[serde(default)]
    image: Option<ImageField>,
    #[serde(default)]
    images: Option<ImageField>,
}

/// A path beside the file, Hugging Face's pair of bytes (base64) and path, or a list of them.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum ImageField {
    Path(String),
    // Before the pair, which serde would also read from a list of two texts.
    List(Vec<Option<ImageField>>),
    Pair { bytes: Option<String>, path: Option<String> },
}

/// Adds the questions of a file, and the rows that are none, to `found`. `before` rows were in the files before it. Returns the
/// number of the file's rows.
pub(super) fn read(path: &Path, before: usize, found: &mut Questions) -> Result<usize, Error> {
    let file = JsonFile::from_bytes(std::fs::read(path).map_err(|e| Error::io(path, e))?);
    let mut images =
        Images { folder: path.parent().unwrap_or(Path::new("")).to_owned(), known: HashMap::new() };
    let rows = file.rows();
    let (questions, mut first) = (found.questions.len(), None);
    for (number, row) in rows.iter().enumerate() {
        match question(row, before + number, &mut images) {
            Ok(question) => found.questions.push(question),
            Err((line, fault)) => {
                let reason = fault.source.as_ref().map(|cause| format!("{}: {cause}", fault.reason));
                let reason = reason.unwrap_or_else(|| fault.reason.clone());
                found.dropped.push(DroppedRow { path: path.to_owned(), line, reason });
                first.get_or_insert((line, fault));
            }
        }
    }
    match first {
        // Most likely the file is none of questions.
        Some((line, fault)) if found.questions.len() == questions => Err(fault.at(path, line as usize)),
        _ => Ok(rows.len()),
    }
}

fn question(row: &JsonRow<'_>, number: usize, images: &mut Images) -> Result<Question, (u64, Fault)> {
    let read: Row = row.read().map_err(|fault| {
        let expected = "expected an object with `question`, `reference` (or `answer`) and `image`";
        (fault.line, Fault::caused(expected, fault.source))
    })?;
    let image = images.of(read.image, read.images).map_err(|fault| (row.line, fault))?;
    Ok(Question {
        id: id_text(read.question_id).unwrap_or_else(|| number.to_string()),
        category: read.category.unwrap_or_default(),
        question: read.question,
        reference: read.reference,
        context: read.context,
        image,
    })
}

fn id_text(id: Option<Value>) -> Option<String> {
    match id? {
        Value::String(id) => Some(id),
        Value::Null => None,
        other => Some(other.to_string()),
    }
}

/// Images by path, each read once.
struct Images {
    folder: PathBuf,
    known: HashMap<String, Image>,
}

impl Images {
    /// The image of a row; a question has one at most.
    fn of(&mut self, image: Option<ImageField>, images: Option<ImageField>) -> Found<Option<Image>> {
        let mut found: Vec<Image> = Vec::new();
        for field in [image, images].into_iter().flatten() {
            for image in self.get(field)? {
                if !found.contains(&image) {
                    found.push(image);
                }
            }
        }
        match found.len() {
            0 | 1 => Ok(found.pop()),
            several => Err(format!("it has {several} images, and a question has one").into()),
        }
    }

    fn get(&mut self, field: ImageField) -> Found<Vec<Image>> {
        let path = match field {
            ImageField::List(fields) => {
                let mut found = Vec::new();
                for field in fields.into_iter().flatten() {
                    found.extend(self.get(field)?);
                }
                return Ok(found);
            }
            ImageField::Pair { bytes: Some(bytes), .. } => {
                let bytes = base64::engine::general_purpose::STANDARD.decode(bytes.trim());
                let bytes = bytes.map_err(|e| Fault::caused("`image.bytes` is not base64", e))?;
                return Ok(vec![Image::new(bytes)]);
            }
            ImageField::Pair { bytes: None, path: None } => return Ok(Vec::new()),
            ImageField::Path(path) | ImageField::Pair { path: Some(path), .. } => path,
        };
        if path.is_empty() {
            return Ok(Vec::new());
        }
        if let Some(image) = self.known.get(&path) {
            return Ok(vec![image.clone()]);
        }
        let local = local_path(&path).ok_or_else(|| format!("the image {path} is not a local file"))?;
        let file = self.folder.join(local);
        let bytes = std::fs::read(&file)
            .map_err(|e| Fault::caused(format!("cannot read the image {}", file.display()), e))?;
        let image = Image::new(bytes);
        self.known.insert(path, image.clone());
        Ok(vec![image])
    }
}
