//! The step `inspect_images`: size, format and perceptual hash of image files. The same as `tsumugi inspect_images`.

use std::process::ExitCode;

fn main() -> ExitCode {
    tsumugi_cli::example("inspect_images")
}
