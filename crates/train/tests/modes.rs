//! Files and folders of a run have the permissions that the umask gives.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, also in its helpers")]

mod common;

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use tsumugi_train::metrics::StepMetrics;
use tsumugi_train::{Action, Callback, CallbackContext, Error, Result, Trainer};

const FOLDER: &str = "TSUMUGI_TEST_FOLDER";

/// Ends a run in the middle of its last stage.
struct Stop;

impl Callback for Stop {
    fn name(&self) -> &str {
        "stop"
    }

    fn step_done(&mut self, context: &CallbackContext<'_>, metrics: &StepMetrics) -> Result<Action> {
        if context.stage == "instruct" && metrics.step == 7 {
            return Err(Error::Callback { name: "stop".into(), reason: "this is the end".into() });
        }
        Ok(Action::default())
    }
}

/// Not a test of its own: the process that has another umask.
#[test]
fn child() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let folder = Path::new(&folder);
    let data = folder.join("../data");
    let held_out = format!(
        "stages.instruct.evaluation={{every=3,rows=4,answers=1,max_new_tokens=4,data=[{{source=\"conversations\",path={:?}}}]}}",
        data.join("conversations")
    );
    let sets = [
        held_out.as_str(),
        "stages.instruct.checkpoint.best=keep",
        "metrics=[{name=\"tensorboard\"}]",
        "model.config.projector.kind=linear",
    ];
    let trainer = || Trainer::new(common::recipe(&data, &folder.join("out"), &sets));
    assert!(matches!(trainer().callback(Box::new(Stop)).run(), Err(Error::Callback { .. })));
    // What a run is in the middle of, before the end removes it.
    let (from, to) = (folder.join("out/stages/3-instruct"), folder.join("kept"));
    assert!(Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap().success());
    trainer().run().unwrap();
}

/// Looks at every file and folder below one, and returns the relative paths of the files.
fn modes(root: &Path, folder: &Path, umask: u32, files: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        if path.is_dir() {
            assert_eq!(mode, 0o777 & !umask, "{} is {mode:o}", path.display());
            modes(root, &path, umask, files);
        } else {
            assert_eq!(mode, 0o666 & !umask, "{} is {mode:o}", path.display());
            files.push(path.strip_prefix(root).unwrap().display().to_string());
        }
    }
}

#[test]
fn everything_is_written_with_the_umask() {
    let place = tempfile::tempdir().unwrap();
    common::write_tables(&place.path().join("data"));
    for umask in [0o022, 0o027] {
        let folder = place.path().join(format!("{umask:o}"));
        std::fs::create_dir(&folder).unwrap();
        let mut command = Command::new("sh");
        command.arg("-c").arg(format!("umask {umask:o}; exec \"$0\" --exact child --test-threads=1"));
        command.arg(std::env::current_exe().unwrap()).env(FOLDER, &folder);
        assert!(command.status().unwrap().success());
        let mut files = Vec::new();
        modes(&folder, &folder, umask, &mut files);
        for expected in [
            "kept/checkpoints/step-00000006/engine.safetensors",
            "kept/checkpoints/step-00000006/state.json",
            "out/answers.jsonl",
            "out/metrics.jsonl",
            "out/model/config.json",
            "out/model/mm_projector/model.safetensors",
            "out/recipe.toml",
            "out/run.html",
            "out/stages/1-align/llm/model.safetensors",
            "out/stages/1-align/done.json",
            "out/stages/3-instruct/best/llm/model.safetensors",
            "out/tokenizer/tokenizer.json",
        ] {
            assert!(files.iter().any(|file| file == expected), "{expected} is not among {files:?}");
        }
        assert!(files.iter().any(|file| file.starts_with("out/tensorboard/align/events")));
        assert!(files.iter().any(|file| file.starts_with("out/answers/")));
    }
}
