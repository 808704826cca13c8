//! TensorBoard event files: each record is a length, its checksum, a protobuf message, and its checksum.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use tsumugi_record::write_atomic;

use super::sink::{MetricSink, StepMetrics};
use crate::{Error, Result};

/// Writes one event file for each stage, in a folder named after the stage, by which TensorBoard distinguishes runs.
///
/// A stage that begins again moves the events up to its step to a new file and removes the old ones, so that each step is there
/// once however often a run was killed. The file begins with an event that tells a TensorBoard which has read the old files to
/// drop their steps.
#[derive(Debug)]
pub struct TensorBoardSink {
    folder: PathBuf,
    file: Option<(PathBuf, File)>,
}

impl TensorBoardSink {
    /// A sink for this folder.
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), file: None }
    }

    fn event(&mut self, event: &[u8]) -> Result<()> {
        match &mut self.file {
            Some((path, file)) => file.write_all(&record(event)).map_err(Error::io(path.as_path())),
            None => Ok(()),
        }
    }
}

impl MetricSink for TensorBoardSink {
    fn begin(&mut self, stage: &str, step: u64) -> Result<()> {
        let folder = self.folder.join(stage);
        let old = event_files(&folder)?;
        // Event.file_version = 3
        let mut content = record(&[double(1, now()), bytes(3, b"brain.Event:2")].concat());
        if !old.is_empty() {
            // Event.session_log = 7, SessionLog.status = 1 with START = 1: drop what was read of steps from 1 on.
            content.extend(record(&[double(1, now()), varint(2, 1), bytes(7, &varint(1, 1))].concat()));
        }
        for event in kept_events(&old, step)? {
            content.extend(record(&event));
        }
        // Readers take files in the order of their names.
        let newest = old.iter().filter_map(|path| seconds_of(path)).max().unwrap_or(0);
        let seconds = (now() as u64).max(newest + 1);
        let path = folder.join(format!("{PREFIX}{seconds:010}.tsumugi"));
        write_atomic(&path, |file| file.write_all(&content))?;
        for path in old {
            std::fs::remove_file(&path).map_err(Error::io(&path))?;
        }
        let file = OpenOptions::new().append(true).open(&path).map_err(Error::io(&path))?;
        self.file = Some((path, file));
        Ok(())
    }

    fn step(&mut self, metrics: &StepMetrics) -> Result<()> {
        let values = [
            ("loss", metrics.loss),
            ("lr", metrics.lr),
            ("grad_norm", metrics.grad_norm),
            ("tokens_per_second", metrics.tokens_per_second),
            ("images_per_second", metrics.images_per_second),
            ("mfu", metrics.mfu),
            ("padding_fraction", metrics.padding_fraction),
        ];
        self.event(&scalars(metrics.step, &values))
    }

    fn scalar(&mut self, _stage: &str, step: u64, name: &str, value: f64) -> Result<()> {
        self.event(&scalars(step, &[(name, value)]))
    }

    fn flush(&mut self) -> Result<()> {
        match &mut self.file {
            Some((path, file)) => file.sync_data().map_err(Error::io(path.as_path())),
            None => Ok(()),
        }
    }
}

/// Beginning of the name of an event file; seconds since 1970 follow.
const PREFIX: &str = "events.out.tfevents.";

/// The event files of a folder, oldest first.
fn event_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(Error::io(folder))?.path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(PREFIX)) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// The seconds in the name of an event file.
fn seconds_of(path: &Path) -> Option<u64> {
    path.file_name()?.to_str()?.strip_prefix(PREFIX)?.split('.').next()?.parse().ok()
}

/// The events with numbers up to a step.
fn kept_events(files: &[PathBuf], step: u64) -> Result<Vec<Vec<u8>>> {
    let mut kept: Vec<(u64, Vec<u8>)> = Vec::new();
    for path in files {
        let data = std::fs::read(path).map_err(Error::io(path))?;
        for event in events(&data) {
            let Some(fields) = fields(event) else { continue };
            if fields.restarts {
                // A kill between the new file and the removal of the old ones leaves both.
                kept.retain(|(of_event, _)| *of_event < fields.step);
            } else if fields.has_numbers && fields.step <= step {
                kept.push((fields.step, event.to_vec()));
            }
        }
    }
    Ok(kept.into_iter().map(|(_, event)| event).collect())
}

/// The events of a file, up to a record that a kill has cut.
fn events(mut data: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let length = u64::from_le_bytes(data.get(..8)?.try_into().ok()?) as usize;
        let end = length.checked_add(12)?;
        let event = data.get(12..end)?;
        let whole = data.get(..end.checked_add(4)?)?;
        if whole != record(event) {
            return None;
        }
        data = &data[whole.len()..];
        Some(event)
    })
}

/// What of an event decides whether it is kept.
#[derive(Debug, Default, PartialEq, Eq)]
struct Fields {
    step: u64,
    has_numbers: bool,
    restarts: bool,
}

/// None if the event is not valid protobuf.
fn fields(mut event: &[u8]) -> Option<Fields> {
    let mut found = Fields::default();
    while !event.is_empty() {
        let key = take_varint(&mut event)?;
        match (key >> 3, key & 7) {
            (2, 0) => found.step = take_varint(&mut event)?,
            (_, 0) => drop(take_varint(&mut event)?),
            (_, 1) => event = event.get(8..)?,
            (field, 2) => {
                let length = usize::try_from(take_varint(&mut event)?).ok()?;
                found.has_numbers |= field == 5;
                found.restarts |= field == 7;
                event = event.get(length..)?;
            }
            (_, 5) => event = event.get(4..)?,
            _ => return None,
        }
    }
    Some(found)
}

