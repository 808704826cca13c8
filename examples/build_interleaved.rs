//! The step `build_interleaved`: documents with images in their text. The same as `tsumugi build_interleaved`.

use std::process::ExitCode;

fn main() -> ExitCode {
    tsumugi_cli::example("build_interleaved")
}
