//! The binary from end to end: help, settings from flags and files, errors, output.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, also in its helpers")]

use std::process::{Command, Output, Stdio};

use tsumugi_pipeline::steps;

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tsumugi"));
    command.args(arguments).env_remove("RUST_LOG").env_remove("OPENAI_BASE_URL").stdin(Stdio::null());
    command
}

fn run(arguments: &[&str]) -> Output {
    program(arguments).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn help_lists_every_step_in_its_group() {
    let help = stdout(&run(&["--help"]));
    let at = |text: &str| help.find(text).unwrap_or_else(|| panic!("{text} is not in {help}"));
    for step in steps() {
        let place = at(&format!("  {} ", step.name()));
        assert!(place > at(&format!("{}:\n", step.group().title())), "{}", step.name());
    }
    assert!(run(&["--version"]).status.success());
    assert_eq!(run(&[]).status.code(), Some(2));
}

/// Help of a step says what every flag means; nothing is left without a description.
#[test]
fn every_flag_has_a_meaning() {
    for step in steps() {
        let schema = step.schema().to_value();
        for (key, property) in schema["properties"].as_object().into_iter().flatten() {
            let meaning = property["description"].as_str().unwrap_or_default();
            assert!(!meaning.is_empty(), "{}: `{key}` has no description", step.name());
        }
        let output = run(&[step.name(), "--help"]);
        assert!(output.status.success() && stdout(&output).contains("--print-config"), "{}", step.name());
    }
}

/// `flags.txt` lists what scripts may rely on.
#[test]
fn flags_of_the_contract_are_there() {
    let mut missing = Vec::new();
    for line in include_str!("flags.txt").lines().filter(|line| !line.starts_with('#')) {
        let (step, flags) = line.split_once(": ").unwrap();
        let help = stdout(&run(&[step, "--help"]));
        let has = |flag: &str| match flag.starts_with("--") {
            true => help.split_whitespace().any(|word| word.trim_end_matches(',') == flag),
            false => help.contains("\nArguments:\n"),
        };
        missing.extend(flags.split(' ').filter(|flag| !has(flag)).map(|flag| format!("{step} {flag}")));
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn printed_settings_are_read_back_as_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("settings.toml").display().to_string();
    for step in steps() {
        let has_config = step.schema().to_value()["properties"].get("config").is_some();
        let first = run(&[step.name(), "--print-config"]);
        assert!(first.status.success(), "{}: {}", step.name(), stderr(&first));
        if has_config {
            continue;
        }
        std::fs::write(&file, &first.stdout).unwrap();
        let again = run(&[step.name(), "--config", &file, "--print-config"]);
        assert_eq!(stdout(&again), stdout(&first), "{}: {}", step.name(), stderr(&again));
    }
}

#[test]
fn flags_win_over_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("settings.toml");
    std::fs::write(&file, "count = 3\nseed = 7\n").unwrap();
    let file = file.display().to_string();
    let printed = stdout(&run(&["contact_sheet", "--config", &file, "--seed", "9", "--print-config"]));
    assert!(printed.contains("\ncount = 3\n") && printed.contains("\nseed = 9\n"), "{printed}");
}

/// Wrong usage: exit code 2 and a message with this part.
#[test]
fn wrong_usage_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wrong.toml");
    std::fs::write(&file, "count = 3\nsede = 7\n").unwrap();
    let file = file.display().to_string();
    let broken = folder.path().join("broken.toml");
    std::fs::write(&broken, "count = \n").unwrap();
    let broken = broken.display().to_string();
    let cases: &[(&[&str], &str)] = &[
        (&["nowhere"], "unrecognized subcommand 'nowhere'"),
        (&["list_records"], "<FILE>..."),
        (&["contact_sheet", "--images", "a"], "--built <DIR>\n  --out <FILE>"),
        (
            &["contact_sheet", "--count", "many"],
            "invalid value 'many' for '--count': it takes a whole number",
        ),
        (&["contact_sheet", "--config", &file], "there is no setting `sede`"),
        (&["contact_sheet", "--config", &broken], "line 1"),
        (&["contact_sheet", "--config", "/nowhere.toml"], "/nowhere.toml: No such file"),
        (&["filter_text", "--input", "a", "--profile", "nowhere"], "--profile"),
        (&["list_records", "a", "-q", "-v"], "cannot be used with"),
        (&["completions", "cmd"], "cmd"),
    ];
    for (arguments, part) in cases {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(part), "{arguments:?}: {part} is not in {}", stderr(&output));
    }
}

