//! LibTorch 2.11.0 under `.libtorch/torch`, where `.cargo/config.toml` points torch-sys.
//!
//! In this order: the environment's LIBTORCH; what is there already; the torch that python3 has (with its CUDA);
//! PyPI's wheel, of which only the CPU half is kept.

use crate::machine::check_disk;
use crate::python::{Python, cannot_write};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};

/// The version that tch 0.24 expects.
const VERSION: &str = "2.11.0";

/// What libtorch_cpu.so of the wheel needs beside system libraries.
const PACKAGES: [&str; 3] = ["torch==2.11.0", "nvidia-cuda-runtime==13.0.96", "nvidia-cuda-cupti==13.0.85"];

/// The wheel is for CPython 3.12, whatever Python runs pip: of the Python half nothing is used.
const PLATFORM: [&str; 11] = [
    "--only-binary=:all:",
    "--platform",
    "manylinux_2_28_x86_64",
    "--platform",
    "manylinux_2_25_x86_64",
    "--platform",
    "manylinux_2_17_x86_64",
    "--implementation",
    "cp",
    "--python-version",
    "3.12",
];

/// Libraries that only CUDA or Python need.
const UNUSED: [&str; 5] = [
    "libtorch_cuda.so",
    "libtorch_cuda_linalg.so",
    "libtorch_nvshmem.so",
    "libtorch_python.so",
    "libtorch.so",
];

/// Names that torch-sys links by, made to mean the CPU library.
const STANDING_FOR_CPU: [&str; 2] = ["libtorch.so", "libtorch_cuda.so"];

/// Download, its extracted copy and pip's cache, in MB.
const NEEDED_MB: u64 = 4000;

/// Makes sure that LibTorch is there; says where from.
pub(crate) fn provision(root: &Path) -> Result<String> {
    let home = root.join(".libtorch");
    let place = home.join("torch");
    if let Some(own) = own_libtorch(&place) {
        check_own(&own)?;
        return Ok(format!("LIBTORCH={}", own.display()));
    }
    if is_complete(&place) {
        return Ok(format!("{} (already there)", place.display()));
    }
    fs::create_dir_all(&home).with_context(|| cannot_write(&home))?;
    let python = Python::find()?;
    if let Some(torch) = torch_of(&python) {
        link(&torch, &home)?;
        return Ok(format!("the torch {VERSION} of python3 in {}", torch.display()));
    }
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        bail!(
            "LibTorch can be fetched for Linux on x86-64 only; install torch=={VERSION} into python3 or set LIBTORCH \
             to the folder of a LibTorch {VERSION}, and run the command again"
        );
    }
    python.check_pip()?;
    check_disk(&home, NEEDED_MB, "fetching LibTorch")?;
    fetch(&python, &home)?;
    Ok(format!("PyPI's torch {VERSION}, CPU half, in {}", place.display()))
}

/// LIBTORCH where the user set it: cargo itself sets it to `place` (`.cargo/config.toml`).
fn own_libtorch(place: &Path) -> Option<PathBuf> {
    let own = PathBuf::from(std::env::var_os("LIBTORCH").filter(|value| !value.is_empty())?);
    (own != place).then_some(own)
}

fn check_own(own: &Path) -> Result<()> {
    if !own.join("lib/libtorch_cpu.so").exists() {
        bail!(
            "LIBTORCH={} has no lib/libtorch_cpu.so; set it to the folder of a LibTorch {VERSION} or unset it",
            own.display()
        );
    }
    match fs::read_to_string(own.join("build-version")) {
        Ok(version) if !version.starts_with(VERSION) => bail!(
            "LIBTORCH={} is version {}, and {VERSION} is needed; set it to the folder of that version or unset it",
            own.display(),
            version.trim()
        ),
        _ => Ok(()),
    }
}

/// The last thing that provisioning writes is the whole folder, so a folder with its version is complete. A link
/// into a Python whose torch has changed since is not.
fn is_complete(place: &Path) -> bool {
    let version = fs::read_to_string(place.join("build-version")).unwrap_or_default();
    let library = place.join("lib/libtorch_cpu.so");
    if version.trim() != VERSION || !library.exists() {
        return false;
    }
    let package =
        library.canonicalize().ok().and_then(|real| Some(real.parent()?.parent()?.join("version.py")));
    let stated = package.and_then(|path| fs::read_to_string(path).ok());
    stated.is_none_or(|text| text.contains(&format!("'{VERSION}")))
}

