//! The step `cut_sample`: a small archive out of a large one. The same as `tsumugi cut_sample`.

use std::process::ExitCode;

fn main() -> ExitCode {
    tsumugi_cli::example("cut_sample")
}
