//! What comes of one task on one item.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tsumugi_record::{Conversation, Excluded};

use crate::item::Item;
use crate::task::Task;

/// The outcome of one task on one item.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The task.
    pub task: Task,
    /// The conversation, or why there is none.
    pub verdict: Verdict,
    /// The paid replies.
    pub calls: Vec<Call>,
    /// Whether any of them came from the server, and not from the cache.
    pub asked: bool,
    /// What was asked about, shared by all its tasks.
    pub item: Arc<Item>,
}

/// A paid reply: a line of the ledger.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// The row that it was made for: among the conversations, or else among the excluded.
    pub id: String,
    /// What the row is about: a pair, an image, an entry of an annotation file.
    pub item: String,
    /// What was asked: the task, or `TASK/image_needed` for the second call.
    pub purpose: String,
    /// Key of the request in the cache of replies.
    pub key: String,
    /// Model name, as the server gives it.
    pub model: String,
    /// Version of the prompt file.
    pub prompt_version: String,
    /// Tokens sent.
    pub prompt_tokens: u64,
    /// Tokens received.
    pub completion_tokens: u64,
    /// What it cost in USD; 0 for models without a price.
    pub usd: f64,
    /// When the reply came, in seconds since 1970.
    pub time: u64,
}

/// A conversation, or why there is none.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// It passed the checks. Its images are named only: [`Outcome::item`] holds their bytes, once for all tasks.
    Kept(Conversation),
    /// It did not, or could not be asked for. Where there was a reply, the value is a JSON object of what was `found` and the
    /// whole `reply`.
    Rejected(Excluded),
}
