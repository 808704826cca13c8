//! The step `tokenize`: texts as the words that ROUGE-L compares. The same as `tsumugi tokenize`.

use std::process::ExitCode;

fn main() -> ExitCode {
    tsumugi_cli::example("tokenize")
}
