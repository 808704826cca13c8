//! Whole runs of a very small model.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, also in its helpers")]

mod common;

use std::path::Path;

use tsumugi_train::{Error, Progress, Registry, dry_run, read_metrics, train};
use tsumugi_vlm::{GenerateOptions, Model, Question};

#[test]
fn three_stages_learn_and_leave_a_model() {
    let place = tempfile::tempdir().unwrap();
    common::write_tables(&place.path().join("data"));
    let out = place.path().join("out");
    let recipe = common::recipe(&place.path().join("data"), &out, &["metrics=[{name=\"tensorboard\"}]"]);
    let summary = train(&recipe, &Progress::hidden()).unwrap();

    assert_eq!(summary.stages.len(), 3);
    for stage in &summary.stages {
        assert_eq!(stage.steps, 12);
        assert!(
            stage.final_loss < stage.first_loss,
            "{}: {} to {}",
            stage.name,
            stage.first_loss,
            stage.final_loss
        );
        assert!(stage.tokens_per_second > 0.0 && stage.images > 0);
        assert!(stage.trained_parameters < summary.parameters || stage.name == "pretrain");
        assert_eq!(read_metrics(&out.join("metrics.jsonl"), &stage.name).unwrap().len(), 12);
    }
    assert!(summary.stages[0].dropped["pairs: image_undecodable"] > 0);
    assert_eq!(summary.stages[0].dropped_ids["pairs: image_undecodable"], ["p7"]);
    let mixture = &summary.stages[1].mixture;
    assert_eq!(
        mixture.iter().map(|share| share.source.as_str()).collect::<Vec<_>>(),
        ["pairs", "interleaved"]
    );
    assert!((mixture[0].asked - 40.0 / 79.0).abs() < 1e-9 && mixture[0].trained > 0.3, "{mixture:?}");
    assert_eq!(mixture.iter().map(|share| share.counts.rows).sum::<u64>(), summary.stages[1].rows_drawn);
    for file in [
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "preprocessor_config.json",
        "chat_template.jinja",
    ] {
        assert!(summary.model.join(file).is_file(), "{file}");
    }
    assert!(out.join("tensorboard/align").is_dir());

    // The folder of each stage is a checkpoint that another run can begin from; nothing is learned here.
    let begun = [
        format!("model={{checkpoint={:?}}}", out.join("stages/1-align")),
        "tokenizer={}".to_owned(),
        "stages.align.optimizer.lr=0".to_owned(),
    ];
    let begun: Vec<&str> = begun.iter().map(String::as_str).collect();
    let mut from_stage = common::recipe(&place.path().join("data"), &place.path().join("from-stage"), &begun);
    from_stage.stages.truncate(1);
    let same = train(&from_stage, &Progress::hidden()).unwrap().model;
    let bytes = |folder: &Path| std::fs::read(folder.join("model.safetensors")).unwrap();
    assert!(bytes(&same) == bytes(&out.join("stages/1-align")));
    assert!(bytes(&same) != bytes(&summary.model));
    assert!(bytes(&out.join("stages/3-instruct")) == bytes(&summary.model));

    // Once done, a second start only says so again.
    let again = train(&recipe, &Progress::hidden()).unwrap();
    assert_eq!(again, summary);
    // Nothing of the data is needed for it.
    let gone = common::recipe(&place.path().join("data"), &out, &[]);
    std::fs::rename(place.path().join("data"), place.path().join("moved")).unwrap();
    assert_eq!(train(&gone, &Progress::hidden()).unwrap().stages.len(), 3);
    // A recipe that lacks one of its stages must not mix with it.
    let mut fewer = recipe.clone();
    fewer.stages.truncate(2);
    let error = train(&fewer, &Progress::hidden()).unwrap_err();
    assert!(error.is_usage() && error.to_string().contains("stages/3-instruct"), "{error}");
    // Another recipe must not mix with it.
    let other = common::recipe(&place.path().join("data"), &out, &["seed=9"]);
    assert!(matches!(train(&other, &Progress::hidden()), Err(Error::OtherRun { .. })));
    assert!(train(&other, &Progress::hidden()).unwrap_err().is_usage());
}

#[test]
fn a_projector_that_llava_does_not_know_is_written_as_vila() {
    let place = tempfile::tempdir().unwrap();
    common::write_tables(&place.path().join("data"));
    for kind in ["linear", "mlp_downsample"] {
        let out = place.path().join(kind);
        let projector = format!("model.config.projector.kind={kind:?}");
        let recipe = common::recipe(&place.path().join("data"), &out, &[projector.as_str()]);
        let model = train(&recipe, &Progress::hidden()).unwrap().model;
        assert!(model.join("mm_projector").is_dir());
        let model =
            Model::load(&model.display().to_string(), common::device::device(), tch::Kind::Float).unwrap();
        let question = Question::new("何が見えますか?", Vec::new());
        assert_eq!(model.answer(&[question], &GenerateOptions::default(), &mut |_, _| {}).unwrap().len(), 1);
    }
}

