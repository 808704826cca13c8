//! The binary `tsumugi`.

use std::process::ExitCode;

fn main() -> ExitCode {
    tsumugi_cli::main()
}
