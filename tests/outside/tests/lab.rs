//! Extends Tsumugi from outside and runs what was added: texts are filtered, an encoder is trained, killed, resumed,
//! exported, loaded, generated from and evaluated by a new metric.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use tch::{Device, Kind, Tensor};
use tsumugi::eval::answer::{Answer, LocalAnswerer};
use tsumugi::eval::bench::LoadRequest;
use tsumugi::eval::profile::Profile;
use tsumugi::eval::results::{Run, score};
use tsumugi::eval::scorer::Resources;
use tsumugi::record::Prediction;
use tsumugi::vlm::checkpoint::{read_safetensors, write_safetensors};
use tsumugi::vlm::{Families, GenerateOptions, Model, ModelFamily, Question, VisionConfig};
use tsumugi_outside::{LabVit, LabVlm, evaluation, filters, image, samples};

/// Writes the lab's pretrained encoder: its own configuration and its own names.
fn pretrained(folder: &Path) -> BTreeMap<String, Tensor> {
    let config =
        r#"{"model_type": "lab_vit", "width": 16, "depth": 2, "heads": 2, "image": 28, "patch": 14}"#;
    std::fs::create_dir(folder).unwrap();
    std::fs::write(folder.join("config.json"), config).unwrap();
    let sizes = VisionConfig {
        hidden_size: 16,
        intermediate_size: 32,
        num_hidden_layers: 2,
        num_attention_heads: 2,
        image_size: 28,
        patch_size: 14,
        ..VisionConfig::default()
    };
    let mut tensors = BTreeMap::new();
    for def in LabVit::units(&sizes).iter().flat_map(|unit| unit.spec().0) {
        let name = def.name.strip_prefix("vision_tower.").unwrap().to_owned();
        tensors.insert(name, def.first_value(7).unwrap());
    }
    write_safetensors(&folder.join("weights.safetensors"), tensors.iter().map(|(n, t)| (n.as_str(), t)))
        .unwrap();
    tensors
}

fn train(encoder: &Path, out: &Path, abort_after: Option<u64>) -> bool {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lab"));
    command.arg(encoder).arg(out).args(abort_after.map(|n| n.to_string()));
    command.output().unwrap().status.success()
}

fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            let below = PathBuf::from(path.file_name().unwrap());
            found.extend(files(&path).into_iter().map(|(name, bytes)| (below.join(name), bytes)));
        } else {
            found.insert(PathBuf::from(path.file_name().unwrap()), std::fs::read(&path).unwrap());
        }
    }
    found
}

fn families() -> Families {
    let mut families = Families::default();
    families.register(Arc::new(LabVlm));
    families
}

#[test]
fn an_encoder_is_trained_killed_resumed_exported_generated_from_and_evaluated() {
    let home = tempfile::tempdir().unwrap();
    let encoder = home.path().join("vit");
    let tensors = pretrained(&encoder);
    let (straight, killed) = (home.path().join("straight"), home.path().join("killed"));
    assert!(train(&encoder, &straight, None));
    assert!(!train(&encoder, &killed, Some(3)));
    assert!(!killed.join("model").exists(), "the run was killed before its end");
    assert!(train(&encoder, &killed, None));
    let model = files(&straight.join("model"));
    assert!(model.contains_key(Path::new("tensors/model.safetensors")), "{:?}", model.keys());
    assert_eq!(model, files(&killed.join("model")), "a resumed run gives the same bytes");

    // The frozen encoder is the pretrained one.
    let exported: BTreeMap<String, Tensor> =
        read_safetensors(&straight.join("model/tensors/model.safetensors")).unwrap().into_iter().collect();
    for (name, tensor) in &tensors {
        assert_eq!(exported[&format!("lab:vision_tower.{name}")], *tensor, "{name}");
    }

    // Without the family the checkpoint is refused, with it it answers.
    let folder = straight.join("model").display().to_string();
    let error = Model::load(&folder, Device::Cpu, Kind::Float).unwrap_err();
    assert!(error.to_string().contains("lab_vlm"), "{error}");
    let loaded = Model::load_with(&families(), &folder, Device::Cpu, Kind::Float).unwrap();
    assert_eq!(loaded.vlm.image_tokens(), 5, "four patches and the class token");
    let questions = [Question::new("What colour?", vec![image(0)])];
    let options = GenerateOptions { max_new_tokens: 8, stop: false, ..GenerateOptions::default() };
    let ids = loaded.prompt(&questions[0]).unwrap();
    let places = ids.iter().filter(|&&id| id == loaded.vlm.config().image_token_id.0).count();
    assert_eq!(places, 5);
    let answers = loaded.answer(&questions, &options, &mut |_, _| {}).unwrap();
    let again = Model::load_with(&families(), &folder, Device::Cpu, Kind::Float).unwrap();
    assert_eq!(again.answer(&questions, &options, &mut |_, _| {}).unwrap(), answers);
    evaluate(&folder);
}

/// Evaluates a checkpoint on the lab's benchmark by the lab's metric.
fn evaluate(folder: &str) {
    let (registry, profile) = (evaluation(), Profile::Paper);
    let benchmark = registry.load_benchmark("colours", &LoadRequest::new(profile)).unwrap();
    let generation = profile.settings().generation;
    assert!(LocalAnswerer::load(folder, generation, 2).is_err(), "the built-in families do not read it");
    let model = LocalAnswerer::load_with(&families(), folder, generation, 2).unwrap();
    let answers = model.answer(&benchmark.questions).unwrap();
    assert_eq!(answers.len(), 4);
    let said = |answer| match answer {
        Answer::Text(text) => text,
        other => panic!("{other:?}"),
    };
    let answers: Vec<String> = answers.into_iter().map(said).collect();
    let prediction = |(question, answer): (&tsumugi::eval::bench::Question, String)| Prediction {
        question_id: question.id.clone(),
        category: question.category.clone(),
        reference: question.reference.clone(),
        answer,
        ..Prediction::default()
    };
    let predictions: Vec<Prediction> = benchmark.questions.iter().zip(answers).map(prediction).collect();
    let scorers = registry.scorers(&["letters", "exact-match"]).unwrap();
    let run =
        Run { benchmark: &benchmark, profile, predictions: &predictions, judgements: &[], judging: None };
    let results = score(&run, &scorers, &Resources::default()).unwrap();
    let expected: f64 = predictions
        .iter()
        .map(|p| {
            let shared = p.answer.chars().filter(|c| p.reference.contains(*c)).count();
            100.0 * shared as f64 / p.answer.chars().count().max(1) as f64
        })
        .sum::<f64>()
        / 4.0;
    assert!((results.metric("letters").unwrap().score - expected).abs() < 1e-9);
}

#[test]
fn the_filter_drops_what_the_profile_says() {
    let filters = filters().unwrap();
    assert_eq!(filters.apply("grey grey grey").reason(), Some("stutter>0.3"));
    assert!(filters.apply("a grey square").keep);
    assert_eq!(samples(|_| true).len(), 32);
    assert_eq!(samples(|text| filters.apply(text).keep).len(), 28);
}

#[test]
fn the_normalisation_is_the_labs_own() {
    let sizes = VisionConfig { image_size: 28, ..VisionConfig::default() };
    let config = tsumugi::vlm::VlmConfig { vision: sizes, ..Default::default() };
    let pixels = LabVlm.image_processor(&config).pixel_values(&[image(5)]).unwrap();
    assert!(pixels.mean(Kind::Float).double_value(&[]).abs() < 1e-3);
}
