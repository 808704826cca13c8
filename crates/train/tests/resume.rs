//! A run that is killed at any moment and started again ends with the same bytes as one that was not.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, also in its helpers")]

mod common;
#[path = "common/events.rs"]
mod events;
#[path = "common/runs.rs"]
mod runs;

use std::path::Path;

use runs::{assert_same_model, finish, kill_after, losses};
use tsumugi_train::{Error, Progress, train};

/// Not a test of its own: the process that is killed.
#[test]
fn child() {
    runs::be_child();
}

/// The stages of the test's recipe, with twelve steps each.
const STAGES: [&str; 3] = ["align", "pretrain", "instruct"];

/// A setting of every stage.
fn in_each(set: &str) -> Vec<String> {
    STAGES.iter().map(|stage| format!("stages.{stage}.{set}")).collect()
}

fn borrowed(sets: &[String]) -> Vec<&str> {
    sets.iter().map(String::as_str).collect()
}

#[test]
fn killed_runs_end_with_the_same_bytes() {
    let place = tempfile::tempdir().unwrap();
    let data = place.path().join("data");
    common::write_tables(&data);
    let held_out = format!(
        "stages.instruct.evaluation={{every=5,rows=4,answers=1,max_new_tokens=4,data=[{{source=\"conversations\",path={:?}}}]}}",
        data.join("conversations")
    );
    let sets = [
        held_out.as_str(),
        "stages.instruct.checkpoint.best=finish",
        "stages.instruct.tune=[\"projector\"]",
        "stages.instruct.lora={rank=4}",
        "metrics=[{name=\"tensorboard\"}]",
    ];
    let (undisturbed, killed) = (place.path().join("a"), place.path().join("b"));
    finish(&undisturbed, &sets);
    // Before the first checkpoint, twice; between two checkpoints of the first stage and near its end; in the last stage, and
    // about the last of its three evaluations: 36 steps and three evaluations in all.
    let places = [1, 1, 5, 11, 29, 38];
    let running = places.iter().filter(|&&lines| kill_after(&killed, &sets, lines)).count();
    assert!(running >= 5, "the run was over before it was killed");
    finish(&killed, &sets);

    assert_eq!(losses(&undisturbed), losses(&killed));
    let answers = |folder: &Path| std::fs::read_to_string(folder.join("out/answers.jsonl")).unwrap();
    assert_eq!(answers(&undisturbed), answers(&killed));
    assert_same_model(&undisturbed, &killed);
    for stage in STAGES {
        let of = |folder: &Path| events::scalars(&folder.join("out/tensorboard").join(stage));
        assert_eq!(of(&undisturbed), of(&killed), "{stage}");
        let steps: Vec<u64> =
            of(&killed).into_iter().filter(|(_, tag)| tag == "loss").map(|(step, _)| step).collect();
        assert_eq!(steps, (1..=12).collect::<Vec<_>>(), "{stage}");
    }
    let held_out = events::scalars(&killed.join("out/tensorboard/instruct"));
    assert_eq!(held_out.iter().filter(|(_, tag)| tag == "held_out_loss").count(), 3);
}

#[test]
fn a_later_stage_may_be_mended_between_a_kill_and_the_restart() {
    let place = tempfile::tempdir().unwrap();
    common::write_tables(&place.path().join("data"));
    let (undisturbed, killed) = (place.path().join("a"), place.path().join("b"));
    let mended = [
        "stages.instruct.optimizer.lr=2e-3",
        "stages.instruct.length=80",
        "stages.instruct.batch={rows=3,micro=3,collator=\"padded\"}",
        "stages.instruct.name=answer",
    ];
    finish(&undisturbed, &mended);
    assert!(kill_after(&killed, &[], 5));
    assert!(kill_after(&killed, &[], 16));
    // The stage that is begun may not change.
    let begun =
        common::recipe(&killed.join("../data"), &killed.join("out"), &["stages.pretrain.optimizer.lr=2e-3"]);
    let error = train(&begun, &Progress::hidden()).unwrap_err();
    assert!(matches!(error, Error::OtherRun { .. }) && error.is_usage(), "{error}");
    assert!(
        error.to_string().contains("stages.pretrain.optimizer.lr is 0.005 there and 0.002 here"),
        "{error}"
    );
    assert!(kill_after(&killed, &mended, 19));
    finish(&killed, &mended);
    assert_eq!(losses(&undisturbed), losses(&killed));
    assert_same_model(&undisturbed, &killed);
}

