//! Filters with the reason of every drop, and the chain that a profile makes of them.

mod chain;
mod classifier;
mod compression;
mod duplicate;
mod file_name;
mod gopher;
mod language;
mod linear;
mod lines;
mod perplexity;
mod registry;
mod repetition;
mod rule;
mod scripts;
mod size;
mod words;

pub use chain::{Decision, FilterChain};
pub use classifier::Classifier;
pub use compression::Compression;
pub use duplicate::{DuplicateNgrams, DuplicateParts, TopNgrams};
pub use file_name::FileName;
pub use gopher::{GopherQuality, Unit};
pub use language::{KanaHead, RequireLanguage};
pub use linear::LinearLanguage;
pub use lines::{EllipsisLines, LineBreaks, ShortLines};
pub use perplexity::{Bucket, Perplexity, Tokens, cutoffs};
pub use registry::{FilterRegistry, FilterSettings};
pub use repetition::{CharRepetition, SingleCharRun};
pub use rule::{Filter, Reason, Report, Resources, Text};
pub use scripts::{HasLetters, JapaneseLetters};
pub use size::{Length, NotEmpty, RareKuten, SentenceLength, SentencesWithEllipsis};
pub use words::{BoardMarks, NgWords, WordShare};

pub(crate) use rule::share;
