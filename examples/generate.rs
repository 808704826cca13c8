//! The step `generate`: asks a vision-language model about images. The same as `tsumugi generate`.

use std::process::ExitCode;

fn main() -> ExitCode {
    tsumugi_cli::example("generate")
}
