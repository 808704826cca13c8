//! Small tables of drawn images, and a recipe for a very small model on them.

pub(crate) mod device;

use std::io::Cursor;
use std::path::Path;

use tsumugi_record::{
    Content, Conversation, Image, Interleaved, Message, Pair, Record, ShardWriter, shard_name,
};
use tsumugi_train::{Error, Progress, Recipe, train};

const COLOURS: [(&str, [u8; 3]); 4] =
    [("赤い", [220, 30, 30]), ("青い", [30, 60, 220]), ("緑の", [30, 160, 60]), ("黄色い", [230, 210, 40])];

fn square(colour: [u8; 3], size: u32) -> Image {
    let inside = |v: u32| (14 - size..14 + size).contains(&v);
    let drawn = image::RgbImage::from_fn(28, 28, |x, y| {
        if inside(x) && inside(y) { image::Rgb(colour) } else { image::Rgb([255; 3]) }
    });
    let mut bytes = Cursor::new(Vec::new());
    drawn.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    Image { bytes: Some(bytes.into_inner()), path: Some("a.png".into()) }
}

fn write<R: Record>(folder: &Path, rows: &[R]) {
    for (number, part) in rows.chunks(rows.len().div_ceil(2)).enumerate() {
        let mut writer = ShardWriter::create(folder.join(shard_name(R::KIND, number))).unwrap();
        writer.write(part).unwrap();
        writer.finish().unwrap();
    }
}

fn said(role: &str, image: bool, text: &str) -> Message {
    let mut content = vec![Content { kind: "text".into(), text: Some(text.into()) }];
    if image {
        content.insert(0, Content { kind: "image".into(), text: None });
    }
    Message { role: role.into(), content }
}

/// Writes the three tables under `folder`: 40 rows each, one image of them broken.
pub(crate) fn write_tables(folder: &Path) {
    let things: Vec<(String, Image)> = (0..40)
        .map(|i| {
            let (name, colour) = COLOURS[i % 4];
            let large = i / 4 % 2 == 1;
            (
                format!("{}{name}四角", if large { "大きな" } else { "小さな" }),
                square(colour, if large { 11 } else { 5 }),
            )
        })
        .collect();
    let pair = |(i, (text, image)): (usize, &(String, Image))| Pair {
        id: format!("p{i}"),
        image: if i == 7 { Image { bytes: Some(b"broken".to_vec()), path: None } } else { image.clone() },
        text: text.clone(),
        ..Pair::default()
    };
    write(&folder.join("pairs"), &things.iter().enumerate().map(pair).collect::<Vec<_>>());
    let document = |(i, two): (usize, &[(String, Image)])| Interleaved {
        id: format!("i{i}"),
        texts: vec![Some("図を見ます。".into()), None, Some(two[0].0.clone()), None, Some(two[1].0.clone())],
        images: vec![None, Some(two[0].1.clone()), None, Some(two[1].1.clone()), None],
        ..Interleaved::default()
    };
    write(&folder.join("interleaved"), &things.windows(2).enumerate().map(document).collect::<Vec<_>>());
    let talk = |(i, (text, image)): (usize, &(String, Image))| Conversation {
        id: format!("c{i}"),
        images: vec![image.clone()],
        messages: vec![
            said("user", true, "何が見えますか?"),
            said("assistant", false, &format!("{text}です。")),
        ],
        ..Conversation::default()
    };
    write(&folder.join("conversations"), &things.iter().enumerate().map(talk).collect::<Vec<_>>());
}

/// Three short stages of a model of some ten thousand parameters.
pub(crate) fn recipe(data: &Path, out: &Path, overrides: &[&str]) -> Recipe {
    Recipe::from_toml(&text(data, out), &owned(overrides)).unwrap()
}

/// Why such a recipe is refused, when it is read or followed.
#[allow(dead_code, reason = "not every test refuses recipes")]
pub(crate) fn refusal(data: &Path, out: &Path, overrides: &[&str]) -> Error {
    let read = Recipe::from_toml(&text(data, out), &owned(overrides));
    read.and_then(|recipe| train(&recipe, &Progress::hidden())).unwrap_err()
}

fn owned(overrides: &[&str]) -> Vec<String> {
    overrides.iter().map(|o| (*o).to_owned()).collect()
}

fn text(data: &Path, out: &Path) -> String {
    let stage = |name: &str, tune: &str, template: &str, sources: &[&str]| {
        let data: Vec<String> =
            sources.iter().map(|s| format!("{{ source = \"{s}\", path = {:?} }}", data.join(s))).collect();
        format!(
            "[[stages]]\nname = \"{name}\"\ntune = {tune}\ntemplate = \"{template}\"\nlength = 96\nduration = {{ steps = 12 }}\n\
             batch = {{ rows = 4, micro = 2 }}\noptimizer = {{ lr = 5e-3, weight_decay = 0.1, clip = 1.0 }}\n\
             checkpoint = {{ every = 2, keep = 2 }}\ndata = [{}]\n",
            data.join(", ")
        )
    };
    format!(
        "name = \"test\"\nout = {out:?}\nthreads = 1\ndevice = {:?}\n[tokenizer]\nbuild = 320\n\
         [model.config.vision]\nhidden_size = 16\nintermediate_size = 32\nnum_hidden_layers = 2\nnum_attention_heads = 2\nimage_size = 28\npatch_size = 14\n\
         [model.config.language]\nhidden_size = 32\nintermediate_size = 64\nnum_hidden_layers = 2\nnum_attention_heads = 4\nnum_key_value_heads = 2\nvocab_size = 320\ntie_word_embeddings = true\n{}{}{}",
        if device::on_cuda() { "cuda" } else { "cpu" },
        stage("align", "[\"projector\", \"language\"]", "plain", &["pairs"]),
        stage("pretrain", "[\"vision\", \"projector\", \"language\"]", "caption", &["pairs", "interleaved"]),
        stage(
            "instruct",
            "[\"projector\", \"*.layers.?.*\", \"*embed_tokens*\"]",
            "llmjp_v3",
            &["conversations"]
        ),
    )
}
