//! The step `extract_page`: what single HTML pages hold, a JSON line each. The same as `tsumugi extract_page`.

use std::process::ExitCode;

fn main() -> ExitCode {
    tsumugi_cli::example("extract_page")
}
