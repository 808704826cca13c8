//! What the end-to-end tests share: running steps, and fingerprints of what they wrote.

#![allow(dead_code, reason = "each test uses its part")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, also in its helpers")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// The command of a step. `cargo test` in the root builds the program beside the tests.
pub(crate) fn step(name: &str) -> Command {
    let test = std::env::current_exe().unwrap();
    let folder = test.parent().and_then(Path::parent).unwrap();
    let path = folder.join(format!("tsumugi{}", std::env::consts::EXE_SUFFIX));
    assert!(path.exists(), "{} is missing: build it (cargo build --bin tsumugi)", path.display());
    let mut command = Command::new(path);
    command.arg(name).env_remove("RUST_LOG");
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    // A key or an endpoint of the person who runs the tests must not be used by them.
    command.env_remove("OPENAI_API_KEY").env_remove("OPENAI_BASE_URL");
    command
}

/// The same command under a umask.
pub(crate) fn with_umask(umask: &str, command: &Command) -> Command {
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(format!("umask {umask}; exec \"$@\"")).arg("sh");
    shell.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        shell.current_dir(folder);
    }
    shell
}

/// Asserts that all files below a folder have the permissions that a umask gives.
#[cfg(unix)]
pub(crate) fn assert_modes(folder: &Path, umask: u32) {
    use std::os::unix::fs::PermissionsExt as _;

    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            assert_modes(&path, umask);
        } else {
            let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o666 & !umask, "{} is {mode:o}", path.display());
        }
    }
}

/// Runs a command to its end.
pub(crate) fn run(command: &mut Command) -> Output {
    command.stdin(Stdio::null()).output().unwrap()
}

/// Runs a command that must succeed, and gives the JSON object on its last line.
pub(crate) fn run_ok(command: &mut Command) -> serde_json::Value {
    let output = run(command);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed with {}: {stderr}", output.status);
    let stdout = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(stdout.lines().last().unwrap_or_default()).unwrap()
}

/// Starts a command and kills it with SIGKILL after a while. True if it was still running.
pub(crate) fn kill_after(command: &mut Command, wait: Duration) -> bool {
    let started = Instant::now();
    kill_when(command, || started.elapsed() >= wait)
}

/// Starts a command and kills it with SIGKILL as soon as something is the case. True if it was still running.
pub(crate) fn kill_when(command: &mut Command, is_due: impl Fn() -> bool) -> bool {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while !is_due() && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(2));
    }
    let running = child.try_wait().unwrap().is_none();
    child.kill().unwrap();
    child.wait().unwrap();
    running
}

/// The bytes of all files below a folder whose name passes, by relative path.
pub(crate) fn files(folder: &Path, wanted: &dyn Fn(&str) -> bool) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    collect(folder, folder, wanted, &mut found);
    found
}

fn collect(
    root: &Path,
    folder: &Path,
    wanted: &dyn Fn(&str) -> bool,
    found: &mut BTreeMap<PathBuf, Vec<u8>>,
) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, wanted, found);
        } else if wanted(&path.file_name().unwrap().to_string_lossy()) {
            found.insert(path.strip_prefix(root).unwrap().to_owned(), fs::read(&path).unwrap());
        }
    }
}

/// Asserts that two folders hold the same files with the same bytes.
pub(crate) fn assert_same(
    ours: &BTreeMap<PathBuf, Vec<u8>>,
    reference: &BTreeMap<PathBuf, Vec<u8>>,
    what: &str,
) {
    let names = |files: &BTreeMap<PathBuf, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(ours), names(reference), "{what}: other files");
    for (name, bytes) in ours {
        assert!(bytes == &reference[name], "{what}: {} differs", name.display());
    }
}

/// A small generator of random numbers with a seed (SplitMix64), so that a failing moment can be tried again.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// A number from 0 to below 1.
    pub(crate) fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}
