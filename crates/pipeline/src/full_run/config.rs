use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use tsumugi_synth::Task;

/// The steps of a full run, in order.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Until {
    /// Records counted.
    ListRecords,
    /// Pages to documents.
    ExtractDocuments,
    /// Quality filters and duplicates.
    FilterDocuments,
    /// Images out of the archive.
    FetchImages,
    /// Image-text pairs.
    BuildPairs,
    /// Interleaved documents.
    BuildInterleaved,
    /// Instruction data.
    Synthesize,
    /// Three stages of training.
    Train,
    /// Answers, scores, judge.
    Evaluate,
}

impl Until {
    /// All steps, in order.
    pub const ALL: [Until; 9] = [
        Until::ListRecords,
        Until::ExtractDocuments,
        Until::FilterDocuments,
        Until::FetchImages,
        Until::BuildPairs,
        Until::BuildInterleaved,
        Until::Synthesize,
        Until::Train,
        Until::Evaluate,
    ];

    /// Name of the step.
    pub fn name(self) -> &'static str {
        match self {
            Until::ListRecords => "list_records",
            Until::ExtractDocuments => "extract_documents",
            Until::FilterDocuments => "filter_documents",
            Until::FetchImages => "fetch_images",
            Until::BuildPairs => "build_pairs",
            Until::BuildInterleaved => "build_interleaved",
            Until::Synthesize => "synthesize",
            Until::Train => "train",
            Until::Evaluate => "evaluate",
        }
    }
}

impl std::str::FromStr for Until {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let names: Vec<&str> = Until::ALL.iter().map(|s| s.name()).collect();
        let found = Until::ALL.into_iter().find(|s| s.name() == name);
        found.ok_or_else(|| format!("there is no step `{name}`; steps are {}", names.join(", ")))
    }
}

/// An OpenAI-compatible endpoint; the key comes from `OPENAI_API_KEY`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Api {
    /// Its address up to `/v1`.
    pub base_url: String,
    /// The model to ask.
    pub model: String,
}

/// What a full run is made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FullRunConfig {
    /// Archives; the embedded sample where there are none.
    pub warc: Vec<PathBuf>,
    /// Output folder; each step has a folder of its own in it.
    pub out: PathBuf,
    /// Pages of the embedded sample.
    pub pages: usize,
    /// Language of the documents that are kept, and of the embedded sample: a code such as `ja`, `en` or `ko` (`ja`).
    pub language: String,
    /// Profile of the text filter (that of the language pack for documents).
    pub profile: Option<String>,
    /// Who writes the instruction data; the stand-in where absent.
    pub api: Option<Api>,
    /// Who judges; the stand-in where absent.
    pub judge: Option<Api>,
    /// Tasks of the instruction data.
    pub tasks: Vec<Task>,
    /// Recipe of the trainer, as TOML. The folders of its data sources are replaced by those of this run.
    pub recipe: String,
    /// `key=value` overrides of the recipe.
    pub set: Vec<String>,
    /// Benchmark file; that of the embedded sample where absent.
    pub benchmark: Option<PathBuf>,
    /// The last step to run.
    pub until: Until,
    /// Threads of the data steps; 0 is one a core.
    pub threads: usize,
}

impl Default for FullRunConfig {
    fn default() -> Self {
        FullRunConfig {
            warc: Vec::new(),
            out: PathBuf::from("demo"),
            pages: tsumugi_demo::PAGES,
            language: "ja".into(),
            profile: None,
            api: None,
            judge: None,
            tasks: vec![Task::Conversation, Task::Detail, Task::Photo],
            recipe: String::new(),
            set: Vec::new(),
            benchmark: None,
            until: Until::Evaluate,
            threads: 0,
        }
    }
}
