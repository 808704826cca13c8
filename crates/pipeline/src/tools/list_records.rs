//! `list_records`: the records of web archives.

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Read as _};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use indicatif::ProgressBar;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tsumugi_warc::{
    Algorithm, ArchiveReader, Error as WarcError, Hasher, Options, ParallelReader, PayloadFault,
    PayloadLimits, PayloadNote, Record,
};

use super::Lines;
use crate::{Context, Error, Group, Progress, Tool, archives, with_causes};

/// Lists the records of WARC and ARC files, a JSON line each, damage included. The last line counts them.
///
/// `payload_sha1` is the SHA-1 of the payload after transfer- and content-decoding, in lower-case hexadecimal. Both
/// `payload_len` and `payload_sha1` are null where decompressing the payload was given up.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Archives, plain or compressed; `-` is standard input; https:// and s3:// URLs.
    #[schemars(extend("x-positional" = true, "x-required" = true, "x-value-name" = "FILE"))]
    pub files: Vec<PathBuf>,
    /// Check the digests of records too.
    pub verify: bool,
    /// Stop at the first damage.
    pub strict: bool,
}

/// What one record or one place of damage comes to.
#[derive(Default)]
struct Item {
    lines: Vec<Value>,
    kind: Option<&'static str>,
    errors: Vec<&'static str>,
    /// Reading of the file ends here.
    fatal: Option<String>,
}

#[derive(Default)]
struct Summary {
    records: u64,
    errors: BTreeMap<&'static str, u64>,
    types: BTreeMap<&'static str, u64>,
    failed: usize,
}

/// The command `list_records`.
pub struct ListRecords;

impl Tool for ListRecords {
    const NAME: &'static str = "list_records";
    const GROUP: Group = Group::Data;
    const ABOUT: &'static str = "Lists the records of web archives, a JSON line each";
    type Settings = Settings;

    fn run(settings: Settings, context: &Context) -> Result<Value, Error> {
        let mut out = Lines::new();
        // A bar would be torn apart by the lines of a terminal.
        let shown = !std::io::stdout().is_terminal();
        let progress = if shown { context.progress.clone() } else { Progress::hidden() };
        let result = run(&settings, rayon::current_num_threads(), &progress, &mut out);
        // What was found before a failure is shown too.
        out.finish().and(result)
    }
}

fn run(settings: &Settings, threads: usize, progress: &Progress, out: &mut Lines) -> Result<Value, Error> {
    let mut summary = Summary::default();
    for file in &settings.files {
        let bar = progress.bytes(&archives::shown(file));
        summary.list(file, settings, threads, &bar, out)?;
        bar.finish_and_clear();
    }
    let Summary { records, errors, types, failed } = summary;
    let files = settings.files.len();
    let counts = json!({"files": files, "records": records, "types": types, "errors": errors});
    Error::incomplete("files", failed, files, counts)
}

