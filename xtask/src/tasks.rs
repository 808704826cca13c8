//! The commands.

use crate::machine::{check_compiler, check_disk};
use crate::python::{Python, cannot_write};
use crate::{dictionary, libtorch};
use anyhow::{Context, Result, bail};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a first build of the workspace takes, in MB.
const BUILD_MB: u64 = 4000;

/// Packages of the interop environment, beside the tables' readers.
const INTEROP: [&str; 5] =
    ["torch==2.11.0", "transformers==4.57.1", "safetensors", "pillow", "-rtests/interop/requirements.txt"];

/// Fetches what the build needs and checks the machine.
pub(crate) fn provision(root: &Path) -> Result<()> {
    check_compiler()?;
    let _lock = lock(root)?;
    eprintln!("LibTorch: {}", libtorch::provision(root)?);
    eprintln!("dictionary: {}", dictionary::provision(root)?);
    Ok(())
}

/// One provisioning at a time in a clone; the system drops the lock with the process.
fn lock(root: &Path) -> Result<File> {
    let folder = root.join(".libtorch");
    fs::create_dir_all(&folder).with_context(|| cannot_write(&folder))?;
    let path = folder.join("lock");
    let file = File::create(&path).with_context(|| cannot_write(&path))?;
    file.lock().with_context(|| format!("cannot lock {}", path.display()))?;
    Ok(file)
}

/// The whole pipeline on the embedded sample, into `demo/`; it says itself where its report is.
pub(crate) fn demo(root: &Path, arguments: &[String]) -> Result<()> {
    ready_to_build(root)?;
    let mut command = cargo(root);
    command.args(["run", "--bin", "tsumugi", "--", "pipeline"]).args(arguments);
    run(command)
}

/// The page of the documentation with all settings, made from the binary; with `--check` it is only held against the file.
pub(crate) fn reference(root: &Path, arguments: &[String]) -> Result<()> {
    let check = match arguments {
        [] => false,
        [only] if only == "--check" => true,
        _ => bail!("`reference` takes nothing or --check"),
    };
    ready_to_build(root)?;
    let mut command = cargo(root);
    command.args(["run", "--quiet", "--bin", "tsumugi", "--", "reference"]).stderr(Stdio::inherit());
    let output = command.output().context("cannot run cargo")?;
    if !output.status.success() {
        bail!("`tsumugi reference` failed; its own message stands above");
    }
    let path = root.join("docs/settings.md");
    if !check {
        return fs::write(&path, output.stdout).with_context(|| cannot_write(&path));
    }
    if fs::read(&path).with_context(|| path.display().to_string())? != output.stdout {
        bail!("{} is out of date; run `cargo xtask reference` and commit it", path.display());
    }
    Ok(())
}

/// All tests of the workspace.
pub(crate) fn test(root: &Path, arguments: &[String]) -> Result<()> {
    ready_to_build(root)?;
    let mut command = cargo(root);
    command.args(["test", "--workspace"]).args(arguments);
    run(command)
}

/// `.ci/run`; with `--all` its slow checks too.
pub(crate) fn ci(root: &Path, arguments: &[String]) -> Result<()> {
    let mut command = Command::new(root.join(".ci/run"));
    command.current_dir(root);
    match arguments {
        [] => {}
        [only] if only == "--all" => {
            command.env("TSUMUGI_CI_ALL", "1");
        }
        _ => bail!("`ci` takes nothing or --all"),
    }
    run(command)
}

/// Live parity with the Python packages, on the demo's output.
pub(crate) fn interop(root: &Path) -> Result<()> {
    if !root.join("demo/report.html").exists() {
        demo(root, &[])?;
    }
    ready_to_build(root)?;
    let python = interop_python(root)?;
    let mut command = cargo(root);
    command.args(["build", "--bin", "tsumugi"]);
    run(command)?;
    for script in ["check_tables.py", "check_model.py"] {
        let mut command = Command::new(&python);
        command.arg(root.join("tests/interop").join(script)).arg(root.join("demo")).current_dir(root);
        run(command)?;
    }
    Ok(())
}

/// `TSUMUGI_INTEROP_PYTHON`, or an environment made for the purpose in `.libtorch/interop`.
fn interop_python(root: &Path) -> Result<PathBuf> {
    if let Some(python) = std::env::var_os("TSUMUGI_INTEROP_PYTHON") {
        return Ok(PathBuf::from(python));
    }
    let folder = root.join(".libtorch/interop");
    let (python, done) = (folder.join("bin/python"), folder.join("done"));
    if done.exists() {
        return Ok(python);
    }
    check_disk(root, 12_000, "the interop environment")?;
    let mut make = Python::find()?.command();
    make.args(["-m", "venv"]).arg(&folder);
    run(make)?;
    let mut install = Command::new(&python);
    install.args(["-m", "pip", "install"]).args(INTEROP).current_dir(root);
    run(install)?;
    fs::write(&done, "").with_context(|| cannot_write(&done))?;
    Ok(python)
}

fn ready_to_build(root: &Path) -> Result<()> {
    provision(root)?;
    if target(root).join("debug").exists() { Ok(()) } else { check_disk(root, BUILD_MB, "the first build") }
}

fn target(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from)
}

/// The cargo that runs us, without the variables that it set for xtask: a build script that watches one of them would
/// run again at the next plain `cargo build`.
fn cargo(root: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    let ours = root.join(".libtorch/torch");
    for (name, value) in std::env::vars_os() {
        let of_xtask = name.to_string_lossy().starts_with("CARGO_PKG_") || name == "CARGO_MANIFEST_DIR";
        if of_xtask || (name == "LIBTORCH" && Path::new(&value) == ours) {
            command.env_remove(name);
        }
    }
    command
}

fn run(mut command: Command) -> Result<()> {
    let name = Path::new(command.get_program()).display().to_string();
    let arguments: Vec<_> = command.get_args().map(|word| word.to_string_lossy().into_owned()).collect();
    let status = command.status().with_context(|| format!("cannot run {name}"))?;
    match status.code() {
        Some(0) => Ok(()),
        Some(_) => bail!("`{name} {}` failed; its own message stands above", arguments.join(" ")),
        None => {
            bail!("`{name} {}` was ended by a signal; run the command again, it goes on", arguments.join(" "))
        }
    }
}
