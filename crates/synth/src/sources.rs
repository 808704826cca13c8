//! Files of annotations: COCO's captions and boxes, LLaVA's instructions.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tsumugi_record::Image;

use crate::Error;
use crate::item::{Item, Object, Turn};

/// Rows are read one by one, so that a bad one costs itself alone.
#[derive(Deserialize)]
struct CocoFile {
    images: Vec<Value>,
    #[serde(default)]
    annotations: Vec<Value>,
    #[serde(default)]
    categories: Vec<Value>,
}

/// What was left out of COCO's annotation files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Entries of another form than COCO's.
    pub unreadable: usize,
    /// Captions and boxes of images that no entry describes.
    pub orphans: usize,
}

impl LeftOut {
    /// The entries that can be read.
    fn rows<T: DeserializeOwned>(&mut self, rows: &[Value]) -> Vec<T> {
        let read: Vec<T> = rows.iter().filter_map(|row| T::deserialize(row).ok()).collect();
        self.unreadable += rows.len() - read.len();
        read
    }
}

#[derive(Deserialize)]
struct CocoImage {
    id: u64,
    file_name: String,
    #[serde(default)]
    width: f64,
    #[serde(default)]
    height: f64,
}

#[derive(Deserialize)]
struct CocoAnnotation {
    image_id: u64,
    caption: Option<String>,
    /// Left, top, width, height in pixels; some writers leave it empty where there is none.
    #[serde(default)]
    bbox: Option<Vec<f64>>,
    category_id: Option<u64>,
    /// 1 for a box around a crowd of such things.
    #[serde(default)]
    iscrowd: u8,
}

#[derive(Deserialize)]
struct CocoCategory {
    id: u64,
    name: String,
}

/// Reads COCO's annotation files: captions (`captions_*.json`) and, if given, boxes (`instances_*.json`). One item for each
/// image that has a caption, in the order of the images' numbers. Images are named, not read: see [`Item::load_image`].
/// Entries that are of no use are counted.
///
/// # Errors
/// [`Error::Io`] where a file cannot be read, [`Error::Format`] where it is not COCO JSON or holds no caption.
pub fn coco(path: &Path, boxes: Option<&Path>) -> Result<(Vec<Item>, LeftOut), Error> {
    let captions: CocoFile = read(path)?;
    let mut left_out = LeftOut::default();
    let images: Vec<CocoImage> = left_out.rows(&captions.images);
    let mut items: BTreeMap<u64, Item> = BTreeMap::new();
    let known: HashMap<u64, &CocoImage> = images.iter().map(|image| (image.id, image)).collect();
    for annotation in left_out.rows::<CocoAnnotation>(&captions.annotations) {
        let Some(text) = &annotation.caption else { continue };
        let Some(image) = known.get(&annotation.image_id) else {
            left_out.orphans += 1;
            continue;
        };
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if !text.is_empty() {
            items.entry(image.id).or_insert_with(|| item(image)).captions.push(text);
        }
    }
    if items.is_empty() {
        return Err(Error::format(path, "no annotation has a caption; expected COCO's captions_*.json"));
    }
    if let Some(path) = boxes {
        add_boxes(&read(path)?, &known, &mut items, &mut left_out);
    }
    Ok((items.into_values().collect(), left_out))
}

fn item(image: &CocoImage) -> Item {
    Item {
        id: format!("coco-{:012}", image.id),
        image: Some(Image {
            bytes: None,
            path: Some(image.file_name.clone()).filter(|name| !name.trim().is_empty()),
        }),
        ..Item::default()
    }
}