/// The folder of python3's torch, where it is the right version and has the C++ headers. It is not imported.
fn torch_of(python: &Python) -> Option<PathBuf> {
    let program = "import importlib.metadata as m, importlib.util as u\n\
                   print(m.version('torch')); print(u.find_spec('torch').submodule_search_locations[0])";
    let answer = python.eval(program)?;
    let (version, folder) = answer.split_once('\n')?;
    let folder = PathBuf::from(folder);
    let usable = folder.join("lib/libtorch_cpu.so").exists() && folder.join("include/torch").exists();
    (version.split('+').next() == Some(VERSION) && usable).then_some(folder)
}

/// A folder of links into python3's torch, with the version file that torch-sys looks for. The libraries find the
/// CUDA packages beside them by their own run path, which goes through the link.
fn link(torch: &Path, home: &Path) -> Result<()> {
    let part = fresh(&home.join("part"))?;
    let package = part.join("torch");
    fs::create_dir_all(&package).with_context(|| cannot_write(&package))?;
    for name in ["lib", "include", "share"] {
        symlink(&torch.join(name), &package.join(name))?;
    }
    fs::write(package.join("build-version"), VERSION).with_context(|| cannot_write(&package))?;
    put(&package, &home.join("torch"))?;
    fs::remove_dir_all(part).ok();
    Ok(())
}

#[cfg(unix)]
fn symlink(to: &Path, at: &Path) -> Result<()> {
    std::os::unix::fs::symlink(to, at).with_context(|| cannot_write(at))
}

#[cfg(not(unix))]
fn symlink(_to: &Path, at: &Path) -> Result<()> {
    bail!(
        "cannot make the link {}; set LIBTORCH to the folder of a LibTorch {VERSION} instead",
        at.display()
    );
}

/// Fetches the wheels into a temporary folder and renames the halves into place, torch last.
fn fetch(python: &Python, home: &Path) -> Result<()> {
    eprintln!("fetching LibTorch {VERSION} (about 550 MB) into {}", home.display());
    let part = fresh(&home.join("part"))?;
    python.install(&part, &[&PLATFORM[..], &PACKAGES[..]].concat())?;
    let package = part.join("torch");
    keep_cpu_half(&package.join("lib"))?;
    fs::write(package.join("build-version"), VERSION).with_context(|| cannot_write(&package))?;
    put(&part.join("nvidia"), &home.join("nvidia"))?;
    put(&package, &home.join("torch"))?;
    fs::remove_dir_all(part).ok();
    Ok(())
}

/// Deletes what the CPU does not need and leaves linker scripts under the names that torch-sys links by.
fn keep_cpu_half(lib: &Path) -> Result<()> {
    for name in UNUSED {
        let path = lib.join(name);
        if path.exists() {
            fs::remove_file(&path).with_context(|| cannot_write(&path))?;
        }
    }
    for name in STANDING_FOR_CPU {
        let path = lib.join(name);
        fs::write(&path, "INPUT(-ltorch_cpu)\n").with_context(|| cannot_write(&path))?;
    }
    Ok(())
}

/// An empty folder at `path`; what an earlier, killed run left there goes.
pub(crate) fn fresh(path: &Path) -> Result<PathBuf> {
    remove(path)?;
    fs::create_dir_all(path).with_context(|| cannot_write(path))?;
    Ok(path.to_owned())
}

/// Renames `from` to `to`, over whatever stood there.
pub(crate) fn put(from: &Path, to: &Path) -> Result<()> {
    remove(to)?;
    fs::rename(from, to).with_context(|| cannot_write(to))
}

fn remove(path: &Path) -> Result<()> {
    match fs::symlink_metadata(path) {
        Err(_) => Ok(()),
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path).with_context(|| cannot_write(path)),
        Ok(_) => fs::remove_file(path).with_context(|| cannot_write(path)),
    }
}
