//! Questions as JSON lines.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use base64::Engine;
use serde::Deserialize;
use serde_json::Value;

use super::columns::{Fault, Found};
use super::question::{Image, Question};
use crate::Error;

/// One line. Unknown fields are ignored, so that files made for other tools can be read.
#[derive(Debug, Deserialize)]
struct Line {
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
}

/// A path beside the file, or Hugging Face's pair of bytes (base64) and path.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum ImageField {
    Path(String),
    Pair { bytes: Option<String>, path: Option<String> },
}

/// Adds the questions of a file to `questions`.
pub(super) fn read(path: &Path, questions: &mut Vec<Question>) -> Result<(), Error> {
    let text = std::fs::read_to_string(path).map_err(|e| Error::io(path, e))?;
    let mut images =
        Images { folder: path.parent().unwrap_or(Path::new("")).to_owned(), known: HashMap::new() };
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let fault = |fault: Fault| fault.at(path, index + 1);
        let line: Line = serde_json::from_str(line).map_err(|e| {
            fault(Fault::caused(
                "expected an object with `question`, `reference` (or `answer`) and `image`",
                e,
            ))
        })?;
        let image = line.image.map(|image| images.get(image)).transpose().map_err(fault)?.flatten();
        questions.push(Question {
            id: id_text(line.question_id).unwrap_or_else(|| questions.len().to_string()),
            category: line.category.unwrap_or_default(),
            question: line.question,
            reference: line.reference,
            context: line.context,
            image,
        });
    }
    Ok(())
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
    fn get(&mut self, field: ImageField) -> Found<Option<Image>> {
        let path = match field {
            ImageField::Pair { bytes: Some(bytes), .. } => {
                let bytes = base64::engine::general_purpose::STANDARD.decode(bytes.trim());
                let bytes = bytes.map_err(|e| Fault::caused("`image.bytes` is not base64", e))?;
                return Ok(Some(Image::new(bytes)));
            }
            ImageField::Pair { bytes: None, path: None } => return Ok(None),
            ImageField::Path(path) | ImageField::Pair { path: Some(path), .. } => path,
        };
        if let Some(image) = self.known.get(&path) {
            return Ok(Some(image.clone()));
        }
        let file = self.folder.join(&path);
        let bytes = std::fs::read(&file)
            .map_err(|e| Fault::caused(format!("cannot read the image {}", file.display()), e))?;
        let image = Image::new(bytes);
        self.known.insert(path, image.clone());
        Ok(Some(image))
    }
}
