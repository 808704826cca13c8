//! Held-out rows on the way, the best weights, adapters, and the run page.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, also in its helpers")]

mod common;

use std::path::Path;

use tch::{Kind, Tensor};
use tsumugi_train::{Error, Progress, Recipe, Summary, read_answers, read_metrics, train};
use tsumugi_vlm::Model;

/// The last of the three stages alone, with further settings.
fn instruct(data: &Path, out: &Path, sets: &[&str]) -> Recipe {
    let held_out = format!(
        "stages.instruct.evaluation={{every=2,rows=9,answers=2,max_new_tokens=8,data=[{{source=\"conversations\",path={:?}}}]}}",
        data.join("conversations")
    );
    let mut all = vec![held_out.as_str()];
    all.extend_from_slice(sets);
    let mut recipe = common::recipe(data, out, &all);
    recipe.stages.drain(..2);
    recipe
}

fn run(recipe: &Recipe) -> Summary {
    train(recipe, &Progress::hidden()).unwrap()
}

/// A tensor of the exported model.
fn tensor(model: &Path, name: &str) -> Tensor {
    let model = Model::load(&model.display().to_string(), common::device::device(), Kind::Float).unwrap();
    model.weights.get(name).unwrap().shallow_clone()
}

fn model_bytes(model: &Path) -> Vec<u8> {
    std::fs::read(model.join("model.safetensors")).unwrap()
}

#[test]
fn held_out_rows_are_measured_answered_and_shown() {
    let place = tempfile::tempdir().unwrap();
    let (data, out) = (place.path().join("data"), place.path().join("out"));
    common::write_tables(&data);
    let summary = run(&instruct(&data, &out, &["name=a < b"]));
    let stage = &summary.stages[0];
    assert!(stage.held_out_loss.unwrap() < stage.first_loss);

    let metrics = std::fs::read_to_string(out.join("metrics.jsonl")).unwrap();
    assert_eq!(metrics.matches("held_out_loss").count(), 6, "after each second of twelve steps");
    let answers = read_answers(&out).unwrap();
    assert_eq!(answers.len(), 12);
    assert!(answers.iter().all(|a| a.stage == "instruct" && a.reference.ends_with("です。")));
    assert!(answers.iter().all(|a| a.prompt.contains("何が見えますか") && a.images.len() == 1));
    assert!(answers.iter().all(|a| out.join(&a.images[0]).is_file()));
    let steps = read_metrics(&out.join("metrics.jsonl"), "instruct").unwrap();
    assert!(
        steps.iter().all(|s| s.mfu > 0.0 && s.mfu < 2.0),
        "{:?}",
        steps.iter().map(|s| s.mfu).collect::<Vec<_>>()
    );

    let page = std::fs::read_to_string(out.join("run.html")).unwrap();
    assert!(page.contains("a &lt; b") && page.contains("held out") && page.contains("<p>Done.</p>"));
    assert!(page.contains("src=\"data:image/"));
}

#[test]
fn a_stage_can_end_with_its_best_weights() {
    let place = tempfile::tempdir().unwrap();
    let data = place.path().join("data");
    common::write_tables(&data);
    // The rate rises far too high behind a good beginning, so that the last weights are worse than earlier ones.
    let level =
        ["stages.instruct.schedule={kind=\"constant\",warmup=1.0}", "stages.instruct.optimizer.lr=0.3"];
    let with = |name: &str, sets: &[&str]| {
        let sets: Vec<&str> = level.iter().chain(sets).copied().collect();
        let recipe = instruct(&data, &place.path().join(name), &sets);
        (run(&recipe), recipe.out)
    };
    let (last, last_folder) = with("last", &[]);
    let (best, best_folder) = with("best", &["stages.instruct.checkpoint.best=finish"]);
    let (kept, kept_folder) = with("kept", &["stages.instruct.checkpoint.best=keep"]);
    assert_eq!(last.stages[0].held_out_loss, best.stages[0].held_out_loss);
    let lowest = held_out(&last_folder).into_iter().min_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
    assert!(lowest.0 < 12, "the last weights are the best, which tests nothing");
    assert_eq!(best.stages[0].held_out_loss, Some(lowest.1));

    assert_ne!(model_bytes(&last.model), model_bytes(&best.model));
    assert_eq!(model_bytes(&last.model), model_bytes(&kept.model));
    assert_eq!(model_bytes(&kept_folder.join("stages/1-instruct/best")), model_bytes(&best.model));
    assert!(!best_folder.join("stages/1-instruct/checkpoints").exists());
}

/// Steps and losses on held-out rows.
fn held_out(run: &Path) -> Vec<(u64, f64)> {
    let text = std::fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    lines
        .filter(|line| line["name"] == "held_out_loss")
        .map(|line| (line["step"].as_u64().unwrap(), line["value"].as_f64().unwrap()))
        .collect()
}

#[test]
fn adapters_change_their_matrices_by_a_low_rank_and_leave_the_rest() {
    let place = tempfile::tempdir().unwrap();
    let data = place.path().join("data");
    common::write_tables(&data);
    let before = run(&instruct(&data, &place.path().join("before"), &[]));
    let start = [
        format!("model={{checkpoint={:?}}}", before.model),
        "tokenizer={}".to_owned(),
        "stages.instruct.tune=[]".to_owned(),
        "stages.instruct.lora={rank=2,alpha=8.0}".to_owned(),
    ];
    let start: Vec<&str> = start.iter().map(String::as_str).collect();
    let after = run(&instruct(&data, &place.path().join("after"), &start));
    assert!(after.stages[0].final_loss < after.stages[0].first_loss);
    assert!(after.stages[0].trained_parameters < after.parameters / 2);

    let change = |name: &str| tensor(&after.model, name) - tensor(&before.model, name);
    let adapted = change("language_model.model.layers.0.mlp.up_proj.weight");
    let (_, values, _) = adapted.svd(true, true);
    let values = Vec::<f32>::try_from(values).unwrap();
    assert!(values[1] > 1e-4 && values[2] < values[0] * 1e-4, "{values:?}");
    for frozen in ["language_model.model.embed_tokens.weight", "language_model.model.norm.weight"] {
        assert_eq!(change(frozen).abs().max().double_value(&[]), 0.0, "{frozen}");
    }
    let names = String::from_utf8_lossy(&model_bytes(&after.model)).into_owned();
    assert!(!names.contains("lora_"), "the exported model holds adapters");
}

#[test]
fn what_cannot_be_measured_or_adapted_is_refused_before_training() {
    let place = tempfile::tempdir().unwrap();
    let data = place.path().join("data");
    common::write_tables(&data);
    for (number, (sets, said)) in [
        (vec!["stages.align.checkpoint.best=keep"], "needs an evaluation"),
        (vec!["stages.align.evaluation={rows=3}"], "needs data and rows"),
        (vec!["stages.align.lora={rank=0}"], "rank"),
        (vec!["stages.align.lora={}"], "also matched by tune"),
        (vec!["stages.align.lora={of=[\"*nothing*\"]}"], "matches no matrix"),
        (
            vec!["stages.align.tune=[\"projector\"]", "stages.align.lora={of=[\"*embed_tokens*\"]}"],
            "two units",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let out = place.path().join(number.to_string());
        let error = common::refusal(&data, &out, &sets);
        assert!(
            matches!(error, Error::Recipe { .. }) && error.to_string().contains(said),
            "{sets:?}: {error}"
        );
    }
}
