//! Own benchmarks as JSON lines.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use base64::Engine;
use serde::Deserialize;
use serde_json::Value;

use super::{Picture, Question};
use crate::Error;

/// One line. Unknown fields are let be, so that files made for other tools can be read.
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

pub(super) fn read(path: &Path) -> Result<Vec<Question>, Error> {
    let text = std::fs::read_to_string(path).map_err(|e| Error::io(path, e))?;
    let mut pictures =
        Pictures { folder: path.parent().unwrap_or(Path::new("")).to_owned(), known: HashMap::new() };
    let mut questions = Vec::new();
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let broken = |reason: String| Error::Row { path: path.to_owned(), row: index + 1, reason };
        let line: Line = serde_json::from_str(line).map_err(|e| {
            broken(format!("{e}; expected an object with `question`, `reference` (or `answer`) and `image`"))
        })?;
        let picture = line.image.map(|image| pictures.get(image)).transpose().map_err(broken)?.flatten();
        questions.push(Question {
            id: id_text(line.question_id).unwrap_or_else(|| questions.len().to_string()),
            category: line.category.unwrap_or_default(),
            question: line.question,
            reference: line.reference,
            context: line.context,
            picture,
        });
    }
    Ok(questions)
}

fn id_text(id: Option<Value>) -> Option<String> {
    match id? {
        Value::String(id) => Some(id),
        Value::Null => None,
        other => Some(other.to_string()),
    }
}

/// Pictures by path, each read once.
struct Pictures {
    folder: PathBuf,
    known: HashMap<String, Picture>,
}

impl Pictures {
    fn get(&mut self, field: ImageField) -> Result<Option<Picture>, String> {
        let path = match field {
            ImageField::Pair { bytes: Some(bytes), .. } => {
                let bytes = base64::engine::general_purpose::STANDARD.decode(bytes.trim());
                return Ok(Some(Picture::new(bytes.map_err(|e| format!("image.bytes is not base64: {e}"))?)));
            }
            ImageField::Pair { bytes: None, path: None } => return Ok(None),
            ImageField::Path(path) | ImageField::Pair { path: Some(path), .. } => path,
        };
        if let Some(picture) = self.known.get(&path) {
            return Ok(Some(picture.clone()));
        }
        let file = self.folder.join(&path);
        let bytes = std::fs::read(&file).map_err(|e| format!("picture {}: {e}", file.display()))?;
        let picture = Picture::new(bytes);
        self.known.insert(path, picture.clone());
        Ok(Some(picture))
    }
}
