//! TensorBoard event files: each record is a length, its checksum, a protobuf message, and its checksum.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use super::sink::{MetricSink, StepMetrics};
use crate::{Error, Result};

/// Writes one event file each time a stage begins, in a folder named after the stage, by which TensorBoard distinguishes
/// runs. A resumed stage begins another file whose first event tells readers to drop later steps.
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
        std::fs::create_dir_all(&folder).map_err(Error::io(&folder))?;
        let seconds = now() as u64;
        let path = folder.join(format!("events.out.tfevents.{seconds:010}.tsumugi.{step}"));
        let file = OpenOptions::new().create(true).append(true).open(&path).map_err(Error::io(&path))?;
        self.file = Some((path, file));
        // Event.file_version = 3
        self.event(&[double(1, now()), bytes(3, b"brain.Event:2")].concat())?;
        if step > 0 {
            // Event.session_log = 7, SessionLog.status = 1 with START = 1: steps from here on replace older ones.
            self.event(&[double(1, now()), varint(2, step + 1), bytes(7, &varint(1, 1))].concat())?;
        }
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