#[test]
fn any_recipe_may_follow_where_nothing_was_trained() {
    let place = tempfile::tempdir().unwrap();
    common::write_tables(&place.path().join("data"));
    let (undisturbed, killed) = (place.path().join("a"), place.path().join("b"));
    let late = ["stages.align.checkpoint.every=0", "metrics=[{name=\"tensorboard\"}]"];
    let other = [
        "seed=5",
        "tokenizer.build=300",
        "stages.instruct.length=160",
        "model.config.language.num_hidden_layers=1",
        "stages.align.optimizer.lr=1e-3",
        "metrics=[{name=\"tensorboard\"}]",
    ];
    finish(&undisturbed, &other);
    assert!(kill_after(&killed, &late, 3));
    finish(&killed, &other);
    assert_eq!(losses(&undisturbed), losses(&killed));
    assert_same_model(&undisturbed, &killed);
    let of = |folder: &Path| events::scalars(&folder.join("out/tensorboard/align"));
    assert_eq!(of(&undisturbed), of(&killed));
}

#[test]
fn keys_that_leave_the_weights_alone_may_change_in_the_middle_of_a_stage() {
    let place = tempfile::tempdir().unwrap();
    let data = place.path().join("data");
    common::write_tables(&data);
    let (undisturbed, killed) = (place.path().join("a"), place.path().join("b"));
    finish(&undisturbed, &[]);
    let mut other: Vec<String> =
        ["name=other", "loader_threads=1", "peak_tflops=0.5", "metrics=[{name=\"tensorboard\"}]"]
            .map(str::to_owned)
            .into();
    for set in ["recompute=1", "checkpoint={every=3,keep=1}", "rules={spike=50,skipped_window=9}"] {
        other.extend(in_each(set));
    }
    other.extend(in_each(&format!(
        "evaluation={{every=4,rows=2,answers=0,data=[{{source=\"conversations\",path={:?}}}]}}",
        data.join("conversations")
    )));
    assert!(kill_after(&killed, &[], 5));
    assert!(kill_after(&killed, &borrowed(&other), 9));
    assert!(kill_after(&killed, &borrowed(&other), 19));
    finish(&killed, &[]);
    assert_same_model(&undisturbed, &killed);
}

#[test]
fn another_micro_batch_and_number_of_threads_go_on() {
    let place = tempfile::tempdir().unwrap();
    let data = place.path().join("data");
    common::write_tables(&data);
    let (undisturbed, killed) = (place.path().join("a"), place.path().join("b"));
    let padded = in_each("batch={rows=4,micro=4,collator=\"padded\"}");
    let mut lower = in_each("batch={rows=4,micro=1,collator=\"padded\"}");
    lower.push("threads=2".into());
    finish(&undisturbed, &borrowed(&padded));
    assert!(kill_after(&killed, &borrowed(&padded), 5));
    finish(&killed, &borrowed(&lower));
    // Sums in another order: the last digits differ, which training makes larger.
    let (a, b) = (losses(&undisturbed), losses(&killed));
    assert_eq!(a.len(), b.len());
    for ((stage, step, one), (.., two)) in a.iter().zip(&b) {
        assert!((one - two).abs() < 0.02 * one, "{stage} {step}: {one} and {two}");
    }

    // Within a group of sorted batches the position counts batches.
    let bucketed = |micro: usize| in_each(&format!("batch={{rows=4,micro={micro},collator=\"bucketed\"}}"));
    let within = place.path().join("c");
    assert!(kill_after(&within, &borrowed(&bucketed(2)), 5));
    let recipe = common::recipe(&within.join("../data"), &within.join("out"), &borrowed(&bucketed(1)));
    let error = train(&recipe, &Progress::hidden()).unwrap_err();
    assert!(matches!(&error, Error::OtherRun { .. }) && error.to_string().contains("batch.micro"), "{error}");
    finish(&within, &borrowed(&bucketed(2)));
}
