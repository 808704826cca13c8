//! The step `score`: predictions against references. The same as `tsumugi score`.

use std::process::ExitCode;

fn main() -> ExitCode {
    tsumugi_cli::example("score")
}
