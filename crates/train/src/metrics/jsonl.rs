//! JSON lines, one for each step.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use tsumugi_record::write_atomic;

use super::sink::{MetricSink, StepMetrics};
use crate::{Error, Result};

/// Writes `metrics.jsonl`: for each step the fields of [`StepMetrics`], for each scalar of a callback
/// `{"stage", "step", "name", "value"}`.
#[derive(Debug)]
pub struct JsonlSink {
    path: PathBuf,
    file: Option<BufWriter<File>>,
}

#[derive(Deserialize)]
struct Line {
    stage: String,
    step: u64,
}

impl JsonlSink {
    /// A sink for this file, which is created if it is missing.
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), file: None }
    }

    fn line(&mut self, value: &impl serde::Serialize) -> Result<()> {
        let path = self.path.clone();
        let Some(file) = &mut self.file else { return Ok(()) };
        serde_json::to_writer(&mut *file, value).map_err(Error::json(&path))?;
        // Flushed by line, so that whoever reads the file during the run sees complete lines.
        file.write_all(b"\n").and_then(|()| file.flush()).map_err(Error::io(&path))
    }
}

impl MetricSink for JsonlSink {
    fn begin(&mut self, stage: &str, step: u64) -> Result<()> {
        rewind(&self.path, stage, step)?;
        let file = OpenOptions::new().append(true).open(&self.path).map_err(Error::io(&self.path))?;
        self.file = Some(BufWriter::new(file));
        Ok(())
    }

    fn step(&mut self, metrics: &StepMetrics) -> Result<()> {
        self.line(metrics)
    }

    fn scalar(&mut self, stage: &str, step: u64, name: &str, value: f64) -> Result<()> {
        self.line(&serde_json::json!({ "stage": stage, "step": step, "name": name, "value": value }))
    }

    fn flush(&mut self) -> Result<()> {
        match &mut self.file {
            Some(file) => file.flush().map_err(Error::io(&self.path)),
            None => Ok(()),
        }
    }
}

/// Drops a stage's lines after a step from a file of JSON lines, and a partial line of a killed run. The file is created if it is
/// missing.
pub(crate) fn rewind(path: &Path, stage: &str, step: u64) -> Result<()> {
    keep_lines(path, |of_line, at| of_line != stage || at <= step)
}

/// Drops the lines of all stages but these from a file of JSON lines, if there is one.
pub(crate) fn keep_stages(path: &Path, stages: &[&str]) -> Result<()> {
    if path.exists() { keep_lines(path, |stage, _| stages.contains(&stage)) } else { Ok(()) }
}

/// Keeps the complete lines whose stage and step `keep` accepts.
fn keep_lines(path: &Path, keep: impl Fn(&str, u64) -> bool) -> Result<()> {
    let text = match std::fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(Error::io(path)(error)),
    };
    let kept = text.split_inclusive(|&byte| byte == b'\n').filter(|line| {
        line.ends_with(b"\n")
            && serde_json::from_slice::<Line>(line).is_ok_and(|line| keep(&line.stage, line.step))
    });
    let kept: Vec<u8> = kept.flatten().copied().collect();
    Ok(write_atomic(path, |file| file.write_all(&kept))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resuming_drops_what_came_after_the_checkpoint() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        let mut sink = JsonlSink::new(&path);
        sink.begin("a", 0).unwrap();
        for step in 1..=5 {
            sink.step(&StepMetrics { stage: "a".into(), step, ..Default::default() }).unwrap();
        }
        sink.scalar("a", 5, "score", 0.5).unwrap();
        drop(sink);
        std::fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"half\":").unwrap();
        let mut sink = JsonlSink::new(&path);
        sink.begin("a", 3).unwrap();
        sink.step(&StepMetrics { stage: "a".into(), step: 4, ..Default::default() }).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let steps: Vec<u64> = text.lines().map(|l| serde_json::from_str::<Line>(l).unwrap().step).collect();
        assert_eq!(steps, [1, 2, 3, 4]);
        sink.scalar("b", 1, "score", 0.5).unwrap();
        keep_stages(&path, &["b"]).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 1);
        keep_stages(&folder.path().join("none"), &[]).unwrap();
        assert!(!folder.path().join("none").exists());
    }
}
