//! Lowering: rows of every table become [`Sample`]s.
//!
//! Each function is pure: a row and a template in, a sample or the reason for dropping it out.

mod conversation;
mod llava;
mod web;

pub use conversation::lower_conversation;
pub use llava::{LlavaItem, LlavaTurn, lower_llava};
pub use web::{lower_interleaved, lower_pair};

use crate::Sample;

/// How a row becomes text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Template {
    /// `<image>caption\n`, loss on the caption, no end token (the paper's step 0).
    Plain,
    /// `<image>caption</s>`, loss on all of it (the paper's step 1).
    Caption,
    /// The instruction format of llm-jp-3, loss on the answers and their end token (the paper's step 2).
    #[default]
    LlmjpV3,
    /// A format of turns with other words.
    Turns(TurnFormat),
}

/// A chat format as the texts around its turns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TurnFormat {
    /// What stands before everything, where a conversation has no system message.
    pub system: String,
    /// Before what the user says.
    pub before_user: String,
    /// Before what the model answers.
    pub before_assistant: String,
}

impl TurnFormat {
    /// The instruction format of llm-jp-3-instruct.
    pub fn llmjp_v3() -> Self {
        Self {
            system: "以下は、タスクを説明する指示です。要求を適切に満たす応答を書きなさい。".into(),
            before_user: "\n\n### 指示:\n".into(),
            before_assistant: "\n\n### 応答:\n".into(),
        }
    }
}

impl Template {
    /// The template of this name.
    ///
    /// # Errors
    /// [`Error::UnknownComponent`](crate::Error::UnknownComponent) listing the names there are.
    pub fn by_name(name: &str) -> crate::Result<Self> {
        match name {
            "plain" => Ok(Self::Plain),
            "caption" => Ok(Self::Caption),
            "llmjp_v3" => Ok(Self::LlmjpV3),
            _ => Err(crate::Error::UnknownComponent {
                kind: "template",
                name: name.to_owned(),
                known: vec!["plain".into(), "caption".into(), "llmjp_v3".into()],
            }),
        }
    }
}

/// A sample, or why there is none.
pub type Lowered = std::result::Result<Sample, &'static str>;

/// What stands for a picture in texts of the LLaVA format.
pub(crate) const IMAGE_MARK: &str = "<image>";
