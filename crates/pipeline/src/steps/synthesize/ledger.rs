//! The ledger: a line of JSON for each reply that was paid for, with its tokens, money and time, a file a shard.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use tsumugi_record::write_atomic;
use tsumugi_synth::Call;

use super::STEP;
use crate::Error;

fn path(out: &Path, number: usize) -> PathBuf {
    out.join("ledger").join(format!("calls-{number:05}.jsonl"))
}

/// Writes a shard's calls; the file appears under its name when it is complete.
pub(super) fn write(out: &Path, number: usize, calls: &[Call]) -> Result<(), Error> {
    let path = path(out, number);
    let mut text = Vec::new();
    for call in calls {
        serde_json::to_writer(&mut text, call).map_err(Error::step(STEP, "ledger"))?;
        text.push(b'\n');
    }
    Ok(write_atomic(&path, |file| file.write_all(&text))?)
}

/// Hands over a shard's calls.
pub(super) fn read(out: &Path, number: usize, mut each: impl FnMut(Call)) -> Result<(), Error> {
    let path = path(out, number);
    let text = fs::read_to_string(&path).map_err(Error::io("read", &path))?;
    for line in text.lines() {
        each(serde_json::from_str(line).map_err(Error::step(STEP, path.display().to_string()))?);
    }
    Ok(())
}
