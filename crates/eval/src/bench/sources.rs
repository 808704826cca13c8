//! The benchmarks of the paper, and files of one's own.

use std::path::{Path, PathBuf};

use super::benchmark::Benchmark;
use super::contract::{BenchmarkSource, LoadRequest};
use super::files::{parquet_files, read_layout, read_questions};
use super::parquet;
use crate::Error;
use crate::profile::{JudgeKind, JudgePlan};

/// Japanese Heron Bench, `Silviase/Japanese-Heron-Bench` at Hugging Face, split `train`: 103 questions on 21 images. Its
/// score is the mean of five runs of a judge that compares with the reference answer.
#[derive(Debug, Clone, Copy, Default)]
pub struct HeronBench;

impl BenchmarkSource for HeronBench {
    fn name(&self) -> &str {
        "heron-bench"
    }

    fn load(&self, request: &LoadRequest<'_>) -> Result<Benchmark, Error> {
        let files = request.files("Silviase/Japanese-Heron-Bench", "train")?;
        let questions = read_layout(&files, &|batch, folder, _| parquet::heron(batch, folder))?;
        Benchmark::from_files(self.name(), JudgePlan { kind: JudgeKind::Pair, runs: 5 }, questions)
    }
}

/// `SakanaAI/JA-VG-VQA-500` at Hugging Face, split `test`: 500 images with 4,000 questions, or the first question of each
/// image under the profile `sakana`. A judge gives points once.
#[derive(Debug, Clone, Copy, Default)]
pub struct JaVgVqa500;

impl BenchmarkSource for JaVgVqa500 {
    fn name(&self) -> &str {
        "ja-vg-vqa-500"
    }

    fn load(&self, request: &LoadRequest<'_>) -> Result<Benchmark, Error> {
        let files = request.files("SakanaAI/JA-VG-VQA-500", "test")?;
        let first_only = request.profile.settings().first_question_only;
        let questions =
            read_layout(&files, &|batch, folder, _| parquet::visual_genome(batch, folder, first_only))?;
        Benchmark::from_files(self.name(), JudgePlan { kind: JudgeKind::Point, runs: 1 }, questions)
    }
}

/// `SakanaAI/JA-VLM-Bench-In-the-Wild` at Hugging Face, split `test`: 50 questions on 42 images. Its score is the mean of
/// five runs of a judge that gives points.
#[must_use]
pub fn ja_vlm_bench_in_the_wild() -> HubSource {
    HubSource::new("ja-vlm-bench-in-the-wild", "SakanaAI/JA-VLM-Bench-In-the-Wild", "test")
        .with_judge(JudgePlan { kind: JudgeKind::Point, runs: 5 })
}

/// A benchmark on the Hugging Face hub whose Parquet files have the columns that [`read_questions`] reads.
#[derive(Debug, Clone)]
pub struct HubSource {
    name: String,
    repository: String,
    split: String,
    judge: JudgePlan,
}

impl HubSource {
    /// A benchmark with this name, from a split of a dataset repository.
    #[must_use]
    pub fn new(name: impl Into<String>, repository: impl Into<String>, split: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            repository: repository.into(),
            split: split.into(),
            judge: JudgePlan::default(),
        }
    }

    /// Sets how its answers are judged.
    #[must_use]
    pub fn with_judge(mut self, judge: JudgePlan) -> Self {
        self.judge = judge;
        self
    }
}

impl BenchmarkSource for HubSource {
    fn name(&self) -> &str {
        &self.name
    }

    fn load(&self, request: &LoadRequest<'_>) -> Result<Benchmark, Error> {
        let files = request.files(&self.repository, &self.split)?;
        Benchmark::from_files(self.name(), self.judge, read_questions(&files)?)
    }
}

/// A JSON, JSONL or Parquet file, or a folder of Parquet files, with the fields that [`read_questions`] reads.
#[derive(Debug, Clone)]
pub struct FileSource {
    path: PathBuf,
    name: String,
}

impl FileSource {
    /// A benchmark from this file or folder. Its name is that of the file without the extension.
    #[must_use]
    pub fn new(path: impl AsRef<Path>) -> Self {
        let path = path.as_ref().to_owned();
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        Self { name: stem.unwrap_or_else(|| "benchmark".to_owned()), path }
    }
}

impl BenchmarkSource for FileSource {
    fn name(&self) -> &str {
        &self.name
    }

    fn load(&self, _request: &LoadRequest<'_>) -> Result<Benchmark, Error> {
        let questions = read_questions(&parquet_files(&self.path)?)?;
        Benchmark::from_files(self.name(), JudgePlan::default(), questions)
    }
}
