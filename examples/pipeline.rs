//! All steps in a row; without flags on the embedded sample. The same as `tsumugi pipeline`.

use std::process::ExitCode;

fn main() -> ExitCode {
    tsumugi_cli::example("pipeline")
}
