//! Replies of an OpenAI-compatible chat API.

use serde_json::json;

use crate::reply::Reply;

/// A completion with this text, by `loopback-1`, of 10 prompt tokens and 5 completion tokens.
#[must_use]
pub fn completion(text: &str) -> Reply {
    Reply::new(200, completion_body(text)).header("Content-Type", "application/json")
}

/// The body of [`completion`].
#[must_use]
pub fn completion_body(text: &str) -> String {
    json!({
        "id": "x", "object": "chat.completion", "created": 0, "model": "loopback-1",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    })
    .to_string()
}

/// An error in OpenAI's format.
#[must_use]
pub fn error(status: u16, code: &str, message: &str) -> Reply {
    Reply::new(status, error_body(code, message)).header("Content-Type", "application/json")
}

/// The body of [`error`].
#[must_use]
pub fn error_body(code: &str, message: &str) -> String {
    json!({"error": {"message": message, "type": code, "param": null, "code": code}}).to_string()
}
