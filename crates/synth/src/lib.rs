//! Instruction data written by a vision-language model behind an API, and its checks.
//!
//! An [`Item`] is an image with what is known about it (from a table of pairs or images, or from COCO's files:
//! [`sources`]). For each [`Task`] a [`Synthesizer`] puts the item into a [`Prompt`], sends it through
//! [`tsumugi_chat::Client`] with a strict JSON schema, checks the reply, and gives a [`tsumugi_record::Conversation`] or the
//! reason why there is none. Replies are cached by the client, so a run that was stopped sends only what is missing.
//! Where the first twenty replies to a task are all dropped, the run stops before more is paid for.
//!
//! What a user may replace is data: the language pack with its prompts, single prompts, the rules by which images are resized for a model
//! ([`TileRules`]), and the thresholds of the checks ([`CheckConfig`]), among them the optional second call that finds
//! questions which need no image ([`SecondLook`]). [`NearDuplicates`] and [`Reporter`] look at all conversations together.
//!
//! ```
//! use tsumugi_synth::{Prompt, Task, TileRule};
//! use tsumugi_text::LanguagePack;
//!
//! let task: Task = "conversation".parse()?;
//! let prompt = Prompt::builtin(task, &LanguagePack::embedded("ja")?)?;
//! assert_eq!(prompt.version, "conversation-1");
//! // A photo of 12 megapixels is sent, and paid for, as what the model looks at.
//! assert_eq!(TileRule::default().tokens(4000, 3000), 765);
//! # Ok::<(), tsumugi_synth::Error>(())
//! ```
#![forbid(unsafe_code)]

mod ask;
mod benchmark;
mod check;
mod duplicates;
mod error;
mod extract;
mod fit;
mod item;
mod openings;
mod outcome;
mod page;
mod phrases;
mod prompt;
mod report;
mod second_look;
pub mod sources;
mod synthesizer;
mod task;
mod trial;

pub use benchmark::benchmark_questions;
pub use check::{CheckConfig, Checker, Rejection};
pub use duplicates::NearDuplicates;
pub use error::{Cause, Error};
pub use fit::{TileRule, TileRules};
pub use item::{Item, Object, Turn};
pub use outcome::{Call, Outcome, Verdict};
pub use prompt::Prompt;
pub use report::{Quantiles, Report, Reporter, TaskReport};
pub use second_look::SecondLook;
pub use synthesizer::{SynthConfig, Synthesizer};
pub use task::Task;

/// Name of the prompt of the second call.
const IMAGE_NEEDED: &str = "image_needed";
