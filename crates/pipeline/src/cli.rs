//! What every command does around its step: the summary on standard output, errors on standard error, the exit code.

use std::process::ExitCode;

use serde::Serialize;

use crate::Error;

/// Runs a step and prints its summary as one JSON line. Exit code 0, 1 (failed) or 2 (bad usage or configuration).
pub fn run<S: Serialize>(step: impl FnOnce() -> Result<S, Error>) -> ExitCode {
    match step() {
        Ok(summary) => match serde_json::to_string(&summary) {
            Ok(line) => {
                println!("{line}");
                ExitCode::SUCCESS
            }
            Err(error) => fail(&Error::step("summary", "JSON")(error)),
        },
        Err(error) => fail(&error),
    }
}

/// Prints an error as one message and gives its exit code.
pub fn fail(error: &Error) -> ExitCode {
    eprintln!("error: {}", with_causes(error));
    ExitCode::from(error.exit_code())
}

/// An error and its causes in one line. A cause that a message already contains is not repeated.
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let mut shown = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let message = cause.to_string();
        if !shown.contains(&message) {
            shown = format!("{shown}: {message}");
        }
        next = cause.source();
    }
    shown
}

/// Runs `work` on a rayon pool of `threads` threads; 0 is one a core.
///
/// # Errors
/// Where the threads cannot be made, or `work` fails.
pub fn with_threads<T: Send>(
    threads: usize,
    work: impl FnOnce() -> Result<T, Error> + Send,
) -> Result<T, Error> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    pool.map_err(Error::step("threads", threads.to_string()))?.install(work)
}
