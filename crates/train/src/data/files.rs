//! Data sources of files and of lists.

use std::path::{Path, PathBuf};

use super::order::permutation;
use super::source::{DataSource, Place};
use crate::lower::{LlavaItem, Lowered, Template, lower_llava};
use crate::{Drawn, Error, Result, Sample};

/// The shuffled order of rows with random access.
#[derive(Debug, Clone, Default)]
struct Shuffle(Option<(u64, u64, Vec<u64>)>);

impl Shuffle {
    fn row(&mut self, rows: u64, place: Place) -> u64 {
        let fresh = matches!(&self.0, Some((seed, epoch, order)) if *seed == place.seed && *epoch == place.epoch && order.len() as u64 == rows);
        if !fresh {
            self.0 = Some((place.seed, place.epoch, permutation(rows, place.seed, place.epoch)));
        }
        self.0.as_ref().map_or(0, |(_, _, order)| order[place.position as usize])
    }
}

/// Samples in memory, for tests and small data sets.
#[derive(Debug, Clone, Default)]
pub struct ListSource {
    samples: Vec<Sample>,
    shuffle: Shuffle,
}

impl ListSource {
    /// A source of these samples.
    pub fn new(samples: Vec<Sample>) -> Self {
        Self { samples, shuffle: Shuffle::default() }
    }
}

impl DataSource for ListSource {
    fn len(&self) -> u64 {
        self.samples.len() as u64
    }

    fn draw(&mut self, place: Place) -> Result<Drawn> {
        let row = self.shuffle.row(self.len(), place);
        Ok(Drawn::Sample(self.samples[row as usize].clone()))
    }
}

/// A JSON list (or JSON lines) in the format of LLaVA's data sets, with images in a folder.
#[derive(Debug)]
pub struct JsonSource {
    items: Vec<LlavaItem>,
    images: PathBuf,
    template: Template,
    shuffle: Shuffle,
}

impl JsonSource {
    /// Reads a file whose images are in the folder `images`.
    ///
    /// # Errors
    /// [`Error::Json`] or [`Error::Io`] with the file.
    pub fn open(path: &Path, images: &Path, template: Template, limit: Option<u64>) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(Error::io(path))?;
        let mut items: Vec<LlavaItem> = if text.trim_start().starts_with('[') {
            serde_json::from_str(&text).map_err(Error::json(path))?
        } else {
            let lines = text.lines().filter(|l| !l.trim().is_empty());
            lines
                .map(serde_json::from_str)
                .collect::<std::result::Result<_, _>>()
                .map_err(Error::json(path))?
        };
        items.truncate(limit.map_or(usize::MAX, |l| l as usize));
        Ok(Self { items, images: images.to_owned(), template, shuffle: Shuffle::default() })
    }

    fn lower(&self, id: String, item: &LlavaItem) -> Lowered {
        let names = item.image.as_ref().map_or(&[][..], |names| names.list());
        let mut images = Vec::with_capacity(names.len());
        for name in names {
            // A data set must not read outside its folder.
            let inside = Path::new(name).components().all(|c| matches!(c, std::path::Component::Normal(_)));
            if !inside {
                return Err("image_outside_folder");
            }
            images.push(std::fs::read(self.images.join(name)).map_err(|_| "image_missing")?);
        }
        lower_llava(id, item, images, &self.template)
    }
}

impl DataSource for JsonSource {
    fn len(&self) -> u64 {
        self.items.len() as u64
    }

    fn draw(&mut self, place: Place) -> Result<Drawn> {
        let row = self.shuffle.row(self.len(), place);
        let item = &self.items[row as usize];
        let id = item.name(row);
        Ok(match self.lower(id.clone(), item) {
            Ok(sample) => Drawn::Sample(sample),
            Err(reason) => Drawn::dropped(id, reason),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn llava_json_with_images_in_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.png"), [1, 2]).unwrap();
        let turns = r#"[{"from":"human","value":"<image>\n何?"},{"from":"gpt","value":"猫"}]"#;
        let json = format!(
            r#"[{{"id":"x","image":"a.png","conversations":{turns}}},{{"id":"y","image":"b.png","conversations":{turns}}},{{"id":"z","image":"../b.png","conversations":{turns}}}]"#
        );
        let path = folder.path().join("d.json");
        std::fs::write(&path, json).unwrap();
        let mut source = JsonSource::open(&path, folder.path(), Template::Plain, None).unwrap();
        let mut found: Vec<String> = (0..3)
            .map(|position| match source.draw(Place { seed: 0, epoch: 0, position }).unwrap() {
                Drawn::Sample(sample) => format!("{} ok", sample.id),
                Drawn::Dropped { id, reason } => format!("{id} {reason}"),
            })
            .collect();
        found.sort();
        assert_eq!(found, ["x ok", "y image_missing", "z image_outside_folder"]);
    }
}
