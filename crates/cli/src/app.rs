//! The program: the table of steps as a command line, and what happens around a run.

use std::ffi::OsString;
use std::io::{BufRead as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Command as Clap, value_parser};
use clap_complete::Shell;
use serde_json::Value;
use tsumugi_pipeline::{Command, Context, Error, Group, Progress};

use crate::flags::COMMON;
use crate::step::Step;
use crate::{logging, reference};

const ABOUT: &str = "From web archives to multimodal data, and from the data to a vision-language model";

/// Subcommands that are not steps, as `--help` lists them.
const PROGRAM: [(&str, &str); 2] = [
    ("worker", "Runs a map phase of a step for the shards named on standard input"),
    ("completions", "Prints completions for a shell"),
];

/// Runs the program with these arguments, the program's name first.
pub(crate) fn run(commands: &[&'static dyn Command], arguments: Vec<OsString>) -> ExitCode {
    let steps: Vec<Step> = commands.iter().map(|command| Step::new(*command)).collect();
    let mut clap = root(&steps);
    let matches = match clap.try_get_matches_from_mut(arguments) {
        Ok(matches) => matches,
        Err(error) => return refuse(&error),
    };
    match matches.subcommand() {
        Some(("completions", matches)) => {
            if let Some(shell) = matches.get_one::<Shell>("shell") {
                clap_complete::generate(*shell, &mut clap, "tsumugi", &mut std::io::stdout());
            }
            ExitCode::SUCCESS
        }
        Some(("reference", _)) => print(&reference::markdown(&steps)),
        Some(("worker", matches)) => worker(&steps, matches, &mut clap),
        Some((name, matches)) => match steps.iter().find(|step| step.command.name() == name) {
            Some(step) => {
                let usage = clap.find_subcommand_mut(name);
                run_step(step, matches, usage.unwrap_or(&mut Clap::new("tsumugi")))
            }
            None => ExitCode::from(2),
        },
        None => ExitCode::from(2),
    }
}

/// Runs one step as a program of its own.
pub(crate) fn run_alone(command: &'static dyn Command, arguments: Vec<OsString>) -> ExitCode {
    let step = Step::new(command);
    let mut clap = step.clap().args(shared());
    match clap.try_get_matches_from_mut(arguments) {
        Ok(matches) => run_step(&step, &matches, &mut clap),
        Err(error) => refuse(&error),
    }
}

/// The flags that every step takes.
fn shared() -> [Arg; 5] {
    let args = [
        Arg::new("@threads")
            .long("threads")
            .value_name("N")
            .help("Threads; 0 is one for each core")
            .value_parser(value_parser!(usize))
            .default_value("0")
            .hide_default_value(true),
        Arg::new("@memory")
            .long("memory")
            .value_name("SIZE")
            .help("Memory for the keys that are compared, such as 512MiB; above it they are sorted on disk")
            .value_parser(size)
            .default_value("4GiB"),
        Arg::new("@allow-empty")
            .long("allow-empty")
            .help("Accept input tables without rows")
            .action(ArgAction::SetTrue),
        Arg::new("@quiet")
            .short('q')
            .long("quiet")
            .help("No progress bars, and no messages but errors")
            .action(ArgAction::SetTrue),
        Arg::new("@verbose")
            .short('v')
            .long("verbose")
            .help("More messages; twice for more. RUST_LOG selects them by crate")
            .action(ArgAction::Count)
            .conflicts_with("@quiet"),
    ];
    args.map(|arg| arg.help_heading(COMMON))
}

fn root(steps: &[Step]) -> Clap {
    let worker = Clap::new("worker")
        .about(PROGRAM[0].1)
        .long_about(
            "Runs a map phase of a step for the shards whose numbers stand on standard input, one a line. Prints a \
             line for each finished shard: its number, its rows and their SHA-256, separated by tabs.",
        )
        .arg(Arg::new("step").value_name("STEP").required(true).help("Name of the step"))
        .arg(Arg::new("phase").value_name("PHASE").required(true).help("Name of the phase"))
        .arg(
            Arg::new("@config")
                .long("config")
                .value_name("FILE.toml")
                .required(true)
                .help("Settings of the step")
                .value_parser(value_parser!(PathBuf)),
        );
    let completions = Clap::new("completions").about(PROGRAM[1].1).arg(
        Arg::new("shell")
            .value_name("SHELL")
            .required(true)
            .help("The shell")
            .value_parser(value_parser!(Shell)),
    );
    let reference = Clap::new("reference").about("Prints the settings of all steps as Markdown").hide(true);
    Clap::new("tsumugi")
        .version(env!("CARGO_PKG_VERSION"))
        .about(ABOUT)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .disable_help_subcommand(true)
        .subcommand_value_name("STEP")
        .help_template("{about}\n\n{usage-heading} {usage}{after-help}\n\nOptions:\n{options}")
        .after_help(grouped(steps))
        .args(shared().map(|arg| arg.global(true)))
        .subcommands(steps.iter().map(Step::clap))
        .subcommands([worker, completions, reference])
}

/// The steps by group, for `--help`.
fn grouped(steps: &[Step]) -> String {
    let names = steps.iter().map(|step| step.command.name());
    let width = names.chain(PROGRAM.map(|(name, _)| name)).map(str::len).max().unwrap_or_default();
    let mut text = String::new();
    let line = |name: &str, about: &str| format!("  {name:<width$}  {about}\n");
    for group in Group::ALL {
        let members: Vec<&Step> = steps.iter().filter(|step| step.command.group() == group).collect();
        if !members.is_empty() {
            text += &format!("{}:\n", group.title());
            text.extend(members.iter().map(|step| line(step.command.name(), step.command.about())));
            text.push('\n');
        }
    }
    text += "Program:\n";
    text.extend(PROGRAM.map(|(name, about)| line(name, about)));
    text.push_str("\n`tsumugi STEP --help` shows the settings of a step.");
    text
}

/// Prints clap's message: help goes to standard output with exit code 0, mistakes to standard error with 2.
fn refuse(error: &clap::Error) -> ExitCode {
    // Where the message cannot be printed there is nothing left to say.
    let _ = error.print();
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

fn run_step(step: &Step, matches: &ArgMatches, usage: &mut Clap) -> ExitCode {
    let settings = match step.settings(matches) {
        Ok(settings) => settings,
        Err(message) => return refuse(&usage.error(ErrorKind::ValueValidation, message)),
    };
    if matches.get_flag("@print-config") {
        let printed = step.command.resolve(settings).and_then(|settings| step.print_config(&settings));
        return match printed {
            Ok(text) => print(&text),
            Err(error) => fail(step, &error),
        };
    }
    if let Err(message) = step.check_complete(&settings) {
        return refuse(&usage.error(ErrorKind::MissingRequiredArgument, message));
    }
    let context = match prepare(matches) {
        Ok(context) => context,
        Err(error) => return fail(step, &error),
    };
    match step.command.run(settings, &context) {
        Ok(Value::Null) => ExitCode::SUCCESS,
        Ok(summary) => print(&format!("{summary}\n")),
        Err(Error::Closed) => ExitCode::SUCCESS,
        Err(error) => {
            if let Error::Incomplete { summary, .. } = &error {
                print(&format!("{summary}\n"));
            }
            fail(step, &error)
        }
    }
}

/// Threads, logger and progress bars, as the shared flags want them.
fn prepare(matches: &ArgMatches) -> Result<Context, Error> {
    let quiet = matches.get_flag("@quiet");
    let progress = if quiet { Progress::hidden() } else { Progress::new() };
    logging::start(quiet, matches.get_count("@verbose"), &progress);
    let threads = matches.get_one::<usize>("@threads").copied().unwrap_or_default();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build_global();
    pool.map_err(Error::step("threads", threads.to_string()))?;
    let mut context = Context::new().with_progress(progress);
    context = context.with_allow_empty(matches.get_flag("@allow-empty"));
    Ok(match matches.get_one::<u64>("@memory") {
        Some(bytes) => context.with_memory(*bytes),
        None => context,
    })
}

/// Bytes of a size such as `512MiB` or `4GB`; a plain number is bytes.
fn size(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is not a size; give a number and a unit, such as 512MiB or 4GB");
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let unit: u64 = match unit.trim_start().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kib" => 1 << 10,
        "m" | "mib" => 1 << 20,
        "g" | "gib" => 1 << 30,
        "t" | "tib" => 1 << 40,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "tb" => 1_000_000_000_000,
        _ => return Err(wrong()),
    };
    number.parse().ok().and_then(|number: u64| number.checked_mul(unit)).ok_or_else(wrong)
}

/// Prints an error as one message and returns its exit code.
fn fail(step: &Step, error: &Error) -> ExitCode {
    let code = error.exit_code();
    let message = tsumugi_pipeline::with_causes(error);
    eprintln!("error: {}", if code == 2 { step.with_flags(&message) } else { message });
    ExitCode::from(code)
}

fn print(text: &str) -> ExitCode {
    let mut out = std::io::stdout();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => ExitCode::SUCCESS,
        // A reader that has seen enough (`| head`) is not a failure.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: standard output: {}", tsumugi_pipeline::with_causes(&error));
            ExitCode::FAILURE
        }
    }
}

