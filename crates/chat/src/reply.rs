//! What comes back.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A reply.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// The model's text; empty where it refused.
    pub text: String,
    /// The model's own refusal, where the API marks it as such.
    pub refusal: Option<String>,
    /// Why it ended: `stop`, `length`, `content_filter`, or what the server calls it.
    pub finish_reason: Option<String>,
    /// Tokens used.
    pub usage: Usage,
    /// The model as the server names it, or as asked for where the server is silent.
    pub model: String,
    /// When it came from the server, in seconds since 1970.
    #[serde(skip)]
    pub time: u64,
    /// What it cost when it came, in USD; 0 for models without a price.
    #[serde(skip)]
    pub usd: f64,
    /// Whether it came out of the cache.
    #[serde(skip)]
    pub cached: bool,
}

/// Tokens of one request, as the server counted them (0 where it does not say).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens of the messages, images included.
    pub prompt_tokens: u64,
    /// Tokens of the reply, hidden reasoning included.
    pub completion_tokens: u64,
}

/// The reply as servers send it: everything optional, since OpenAI-compatible servers leave out much.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct WireReply {
    #[serde(default)]
    choices: Vec<WireChoice>,
    usage: Option<WireUsage>,
    model: Option<String>,
    /// Some gateways answer 200 with an error inside.
    pub(crate) error: Option<Value>,
}

#[derive(Debug, Deserialize)]
struct WireChoice {
    message: Option<WireMessage>,
    finish_reason: Option<String>,
}

#[derive(Debug, Deserialize)]
struct WireMessage {
    content: Option<Value>,
    refusal: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct WireUsage {
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
}

impl WireReply {
    /// The first choice; `None` where there is none, which is a broken reply.
    pub(crate) fn into_reply(self, asked_model: &str) -> Option<Reply> {
        let choice = self.choices.into_iter().next()?;
        let message = choice.message?;
        let usage = self.usage.unwrap_or_default();
        Some(Reply {
            text: content_text(message.content),
            refusal: message.refusal.filter(|refusal| !refusal.is_empty()),
            finish_reason: choice.finish_reason,
            usage: Usage {
                prompt_tokens: usage.prompt_tokens.unwrap_or(0),
                completion_tokens: usage.completion_tokens.unwrap_or(0),
            },
            model: self.model.filter(|model| !model.is_empty()).unwrap_or_else(|| asked_model.to_owned()),
            time: 0,
            usd: 0.0,
            cached: false,
        })
    }
}

/// Content is a string, or a list of parts of which the text ones count.
fn content_text(content: Option<Value>) -> String {
    match content {
        Some(Value::String(text)) => text,
        Some(Value::Array(parts)) => parts
            .iter()
            .filter_map(|part| part.get("text").and_then(Value::as_str))
            .collect::<Vec<_>>()
            .concat(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bare_replies_are_understood() {
        let wire: WireReply = serde_json::from_str(
            r#"{"choices":[{"message":{"content":[{"type":"text","text":"は"},{"text":"い"}]}}]}"#,
        )
        .unwrap();
        let reply = wire.into_reply("asked").unwrap();
        assert_eq!(
            (reply.text.as_str(), reply.model.as_str(), reply.usage),
            ("はい", "asked", Usage::default())
        );
        assert!(serde_json::from_str::<WireReply>("{}").unwrap().into_reply("m").is_none());
    }
}
