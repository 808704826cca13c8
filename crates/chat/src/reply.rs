//! Replies.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::request::estimate_text;

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
    /// Its cost in USD when it came; 0 for models without a price.
    #[serde(skip)]
    pub usd: f64,
    /// Whether it came out of the cache.
    #[serde(skip)]
    pub cached: bool,
}

impl Reply {
    /// What it took. Some servers do not say what they counted; their requests are not free for that.
    pub(crate) fn counted(&self, most_prompt_tokens: u64) -> Usage {
        let or = |counted, estimate| if counted == 0 { estimate } else { counted };
        Usage {
            prompt_tokens: or(self.usage.prompt_tokens, most_prompt_tokens),
            completion_tokens: or(self.usage.completion_tokens, estimate_text(&self.text)),
        }
    }
}

/// Tokens of one request, as the server counted them (0 where it does not say).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens of the messages, images included.
    pub prompt_tokens: u64,
    /// Tokens of the reply, hidden reasoning included.
    pub completion_tokens: u64,
}

/// The reply as servers send it. Read field by field, since OpenAI-compatible servers leave out much and mean the same by
/// other types; a reply that was paid for is not thrown away for that.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(crate) struct WireReply(Value);

impl WireReply {
    /// Some gateways answer 200 with an error inside.
    pub(crate) fn error(&self) -> Option<&Value> {
        let empty = |error: &Value| match error {
            Value::Null | Value::Bool(false) => true,
            Value::String(text) => text.is_empty(),
            Value::Object(fields) => fields.is_empty(),
            _ => false,
        };
        self.0.get("error").filter(|error| !empty(error))
    }

    /// The first choice; `None` where there is none, which is a broken reply.
    pub(crate) fn into_reply(mut self, asked_model: &str) -> Option<Reply> {
        let choice = self.0.get_mut("choices")?.get_mut(0)?.take();
        let finish_reason = text(&choice["finish_reason"]);
        let message = &choice["message"];
        // Azure's filter leaves out the message.
        if !message.is_object() && finish_reason.as_deref() != Some("content_filter") {
            return None;
        }
        let usage = &self.0["usage"];
        Some(Reply {
            text: content_text(&message["content"]),
            refusal: text(&message["refusal"]),
            finish_reason,
            usage: Usage {
                prompt_tokens: tokens(&usage["prompt_tokens"]),
                completion_tokens: tokens(&usage["completion_tokens"]),
            },
            model: text(&self.0["model"]).unwrap_or_else(|| asked_model.to_owned()),
            time: 0,
            usd: 0.0,
            cached: false,
        })
    }
}

/// What a field says, where it says anything.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null | Value::Bool(false) => None,
        Value::String(text) => (!text.is_empty()).then(|| text.clone()),
        other => Some(other.to_string()),
    }
}

/// A count; 0 (unknown) for what is none, such as -1.
fn tokens(value: &Value) -> u64 {
    value.as_u64().or_else(|| value.as_f64().map(|count| count.max(0.0) as u64)).unwrap_or(0)
}

/// Content is a string, or a list of parts of which the text ones count.
fn content_text(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts
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
        for broken in ["{}", r#"{"choices":null}"#, r#"{"choices":[]}"#, "[]", "1", r#"{"choices":[{}]}"#] {
            assert!(serde_json::from_str::<WireReply>(broken).unwrap().into_reply("m").is_none(), "{broken}");
        }
    }

    #[test]
    fn fields_of_other_types_do_not_break_a_reply() {
        let wire: WireReply = serde_json::from_str(
            r#"{"model":7,"error":"","choices":[{"message":{"content":"はい","refusal":false},"finish_reason":0}],
                "usage":{"prompt_tokens":12.0,"completion_tokens":-1}}"#,
        )
        .unwrap();
        assert!(wire.error().is_none());
        let reply = wire.into_reply("asked").unwrap();
        assert_eq!((reply.text.as_str(), reply.model.as_str(), reply.refusal), ("はい", "7", None));
        assert_eq!(reply.finish_reason.as_deref(), Some("0"));
        assert_eq!(reply.usage, Usage { prompt_tokens: 12, completion_tokens: 0 });
        let filtered = r#"{"choices":[{"finish_reason":"content_filter"}]}"#;
        let reply = serde_json::from_str::<WireReply>(filtered).unwrap().into_reply("m").unwrap();
        assert_eq!((reply.text.as_str(), reply.finish_reason.as_deref()), ("", Some("content_filter")));
    }
}
