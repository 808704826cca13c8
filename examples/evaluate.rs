//! The step `evaluate`: a model on a benchmark. The same as `tsumugi evaluate`.

use std::process::ExitCode;

fn main() -> ExitCode {
    tsumugi_cli::example("evaluate")
}
