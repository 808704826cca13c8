//! The step `filter_documents`: quality filters, personal data, exact and near duplicates. The same as `tsumugi filter_documents`.

use std::process::ExitCode;

fn main() -> ExitCode {
    tsumugi_cli::example("filter_documents")
}
