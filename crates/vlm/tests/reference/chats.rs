//! Prompts, loss masks, logits and greedy answers of checkpoints whose tokenizers and chat templates have the forms of
//! different model families.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;
use tch::{Kind, Tensor};
use tsumugi_vlm::checkpoint::write_safetensors;
use tsumugi_vlm::template::{Encoded, IMAGE_PLACE, encode};
use tsumugi_vlm::{
    Batch, ChatTemplate, Checkpoint, Content, Context, GenerateOptions, IGNORE, Message, Model, Output, Role,
    Tokenizer, generate,
};

use super::device;

/// `cases.json` of a family.
#[derive(Deserialize)]
struct Family {
    image: String,
    rows: i64,
    config: Value,
    rendered: Vec<Row>,
    answers: Vec<Answer>,
}

#[derive(Deserialize)]
struct Row {
    messages: Vec<(Role, Vec<Option<String>>)>,
    text: String,
    ids: Vec<i64>,
    /// 1 where there is loss; none for a row that asks.
    loss: Option<Vec<i64>>,
}

#[derive(Deserialize)]
struct Answer {
    logits: Vec<f64>,
    greedy: Vec<i64>,
    text: String,
}

fn families() -> Vec<(PathBuf, Family)> {
    let home = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/chat");
    let mut folders: Vec<PathBuf> =
        std::fs::read_dir(home).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    assert!(folders.len() >= 12);
    let read = |folder: PathBuf| {
        let text = std::fs::read_to_string(folder.join("cases.json")).unwrap();
        (folder, serde_json::from_str(&text).unwrap())
    };
    folders.into_iter().map(read).collect()
}

fn messages(row: &Row) -> Vec<Message> {
    let content = |part: &Option<String>| part.clone().map_or(Content::Image, Content::Text);
    let message = |(role, parts): &(Role, Vec<Option<String>>)| Message {
        role: *role,
        content: parts.iter().map(content).collect(),
    };
    row.messages.iter().map(message).collect()
}

/// Where labels are ids.
fn mask(encoded: &Encoded) -> Vec<i64> {
    encoded.labels.iter().map(|label| i64::from(*label != IGNORE)).collect()
}

#[test]
fn ids_and_loss_masks_are_those_of_transformers() {
    for (folder, family) in families() {
        let tokenizer = Tokenizer::open(&folder).unwrap();
        let tokens = tokenizer.special_tokens();
        assert_eq!(tokens.image, family.image, "{}", folder.display());
        let marked = tokenizer.chat().unwrap().unwrap();
        assert!(marked.marks_answers());
        let plain = marked.source().replace("{% generation %}", "").replace("{% endgeneration %}", "");
        let plain = ChatTemplate::new(plain).unwrap();
        for row in &family.rendered {
            let place = format!("{}: {:?}", folder.display(), row.text);
            for template in [&marked, &plain] {
                let messages = messages(row);
                let Some(loss) = &row.loss else {
                    let text = template.prompt(tokens, &messages).unwrap();
                    assert_eq!(text, row.text, "{place}");
                    assert_eq!(encode(&tokenizer, &text, &[]).unwrap().ids, row.ids, "{place}");
                    continue;
                };
                let found = template.conversation(tokens, &messages).unwrap();
                assert_eq!(found.text, row.text, "{place}");
                let found = encode(&tokenizer, &found.text, &found.answers).unwrap();
                assert_eq!(found.ids, row.ids, "{place}");
                // The form of LLaVA 1.5 writes spaces around answers, and no end token: without blocks they are not told apart.
                if template.marks_answers() || !(folder.ends_with("llava15") || folder.ends_with("nobos")) {
                    assert_eq!(&mask(&found), loss, "{place} {}", template.marks_answers());
                } else {
                    assert!(mask(&found).iter().zip(loss).any(|both| both == (&1, &1)), "{place}");
                }
            }
        }
    }
}

