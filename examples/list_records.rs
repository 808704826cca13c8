//! The step `list_records`: the records of web archives, a JSON line each. The same as `tsumugi list_records`.

use std::process::ExitCode;

fn main() -> ExitCode {
    tsumugi_cli::example("list_records")
}
