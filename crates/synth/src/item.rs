//! Items that conversations are written about.

use std::io::ErrorKind;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tsumugi_record::{Image, ImageRow, Pair, Provenance};

use crate::{Error, Task};

/// One image (or, for translation, one English conversation) with what is known about it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Item {
    /// Stable identifier.
    pub id: String,
    /// The image; its `bytes` may be missing for tasks that do not see it.
    pub image: Option<Image>,
    /// Sentences about it.
    pub captions: Vec<String>,
    /// Things in it.
    pub objects: Vec<Object>,
    /// The conversation to translate, where the item is one.
    pub turns: Option<Vec<Turn>>,
    /// Where it came from.
    pub provenance: Provenance,
}

/// A thing with its place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Object {
    /// Its name.
    pub name: String,
    /// Left, top, right, bottom as parts of width and height, 0 to 1.
    #[serde(rename = "box")]
    pub place: [f64; 4],
}

/// A question with its answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Turn {
    /// What the user says.
    pub question: String,
    /// What the model says.
    pub answer: String,
}

impl From<Pair> for Item {
    /// The pair's text is the caption.
    fn from(pair: Pair) -> Self {
        Self {
            id: pair.id,
            image: Some(pair.image),
            captions: vec![pair.text],
            provenance: pair.provenance,
            ..Self::default()
        }
    }
}

impl From<ImageRow> for Item {
    fn from(row: ImageRow) -> Self {
        Self { id: row.id, image: Some(row.image), ..Self::default() }
    }
}

impl Item {
    /// Reads the image's file from the folder that its path is relative to. A file that is not there, or a folder in its
    /// place, leaves the item without bytes, which is counted where they are needed.
    ///
    /// # Errors
    /// [`Error::Io`] where there is a file and it cannot be read.
    pub fn load_image(&mut self, folder: &Path) -> Result<(), Error> {
        let Some(image) = self.image.as_mut().filter(|image| image.bytes.is_none()) else { return Ok(()) };
        let Some(path) = image.path.as_ref().map(|path| folder.join(path)) else { return Ok(()) };
        match std::fs::read(&path) {
            Ok(bytes) => image.bytes = Some(bytes),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::IsADirectory) => {}
            Err(source) => return Err(Error::Io { path, source }),
        }
        Ok(())
    }

    /// Whether a task is asked of this item at all: conversations are translated, images are asked about.
    #[must_use]
    pub fn suits(&self, task: Task) -> bool {
        (task == Task::Translate) == self.turns.is_some()
    }

    /// Captions and objects as the JSON object that the prompts speak of.
    pub(crate) fn description(&self) -> Value {
        let rounded = |object: &Object| json!({"name": object.name, "box": object.place.map(|side| (side * 1000.0).round() / 1000.0)});
        json!({"captions": self.captions, "objects": self.objects.iter().map(rounded).collect::<Vec<_>>()})
    }
}
