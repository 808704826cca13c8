//! The step `look_up`: which step dropped an item, and why. The same as `tsumugi look_up`.

use std::process::ExitCode;

fn main() -> ExitCode {
    tsumugi_cli::example("look_up")
}
