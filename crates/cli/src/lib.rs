//! The binary `tsumugi`: one subcommand for each step of a table of steps.
//!
//! The subcommands are made at run time from the schemas of the steps' settings, so a step that a program adds to the table
//! appears in its command line with flags, `--help`, `--config` and `--print-config`, and no further code:
//!
//! ```no_run
//! use std::process::ExitCode;
//!
//! fn main() -> ExitCode {
//!     let steps = tsumugi_pipeline::steps();
//!     // steps.push(&StepCommand::<MyStep>::COMMAND);
//!     tsumugi_cli::main_with(&steps)
//! }
//! ```
//!
//! # From a schema to a command line
//!
//! Each property of the top level is a flag in kebab case with its description as help; a list takes several values, a
//! boolean is a switch, an enumeration lists its words. Values of nested tables are set with `--set table.key=value` or in
//! the file that `--config` names. The extension `x-flags` of the whole schema gives flags to nested settings (`"contact":
//! "http.contact"`; `"retry": "http.retries?3"` where the flag alone stands for 3) and makes switches that set a value (`"mask-strict": "mask=strict"`). A property may have these extensions:
//!
//! | extension | meaning |
//! |---|---|
//! | `x-positional` | the value is given without a flag |
//! | `x-required` | there is no useful default: an empty value is refused |
//! | `x-flag` | the name of the flag where it is not the property's |
//! | `x-bare` | the value that the flag alone stands for |
//! | `x-value-name` | what stands for the value in `--help` |
//! | `x-env` | an environment variable that gives the value where no flag does |
//! | `x-unit`, `x-source` | shown by `--print-config` below the description |
//!
//! Flags win over the environment, `--set`, the file and the defaults, in this order.
#![forbid(unsafe_code)]

mod app;
mod flags;
mod logging;
mod messages;
mod printed;
mod reference;
mod schema;
mod settings;
mod step;

use std::process::ExitCode;

use tsumugi_pipeline::Command;

/// The program `tsumugi` with the steps of this workspace.
pub fn main() -> ExitCode {
    main_with(&tsumugi_pipeline::steps())
}

/// The program `tsumugi` with these steps.
pub fn main_with(steps: &[&'static dyn Command]) -> ExitCode {
    app::run(steps, std::env::args_os().collect())
}

/// A program that is one step of this workspace: `NAME ...` in place of `tsumugi NAME ...`.
pub fn example(name: &str) -> ExitCode {
    match tsumugi_pipeline::steps().into_iter().find(|step| step.name() == name) {
        Some(step) => app::run_alone(step, std::env::args_os().collect()),
        None => {
            eprintln!(
                "error: there is no step `{name}`; it may need a feature that this program was built without"
            );
            ExitCode::from(2)
        }
    }
}

/// Compiles the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
