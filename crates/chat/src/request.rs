//! Requests: messages of text and images, with parameters.

use async_openai::types::chat::{
    ChatCompletionRequestAssistantMessage, ChatCompletionRequestMessage,
    ChatCompletionRequestMessageContentPartImage, ChatCompletionRequestMessageContentPartText,
    ChatCompletionRequestSystemMessage, ChatCompletionRequestUserMessage,
    ChatCompletionRequestUserMessageContent, ChatCompletionRequestUserMessageContentPart,
    CreateChatCompletionRequest, ImageUrl, ResponseFormat, ResponseFormatJsonSchema,
};
use base64::Engine as _;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::TokenLimitField;

/// One chat request. Requests with equal [`Request::key`] are answered once and then from the cache.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Request {
    /// The model's name at the server.
    pub model: String,
    /// The conversation so far.
    pub messages: Vec<ChatMessage>,
    /// Maximum number of tokens of the reply; the server's limit if none.
    pub max_tokens: Option<u32>,
    /// Sampling temperature; the server's default if none.
    pub temperature: Option<f32>,
    /// Seed of the sampling, for servers that accept one.
    pub seed: Option<i64>,
    /// A schema that the reply must follow (sent as a strict `json_schema` response format).
    pub json_schema: Option<JsonSchema>,
    /// Which of several independent replies to the same messages this is (0, 1, ...). Not sent; part of the key only,
    /// so that repeated runs of a judge are not answered from one another's cache entries.
    pub sample: u32,
}

/// One message.
#[derive(Clone, Debug, PartialEq)]
pub struct ChatMessage {
    /// The role of the speaker.
    pub role: Role,
    /// Text and images in order. Images are allowed in user messages only; elsewhere they are left out.
    pub parts: Vec<Part>,
}

/// The role of a speaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// System instructions.
    System,
    /// The user.
    User,
    /// The model.
    Assistant,
}

/// A piece of a message.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// Text.
    Text(String),
    /// An encoded image, sent as a data URL.
    Image {
        /// The media type, such as `image/jpeg`.
        mime: String,
        /// The file's bytes.
        bytes: Vec<u8>,
    },
}

/// A named JSON schema for the reply.
#[derive(Clone, Debug, PartialEq)]
pub struct JsonSchema {
    /// Letters, digits, `_` and `-`, at most 64.
    pub name: String,
    /// The schema; strict mode asks for `additionalProperties: false` and every property required.
    pub schema: Value,
}

impl ChatMessage {
    /// A system message.
    #[must_use]
    pub fn system(text: impl Into<String>) -> Self {
        Self { role: Role::System, parts: vec![Part::Text(text.into())] }
    }

    /// A user message of text.
    #[must_use]
    pub fn user(text: impl Into<String>) -> Self {
        Self { role: Role::User, parts: vec![Part::Text(text.into())] }
    }

    /// A message of the model.
    #[must_use]
    pub fn assistant(text: impl Into<String>) -> Self {
        Self { role: Role::Assistant, parts: vec![Part::Text(text.into())] }
    }

    /// A user message of several parts.
    #[must_use]
    pub fn user_parts(parts: Vec<Part>) -> Self {
        Self { role: Role::User, parts }
    }

    fn text(&self) -> String {
        let texts: Vec<&str> = self
            .parts
            .iter()
            .filter_map(|part| match part {
                Part::Text(text) => Some(text.as_str()),
                Part::Image { .. } => None,
            })
            .collect();
        texts.join("\n")
    }
}

