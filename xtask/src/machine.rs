//! What the machine must have: a C++ compiler and room on the disk.

use anyhow::{Result, bail};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// Checks that C++ compiles, standard headers included: LibTorch's bindings are C++.
pub(crate) fn check_compiler() -> Result<()> {
    let compiler = std::env::var("CXX").unwrap_or_else(|_| "c++".to_owned());
    if compiles(&compiler) {
        return Ok(());
    }
    bail!(
        "no working C++ compiler (`{compiler}`) was found; install one (Debian and Ubuntu: `sudo apt install g++`, \
         Fedora: `sudo dnf install gcc-c++`) and run the command again"
    );
}

fn compiles(compiler: &str) -> bool {
    // CXX may hold arguments too (`ccache g++`).
    let mut words = compiler.split_whitespace();
    let Some(program) = words.next() else { return false };
    let child = Command::new(program)
        .args(words)
        .args(["-x", "c++", "-fsyntax-only", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut child) = child else { return false };
    let wrote = match child.stdin.take() {
        Some(mut stdin) => stdin.write_all(b"#include <vector>\nint main() { return 0; }\n").is_ok(),
        None => false,
    };
    child.wait().is_ok_and(|status| status.success()) && wrote
}

/// Checks that `folder`'s disk has `needed` MB free. Without `df` nothing can be said, and the check passes.
pub(crate) fn check_disk(folder: &Path, needed: u64, what: &str) -> Result<()> {
    let Some(free) = free_megabytes(folder) else { return Ok(()) };
    if free < needed {
        bail!(
            "{what} needs about {needed} MB of free disk in {} and only {free} MB are left; \
             free some space or put the clone on a larger disk",
            folder.display()
        );
    }
    Ok(())
}

fn free_megabytes(folder: &Path) -> Option<u64> {
    let output = Command::new("df").arg("-Pk").arg(folder).output().ok()?;
    parse_df(&String::from_utf8_lossy(&output.stdout))
}

/// The fourth column of the last line, in MB.
fn parse_df(output: &str) -> Option<u64> {
    let kilobytes: u64 = output.lines().last()?.split_whitespace().rev().nth(2)?.parse().ok()?;
    Some(kilobytes / 1024)
}

#[cfg(test)]
mod tests {
    use super::parse_df;

    #[test]
    fn df_is_read() {
        let output =
            "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/vda 1000 10 4096000 22% /\n";
        assert_eq!(parse_df(output), Some(4000));
        assert_eq!(parse_df(""), None);
        assert_eq!(parse_df("df: no such thing"), None);
    }
}
