//! Cuts a small archive out of a large one: its first records, or those of some addresses.

use std::fs::File;
use std::io::BufWriter;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use serde_json::json;
use tsumugi::warc::{ArchiveReader, ArchiveWriter, Error, Packing, RecordType};

/// Copy records of an archive into a new one.
#[derive(Parser)]
struct Arguments {
    /// The archive to cut from, plain or packed.
    input: PathBuf,
    /// The archive to write; its name says how it is packed (.gz, .zst or plain).
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Copy at most so many records (warcinfo records not counted).
    #[arg(long, value_name = "N")]
    records: Option<u64>,
    /// Copy records whose address contains this text. May be given more than once.
    #[arg(long, value_name = "TEXT")]
    url: Vec<String>,
}

fn main() -> ExitCode {
    match cut(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn cut(arguments: &Arguments) -> anyhow::Result<()> {
    let name = arguments.out.to_string_lossy();
    let packing = match name.rsplit('.').next() {
        Some("gz") => Packing::default(),
        Some("zst") => Packing::Zstd(3),
        _ => Packing::Plain,
    };
    let mut reader = ArchiveReader::open(&arguments.input)?;
    let mut writer = ArchiveWriter::new(BufWriter::new(File::create(&arguments.out)?), packing);
    let (mut copied, mut damaged, mut too_large) = (0_u64, 0_u64, 0_u64);
    while let Some(record) = reader.next() {
        let record = match record {
            Ok(record) => record,
            Err(Error::Damage(fault)) => {
                eprintln!("{}: {fault}", arguments.input.display());
                damaged += 1;
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        if arguments.records.is_some_and(|most| copied >= most) {
            break;
        }
        let about = record.kind() == RecordType::Warcinfo;
        let uri = record.uri().unwrap_or_default();
        let named = arguments.url.is_empty() || arguments.url.iter().any(|text| uri.contains(text.as_str()));
        if !(about || named) {
            continue;
        }
        if record.is_streamed() {
            eprintln!("{uri}: left out, too large for a sample");
            too_large += 1;
            continue;
        }
        writer.copy(&record)?;
        copied += u64::from(!about);
    }
    writer.finish()?;
    println!("{}", json!({"records": copied, "damage": damaged, "too_large": too_large, "out": name}));
    Ok(())
}
