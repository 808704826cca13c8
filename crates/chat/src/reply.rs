//! Replies.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::reasoning::without_thoughts;
use crate::request::estimate_text;

/// How servers say that a reply reached the token limit, in lower case.
const CUT: [&str; 4] = ["length", "max_tokens", "model_length", "max_output_tokens"];
/// How servers say that their filter ended a reply, in lower case.
const FILTERED: [&str; 4] = ["content_filter", "safety", "prohibited_content", "blocklist"];

/// A reply.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// The model's text as it came; empty where it refused. [`Reply::answer`] is what it says.
    pub text: String,
    /// The model's thoughts, where the server hands them over apart from the text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<String>,
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
    /// What the model says: the text without the thoughts that stand in it between `<think>` and `</think>` or marks of other
    /// models. A reply that is all thought and yet complete is its own answer, since some servers take a whole reply for
    /// thought. One that reached the token limit while it thought has no answer.
    #[must_use]
    pub fn answer(&self) -> String {
        let parted = without_thoughts(&self.text);
        if !parted.answer.trim().is_empty() || self.is_cut() {
            return parted.answer;
        }
        let of_reasoning = || {
            let parted = without_thoughts(self.reasoning.as_deref()?);
            Some(parted.answer).filter(|answer| !answer.is_empty()).or(parted.unfinished)
        };
        parted.unfinished.or_else(of_reasoning).unwrap_or(parted.answer)
    }

    /// Whether the reply ended at a token limit.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.ended_by(&CUT)
    }

    /// Whether the server's filter ended the reply.
    #[must_use]
    pub fn is_filtered(&self) -> bool {
        self.ended_by(&FILTERED)
    }

    fn ended_by(&self, reasons: &[&str]) -> bool {
        let reason = self.finish_reason.as_ref().map(|reason| reason.to_ascii_lowercase());
        reason.is_some_and(|reason| reasons.contains(&reason.as_str()))
    }

    /// What it took. Some servers do not say what they counted; their requests are not free for that.
    pub(crate) fn counted(&self, most_prompt_tokens: u64) -> Usage {
        let or = |counted, estimate| if counted == 0 { estimate } else { counted };
        Usage {
            prompt_tokens: or(self.usage.prompt_tokens, most_prompt_tokens),
            completion_tokens: or(
                self.usage.completion_tokens,
                estimate_text(&self.text) + self.reasoning.as_deref().map_or(0, estimate_text),
            ),
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
        let usage = &self.0["usage"];
        let mut reply = Reply {
            text: String::new(),
            reasoning: None,
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
        };
        if message.is_object() {
            reply.read(message);
        } else if let Value::String(text) = &choice["text"] {
            // Servers of plain completions.
            reply.text.clone_from(text);
        } else if !reply.is_filtered() {
            // Azure's filter alone leaves out the message.
            return None;
        }
        Some(reply)
    }
}

impl Reply {
    /// Reads a message: text, and thoughts beside it.
    fn read(&mut self, message: &Value) {
        let mut thoughts = String::new();
        read_content(&message["content"], &mut self.text, &mut thoughts);
        // vLLM and DeepSeek, OpenRouter and newer vLLM, OpenRouter's list.
        for field in ["reasoning_content", "reasoning", "reasoning_details"] {
            if thoughts.is_empty() {
                read_content(&message[field], &mut thoughts, &mut String::new());
            }
        }
        self.reasoning = Some(thoughts).filter(|thoughts| !thoughts.is_empty());
        if self.text.trim().is_empty() && self.refusal.is_none() {
            // Servers that hold a model to a schema by a call of a tool.
            let calls = [&message["tool_calls"][0]["function"], &message["function_call"]];
            if let Some(arguments) = calls.iter().find_map(|call| text(&call["arguments"])) {
                self.text = arguments;
            }
        }
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

/// Adds content to the text or to the thoughts. It is a string, a part, or a list of both.
fn read_content(content: &Value, said: &mut String, thoughts: &mut String) {
    match content {
        Value::String(text) => said.push_str(text),
        Value::Array(parts) => parts.iter().for_each(|part| read_content(part, said, thoughts)),
        Value::Object(part) => {
            let is_thought = part
                .get("type")
                .and_then(Value::as_str)
                .is_some_and(|kind| ["thinking", "reasoning", "thought"].contains(&kind));
            let inner =
                ["text", "thinking", "reasoning", "summary"].iter().find_map(|field| part.get(*field));
            match inner {
                Some(inner) if is_thought => read_content(inner, thoughts, &mut String::new()),
                Some(inner) => read_content(inner, said, thoughts),
                // The reply itself, where the server has parsed it. Parts of other kinds, such as images, say nothing.
                None if !part.contains_key("type") && !part.is_empty() => said.push_str(&content.to_string()),
                None => {}
            }
        }
        _ => {}
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

    /// Text and answer of a reply with this message.
    fn read(message: Value, finish: &str) -> (String, String) {
        let body = serde_json::json!({"choices": [{"message": message, "finish_reason": finish}]});
        let reply = serde_json::from_value::<WireReply>(body).unwrap().into_reply("m").unwrap();
        (reply.text.clone(), reply.answer())
    }

    #[test]
    fn answers_are_told_from_thoughts() {
        use serde_json::json;
        for (message, finish, answer) in [
            (json!({"content": "<think>赤か</think>赤"}), "stop", "赤"),
            (json!({"content": null, "reasoning_content": "赤", "reasoning": null}), "stop", "赤"),
            (json!({"content": null, "reasoning": "赤"}), "stop", "赤"),
            (json!({"content": "", "reasoning_content": "考え</think>赤"}), "stop", "赤"),
            (json!({"content": "赤", "reasoning_content": "青"}), "stop", "赤"),
            // Cut while it thought: there is no answer.
            (json!({"content": null, "reasoning_content": "赤か"}), "length", ""),
            (json!({"content": "<think>赤か"}), "MAX_TOKENS", ""),
            (json!({"content": "<think>赤"}), "stop", "赤"),
            (
                json!({"content": [{"type": "text", "text": "赤い"}, {"type": "text", "text": "船"}]}),
                "stop",
                "赤い船",
            ),
            (
                json!({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "青"}]}, {"type": "text", "text": "赤"}]}),
                "stop",
                "赤",
            ),
            (json!({"content": {"answer": "赤"}}), "stop", r#"{"answer":"赤"}"#),
            (
                json!({"content": null, "tool_calls": [{"function": {"arguments": "{\"answer\":\"赤\"}"}}]}),
                "tool_calls",
                r#"{"answer":"赤"}"#,
            ),
            (
                json!({"content": null, "reasoning_details": [{"type": "reasoning.text", "text": "赤"}]}),
                "stop",
                "赤",
            ),
            (json!({"content": null}), "stop", ""),
        ] {
            assert_eq!(read(message.clone(), finish).1, answer, "{message}");
        }
        // What came is kept as it came.
        assert_eq!(read(json!({"content": "<think>a</think>b"}), "stop").0, "<think>a</think>b");
    }
}
