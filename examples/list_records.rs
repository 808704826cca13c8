//! Lists the records of web archives: a JSON line each, damage included, and a summary at the end.
//!
//! `payload_sha1` is the SHA-1 of the payload after transfer- and content-decoding, in lower-case hexadecimal.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use serde_json::{Value, json};
use tsumugi::pipeline::archives;
use tsumugi::warc::{Algorithm, ArchiveReader, Error, Options, PayloadLimits, Record};

/// List the records of WARC and ARC files, one JSON line each.
#[derive(Parser)]
struct Arguments {
    /// Archives, plain or packed; `-` is standard input; https:// and s3:// URLs.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Check the digests of records too.
    #[arg(long)]
    verify: bool,
    /// Stop at the first damage.
    #[arg(long)]
    strict: bool,
}

#[derive(Default)]
struct Counts {
    records: u64,
    errors: BTreeMap<String, u64>,
    types: BTreeMap<String, u64>,
    failed: bool,
}

impl Counts {
    fn error(&mut self, line: &Value, kind: &str) {
        println!("{line}");
        *self.errors.entry(kind.into()).or_default() += 1;
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut counts = Counts::default();
    for file in &arguments.files {
        list(file, &arguments, &mut counts);
    }
    let Counts { records, errors, types, failed } = counts;
    println!(
        "{}",
        json!({"files": arguments.files.len(), "records": records, "types": types, "errors": errors})
    );
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn list(path: &Path, arguments: &Arguments, counts: &mut Counts) {
    let options = Options::default().with_strict(arguments.strict);
    let problem = match archives::open(path, options) {
        Ok(reader) => match records(reader, arguments, counts) {
            Ok(0) => "the archive is empty: it has no record".to_owned(),
            Ok(_) => return,
            Err(error) => error.to_string(),
        },
        Err(error) => error.to_string(),
    };
    let name = archives::shown(path);
    // Errors of remote archives name them themselves.
    eprintln!("{}{problem}", if problem.starts_with(&name) { String::new() } else { format!("{name}: ") });
    counts.failed = true;
}

fn records<R: std::io::Read>(
    mut reader: ArchiveReader<R>,
    arguments: &Arguments,
    counts: &mut Counts,
) -> Result<u64, Error> {
    while let Some(record) = reader.next() {
        match record {
            Ok(record) => show(record, arguments.verify, counts)?,
            Err(Error::Damage(fault)) => {
                let line = json!({"error": fault.kind.name(), "offset": fault.offset, "skipped": fault.skipped, "message": fault.to_string()});
                counts.error(&line, fault.kind.name());
                if arguments.strict {
                    return Err(fault.into());
                }
            }
            Err(error) => return Err(error),
        }
    }
    Ok(reader.records())
}

fn show(record: Record<'_>, verify: bool, counts: &mut Counts) -> Result<(), Error> {
    let offset = record.location().offset;
    let kind = record.header("WARC-Type").map(|kind| kind.into_owned());
    let payload = record.payload(&PayloadLimits::default());
    let line = json!({
        "offset": offset,
        "type": kind,
        "uri": record.uri(),
        "payload_len": payload.bytes().len(),
        "payload_sha1": Algorithm::Sha1.hash(payload.bytes()).iter().map(|byte| format!("{byte:02x}")).collect::<String>(),
        "http_status": record.http().and_then(|http| http.status()),
    });
    println!("{line}");
    counts.records += 1;
    *counts.types.entry(record.kind().name().into()).or_default() += 1;
    if let Some(fault) = payload.fault() {
        counts.error(&json!({"error": "payload", "offset": offset, "message": fault.to_string()}), "payload");
    }
    if verify && !record.check_digests().is_ok() {
        counts.error(&json!({"error": "digest", "offset": offset, "message": "a digest is wrong"}), "digest");
    }
    Ok(())
}
