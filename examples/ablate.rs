//! The command `ablate`: runs that differ, trained and evaluated. The same as `tsumugi ablate`.

use std::process::ExitCode;

fn main() -> ExitCode {
    tsumugi_cli::example("ablate")
}
