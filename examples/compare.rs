//! The step `compare`: evaluation runs side by side, with paired intervals. The same as `tsumugi compare`.

use std::process::ExitCode;

fn main() -> ExitCode {
    tsumugi_cli::example("compare")
}