/// The weights of the fixture's formula.
fn formula(name: &str, shape: &[i64]) -> Tensor {
    let count: i64 = shape.iter().product();
    let n = Tensor::arange(count, (Kind::Double, tch::Device::Cpu));
    let shift = name.bytes().map(f64::from).sum::<f64>() % 97.0;
    let wave = ((&n + 1.0) * 1.7 + shift).sin() * (&n * &n * 0.013).cos();
    let fan: i64 = shape[1..].iter().product();
    let wave = if name.contains("norm") && name.ends_with("weight") {
        wave * 0.2 + 1.0
    } else if name.ends_with("bias") {
        wave * 0.1
    } else if name.contains("embed") {
        wave
    } else {
        wave * 2.0 / (fan as f64).sqrt()
    };
    wave.reshape(shape).to_kind(Kind::Float)
}

/// A checkpoint of a family with its formula's weights.
fn checkpoint(folder: &Path, family: &Family, place: &Path) -> Model {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, place.join(path.file_name().unwrap())).unwrap();
    }
    let mut config = family.config.clone();
    let layers = config["vision_config"]["num_hidden_layers"].as_i64().unwrap();
    std::fs::write(place.join("config.json"), config.to_string()).unwrap();
    config["image_token_index"] = 0.into();
    let bare = place.join("bare");
    std::fs::create_dir(&bare).unwrap();
    std::fs::write(bare.join("config.json"), config.to_string()).unwrap();
    write_safetensors(&bare.join("model.safetensors"), std::iter::empty()).unwrap();
    let defs = super::defs(&Checkpoint::open(&bare).unwrap().vlm().unwrap());
    assert_eq!(layers, 2);
    let tensors: Vec<(String, Tensor)> =
        defs.iter().map(|def| (def.name.clone(), formula(&def.name, &def.shape))).collect();
    write_safetensors(&place.join("model.safetensors"), tensors.iter().map(|(name, t)| (name.as_str(), t)))
        .unwrap();
    Model::load(&place.display().to_string(), device(), Kind::Float).unwrap()
}

#[test]
fn answers_are_those_of_transformers_whatever_row_the_image_token_has() {
    let mut grown = BTreeMap::new();
    for (folder, family) in families() {
        let place = tempfile::tempdir().unwrap();
        let model = checkpoint(&folder, &family, place.path());
        let rows = model.vlm.config().language.vocab_size;
        grown.insert(folder.file_name().unwrap().to_string_lossy().into_owned(), rows - family.rows);
        let asked = family.rendered.iter().filter(|row| row.loss.is_none());
        for (row, answer) in asked.zip(&family.answers) {
            let place = format!("{}: {:?}", folder.display(), row.text);
            let encoded = Encoded { ids: row.ids.clone(), labels: row.ids.clone() };
            let ids = encoded.expand(model.vlm.image_tokens(), model.vlm.config().image_token_id.0).ids;
            let images = row.ids.iter().filter(|&&id| id == IMAGE_PLACE).count() as i64;
            let n = Tensor::arange(images * 3 * 28 * 28, (Kind::Double, tch::Device::Cpu));
            let pixels =
                (n * 0.37).sin().to_kind(Kind::Float).reshape([images, 3, 28, 28]).to_device(device());
            let batch = Batch::of_ids(Tensor::from_slice(&ids).view([1, -1]));
            let context =
                Context::new(model.vlm.config(), &batch, Output::Logits, device(), Kind::Float).unwrap();
            let logits = model.vlm.forward(&model.weights, Some(&pixels), &context).unwrap();
            let last: Vec<f64> = Vec::try_from(logits.get(0).get(-1).to_kind(Kind::Double)).unwrap();
            let sum = last.iter().map(|x| x.abs()).sum::<f64>();
            let ends = last[..4].iter().chain(&last[last.len() - 4..]).copied().chain([sum]);
            for (found, expected) in ends.zip(&answer.logits) {
                assert!(
                    (found - expected).abs() <= 2e-5 * expected.abs().max(1.0),
                    "{place}: {found} {expected}"
                );
            }
            let options = GenerateOptions { max_new_tokens: 8, stop: false, ..GenerateOptions::default() };
            let said =
                generate(&model.vlm, &model.weights, &[ids], Some(&pixels), &options, &mut |_, _| true);
            let said = said.unwrap().remove(0);
            assert_eq!(said, answer.greedy, "{place}");
            assert_eq!(model.tokenizer.decode(&said).unwrap(), answer.text, "{place}");
        }
    }
    assert_eq!((grown["tinyllama"], grown["gemma"]), (1, 1));
    assert_eq!((grown["llama3"], grown["llava15"]), (0, 0));
}
