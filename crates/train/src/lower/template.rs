//! Templates: how rows become text.

use tsumugi_vlm::ChatTemplate;
use tsumugi_vlm::template::{LLMJP_V3_BEFORE_ASSISTANT, LLMJP_V3_BEFORE_USER, LLMJP_V3_SYSTEM};

use crate::{Chat, Error, Sample};

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
    /// A Jinja chat template, loss on what its `{% generation %}` blocks write, else on the answers and their end tokens.
    Chat(Chat),
    /// A chat format with other texts.
    Turns(TurnFormat),
}

/// A chat format as the texts around its turns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TurnFormat {
    /// The system message of a conversation that has none.
    pub system: String,
    /// The text before a user's turn.
    pub before_user: String,
    /// The text before an assistant's turn.
    pub before_assistant: String,
}

impl TurnFormat {
    /// The instruction format of llm-jp-3-instruct.
    pub fn llmjp_v3() -> Self {
        Self {
            system: LLMJP_V3_SYSTEM.into(),
            before_user: LLMJP_V3_BEFORE_USER.into(),
            before_assistant: LLMJP_V3_BEFORE_ASSISTANT.into(),
        }
    }
}

impl Template {
    /// The template of this name: `plain`, `caption`, `llmjp_v3`, `tokenizer` (the chat template of the run's tokenizer), or
    /// a file whose name ends in `.jinja`.
    ///
    /// # Errors
    /// [`Error::UnknownComponent`] listing all names; [`Error::Recipe`] for a file that cannot be read or does not compile.
    pub fn by_name(name: &str) -> crate::Result<Self> {
        match name {
            "plain" => Ok(Self::Plain),
            "caption" => Ok(Self::Caption),
            "llmjp_v3" => Ok(Self::LlmjpV3),
            "tokenizer" => Ok(Self::Chat(Chat::Tokenizer)),
            file if file.ends_with(".jinja") => {
                let source = std::fs::read_to_string(file)
                    .map_err(|error| Error::recipe(format!("template {file}: {error}")))?;
                let template = ChatTemplate::new(source)
                    .map_err(|error| Error::recipe(format!("template {file}: {}", error.with_causes())))?;
                Ok(Self::Chat(Chat::Template(template)))
            }
            _ => Err(Error::UnknownComponent {
                kind: "template",
                name: name.to_owned(),
                known: ["plain", "caption", "llmjp_v3", "tokenizer", "FILE.jinja"].map(str::to_owned).into(),
            }),
        }
    }
}

/// A sample, or the reason for dropping the row.
pub type Lowered = std::result::Result<Sample, &'static str>;

/// The mark of an image in texts of the LLaVA format.
pub(crate) const IMAGE_MARK: &str = "<image>";
