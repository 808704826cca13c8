//! An ablation on the embedded sample, a few steps long: trained, judged, put side by side, and run again.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, also in its helpers")]

mod common;

use std::fs;
use std::path::Path;

use common::{assert_modes, files, run, run_ok, step, with_umask};

const CONFIG: &str = r#"
recipe = "examples/recipes/tiny.toml"
set = [
    "stages.align.duration.steps=3",
    "stages.pretrain.duration.steps=2",
    "stages.instruct.duration.steps=2",
    "tokenizer.build=600",
]
generation = { max_tokens = 3, beams = 1, repetition_penalty = 1.0 }
batch = 16
[sample]
pages = 8
[judge]
stand_in = true
runs = 1
[[runs]]
name = "all"
paper = "LLM-jp-3 VILA"
[[runs]]
name = "on translated data"
replace = { conversations = "translated" }
[[runs]]
name = "no step 1"
without_stages = ["pretrain"]
"#;

#[test]
fn runs_are_trained_evaluated_and_compared() {
    let folder = tempfile::tempdir().unwrap();
    let (config, out) = (folder.path().join("a.toml"), folder.path().join("out"));
    fs::write(&config, CONFIG).unwrap();
    let ablate = || {
        let mut command = step("ablate");
        command.arg("--config").arg(&config).arg("--out").arg(&out);
        with_umask("027", &command)
    };
    let summary = run_ok(&mut ablate());
    let shared: Vec<u64> = summary["runs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|run| run["shared_stages"].as_u64().unwrap())
        .collect();
    assert_eq!(shared, [0, 2, 1]);
    assert_eq!(summary["comparisons"][0]["rows"].as_array().unwrap().len(), 3);
    assert_eq!(summary["judged_by_stand_in"], true);
    assert_modes(&out, 0o027);
    let table = fs::read_to_string(out.join("table.md")).unwrap();
    assert!(table.contains("| all |") && table.contains("| no step 1 | benchmark, ROUGE-L |"), "{table}");
    assert!(table.contains("stand-in") && table.contains("(shared)"), "{table}");
    // What differs in its last stage alone is the same up to it, and has another end.
    let weights = |run: &str, stage: &str| {
        fs::read(out.join(format!("runs/{run}/train/stages/{stage}/model.safetensors"))).unwrap()
    };
    assert_eq!(weights("all", "2-pretrain"), weights("on-translated-data", "2-pretrain"));
    assert_ne!(weights("all", "3-instruct"), weights("on-translated-data", "3-instruct"));
    // Again it has nothing to do, and says the same.
    run_ok(&mut ablate());
    assert_eq!(fs::read_to_string(out.join("table.md")).unwrap(), table);
    answers_do_not_depend_on_the_batch(&out);
}

fn answers_do_not_depend_on_the_batch(ablation: &Path) {
    let all = fs::read_to_string(ablation.join("data/sample/benchmark.jsonl")).unwrap();
    let few = ablation.join("data/sample/few.jsonl");
    fs::write(&few, all.lines().take(12).collect::<Vec<_>>().join("\n")).unwrap();
    let tables = ["1", "5", "32"].map(|batch| {
        let out = ablation.join(format!("batch-{batch}"));
        let mut command = step("evaluate");
        command.arg("--benchmark").arg(&few);
        command.arg("--model").arg(ablation.join("runs/all/train/model"));
        run_ok(command.args(["--batch", batch, "--out"]).arg(&out));
        let wanted = |name: &str| name.ends_with(".parquet") || name == "results.json";
        files(&out, &wanted)
    });
    assert!(tables[0].len() >= 2);
    assert!(tables[0] == tables[1] && tables[0] == tables[2]);
}

#[test]
fn a_wrong_configuration_is_one_message() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("a.toml");
    fs::write(&config, CONFIG.replace("without_stages = [\"pretrain\"]", "without_stages = [\"step1\"]"))
        .unwrap();
    let output = run(step("ablate").arg("--config").arg(&config).arg("--out").arg(folder.path().join("out")));
    assert_eq!(output.status.code(), Some(2));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("step1") && stderr.lines().count() == 1, "{stderr}");
    assert!(!folder.path().join("out").exists());
}

#[test]
fn what_the_last_run_cannot_use_is_found_before_the_first_one_trains() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("a.toml");
    let benchmarks = |path: &str| format!("[[benchmarks]]\nbenchmark = {path:?}\n[judge]\nstand_in = true");
    for (from, to, words) in [
        (
            "[judge]\nstand_in = true",
            benchmarks("data/bnech.jsonl").as_str(),
            vec!["benchmarks.0", "data/bnech.jsonl", "heron-bench"],
        ),
        (
            "without_stages = [\"pretrain\"]",
            "set = [\"stages.instruct.tune=[\\\"langauge\\\"]\"]",
            vec!["no step 1", "stage instruct", "langauge", "is language"],
        ),
        ("stand_in = true", "base_url = \"nowhere\"\nmodel = \"x\"", vec!["judge.base_url"]),
    ] {
        fs::write(&config, CONFIG.replace(from, to)).unwrap();
        let out = folder.path().join("out");
        let output = run(step("ablate").arg("--config").arg(&config).arg("--out").arg(&out));
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        for word in words {
            assert!(stderr.contains(word), "`{word}` is not in: {stderr}");
        }
        assert!(!out.join("runs").exists(), "{to} was found late");
    }
}