fn worker(steps: &[Step], matches: &ArgMatches, usage: &mut Clap) -> ExitCode {
    let text = |id: &str| matches.get_one::<String>(id).cloned().unwrap_or_default();
    let (name, phase) = (text("step"), text("phase"));
    let Some(step) = steps.iter().find(|step| step.command.name() == name) else {
        let message = format!("invalid value '{name}' for '<STEP>': there is no such step");
        return refuse(&usage.error(ErrorKind::InvalidValue, message));
    };
    let settings = match step.settings_of_file(matches) {
        Ok(settings) => settings,
        Err(message) => return refuse(&usage.error(ErrorKind::ValueValidation, message)),
    };
    let context = match prepare(matches) {
        Ok(context) => context,
        Err(error) => return fail(step, &error),
    };
    let mut wrong = None;
    let mut lines = std::io::stdin().lock().lines();
    let mut shards = std::iter::from_fn(|| {
        loop {
            let line = lines.next()?;
            match line.map(|line| (line.trim().parse(), line)) {
                Ok((_, line)) if line.trim().is_empty() => {}
                Ok((Ok(shard), _)) => return Some(shard),
                Ok((Err(_), line)) => {
                    wrong = Some(format!("standard input: `{line}` is not the number of a shard"))
                }
                Err(error) => wrong = Some(format!("standard input: {error}")),
            }
            if wrong.is_some() {
                return None;
            }
        }
    });
    let mut done = |finished: tsumugi_pipeline::runner::Finished| {
        print(&format!("{}\t{}\t{}\n", finished.shard, finished.rows, finished.sha256));
    };
    let result = step.command.work(&phase, settings, &mut shards, &mut done, &context);
    match (result, wrong) {
        (Err(error), _) => fail(step, &error),
        (Ok(()), Some(message)) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
        (Ok(()), None) => ExitCode::SUCCESS,
    }
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes_have_units() {
        for (text, bytes) in
            [("512", Some(512)), ("4GiB", Some(4 << 30)), ("64 MB", Some(64_000_000)), ("2k", Some(2048))]
        {
            assert_eq!(size(text).ok(), bytes, "{text}");
        }
        for text in ["", "GiB", "-1", "1.5GiB", "4 apples", "99999999999TiB"] {
            assert!(size(text).unwrap_err().contains("512MiB"), "{text}");
        }
    }
}
