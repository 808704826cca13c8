//! JSON lines, one for each step.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::sink::{MetricSink, StepMetrics};
use crate::atomic::atomic_file;
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

/// Drops a stage's lines after a step from a file of JSON lines, and a partial line of a killed run.
pub(crate) fn rewind(path: &Path, stage: &str, step: u64) -> Result<()> {
    let kept = match File::open(path) {
        Ok(file) => kept_lines(BufReader::new(file), stage, step),
        Err(_) => String::new(),
    };
    atomic_file(path, |part| std::fs::write(part, kept).map_err(Error::io(part)))
}

/// Complete lines of other stages, and of this one up to a step.
fn kept_lines(reader: impl BufRead, stage: &str, step: u64) -> String {
    let keep = |text: &String| match serde_json::from_str::<Line>(text) {
        Ok(line) => line.stage != stage || line.step <= step,
        Err(_) => false,
    };
    reader.lines().map_while(std::io::Result::ok).filter(keep).map(|l| l + "\n").collect()
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
    }
}
