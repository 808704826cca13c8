//! What a later stage cannot use is found before the first one trains.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, also in its helpers")]

mod common;

use std::path::Path;

use tch::{Kind, Tensor};
use tsumugi_train::{Divergence, Error, Progress, Trainer, train};
use tsumugi_vlm::checkpoint::{read_safetensors, write_safetensors};

/// Asserts that a recipe is refused, with `words` in the message and nothing written.
fn refused(data: &Path, out: &Path, sets: &[&str], words: &[&str]) {
    let error = common::refusal(data, out, sets);
    let message = error.with_causes();
    assert!(error.is_usage(), "{sets:?}: {message}");
    for word in words {
        assert!(message.contains(word), "{sets:?}: `{word}` is not in: {message}");
    }
    assert!(!out.exists(), "{sets:?} is refused with something written");
}

#[test]
fn a_later_stage_is_checked_before_the_first_one_trains() {
    let place = tempfile::tempdir().unwrap();
    let (data, out) = (place.path().join("data"), place.path().join("out"));
    common::write_tables(&data);
    let json = place.path().join("llava.json");
    std::fs::write(&json, r#"[{"id": "x", "image": "none.png", "conversations": []}]"#).unwrap();
    let llava = |more: &str| format!("stages.instruct.data=[{{source=\"llava\",path={json:?}{more}}}]");
    let conversations = data.join("conversations").display().to_string();
    let held_out = |path: &str, rows: u64| {
        format!(
            "stages.instruct.evaluation={{rows={rows},data=[{{source=\"conversations\",path={path:?}}}]}}"
        )
    };
    for (set, words) in [
        ("stages.instruct.data.0.path=/nope.json".to_owned(), vec!["stage instruct", "data.0", "/nope.json"]),
        (
            "stages.instruct.data.0.source=pears".into(),
            vec!["stage instruct", "data.0.source", "pears", "pairs"],
        ),
        // A table of another kind.
        (
            format!("stages.instruct.data.0.path={}", data.join("pairs").display()),
            vec!["stage instruct", "data.0", "conversations"],
        ),
        (llava(",images=\"/no/images\""), vec!["stage instruct", "data.0.images", "/no/images"]),
        (llava(""), vec!["stage instruct", "none of"]),
        ("stages.instruct.template=chatty".into(), vec!["stage instruct", "template", "chatty"]),
        ("stages.instruct.length=3".into(), vec!["stage instruct", "too_long"]),
        (
            "stages.instruct.tune=[\"langauge\"]".into(),
            vec!["stage instruct", "tune", "langauge", "is language"],
        ),
        (
            "stages.instruct.lora={rank=4,of=[\"*.q_prj.*\"]}".into(),
            vec!["stage instruct", "lora.of", "*.q_prj.*", "q_proj.weight"],
        ),
        // A bias is no matrix.
        (
            "stages.instruct.lora={rank=4,of=[\"*.bias\"]}".into(),
            vec!["stage instruct", "lora.of", "no matrix"],
        ),
        (
            "stages.instruct.optimizer.multipliers=[{of=\"visoin\",factor=0.1}]".into(),
            vec!["stage instruct", "optimizer.multipliers", "is vision"],
        ),
        ("stages.instruct.objective=words".into(), vec!["stage instruct", "objective", "tokens"]),
        ("stages.instruct.batch.collator=stacked".into(), vec!["stage instruct", "batch.collator", "packed"]),
        (held_out("/nope", 3), vec!["stage instruct", "evaluation.data.0", "/nope"]),
        ("metrics=[{name=\"tensorbord\"}]".into(), vec!["metrics.0", "tensorboard"]),
        ("callbacks=[{name=\"bell\"}]".into(), vec!["callbacks.0", "bell"]),
        ("model.family=lava".into(), vec!["model.family", "lava", "llava"]),
        ("tokenizer={path=\"/no/tokenizer.json\"}".into(), vec!["tokenizer.path", "/no/tokenizer.json"]),
        ("export.chat_template=/no.jinja".into(), vec!["export.chat_template", "/no.jinja"]),
    ] {
        refused(&data, &out, &[&set], &words);
    }
    // Rows that fit, and held-out ones that do not.
    let sets = [
        format!("stages.instruct.data=[{{source=\"pairs\",path={:?}}}]", data.join("pairs")),
        "stages.instruct.template=plain".into(),
        "stages.instruct.length=24".into(),
        held_out(&conversations, 2).replace("path=", "template=\"llmjp_v3\",path="),
    ];
    let sets: Vec<&str> = sets.iter().map(String::as_str).collect();
    refused(&data, &out, &sets, &["stage instruct (evaluation)"]);
}

#[test]
fn a_recipe_can_be_checked_before_its_data_is_made() {
    let place = tempfile::tempdir().unwrap();
    let (data, out) = (place.path().join("data"), place.path().join("out"));
    let trainer = |sets: &[&str]| Trainer::new(common::recipe(&data, &out, sets));
    trainer(&[]).check_without_data().unwrap();
    assert!(trainer(&[]).check().unwrap_err().is_usage());
    assert!(trainer(&["stages.pretrain.tune=[\"visoin\"]"]).check_without_data().unwrap_err().is_usage());
    common::write_tables(&data);
    trainer(&[]).check().unwrap();
    assert!(!out.exists(), "a check writes nothing");
}

#[test]
fn a_checkpoint_that_does_not_fit_its_configuration_is_refused() {
    let place = tempfile::tempdir().unwrap();
    let (data, out) = (place.path().join("data"), place.path().join("out"));
    common::write_tables(&data);
    let model = train(&common::recipe(&data, &out, &[]), &Progress::hidden()).unwrap().model;
    let start = format!("model={{checkpoint={model:?}}}");
    let sets = [start.as_str(), "tokenizer={}"];
    let weights = model.join("model.safetensors");
    let stored = read_safetensors(&weights).unwrap();
    let write = |change: &dyn Fn(&str, &Tensor) -> Option<Tensor>| {
        let changed: Vec<(String, Tensor)> =
            stored.iter().filter_map(|(name, tensor)| Some((name.clone(), change(name, tensor)?))).collect();
        write_safetensors(&weights, changed.iter().map(|(name, tensor)| (name.as_str(), tensor))).unwrap();
    };
    let other = place.path().join("other");
    write(&|name, tensor| (!name.contains("linear_1.bias")).then(|| tensor.shallow_clone()));
    refused(&data, &other, &sets, &["model.checkpoint", "linear_1.bias"]);

    // Headers say nothing of values that are no numbers.
    write(&|name, tensor| {
        let bad = if name.contains("linear_1.bias") { f64::NAN } else { 0.0 };
        Some(tensor.to_kind(Kind::Float) + bad)
    });
    let recipe = common::recipe(&data, &other, &sets);
    let error = train(&recipe, &Progress::hidden()).unwrap_err();
    assert!(
        matches!(&error, Error::Diverged { step: 0, divergence: Divergence::FirstWeights { .. }, .. }),
        "{error}"
    );
    assert!(error.to_string().contains("stage align") && error.to_string().contains("checkpoint"), "{error}");
}

#[test]
fn a_run_that_diverges_says_where_and_what_to_do() {
    let place = tempfile::tempdir().unwrap();
    let data = place.path().join("data");
    common::write_tables(&data);
    let diverge = |rate: &str| {
        let out = place.path().join(rate);
        let rate = format!("stages.pretrain.optimizer.lr={rate}");
        let recipe = common::recipe(&data, &out, &[rate.as_str(), "stages.pretrain.schedule.kind=constant"]);
        // Started again, it says the same.
        for _ in 0..2 {
            let error = train(&recipe, &Progress::hidden()).unwrap_err();
            assert!(
                matches!(&error, Error::Diverged { stage, step: 1.., .. } if stage == "pretrain"),
                "{error}"
            );
            assert!(error.to_string().contains("optimizer.lr") && !error.is_usage(), "{error}");
        }
        out
    };
    // Weights that are numbers still, though no loss can be computed with them.
    diverge("1e38");
    // Weights that are not: they reach no checkpoint, so a mended stage goes on behind the first one.
    let out = diverge("1e39");
    assert!(!out.join("stages/2-pretrain/checkpoints").exists());
    let summary = train(&common::recipe(&data, &out, &[]), &Progress::hidden()).unwrap();
    assert_eq!(summary.stages.len(), 3);
}
