//! The step `filter_text`: the decision of a text-filter profile on each text of a JSON lines file. The same as `tsumugi filter_text`.

use std::process::ExitCode;

fn main() -> ExitCode {
    tsumugi_cli::example("filter_text")
}
