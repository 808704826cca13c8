//! The kinds of instruction data.

use serde::{Deserialize, Serialize};

use crate::Error;

/// A kind of instruction data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Task {
    /// LLaVA's conversation, written from captions and boxes.
    Conversation,
    /// LLaVA's detailed description, from captions and boxes.
    Detail,
    /// LLaVA's complex reasoning, from captions and boxes.
    Reasoning,
    /// A conversation of several turns, written from the image itself.
    Photo,
    /// Short questions and answers, from the image itself.
    Vqa,
    /// The text in the image.
    Ocr,
    /// An English conversation translated into the language of the pack.
    Translate,
}

impl Task {
    /// All, in the order in which they are asked for.
    pub const ALL: [Task; 7] = [
        Self::Conversation,
        Self::Detail,
        Self::Reasoning,
        Self::Photo,
        Self::Vqa,
        Self::Ocr,
        Self::Translate,
    ];

    /// The word for it, as in flags, tables and file names.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Conversation => "conversation",
            Self::Detail => "detail",
            Self::Reasoning => "reasoning",
            Self::Photo => "photo",
            Self::Vqa => "vqa",
            Self::Ocr => "ocr",
            Self::Translate => "translate",
        }
    }

    /// Whether the image itself is sent.
    #[must_use]
    pub fn sees(self) -> bool {
        matches!(self, Self::Photo | Self::Vqa | Self::Ocr)
    }

    /// Whether it is written from captions.
    #[must_use]
    pub fn reads_captions(self) -> bool {
        matches!(self, Self::Conversation | Self::Detail | Self::Reasoning)
    }

    /// Whether the reply is one text under an instruction of ours, rather than questions and answers.
    #[must_use]
    pub fn single(self) -> bool {
        matches!(self, Self::Detail | Self::Ocr)
    }
}

impl std::str::FromStr for Task {
    type Err = Error;

    fn from_str(word: &str) -> Result<Self, Error> {
        Self::ALL.into_iter().find(|task| task.name() == word.trim()).ok_or_else(|| Error::Config {
            message: format!("unknown task {word:?}; there are {}", Self::ALL.map(Self::name).join(", ")),
        })
    }
}

impl std::fmt::Display for Task {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
