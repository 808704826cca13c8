//! `peer-fastwarc fastwarc|ours|libdeflate iterate|read|verify|verify-all FILE [THREADS]`: reads an archive and prints what it
//! counted, so that the runs can be compared.

use std::error::Error;
use std::io::Read;
use std::ops::ControlFlow;

use fastwarc::warc::iter::{ArchiveIterator, ArchiveIteratorOptions};
use fastwarc::warc::record::AutoDecode;
use tsumugi_warc::{Digest, Options, ParallelReader, PayloadLimits};

#[derive(Clone, Copy, PartialEq)]
enum Work {
    Iterate,
    Read,
    /// Block digests.
    Verify,
    /// Block and payload digests.
    VerifyAll,
}

#[derive(Default)]
struct Counts {
    records: u64,
    payload: u64,
    right: u64,
    wrong: u64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [who, work, path, rest @ ..] = &arguments[..] else {
        return Err("who, what and a file, please".into());
    };
    let work = match work.as_str() {
        "iterate" => Work::Iterate,
        "read" => Work::Read,
        "verify" => Work::Verify,
        "verify-all" => Work::VerifyAll,
        _ => return Err("iterate, read, verify or verify-all, please".into()),
    };
    let threads = rest.first().map_or(Ok(1), |threads| threads.parse())?;
    let counts = match who.as_str() {
        "fastwarc" => peer(path, work)?,
        "ours" => ours(path, work, threads)?,
        "libdeflate" => bare(path)?,
        _ => return Err("fastwarc, ours or libdeflate, please".into()),
    };
    let Counts { records, payload, right, wrong } = counts;
    println!("{records} records, {payload} bytes of payload, {right} digests right, {wrong} wrong");
    Ok(())
}

fn peer(path: &str, work: Work) -> Result<Counts, Box<dyn Error>> {
    let options = ArchiveIteratorOptions {
        parse_http: work == Work::Read,
        decode_http_payload: if work == Work::Read { AutoDecode::All } else { AutoDecode::None },
        inplace: true,
        ..ArchiveIteratorOptions::default()
    };
    let mut counts = Counts::default();
    let mut payload = Vec::new();
    for record in ArchiveIterator::from_path_with_options(path, options)? {
        let record = record?;
        let mut record = record.borrow_mut();
        counts.records += 1;
        match work {
            Work::Iterate => {}
            Work::Read => {
                payload.clear();
                record.reader_mut().ok_or("no reader")?.read_to_end(&mut payload)?;
                counts.payload += payload.len() as u64;
            }
            Work::Verify | Work::VerifyAll => {
                // Its own iterator keeps the body for later in the same way.
                if let Ok(right) = record.verify_block_digest(false) {
                    *if right { &mut counts.right } else { &mut counts.wrong } += 1;
                }
                if work == Work::Verify {
                    continue;
                }
                record.parse_http()?;
                if let Ok(right) = record.verify_payload_digest(false) {
                    *if right { &mut counts.right } else { &mut counts.wrong } += 1;
                }
            }
        }
    }
    Ok(counts)
}

fn ours(path: &str, work: Work, threads: usize) -> Result<Counts, Box<dyn Error>> {
    let limits = PayloadLimits::default();
    let mut counts = Counts::default();
    let mut failure = None;
    ParallelReader::new(path, Options::default(), threads).for_each(
        |record| {
            let record = record?;
            Ok(match work {
                Work::Iterate => (0, Vec::new()),
                Work::Read => (record.payload(&limits).bytes().len() as u64, Vec::new()),
                Work::Verify => {
                    let digest = record.head().bytes("WARC-Block-Digest").map(Digest::parse);
                    (0, digest.and_then(|digest| digest.check(record.body())).into_iter().collect())
                }
                Work::VerifyAll => {
                    let check = record.check_digests();
                    (0, [check.block, check.payload].into_iter().flatten().collect())
                }
            })
        },
        |result: Result<(u64, Vec<bool>), tsumugi_warc::Error>| match result {
            Ok((payload, checks)) => {
                counts.records += 1;
                counts.payload += payload;
                for right in checks {
                    *if right { &mut counts.right } else { &mut counts.wrong } += 1;
                }
                ControlFlow::Continue(())
            }
            Err(error) => {
                failure = Some(error);
                ControlFlow::Break(())
            }
        },
    )?;
    failure.map_or(Ok(counts), |error| Err(error.into()))
}

/// The limit: each member decompressed by libdeflate, nothing else.
fn bare(path: &str) -> Result<Counts, Box<dyn Error>> {
    let file = std::fs::read(path)?;
    let mut out = vec![0_u8; 32 << 20];
    let mut counts = Counts::default();
    let mut at = 0;
    // SAFETY: no precondition.
    let inflater = unsafe { libdeflate_sys::libdeflate_alloc_decompressor() };
    while at < file.len() {
        let (mut read, mut written) = (0, 0);
        // SAFETY: the decompressor lives, and both buffers are valid for the lengths given.
        let result = unsafe {
            libdeflate_sys::libdeflate_gzip_decompress_ex(
                inflater,
                file[at..].as_ptr().cast(),
                file.len() - at,
                out.as_mut_ptr().cast(),
                out.len(),
                &mut read,
                &mut written,
            )
        };
        if result != 0 {
            return Err("a member cannot be decompressed".into());
        }
        at += read;
        counts.records += 1;
        counts.payload += written as u64;
    }
    // SAFETY: made above, freed once.
    unsafe { libdeflate_sys::libdeflate_free_decompressor(inflater) };
    Ok(counts)
}
