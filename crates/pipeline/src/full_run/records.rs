//! The first look into the archives: how many records of which kind there are, and what is damaged.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tsumugi_warc::{ArchiveReader, Error as WarcError};

use crate::runner::Summary;
use crate::{Error, Progress};

const STEP: &str = "list_records";

/// Counts the records of archives by type.
///
/// # Errors
/// Where a file cannot be read, is not an archive, or has no record at all.
pub(super) fn list_records(archives: &[PathBuf], progress: &Progress) -> Result<Summary, Error> {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for path in archives {
        let bar = progress.bytes(&format!("{STEP} {}", path.display()));
        let records = count(path, &mut counts, &bar)?;
        bar.finish_and_clear();
        if records == 0 {
            return Err(Error::step(STEP, path.display().to_string())(
                "the archive is empty: it has no record",
            ));
        }
    }
    Ok(Summary { step: STEP.into(), counts, ..Summary::default() })
}

fn count(
    path: &Path,
    counts: &mut BTreeMap<String, u64>,
    bar: &indicatif::ProgressBar,
) -> Result<u64, Error> {
    let place = path.display().to_string();
    let mut reader = ArchiveReader::open(path).map_err(Error::step(STEP, &place))?;
    bar.set_length(std::fs::metadata(path).map_or(0, |metadata| metadata.len()));
    let mut records = 0;
    while let Some(record) = reader.next() {
        match record {
            Ok(record) => {
                records += 1;
                *counts.entry(format!("records {}", record.kind().name())).or_default() += 1;
            }
            Err(WarcError::Damage(fault)) => {
                *counts.entry(format!("damage {}", fault.kind.name())).or_default() += 1;
            }
            Err(error) => return Err(Error::step(STEP, &place)(error)),
        }
        bar.set_position(reader.offset());
    }
    Ok(records)
}
