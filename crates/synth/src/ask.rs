//! Turns an item and a prompt into a request, and its reply into turns.

use std::borrow::Cow;

use serde_json::{Value, json};
use tsumugi_chat::{ChatMessage, JsonSchema, Part, Reply, Request};
use tsumugi_text::pack::Replies;

use crate::check::Rejection;
use crate::extract;
use crate::fit::TileRule;
use crate::item::{Item, Turn};
use crate::phrases::refuses;
use crate::prompt::Prompt;
use crate::task::Task;

/// The request for one item; or why there is none.
pub(crate) fn request(
    task: Task,
    prompt: &Prompt,
    item: &Item,
    model: &str,
    rule: &TileRule,
    seed: Option<i64>,
) -> Result<Request, Rejection> {
    let mut parts = vec![Part::Text(prompt.user_text())];
    if task.sees() {
        let bytes = item.image.as_ref().and_then(|image| image.bytes.as_deref());
        let bytes = bytes.ok_or_else(|| Rejection::new("no_image", None))?;
        parts.push(
            rule.part(bytes).map_err(|error| Rejection::new("unreadable_image", Some(error.to_string())))?,
        );
    } else if task == Task::Translate {
        let Some(turns) = item.turns.as_ref().filter(|turns| !turns.is_empty()) else {
            return Err(Rejection::new("no_instruction", None));
        };
        parts.push(Part::Text(json!({ "turns": turns }).to_string()));
    } else {
        if item.captions.is_empty() {
            return Err(Rejection::new("no_caption", None));
        }
        parts.push(Part::Text(item.description().to_string()));
    }
    Ok(Request {
        model: model.to_owned(),
        messages: vec![ChatMessage::system(prompt.system.as_str()), ChatMessage::user_parts(parts)],
        max_tokens: Some(prompt.max_tokens),
        temperature: prompt.temperature,
        seed,
        json_schema: Some(JsonSchema { name: format!("tsumugi_{task}"), schema: schema(task) }),
        sample: 0,
    })
}

/// The reply's form: question-answer pairs, or one text. Strict mode takes no limits of length; those are checked afterwards.
fn schema(task: Task) -> Value {
    if task.single() {
        return json!({
            "type": "object",
            "properties": {"answer": {"type": "string"}},
            "required": ["answer"],
            "additionalProperties": false
        });
    }
    json!({
        "type": "object",
        "properties": {"turns": {"type": "array", "items": {
            "type": "object",
            "properties": {"question": {"type": "string"}, "answer": {"type": "string"}},
            "required": ["question", "answer"],
            "additionalProperties": false
        }}},
        "required": ["turns"],
        "additionalProperties": false
    })
}

/// The turns of a reply; a rejection where it is cut, refused or not of the form.
pub(crate) fn turns(
    task: Task,
    prompt: &Prompt,
    item: &Item,
    reply: &Reply,
    replies: &Replies,
) -> Result<Vec<Turn>, Rejection> {
    if let Some(refusal) = &reply.refusal {
        return Err(Rejection::new("refusal", Some(refusal.clone())));
    }
    if reply.is_filtered() {
        return Err(Rejection::new("content_filter", Some(reply.text.clone())));
    }
    let text = said(reply);
    let found = if task.single() {
        let question = instruction(prompt, &item.id);
        extract::find(&text, |value| {
            let answer = single(value)?;
            Some(vec![Turn { question: question.to_owned(), answer }])
        })
    } else {
        extract::find(&text, |value| {
            extract::list(value, "turns", |turn| {
                Some(Turn {
                    question: extract::text(turn, "question")?,
                    answer: extract::text(turn, "answer")?,
                })
            })
        })
    };
    found.ok_or_else(|| {
        // A refusal in plain words instead of the form is still a refusal.
        let reason = match &*text {
            _ if reply.is_cut() => "cut_off",
            text if refuses(text, replies) => "refusal",
            _ => "schema",
        };
        Rejection::new(reason, Some(text.into_owned()))
    })
}

/// What a reply says that should be JSON. A text that begins as JSON is not searched for thoughts, whatever its strings hold.
pub(crate) fn said(reply: &Reply) -> Cow<'_, str> {
    if reply.text.trim_start().starts_with(['{', '[']) {
        return Cow::Borrowed(reply.text.trim());
    }
    Cow::Owned(reply.answer())
}

/// The answer of a reply that is one text.
fn single(value: &Value) -> Option<String> {
    match value {
        Value::Object(fields) => extract::text(fields, "answer"),
        Value::Array(elements) if elements.len() == 1 => single(&elements[0]),
        _ => None,
    }
}

/// The instruction for an item: the same in every run, spread evenly over the list.
fn instruction<'a>(prompt: &'a Prompt, id: &str) -> &'a str {
    let at = id.bytes().fold(0_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
    match prompt.instructions.len() {
        0 => "",
        count => &prompt.instructions[(at % count as u64) as usize],
    }
}