#[test]
fn every_precision_and_collator_trains() {
    let place = tempfile::tempdir().unwrap();
    common::write_tables(&place.path().join("data"));
    for (number, (precision, collator)) in
        [("bf16", "packed"), ("bf16-stochastic", "padded"), ("f32", "bucketed")].iter().enumerate()
    {
        let out = place.path().join(number.to_string());
        let mut sets = Vec::new();
        for stage in ["align", "pretrain", "instruct"] {
            sets.push(format!("stages.{stage}.precision={precision}"));
            sets.push(format!("stages.{stage}.batch.collator={collator}"));
            sets.push(format!("stages.{stage}.recompute=1"));
        }
        let sets: Vec<&str> = sets.iter().map(String::as_str).collect();
        let summary =
            train(&common::recipe(&place.path().join("data"), &out, &sets), &Progress::hidden()).unwrap();
        for stage in &summary.stages {
            assert!(stage.final_loss < stage.first_loss, "{precision} {collator} {}", stage.name);
        }
    }
}

#[test]
fn a_step_trains_on_its_rows_whatever_micro_is() {
    let place = tempfile::tempdir().unwrap();
    common::write_tables(&place.path().join("data"));
    let losses = |micro: usize| -> Vec<f64> {
        let out = place.path().join(micro.to_string());
        let sets = ["align", "pretrain", "instruct"]
            .map(|stage| format!("stages.{stage}.batch={{rows=5,micro={micro},collator=\"padded\"}}"));
        let sets: Vec<&str> = sets.iter().map(String::as_str).collect();
        train(&common::recipe(&place.path().join("data"), &out, &sets), &Progress::hidden()).unwrap();
        let steps = read_metrics(&out.join("metrics.jsonl"), "align").unwrap();
        assert!(steps.iter().all(|step| step.samples == 5), "{steps:?}");
        steps.iter().map(|step| step.loss).collect()
    };
    let whole = losses(5);
    for micro in [2, 4] {
        for (a, b) in losses(micro).iter().zip(&whole) {
            assert!((a - b).abs() < 1e-3 * b.abs(), "micro {micro}: {a} and {b}");
        }
    }
}

#[test]
fn a_dry_run_shows_the_data_and_trains_nothing() {
    let place = tempfile::tempdir().unwrap();
    common::write_tables(&place.path().join("data"));
    let out = place.path().join("out");
    let sets = ["stages.instruct.batch={rows=5,micro=2,collator=\"padded\"}"];
    let recipe = common::recipe(&place.path().join("data"), &out, &sets);
    let seen = dry_run(&recipe, &Registry::default(), 1000).unwrap();
    assert!(!out.exists(), "nothing is written");
    let [align, pretrain, instruct] = &seen.stages[..] else { panic!("three stages") };
    assert_eq!((align.drawn, align.lengths.len(), align.dropped["pairs: image_undecodable"]), (40, 39, 1));
    assert_eq!(align.dropped_ids["pairs: image_undecodable"], ["p7"]);
    assert_eq!((align.steps, pretrain.mixture.len()), (12.0, 2));
    assert!(pretrain.images.iter().all(|&images| images == 1 || images == 2));
    // Packed rows of samples of equal lengths need no padding.
    assert!((0.0..1.0).contains(&align.padding_fraction));
    // What training sees is what was shown.
    let stage = &train(&recipe, &Progress::hidden()).unwrap().stages[2];
    assert!((instruct.samples_a_step - 5.0).abs() < 1e-9);
    let tokens = stage.tokens as f64 / stage.steps as f64;
    assert!(
        (instruct.tokens_a_step - tokens).abs() < 0.1 * tokens,
        "{tokens} and {}",
        instruct.tokens_a_step
    );
    let text = seen.text();
    assert!(
        text.contains("align: 40 of 40 rows drawn") && text.contains("image_undecodable 1 (p7)"),
        "{text}"
    );
    let html = seen.page().render().unwrap();
    assert!(html.contains("<svg") && html.contains("padding fraction") && html.contains("p7"));
}

#[test]
fn epochs_end_by_themselves() {
    let place = tempfile::tempdir().unwrap();
    common::write_tables(&place.path().join("data"));
    let sets: Vec<String> = ["align", "pretrain", "instruct"]
        .iter()
        .map(|s| format!("stages.{s}.duration={{epochs=2.0}}"))
        .collect();
    let sets: Vec<&str> = sets.iter().map(String::as_str).collect();
    let recipe = common::recipe(&place.path().join("data"), &place.path().join("out"), &sets);
    let summary = train(&recipe, &Progress::hidden()).unwrap();
    let rows: Vec<(u64, u64)> = summary.stages.iter().map(|s| (s.rows_drawn, s.samples)).collect();
    assert_eq!(rows, [(80, 78), (158, 156), (80, 80)]);
}

#[test]
fn faults_are_told_apart() {
    let place = tempfile::tempdir().unwrap();
    common::write_tables(&place.path().join("data"));
    let run = |sets: &[&str]| {
        let out = place.path().join(sets.concat().replace(['/', '"'], "_"));
        train(&common::recipe(&place.path().join("data"), &out, sets), &Progress::hidden()).unwrap_err()
    };
    for set in [
        "stages.align.tune=[\"visoin\"]",
        "stages.align.template=chatty",
        "stages.align.data.0.source=pears",
        "stages.align.batch.collator=stacked",
        "tokenizer.build=9000",
        "device=tpu",
    ] {
        let error = run(&[set]);
        assert!(error.is_usage(), "{set}: {error}");
    }
    let error = run(&["stages.align.length=3"]);
    assert!(matches!(error, Error::NoSamples { .. }) && error.to_string().contains("too_long"), "{error}");
    assert!(error.is_usage());
    let error = run(&["stages.align.data.0.path=nowhere"]);
    assert!(matches!(error, Error::Unusable { .. }), "{error}");
    assert!(error.with_causes().contains("nowhere: no such folder"), "{}", error.with_causes());
}
