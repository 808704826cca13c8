//! The command `synthesize`: instruction data through an OpenAI-compatible API. The same as `tsumugi synthesize`.

use std::process::ExitCode;

fn main() -> ExitCode {
    tsumugi_cli::example("synthesize")
}
