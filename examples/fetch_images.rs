//! The step `fetch_images`: the images of documents, from archives, folders and over HTTP. The same as `tsumugi fetch_images`.

use std::process::ExitCode;

fn main() -> ExitCode {
    tsumugi_cli::example("fetch_images")
}