#[test]
fn counts_are_the_last_line_and_failures_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("a.html");
    std::fs::write(&page, "<title>T</title><p>Text.").unwrap();
    let page = page.display().to_string();
    let output = run(&["extract_page", &page, "/nowhere.html"]);
    let lines: Vec<serde_json::Value> =
        stdout(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        (&lines[0]["title"], &lines[2]["pages"], &lines[2]["errors"]),
        (&"T".into(), &1.into(), &1.into())
    );
    let errors = stderr(&output);
    assert!(errors.contains("/nowhere.html") && errors.contains("1 of 2 files"), "{errors}");
    assert!(run(&["extract_page", &page]).status.success());
}

#[test]
fn messages_are_as_loud_as_wanted() {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("in.jsonl");
    std::fs::write(&input, "{\"id\": 1, \"text\": \"Text.\"}\n").unwrap();
    let input = input.display().to_string();
    let step = ["filter_text", "--input", &input, "--profile", "hojichar"];
    let loud = run(&step);
    assert!(loud.status.success() && stderr(&loud).contains("no such list"), "{}", stderr(&loud));
    let quiet = run(&[&step[..], &["-q"]].concat());
    assert_eq!((quiet.status.code(), stderr(&quiet)), (Some(0), String::new()));
    let chosen = program(&step).env("RUST_LOG", "error").output().unwrap();
    assert_eq!(stderr(&chosen), "");
    assert_eq!(stdout(&loud), stdout(&quiet));
}

#[test]
fn a_reader_may_close_the_output() {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("a.html");
    std::fs::write(&page, "<p>".repeat(1 << 20)).unwrap();
    let page = page.display().to_string();
    let mut child = program(&["extract_page", &page, &page])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), String::new()));
}

#[test]
fn completions_name_steps_and_flags() {
    for shell in ["bash", "zsh", "fish"] {
        let output = run(&["completions", shell]);
        let script = stdout(&output);
        assert!(output.status.success() && script.contains("filter_documents"), "{shell}");
        assert!(script.contains("keep-opt-out"), "{shell}");
    }
}

#[test]
fn a_worker_refuses_what_is_no_step_phase_or_shard() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("run.toml");
    std::fs::write(&config, "").unwrap();
    let config = config.display().to_string();
    let unknown = run(&["worker", "nowhere", "map", "--config", &config]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(stderr(&unknown).contains("there is no such step"), "{}", stderr(&unknown));
    let tool = run(&["worker", "look_up", "map", "--config", &config]);
    assert_eq!(tool.status.code(), Some(2));
    assert!(stderr(&tool).contains("no map phase `map`"), "{}", stderr(&tool));
}

#[test]
fn the_reference_has_every_step() {
    let page = stdout(&run(&["reference"]));
    for step in steps() {
        assert!(page.contains(&format!("\n### {}\n", step.name())), "{}", step.name());
    }
}

/// `/dev/full` is a disk without any space.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_called_full() {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("a.html");
    std::fs::write(&page, "<title>a</title><p>text").unwrap();
    for arguments in [vec!["extract_page", page.to_str().unwrap()], vec!["reference"]] {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let output = program(&arguments).stdout(full).output().unwrap();
        let message = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {message}");
        assert!(message.contains("the disk is full"), "{arguments:?}: {message}");
    }
}