impl Summary {
    fn list(
        &mut self,
        path: &Path,
        settings: &Settings,
        threads: usize,
        bar: &ProgressBar,
        out: &mut Lines,
    ) -> Result<(), Error> {
        bar.set_length(std::fs::metadata(path).map_or(0, |metadata| metadata.len()));
        let options = Options::default().with_strict(settings.strict);
        let (mut records, mut wrong, mut written) = (0, Vec::new(), Ok(()));
        let file = path.is_file().then_some(path);
        let map = |record: Result<Record<'_>, WarcError>| item(record, file, settings);
        let mut sink = |item: Item| {
            records += u64::from(item.kind.is_some());
            wrong.extend(item.fatal.clone());
            written = self.take(&item, out);
            if let Some(offset) = item.lines.last().and_then(|line| line["offset"].as_u64()) {
                bar.set_position(offset);
            }
            if written.is_err() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let result = if file.is_some() {
            let read = ParallelReader::new(path, options, threads).for_each(map, sink);
            read.map(|_| ()).map_err(|error| with_causes(&error))
        } else {
            // Standard input and URLs come in one stream.
            archives::open(path, options).map_err(|error| with_causes(&error)).map(|mut reader| {
                while let Some(record) = reader.next() {
                    if sink(map(record)).is_break() {
                        break;
                    }
                }
            })
        };
        written?;
        wrong.extend(result.err());
        if records == 0 && wrong.is_empty() {
            wrong.push("the archive is empty: it has no record".into());
        }
        let name = archives::shown(path);
        self.failed += usize::from(!wrong.is_empty());
        for message in wrong {
            // Errors of remote archives name them themselves.
            let name = if message.starts_with(&name) { String::new() } else { format!("{name}: ") };
            tracing::error!("{name}{message}");
        }
        Ok(())
    }

    fn take(&mut self, item: &Item, out: &mut Lines) -> Result<(), Error> {
        for line in &item.lines {
            out.write(line)?;
        }
        if let Some(kind) = item.kind {
            self.records += 1;
            *self.types.entry(kind).or_default() += 1;
        }
        for error in &item.errors {
            *self.errors.entry(error).or_default() += 1;
        }
        Ok(())
    }
}

fn item(record: Result<Record<'_>, WarcError>, file: Option<&Path>, settings: &Settings) -> Item {
    let mut item = Item::default();
    let error = |item: &mut Item, kind: &'static str, offset: u64, message: String, skipped: Option<u64>| {
        item.lines.push(json!({"error": kind, "offset": offset, "skipped": skipped, "message": message}));
        item.errors.push(kind);
    };
    match record {
        Ok(record) => {
            let offset = record.location().offset;
            item.kind = Some(record.kind().name());
            let digests = if settings.verify { digests(&record, file) } else { Ok(Digests::Right) };
            match digests.and_then(|digests| Ok((digests, show(record)?))) {
                Ok((digests, (mut line, fault))) => {
                    if digests == Digests::Unread {
                        line["digests"] =
                            "not checked: the body is too large to be held, and comes in a stream".into();
                    }
                    item.lines.push(line);
                    if let Some(fault) = fault {
                        error(&mut item, fault.name(), offset, fault.to_string(), None);
                    }
                    if digests == Digests::Wrong {
                        error(&mut item, "digest", offset, "a digest is wrong".into(), None);
                    }
                }
                Err(failure) => item.fatal = Some(failure.to_string()),
            }
        }
        Err(WarcError::Damage(fault)) => {
            error(&mut item, fault.kind.name(), fault.offset, fault.to_string(), fault.skipped);
            item.fatal = settings.strict.then(|| fault.to_string());
        }
        Err(failure) => {
            if matches!(failure, WarcError::NotAnArchive { .. }) {
                error(&mut item, "not_an_archive", 0, failure.to_string(), None);
            }
            item.fatal = Some(with_causes(&failure));
        }
    }
    item
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Digests {
    Right,
    Wrong,
    Unread,
}

/// Checks a record's digests. A body that is streamed is read once more, which takes a file.
fn digests(record: &Record<'_>, file: Option<&Path>) -> std::io::Result<Digests> {
    let check = match file {
        _ if !record.is_streamed() => record.check_digests(),
        None => return Ok(Digests::Unread),
        Some(path) => {
            let again = ArchiveReader::open_record(path, record.location(), Options::default());
            let mut again = again.map_err(std::io::Error::other)?;
            match again.next() {
                Some(Ok(record)) => record.into_digest_check()?,
                _ => return Ok(Digests::Unread),
            }
        }
    };
    Ok(if check.is_ok() { Digests::Right } else { Digests::Wrong })
}

fn show(record: Record<'_>) -> std::io::Result<(Value, Option<PayloadFault>)> {
    let mut line = json!({
        "offset": record.location().offset,
        "type": record.header("WARC-Type"),
        "uri": record.uri(),
        "payload_len": null,
        "payload_sha1": null,
        "http_status": null,
    });
    let mut notes = Vec::new();
    if !record.head().is_known_version() {
        notes.push(format!("unknown version {}", record.head().version()));
    }
    if !record.is_complete() {
        line["complete"] = false.into();
    }
    let limits = PayloadLimits::default();
    let mut sha1 = Hasher::new(Algorithm::Sha1);
    let (len, fault, status);
    if record.is_streamed() {
        let mut payload = record.into_payload_reader(&limits)?;
        len = std::io::copy(&mut payload.by_ref(), &mut sha1)?;
        (fault, status) = (payload.fault(), payload.status());
        notes.extend(payload.notes().iter().map(PayloadNote::to_string));
    } else {
        let payload = record.payload(&limits);
        sha1.update(payload.bytes());
        len = payload.bytes().len() as u64;
        (fault, status) = (payload.fault(), record.http().and_then(|http| http.status()));
        notes.extend(payload.notes().iter().map(PayloadNote::to_string));
    }
    line["http_status"] = status.into();
    if fault != Some(PayloadFault::TooLarge) {
        line["payload_len"] = len.into();
        line["payload_sha1"] =
            sha1.finish().iter().map(|byte| format!("{byte:02x}")).collect::<String>().into();
    }
    if !notes.is_empty() {
        line["notes"] = notes.into();
    }
    Ok((line, fault))
}
