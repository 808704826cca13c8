//! Replies of an OpenAI-compatible chat API.

use serde_json::json;

use crate::reply::Reply;

/// A completion with this text, by `loopback-1`, of 10 prompt tokens and 5 completion tokens.
#[must_use]
pub fn completion(text: &str) -> Reply {
    let body = json!({
        "id": "x", "object": "chat.completion", "created": 0, "model": "loopback-1",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    });
    Reply::new(200, body.to_string()).header("Content-Type", "application/json")
}

/// An error in OpenAI's format.
#[must_use]
pub fn error(status: u16, code: &str, message: &str) -> Reply {
    let body = json!({"error": {"message": message, "type": code, "param": null, "code": code}});
    Reply::new(status, body.to_string()).header("Content-Type", "application/json")
}
