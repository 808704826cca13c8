//! The project's own commands: `cargo xtask provision|demo|test|ci|reference|interop`.
//!
//! Nothing but the standard library and `anyhow`, so that it compiles in seconds before anything else is there.

mod dictionary;
mod libtorch;
mod machine;
mod python;
mod tasks;

use std::path::PathBuf;
use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask <command>

  provision   fetch what the build needs: LibTorch into .libtorch/, the dictionary unidic-lite into .unidic/
  demo        provision, then run the whole pipeline on the embedded sample; the result lies in demo/
  test        provision, then run all tests
  ci          what the project's continuous integration runs (.ci/run); with --all the slow checks too
  reference   write docs/settings.md from the binary; with --check only compare
  interop     hold our models and tables against the Python packages (makes a Python environment of some 6 GB)

LIBTORCH=<folder> uses a LibTorch 2.11.0 of your own; PYTHON=<command> another Python than python3.";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((command, rest)) = arguments.split_first() else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let root = match root() {
        Ok(root) => root,
        Err(error) => return failed(&error),
    };
    let outcome = match command.as_str() {
        "provision" if rest.is_empty() => tasks::provision(&root),
        "demo" => tasks::demo(&root, rest),
        "test" => tasks::test(&root, rest),
        "ci" => tasks::ci(&root, rest),
        "reference" => tasks::reference(&root, rest),
        "interop" if rest.is_empty() => tasks::interop(&root),
        "help" | "--help" | "-h" => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprintln!("xtask: cannot understand `{}`\n\n{USAGE}", arguments.join(" "));
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

fn failed(error: &anyhow::Error) -> ExitCode {
    eprintln!("error: {error:#}");
    ExitCode::FAILURE
}

/// The workspace's root: cargo tells where this package lies.
fn root() -> anyhow::Result<PathBuf> {
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    let root = manifest.parent().map(PathBuf::from);
    root.ok_or_else(|| {
        anyhow::anyhow!("{} has no parent folder; run `cargo xtask` in a clone", manifest.display())
    })
}
