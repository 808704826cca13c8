//! Data sources of JSON files and of lists.

use std::path::Path;

use tsumugi_record::JsonFile;

use super::images::ImageFolder;
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

/// A JSON array (or JSON lines) in the format of LLaVA's data sets, with images in a folder.
#[derive(Debug)]
pub struct JsonSource {
    rows: Vec<Row>,
    images: ImageFolder,
    template: Template,
    shuffle: Shuffle,
}

#[derive(Debug)]
enum Row {
    Item(LlavaItem),
    /// A row that cannot be read: its line, and the reason.
    Bad(u64, &'static str),
}

impl JsonSource {
    /// Reads a file whose images are in the folder `images`. Rows that are not valid JSON (`invalid_json`) or have values of
    /// the wrong type (`wrong_type`) are dropped when they are drawn; their identifiers are their lines.
    ///
    /// # Errors
    /// [`Error::Data`] if there is no such file, [`Error::Record`] if it cannot be read.
    pub fn open(path: &Path, images: &Path, template: Template, limit: Option<u64>) -> Result<Self> {
        if !path.is_file() {
            return Err(Error::Data { path: path.to_owned(), reason: "no such file".into() });
        }
        let file = JsonFile::open(path)?;
        let limit = limit.map_or(usize::MAX, |rows| rows as usize);
        let rows = file.rows().into_iter().take(limit).map(|row| match row.read() {
            Ok(item) => Row::Item(item),
            Err(fault) => Row::Bad(fault.line, fault.reason),
        });
        let images = ImageFolder::new(images);
        Ok(Self { rows: rows.collect(), images, template, shuffle: Shuffle::default() })
    }

    fn lower(&self, id: String, item: &LlavaItem) -> Lowered {
        let names = item.image_names()?;
        let images =
            names.into_iter().map(|name| self.images.read(name)).collect::<std::result::Result<_, _>>()?;
        lower_llava(id, item, images, &self.template)
    }
}

impl DataSource for JsonSource {
    fn len(&self) -> u64 {
        self.rows.len() as u64
    }

    fn draw(&mut self, place: Place) -> Result<Drawn> {
        let row = self.shuffle.row(self.len(), place);
        let item = match &self.rows[row as usize] {
            Row::Item(item) => item,
            Row::Bad(line, reason) => return Ok(Drawn::dropped(format!("line {line}"), reason)),
        };
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

    /// What becomes of the rows of a file: `ID IMAGES` of samples, `ID: REASON` of dropped ones.
    fn drawn(text: &str) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.png"), [1, 2]).unwrap();
        let path = folder.path().join("d.json");
        std::fs::write(&path, text).unwrap();
        let mut source = JsonSource::open(&path, folder.path(), Template::LlmjpV3, None).unwrap();
        let mut found: Vec<String> = (0..source.len())
            .map(|position| match source.draw(Place { seed: 0, epoch: 0, position }).unwrap() {
                Drawn::Sample(sample) => format!("{} {}", sample.id, sample.images()),
                Drawn::Dropped { id, reason } => format!("{id}: {reason}"),
            })
            .collect();
        found.sort();
        found
    }

    fn row(keys: &str, question: &str) -> String {
        let turns = format!(r#"[{{"from":"human","value":{question:?}}},{{"from":"gpt","value":"猫"}}]"#);
        format!(r#"{{{keys}"conversations":{turns}}}"#)
    }

    #[test]
    fn images_are_named_in_several_ways() {
        let marked = "<image>\n何?";
        for (keys, question, expected) in [
            (r#""image":"a.png","#, marked, "0 1"),
            (r#""image":"./a.png","#, marked, "0 1"),
            (r#""images":"a.png","#, marked, "0 1"),
            (r#""images":["a.png"],"#, marked, "0 1"),
            (r#""image":["a.png","./a.png"],"#, "<image><image>何?", "0 2"),
            (r#""image":"a.png","images":["a.png"],"#, marked, "0 1"),
            (r#""image":"","images":["a.png"],"#, marked, "0 1"),
            // Without a mark, images come first.
            (r#""images":["a.png"],"#, "何?", "0 1"),
            (r#""image":"","#, "何?", "0 0"),
            (r#""image":null,"images":[],"#, "何?", "0 0"),
            (r#""image":["",null],"#, "何?", "0 0"),
            ("", "何?", "0 0"),
            // Marks and images that do not match.
            ("", marked, "0: image_count"),
            (r#""image":"","#, marked, "0: image_count"),
            (r#""images":["a.png","a.png"],"#, marked, "0: image_count"),
            (r#""image":"a.png","images":["b.png"],"#, marked, "0: image_and_images"),
            (r#""image":"b.png","#, marked, "0: image_missing"),
            (r#""image":"../b.png","#, marked, "0: image_outside_folder"),
            (r#""image":7,"#, marked, "line 1: wrong_type"),
        ] {
            assert_eq!(drawn(&format!("[{}]", row(keys, question))), [expected], "{keys} {question}");
        }
    }

    #[test]
    fn a_bad_row_is_dropped_with_its_line() {
        let good = |id: &str| row(&format!(r#""id":{id:?},"#), "何?");
        for bad in [
            "7",
            "null",
            r#"{"id": "x", "#,
            r#"{"id": NaN}"#,
            r#"{"id":"x","conversations":[{"from":"human","value":null}]}"#,
            r#"{"id":"x","conversations":[{"from":"human","value":3}]}"#,
            r#"{"id":"x","conversations":[{"from":"human","value":"\ud800"}]}"#,
        ] {
            let rows = [good("a"), good("b"), bad.to_owned(), good("c")];
            for (mark, text) in [
                ("", rows.join("\n")),
                ("\u{feff}", rows.join("\n")),
                ("", format!("[{}]", rows.join(",\n"))),
                ("\u{feff}", format!("[{}]\n", rows.join(",\n"))),
            ] {
                let found = drawn(&format!("{mark}{text}"));
                assert_eq!(found.len(), 4, "{bad}: {found:?}");
                assert_eq!(found[..3], ["a 0", "b 0", "c 0"], "{bad}");
                assert!(found[3].starts_with("line 3: "), "{bad}: {found:?}");
            }
        }
    }

    #[test]
    fn turns_may_be_spelt_as_messages() {
        let text = r#"{"id": 4, "messages": [{"role": "user", "content": "何?"}, {"role": "assistant", "content": "猫"}]}"#;
        assert_eq!(drawn(text), ["4 0"]);
    }
}
