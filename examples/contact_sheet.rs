//! The step `contact_sheet`: random kept and dropped items with their images on a page. The same as `tsumugi contact_sheet`.

use std::process::ExitCode;

fn main() -> ExitCode {
    tsumugi_cli::example("contact_sheet")
}
