//! The step `build_pairs`: image-text pairs from documents and their images. The same as `tsumugi build_pairs`.

use std::process::ExitCode;

fn main() -> ExitCode {
    tsumugi_cli::example("build_pairs")
}