fn add_boxes(
    file: &CocoFile,
    captioned: &HashMap<u64, &CocoImage>,
    items: &mut BTreeMap<u64, Item>,
    left_out: &mut LeftOut,
) {
    let own: Vec<CocoImage> = left_out.rows(&file.images);
    let mut images: HashMap<u64, &CocoImage> = captioned.clone();
    images.extend(own.iter().map(|image| (image.id, image)));
    let kinds: Vec<CocoCategory> = left_out.rows(&file.categories);
    let names: HashMap<u64, &str> = kinds.iter().map(|kind| (kind.id, kind.name.as_str())).collect();
    for annotation in left_out.rows::<CocoAnnotation>(&file.annotations) {
        let Some([x, y, w, h]) = annotation.bbox.as_deref().and_then(|bbox| <[f64; 4]>::try_from(bbox).ok())
        else {
            continue;
        };
        let Some(item) = items.get_mut(&annotation.image_id) else {
            // An image without a caption is not an item; one that is in neither file is a fault of the files.
            left_out.orphans += usize::from(!images.contains_key(&annotation.image_id));
            continue;
        };
        let Some(name) = annotation.category_id.and_then(|kind| names.get(&kind)) else { continue };
        let Some(image) =
            images.get(&annotation.image_id).filter(|image| image.width > 0.0 && image.height > 0.0)
        else {
            continue;
        };
        let place = [x / image.width, y / image.height, (x + w) / image.width, (y + h) / image.height];
        let name = if annotation.iscrowd == 1 { format!("{name} (crowd)") } else { (*name).to_owned() };
        item.objects.push(Object { name, place: place.map(|side| side.clamp(0.0, 1.0)) });
    }
}

#[derive(Deserialize)]
struct Instruction {
    #[serde(default)]
    id: serde_json::Value,
    image: Option<String>,
    conversations: Vec<Said>,
}

#[derive(Deserialize)]
struct Said {
    from: String,
    value: String,
}

/// Reads an instruction set in LLaVA's form: a JSON list (or JSON lines) of `id`, `image`, `conversations` of `from`
/// (`human`, `gpt`) and `value`. `<image>` marks are dropped, since rows say by themselves where the image stands.
///
/// # Errors
/// [`Error::Io`] or [`Error::Format`] with the file's path.
pub fn instructions(path: &Path) -> Result<Vec<Item>, Error> {
    let text = std::fs::read_to_string(path).map_err(|source| Error::io(path, source))?;
    let rows: Vec<Instruction> = if text.trim_start().starts_with('[') {
        serde_json::from_str(&text).map_err(|e| Error::invalid(path, "invalid instructions", e))?
    } else {
        let mut rows = Vec::new();
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let row = serde_json::from_str(line)
                .map_err(|e| Error::invalid(path, format!("line {}: invalid instruction", number + 1), e))?;
            rows.push(row);
        }
        rows
    };
    let mut items: Vec<Item> =
        rows.into_iter().enumerate().map(|(number, row)| translated(number, row)).collect();
    // LLaVA's own file uses an image's number for each of its conversations.
    let mut seen: HashMap<String, usize> = HashMap::new();
    for item in &mut items {
        let count = seen.entry(item.id.clone()).or_default();
        *count += 1;
        if *count > 1 {
            item.id = format!("{}-{count}", item.id);
        }
    }
    Ok(items)
}

