//! The step `parity`: the tensors of a checkpoint, to compare with another implementation. The same as `tsumugi parity`.

use std::process::ExitCode;

fn main() -> ExitCode {
    tsumugi_cli::example("parity")
}
