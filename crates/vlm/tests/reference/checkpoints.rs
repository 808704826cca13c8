//! Reading and writing layouts.

use tch::{Kind, Tensor};
use tsumugi_vlm::checkpoint::{read_safetensors, write_safetensors};
use tsumugi_vlm::{
    Batch, Checkpoint, Context, Error, Families, Output, ProjectorKind, SaveOptions, Tokenizer, Vlm, Weights,
    build_tokenizer, save,
};

use super::{defs, device, fixture, llava, tensors};

fn logits(vlm: &Vlm, weights: &Weights) -> Tensor {
    let given = tensors("llava_batch.safetensors");
    let batch = Batch::of_ids(given["input_ids"].shallow_clone());
    let context = Context::new(vlm.config(), &batch, Output::Logits, device(), Kind::Float).unwrap();
    vlm.forward(weights, Some(&given["pixel_values"].to_device(device())), &context).unwrap()
}

#[test]
fn written_checkpoints_give_the_same_logits() {
    let (vlm, weights) = llava();
    let expected = logits(&vlm, &weights);
    let home = tempfile::tempdir().unwrap();
    let families = Families::default();
    for (family, limit) in [("llava", u64::MAX), ("llava", 20_000), ("vila", 20_000)] {
        let folder = home.path().join("model");
        let family = Some(families.get(family).unwrap());
        let options = SaveOptions { family, max_shard_bytes: limit, ..SaveOptions::default() };
        // Twice: the second replaces the first.
        for _ in 0..2 {
            save(&folder, &vlm, &weights, None, &options).unwrap();
        }
        let checkpoint = Checkpoint::open(&folder).unwrap();
        let again = checkpoint.vlm().unwrap();
        assert_eq!(again.config(), vlm.config());
        let loaded = checkpoint.load(&defs(&again), device(), Kind::Float).unwrap();
        assert_eq!(logits(&again, &loaded), expected);
    }
    let left: Vec<_> = std::fs::read_dir(home.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "nothing temporary stays");
}

#[test]
fn names_of_transformers_5_are_read() {
    let (vlm, weights) = llava();
    let home = tempfile::tempdir().unwrap();
    std::fs::copy(fixture("llava/config.json"), home.path().join("config.json")).unwrap();
    let renamed: Vec<(String, Tensor)> = read_safetensors(&fixture("llava/model.safetensors"))
        .unwrap()
        .into_iter()
        .map(|(name, tensor)| (name.replace("vision_tower.vision_model.", "vision_tower."), tensor))
        .collect();
    write_safetensors(&home.path().join("model.safetensors"), renamed.iter().map(|(n, t)| (n.as_str(), t)))
        .unwrap();
    let loaded = Checkpoint::open(home.path()).unwrap().load(&defs(&vlm), device(), Kind::Float).unwrap();
    assert_eq!(logits(&vlm, &loaded), logits(&vlm, &weights));
}

/// Opens the fixture with its tensors changed.
fn changed(change: impl FnOnce(&mut Vec<(String, Tensor)>)) -> Error {
    let (vlm, _) = llava();
    let home = tempfile::tempdir().unwrap();
    std::fs::copy(fixture("llava/config.json"), home.path().join("config.json")).unwrap();
    let mut all = read_safetensors(&fixture("llava/model.safetensors")).unwrap();
    change(&mut all);
    write_safetensors(&home.path().join("model.safetensors"), all.iter().map(|(n, t)| (n.as_str(), t)))
        .unwrap();
    let checkpoint = Checkpoint::open(home.path()).unwrap();
    checkpoint.load(&defs(&vlm), device(), Kind::Float).map(|_| ()).unwrap_err()
}

#[test]
fn tensors_that_do_not_fit_are_named() {
    let norm = "language_model.model.norm.weight";
    let error = changed(|all| all.retain(|(name, _)| name != norm));
    assert!(error.to_string().contains(&format!("missing tensors: {norm}")), "{error}");
    let error = changed(|all| all.push(("language_model.model.extra".to_owned(), Tensor::from(1.0_f32))));
    assert!(error.to_string().contains("unexpected tensors: language_model.model.extra"), "{error}");
    let error = changed(|all| {
        for (name, tensor) in all {
            if name == norm {
                *tensor = Tensor::zeros([17], (Kind::Float, device()));
            }
        }
    });
    assert!(error.to_string().contains(&format!("{norm} (expected [16], found [17])")), "{error}");
}

#[test]
fn broken_folders_are_one_clear_error() {
    let home = tempfile::tempdir().unwrap();
    let open = || Checkpoint::open(home.path()).map(|_| ()).unwrap_err().to_string();
    assert!(open().contains("config.json"));
    std::fs::write(home.path().join("config.json"), "{").unwrap();
    assert!(open().contains("config.json"));
    std::fs::write(home.path().join("config.json"), r#"{"model_type": "bert"}"#).unwrap();
    assert!(open().contains("bert"));
    std::fs::copy(fixture("llava/config.json"), home.path().join("config.json")).unwrap();
    assert!(open().contains("model.safetensors"));
    let whole = std::fs::read(fixture("llava/model.safetensors")).unwrap();
    std::fs::write(home.path().join("model.safetensors"), &whole[..whole.len() / 2]).unwrap();
    assert!(open().contains("model.safetensors"));
}

#[test]
fn transformers_has_no_layout_for_other_projectors() {
    let (vlm, weights) = llava();
    let mut config = vlm.config().clone();
    config.projector.kind = ProjectorKind::Linear;
    let home = tempfile::tempdir().unwrap();
    let linear = Vlm::new(config).unwrap();
    let error = save(home.path().join("x"), &linear, &weights, None, &SaveOptions::default()).unwrap_err();
    assert!(matches!(error, Error::Config { .. }), "{error}");
}

#[test]
fn tokenizers_are_written_and_read() {
    let home = tempfile::tempdir().unwrap();
    let tokenizer = build_tokenizer(&["猫が机の上にいます。"], 300).unwrap();
    tokenizer.save(home.path()).unwrap();
    let again = Tokenizer::open(home.path()).unwrap();
    assert_eq!((again.special(), again.chat_template()), (tokenizer.special(), tokenizer.chat_template()));
    let text = "机の上の猫";
    assert_eq!(again.encode(text, true).unwrap(), tokenizer.encode(text, true).unwrap());
}