fn translated(number: usize, row: Instruction) -> Item {
    let id = match row.id {
        serde_json::Value::String(id) => id,
        serde_json::Value::Null => format!("{number:08}"),
        other => other.to_string(),
    };
    let clean = |text: &str| text.replace("<image>", "").trim().to_owned();
    let mut turns: Vec<Turn> = Vec::new();
    for said in &row.conversations {
        match said.from.as_str() {
            "human" | "user" => turns.push(Turn { question: clean(&said.value), answer: String::new() }),
            "gpt" | "assistant" => {
                if let Some(turn) = turns.last_mut() {
                    turn.answer = clean(&said.value);
                }
            }
            _ => {}
        }
    }
    turns.retain(|turn| !turn.question.is_empty() && !turn.answer.is_empty());
    let image = row.image.map(|path| Image { bytes: None, path: Some(path) });
    Item { id, image, turns: Some(turns), ..Item::default() }
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<T, Error> {
    let bytes = std::fs::read(path).map_err(|source| Error::io(path, source))?;
    serde_json::from_slice(&bytes).map_err(|e| Error::invalid(path, "not an annotation file of COCO", e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn captions_and_boxes_meet() {
        let folder = tempfile::tempdir().unwrap();
        let (captions, boxes) = (folder.path().join("c.json"), folder.path().join("b.json"));
        std::fs::write(
            &captions,
            r#"{"images":[{"id":9,"file_name":"9.jpg"},{"id":2,"file_name":"2.jpg","width":10,"height":10},{"id":3,"file_name":"3.jpg"},{"id":4,"file_name":""},{"id":"x"}],
                "annotations":[{"image_id":4,"caption":"Nameless"},{"image_id":77,"caption":"Nobody's"},{"image_id":null,"caption":"Bad"},{"image_id":9,"id":1,"caption":"A cat. \n"},{"image_id":2,"caption":"A dog"},{"image_id":9,"caption":"Cat"}]}"#,
        )
        .unwrap();
        std::fs::write(
            &boxes,
            r#"{"images":[{"id":9,"file_name":"9.jpg","width":200,"height":100}],"categories":[{"id":17,"name":"cat"}],
                "annotations":[{"image_id":9,"bbox":[20,10,100,200],"category_id":17},{"image_id":2,"bbox":[0,0,1,1],"category_id":17,"iscrowd":1},
                {"image_id":2,"bbox":[],"category_id":17},{"image_id":9,"bbox":[0,0,1,1],"category_id":99},
                {"image_id":9,"bbox":"none"},{"image_id":78,"bbox":[0,0,1,1],"category_id":17},{"image_id":3,"bbox":[0,0,1,1],"category_id":17}]}"#,
        )
        .unwrap();
        std::fs::write(folder.path().join("2.jpg"), "x").unwrap();
        let (mut items, left_out) = coco(&captions, Some(&boxes)).unwrap();
        assert_eq!(left_out, LeftOut { unreadable: 3, orphans: 2 });
        assert_eq!(
            items.iter().map(|item| item.id.as_str()).collect::<Vec<_>>(),
            ["coco-000000000002", "coco-000000000004", "coco-000000000009"]
        );
        let mut nameless = items.remove(1);
        nameless.load_image(folder.path()).unwrap();
        assert_eq!(nameless.image.unwrap(), Image::default());
        items[0].load_image(folder.path()).unwrap();
        items[1].load_image(folder.path()).unwrap();
        assert_eq!(items[1].image.as_ref().unwrap().bytes, None);
        assert_eq!(items[0].image.as_ref().unwrap().bytes.as_deref(), Some(b"x".as_slice()));
        assert_eq!(items[1].captions, ["A cat.", "Cat"]);
        assert_eq!(items[1].objects, [Object { name: "cat".into(), place: [0.1, 0.1, 0.6, 1.0] }]);
        assert_eq!(items[1].description()["objects"][0]["box"][2], 0.6);
        assert_eq!(items[0].objects[0].name, "cat (crowd)");
        assert!(coco(&boxes, None).unwrap_err().to_string().contains("captions_"));
        std::fs::write(&captions, "[]").unwrap();
        assert!(coco(&captions, None).unwrap_err().to_string().contains("c.json"));
    }

    #[test]
    fn llava_instructions_in_both_forms() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("i.json");
        let row = r#"{"id":"a","image":"a.jpg","conversations":[{"from":"human","value":"<image>\nWhat?"},{"from":"gpt","value":"A cat."},{"from":"human","value":"cut"}]}"#;
        for text in [format!("[{row},{row}]"), format!("{row}\n\n{row}")] {
            std::fs::write(&path, text).unwrap();
            let items = instructions(&path).unwrap();
            assert_eq!(items.iter().map(|item| item.id.as_str()).collect::<Vec<_>>(), ["a", "a-2"]);
            let turn = Turn { question: "What?".into(), answer: "A cat.".into() };
            assert_eq!(items[0].turns, Some(vec![turn]));
        }
        std::fs::write(&path, format!("{row}\n{{")).unwrap();
        assert!(instructions(&path).unwrap_err().to_string().contains("line 2"));
    }
}
