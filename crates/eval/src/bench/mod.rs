//! Benchmarks: questions about images with reference answers.
//!
//! A [`BenchmarkSource`] loads a [`Benchmark`]. The three benchmarks of the paper are registered in
//! [`Registry::default`](crate::Registry), from the Hugging Face hub or a folder of their Parquet files; a lab registers
//! its own beside them. Any JSON, JSONL or Parquet file with the fields of [`Question`] is a benchmark too ([`FileSource`]).

mod benchmark;
mod columns;
mod contract;
mod files;
mod json;
mod parquet;
mod question;
mod sources;

pub use self::benchmark::Benchmark;
pub use self::contract::{BenchmarkSource, LoadRequest};
pub use self::files::read_questions;
pub use self::question::{DroppedRow, Image, Question, Questions};
pub use self::sources::{FileSource, HeronBench, HubSource, JaVgVqa500, ja_vlm_bench_in_the_wild};
pub use tsumugi_hub::Hub;
