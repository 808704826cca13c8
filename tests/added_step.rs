//! A step that a program adds to the table appears on its command line, resumes and counts without further code.
//!
//! The test has no harness: called with `ADDED_STEP` set it is the program with the step, else it runs that program.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tsumugi::pipeline::runner::{Inputs, Outputs, Phase, Stage, Step, Work};
use tsumugi::pipeline::{Context, Error, Group, StepCommand, steps};
use tsumugi::record::Excluded;

/// Settings of the step.
#[derive(Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct OddOnly {
    /// Output folder.
    #[schemars(extend("x-role" = "output", "x-required" = true, "x-value-name" = "DIR"))]
    out: PathBuf,
    /// Numbers to look at, a shard each.
    numbers: Vec<u64>,
    /// Fails at this number as on a full disk.
    #[schemars(extend("x-role" = "operation"))]
    fail_at: Option<u64>,
}

impl Step for OddOnly {
    const NAME: &'static str = "odd_only";
    const GROUP: Group = Group::Data;
    const ABOUT: &'static str = "Drops even numbers";
    type Settings = OddOnly;

    fn out(settings: &OddOnly) -> &Path {
        &settings.out
    }
    fn open(settings: OddOnly, _: &mut Inputs, _: &Context) -> Result<OddOnly, Error> {
        Ok(settings)
    }
    fn phases(&self) -> Vec<Phase<OddOnly>> {
        vec![Phase::map("numbers", |step, _| Ok(step.numbers.len()), OddOnly::treat)]
    }
}

impl OddOnly {
    fn treat(&self, _: &Work, shard: usize, outputs: &mut Outputs) -> Result<(), Error> {
        const STAGE: Stage = Stage { name: "parity", unit: "numbers" };
        let number = self.numbers[shard];
        if self.fail_at == Some(number) {
            return Err(Error::step(Self::NAME, number.to_string())("no space left"));
        }
        eprintln!("treated {number}");
        outputs.begin::<Excluded>("excluded")?;
        if number.is_multiple_of(2) {
            let row = Excluded { id: number.to_string(), reason: "even".into(), ..Excluded::default() };
            return outputs.exclude(STAGE, row);
        }
        outputs.pass(STAGE);
        Ok(())
    }
}

fn main() -> ExitCode {
    if std::env::var_os("ADDED_STEP").is_some() {
        let mut steps = steps();
        steps.push(&StepCommand::<OddOnly>::COMMAND);
        return tsumugi_cli::main_with(&steps);
    }
    it_is_listed_and_explained();
    it_resumes_and_counts();
    a_worker_runs_its_phase();
    println!("the added step passes");
    ExitCode::SUCCESS
}

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.env("ADDED_STEP", "1").env_remove("RUST_LOG").args(["--threads", "1"]).args(arguments);
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn run(arguments: &[&str]) -> Output {
    program(arguments).output().unwrap()
}

fn it_is_listed_and_explained() {
    let help = text(&run(&["--help"]).stdout);
    assert!(help.contains("odd_only") && help.contains("Drops even numbers"), "{help}");
    let help = text(&run(&["odd_only", "--help"]).stdout);
    for part in
        ["--out <DIR>", "--numbers <NUMBERS>", "--fail-at <FAIL_AT>", "Numbers to look at, a shard each"]
    {
        assert!(help.contains(part), "{part} is not in {help}");
    }
    let config = text(&run(&["odd_only", "--numbers", "1", "2", "--print-config"]).stdout);
    assert!(config.contains("# Numbers to look at, a shard each.\nnumbers = [1, 2]\n"), "{config}");
}

fn it_resumes_and_counts() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out").display().to_string();
    let settings = ["odd_only", "--out", &out, "--numbers", "1", "2", "3", "4"];
    let stopped = run(&[&settings[..], &["--fail-at", "3"]].concat());
    let stderr = text(&stopped.stderr);
    assert_eq!(stopped.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("no space left") && stderr.contains("treated 1"), "{stderr}");
    let resumed = run(&settings);
    let stderr = text(&resumed.stderr);
    assert!(resumed.status.success(), "{stderr}");
    assert!(
        stderr.contains("treated 3") && !stderr.contains("treated 1\n"),
        "shards were done again: {stderr}"
    );
    let stdout = text(&resumed.stdout);
    let summary: serde_json::Value = serde_json::from_str(stdout.lines().last().unwrap()).unwrap();
    assert_eq!(summary["rows"]["excluded"], 2, "{summary}");
    let stage = &summary["funnel"][0];
    assert_eq!((&stage["name"], &stage["dropped"]["even"]), (&"parity".into(), &2.into()), "{summary}");
    let other = run(&[&settings[..4], &["1"]].concat());
    assert_eq!(other.status.code(), Some(2), "another run must be refused");
}

fn a_worker_runs_its_phase() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("run.toml");
    std::fs::write(&config, format!("out = '{}'\nnumbers = [5, 6]\n", folder.path().join("out").display()))
        .unwrap();
    let shards = folder.path().join("shards");
    std::fs::write(&shards, "1\n").unwrap();
    let config = config.display().to_string();
    let output = program(&["worker", "odd_only", "numbers", "--config", &config])
        .stdin(std::fs::File::open(&shards).unwrap())
        .output()
        .unwrap();
    let line = text(&output.stdout);
    assert!(output.status.success() && line.starts_with("1\t1\t"), "{line} {}", text(&output.stderr));
}