fn take_varint(data: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = data.split_first()?;
        *data = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |d| d.as_secs_f64())
}

/// `Event { wall_time = 1, step = 2, summary = 5 { value = 1 { tag = 1, simple_value = 2 } } }`
fn scalars(step: u64, values: &[(&str, f64)]) -> Vec<u8> {
    let value =
        |(tag, value): &(&str, f64)| bytes(1, &[bytes(1, tag.as_bytes()), float(2, *value as f32)].concat());
    let summary: Vec<u8> = values.iter().flat_map(value).collect();
    [double(1, now()), varint(2, step), bytes(5, &summary)].concat()
}

fn raw_varint(mut value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
    out
}

fn varint(field: u64, value: u64) -> Vec<u8> {
    [raw_varint(field << 3), raw_varint(value)].concat()
}

fn double(field: u64, value: f64) -> Vec<u8> {
    [raw_varint(field << 3 | 1), value.to_le_bytes().to_vec()].concat()
}

fn float(field: u64, value: f32) -> Vec<u8> {
    [raw_varint(field << 3 | 5), value.to_le_bytes().to_vec()].concat()
}

fn bytes(field: u64, value: &[u8]) -> Vec<u8> {
    [raw_varint(field << 3 | 2), raw_varint(value.len() as u64), value.to_vec()].concat()
}

fn record(data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u64).to_le_bytes();
    [&length[..], &masked_crc(&length).to_le_bytes(), data, &masked_crc(data).to_le_bytes()].concat()
}

/// CRC-32C, rotated and offset as the TFRecord format requires.
fn masked_crc(data: &[u8]) -> u32 {
    let crc = !data.iter().fold(!0_u32, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |c, _| if c & 1 == 1 { (c >> 1) ^ 0x82f6_3b78 } else { c >> 1 })
    });
    crc.rotate_right(15).wrapping_add(0xa282_ead8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksum_is_castagnoli() {
        // CRC-32C of "123456789" is e3069283 (RFC 3720's polynomial).
        let unmasked = masked_crc(b"123456789").wrapping_sub(0xa282_ead8).rotate_left(15);
        assert_eq!(unmasked, 0xe306_9283);
    }

    #[test]
    fn numbers_have_as_many_bytes_as_they_need() {
        for value in [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX] {
            let bytes = raw_varint(value);
            assert_eq!(take_varint(&mut &bytes[..]), Some(value));
        }
        assert_eq!(take_varint(&mut &[0x80_u8, 0x80][..]), None);
        assert_eq!(take_varint(&mut &[0xff_u8; 11][..]), None);
    }

    /// Steps of the events with numbers in a stage's folder.
    fn steps(folder: &Path) -> Vec<u64> {
        let mut steps = Vec::new();
        for path in event_files(folder).unwrap() {
            let data = std::fs::read(path).unwrap();
            let of_file: Vec<Fields> = events(&data).map(|event| fields(event).unwrap()).collect();
            assert_eq!(of_file[0], Fields::default(), "a file begins with its version");
            steps.extend(of_file.iter().filter(|f| f.has_numbers).map(|f| f.step));
        }
        steps
    }

    #[test]
    fn each_step_is_there_once_however_often_a_stage_begins() {
        let folder = tempfile::tempdir().unwrap();
        let stage = folder.path().join("align");
        let run = |from: u64, to: u64| {
            let mut sink = TensorBoardSink::new(folder.path());
            sink.begin("align", from).unwrap();
            for step in from + 1..=to {
                sink.step(&StepMetrics { step, loss: 1.5, ..Default::default() }).unwrap();
            }
            sink.scalar("align", to, "score", 0.5).unwrap();
        };
        run(0, 3);
        assert_eq!(steps(&stage), [1, 2, 3, 3]);
        // Killed before the first checkpoint, twice.
        run(0, 2);
        run(0, 300);
        // Killed behind a checkpoint.
        run(299, 301);
        assert_eq!(steps(&stage), (1..=301).chain([301]).collect::<Vec<_>>());

        // A record that was being written, and files that a kill left beside the new one.
        let path = event_files(&stage).unwrap().remove(0);
        let mut data = std::fs::read(&path).unwrap();
        std::fs::write(stage.join(format!("{PREFIX}0000000001.tsumugi")), &data).unwrap();
        data.truncate(data.len() - 5);
        std::fs::write(&path, data).unwrap();
        run(300, 301);
        assert_eq!(steps(&stage), (1..=301).chain([301]).collect::<Vec<_>>());
        assert_eq!(event_files(&stage).unwrap().len(), 1);
    }

    #[test]
    fn a_file_is_a_sequence_of_records() {
        let folder = tempfile::tempdir().unwrap();
        let mut sink = TensorBoardSink::new(folder.path());
        sink.begin("align", 0).unwrap();
        sink.step(&StepMetrics { step: 300, loss: 1.5, ..Default::default() }).unwrap();
        let path = std::fs::read_dir(folder.path().join("align")).unwrap().next().unwrap().unwrap().path();
        let data = std::fs::read(path).unwrap();
        let (mut at, mut events) = (0, Vec::new());
        while at < data.len() {
            let length = u64::from_le_bytes(data[at..at + 8].try_into().unwrap()) as usize;
            let body = &data[at + 12..at + 12 + length];
            assert_eq!(data[at..at + 16 + length], record(body)[..]);
            events.push(body.to_vec());
            at += 16 + length;
        }
        assert_eq!(events.len(), 2);
        assert!(events[0].ends_with(b"brain.Event:2"));
        assert_eq!(&events[1][9..12], &[0x10, 0xac, 0x02]);
    }
}
