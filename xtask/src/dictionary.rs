//! The Japanese dictionary unidic-lite under `.unidic/dicdir`: the words that ROUGE-L counts.

use crate::libtorch::{fresh, put};
use crate::machine::check_disk;
use crate::python::{Python, cannot_write};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::Path;

/// The version whose splits the reference scores were made with.
const PACKAGE: &str = "unidic-lite==1.0.8";

/// Files that the tokenizer reads.
const FILES: [&str; 4] = ["sys.dic", "unk.dic", "matrix.bin", "char.bin"];

/// Download, the wheel pip builds of it, and its decompressed copy, in MB.
const NEEDED_MB: u64 = 1000;

/// Makes sure that the dictionary is there; says where.
pub(crate) fn provision(root: &Path) -> Result<String> {
    let home = root.join(".unidic");
    let place = home.join("dicdir");
    if FILES.iter().all(|name| place.join(name).exists()) {
        return Ok(format!("{} (already there)", place.display()));
    }
    fs::create_dir_all(&home).with_context(|| cannot_write(&home))?;
    let python = Python::find()?;
    python.check_pip()?;
    check_disk(&home, NEEDED_MB, "fetching the dictionary")?;
    eprintln!("fetching the dictionary {PACKAGE} (about 50 MB) into {}", home.display());
    let part = fresh(&home.join("part"))?;
    python.install(&part, &[PACKAGE])?;
    let dictionary = part.join("unidic_lite/dicdir");
    if let Some(missing) = FILES.iter().find(|name| !dictionary.join(name).exists()) {
        bail!("{PACKAGE} came without {missing}; delete {} and run the command again", home.display());
    }
    put(&dictionary, &place)?;
    fs::remove_dir_all(part).ok();
    Ok(format!("{PACKAGE} in {}", place.display()))
}
