//! The command `train`: the stages of a recipe. The same as `tsumugi train`.

use std::process::ExitCode;

fn main() -> ExitCode {
    tsumugi_cli::example("train")
}