impl Request {
    /// The cache key: 64 hex digits of SHA-256 over model, messages (images by content) and parameters.
    /// Neither the base URL nor the key is part of it.
    #[must_use]
    pub fn key(&self) -> String {
        let mut hash = Sha256::new();
        let mut field = |bytes: &[u8]| {
            hash.update((bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
        };
        field(b"tsumugi-chat 1");
        field(self.model.as_bytes());
        for message in &self.messages {
            field(match message.role {
                Role::System => b"system",
                Role::User => b"user",
                Role::Assistant => b"assistant",
            });
            for part in &message.parts {
                match part {
                    Part::Text(text) => {
                        field(b"text");
                        field(text.as_bytes());
                    }
                    Part::Image { mime, bytes } => {
                        field(mime.as_bytes());
                        field(bytes);
                    }
                }
            }
        }
        let parameters = serde_json::json!([
            self.max_tokens,
            self.temperature,
            self.seed,
            self.json_schema.as_ref().map(|schema| (&schema.name, &schema.schema)),
            self.sample,
        ]);
        field(parameters.to_string().as_bytes());
        data_encoding::HEXLOWER.encode(&hash.finalize())
    }

    /// Estimate of the prompt's tokens, for limits a minute. Text: one token for each character outside ASCII and for every
    /// three inside it (tokenizers of today's models mostly need fewer), plus 8 a message for its frame. Images:
    /// `image_tokens` each.
    #[must_use]
    pub fn estimate_prompt_tokens(&self, image_tokens: u64) -> u64 {
        self.count_prompt(image_tokens, estimate_text)
    }

    /// Tokens that the prompt cannot exceed, for the budget: as above, but a token for every byte, of which no tokenizer of
    /// bytes needs more.
    #[must_use]
    pub fn most_prompt_tokens(&self, image_tokens: u64) -> u64 {
        self.count_prompt(image_tokens, |text| text.len() as u64)
    }

    fn count_prompt(&self, image_tokens: u64, count_text: impl Fn(&str) -> u64) -> u64 {
        let mut tokens = 8;
        for message in &self.messages {
            tokens += 8;
            for part in &message.parts {
                tokens += match part {
                    Part::Text(text) => count_text(text),
                    Part::Image { .. } => image_tokens,
                };
            }
        }
        if let Some(schema) = &self.json_schema {
            tokens += count_text(&schema.schema.to_string());
        }
        tokens
    }

    /// The request in async-openai's type.
    pub(crate) fn to_wire(&self, limit: TokenLimitField) -> CreateChatCompletionRequest {
        let mut wire = CreateChatCompletionRequest {
            model: self.model.clone(),
            messages: self.messages.iter().map(wire_message).collect(),
            temperature: self.temperature,
            response_format: self.json_schema.as_ref().map(|schema| ResponseFormat::JsonSchema {
                json_schema: ResponseFormatJsonSchema {
                    description: None,
                    name: schema.name.clone(),
                    schema: schema.schema.clone(),
                    strict: Some(true),
                },
            }),
            ..CreateChatCompletionRequest::default()
        };
        #[expect(deprecated, reason = "other servers know no newer name for either field")]
        {
            wire.seed = self.seed;
            match limit {
                TokenLimitField::Auto | TokenLimitField::MaxCompletionTokens => {
                    wire.max_completion_tokens = self.max_tokens;
                }
                TokenLimitField::MaxTokens => wire.max_tokens = self.max_tokens,
            }
        }
        wire
    }
}

pub(crate) fn estimate_text(text: &str) -> u64 {
    let ascii = text.bytes().filter(u8::is_ascii).count() as u64;
    let all = text.chars().count() as u64;
    (all - ascii) + ascii.div_ceil(3)
}

fn wire_message(message: &ChatMessage) -> ChatCompletionRequestMessage {
    match message.role {
        Role::System => {
            ChatCompletionRequestSystemMessage { content: message.text().into(), ..Default::default() }.into()
        }
        Role::Assistant => ChatCompletionRequestAssistantMessage {
            content: Some(message.text().into()),
            ..Default::default()
        }
        .into(),
        Role::User => {
            let content = match message.parts.as_slice() {
                [Part::Text(text)] => ChatCompletionRequestUserMessageContent::Text(text.clone()),
                parts => {
                    ChatCompletionRequestUserMessageContent::Array(parts.iter().map(wire_part).collect())
                }
            };
            ChatCompletionRequestUserMessage { content, ..Default::default() }.into()
        }
    }
}

fn wire_part(part: &Part) -> ChatCompletionRequestUserMessageContentPart {
    match part {
        Part::Text(text) => {
            ChatCompletionRequestMessageContentPartText { text: text.clone(), ..Default::default() }.into()
        }
        Part::Image { mime, bytes } => {
            let mut url = String::with_capacity(bytes.len().div_ceil(3) * 4 + mime.len() + 16);
            url.push_str("data:");
            url.push_str(mime);
            url.push_str(";base64,");
            base64::engine::general_purpose::STANDARD.encode_string(bytes, &mut url);
            ChatCompletionRequestMessageContentPartImage {
                image_url: ImageUrl { url, detail: None },
                ..Default::default()
            }
            .into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> Request {
        Request {
            model: "m".into(),
            messages: vec![
                ChatMessage::system("規則"),
                ChatMessage::user_parts(vec![
                    Part::Text("何が見えますか".into()),
                    Part::Image { mime: "image/png".into(), bytes: vec![1, 2, 3] },
                ]),
            ],
            max_tokens: Some(9),
            temperature: Some(0.2),
            seed: Some(7),
            json_schema: Some(JsonSchema { name: "s".into(), schema: serde_json::json!({"type": "object"}) }),
            sample: 0,
        }
    }

    #[test]
    fn the_wire_form_is_openais() {
        let wire = serde_json::to_value(request().to_wire(TokenLimitField::MaxTokens)).unwrap();
        assert_eq!(wire["messages"][0], serde_json::json!({"role": "system", "content": "規則"}));
        assert_eq!(
            wire["messages"][1]["content"][1],
            serde_json::json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,AQID"}})
        );
        assert_eq!(wire["response_format"]["json_schema"]["strict"], true);
        assert_eq!((&wire["max_tokens"], &wire["seed"]), (&9.into(), &7.into()));
        assert!(wire.get("stream").is_none() && wire.get("max_completion_tokens").is_none());
    }

    #[test]
    fn each_field_moves_the_key() {
        let base = request();
        let mut keys = std::collections::BTreeSet::from([base.key()]);
        let changes: [fn(&mut Request); 9] = [
            |r| r.model.push('x'),
            |r| r.messages[0].role = Role::User,
            |r| r.messages[0].parts = vec![Part::Text("規".into()), Part::Text("則".into())],
            |r| r.messages[1].parts[1] = Part::Image { mime: "image/png".into(), bytes: vec![1, 2, 4] },
            |r| r.max_tokens = None,
            |r| r.temperature = Some(0.3),
            |r| r.seed = None,
            |r| r.json_schema = None,
            |r| r.sample = 1,
        ];
        for change in changes {
            let mut other = base.clone();
            change(&mut other);
            assert!(keys.insert(other.key()), "{other:?}");
        }
        assert_eq!(base.key(), request().key());
    }

    #[test]
    fn the_bound_is_above_the_estimate() {
        let request = request();
        let (estimate, most) = (request.estimate_prompt_tokens(765), request.most_prompt_tokens(765));
        // Three messages' frames and the image; 規則 and 何が見えますか are 2 and 7 characters of 3 bytes; the schema 17 of ASCII.
        assert_eq!((estimate, most), (24 + 765 + 9 + 6, 24 + 765 + 27 + 17));
    }
}
