//! `cut_sample`: a small archive out of a large one.

use std::io::{Read, Write};
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tsumugi_record::write_atomic;
use tsumugi_warc::{ArchiveReader, ArchiveWriter, Compression, Error as WarcError, RecordType};

use crate::{Context, Error, Group, Tool};

/// Copies the first records of an archive, or those of some URLs, into a new archive.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The archive to cut from, plain or compressed.
    #[schemars(extend("x-positional" = true, "x-required" = true))]
    pub input: PathBuf,
    /// The archive to write; its name says how it is compressed (.gz, .zst or plain).
    #[schemars(extend("x-required" = true, "x-value-name" = "FILE"))]
    pub out: PathBuf,
    /// Copy at most this many records, warcinfo records not counted.
    #[schemars(extend("x-value-name" = "N"))]
    pub records: Option<u64>,
    /// Copy records whose URL contains one of these texts; without any, all.
    #[schemars(extend("x-value-name" = "TEXT"))]
    pub url: Vec<String>,
}

/// The command `cut_sample`.
pub struct CutSample;

impl Tool for CutSample {
    const NAME: &'static str = "cut_sample";
    const GROUP: Group = Group::Tools;
    const ABOUT: &'static str = "Cuts a small archive out of a large one";
    type Settings = Settings;

    fn run(settings: Settings, _: &Context) -> Result<Value, Error> {
        run(&settings)
    }
}

fn run(settings: &Settings) -> Result<Value, Error> {
    let name = settings.out.to_string_lossy();
    let compression = match name.rsplit('.').next() {
        Some("gz") => Compression::default(),
        Some("zst") => Compression::Zstd(3),
        _ => Compression::Plain,
    };
    let failed = |error: WarcError| Error::Archive(Box::new(error));
    let mut reader = ArchiveReader::open(&settings.input).map_err(failed)?;
    let mut cut = Ok(Value::Null);
    let written = write_atomic(&settings.out, |file| {
        cut = copy(settings, &mut reader, ArchiveWriter::new(file, compression));
        // What stopped it is told below.
        cut.as_ref().map(|_| ()).map_err(|_| std::io::Error::other("the sample is not complete"))
    });
    let cut = cut?;
    written?;
    Ok(cut)
}

/// Copies the records that the settings ask for, and says how many.
fn copy<R: Read, W: Write>(
    settings: &Settings,
    reader: &mut ArchiveReader<R>,
    mut writer: ArchiveWriter<W>,
) -> Result<Value, Error> {
    let failed = |error: WarcError| Error::Archive(Box::new(error));
    let (mut copied, mut damaged, mut too_large) = (0_u64, 0_u64, 0_u64);
    while let Some(record) = reader.next() {
        let record = match record {
            Ok(record) => record,
            Err(WarcError::Damage(fault)) => {
                tracing::warn!("{}: {fault}", settings.input.display());
                damaged += 1;
                continue;
            }
            Err(error) => return Err(failed(error)),
        };
        if settings.records.is_some_and(|most| copied >= most) {
            break;
        }
        let warcinfo = record.kind() == RecordType::Warcinfo;
        let uri = record.uri().unwrap_or_default();
        let named = settings.url.is_empty() || settings.url.iter().any(|text| uri.contains(text.as_str()));
        if !(warcinfo || named) {
            continue;
        }
        if record.is_streamed() {
            tracing::warn!("{uri}: left out, too large for a sample");
            too_large += 1;
            continue;
        }
        writer.copy(&record).map_err(failed)?;
        copied += u64::from(!warcinfo);
    }
    writer.finish().map_err(failed)?;
    Ok(
        json!({"records": copied, "damage": damaged, "too_large": too_large, "out": settings.out.to_string_lossy()}),
    )
}
