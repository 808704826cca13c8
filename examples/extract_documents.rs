//! The step `extract_documents`: web archives to the documents of one language. The same as `tsumugi extract_documents`.

use std::process::ExitCode;

fn main() -> ExitCode {
    tsumugi_cli::example("extract_documents")
}
