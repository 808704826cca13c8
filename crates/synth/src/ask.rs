//! Turns an item and a prompt into a request, and its reply into turns.

use serde::Deserialize;
use serde_json::{Value, json};
use tsumugi_chat::{ChatMessage, JsonSchema, Part, Reply, Request};
use tsumugi_text::pack::Replies;

use crate::check::Rejection;
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Turns {
    turns: Vec<Turn>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Single {
    answer: String,
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
    match reply.finish_reason.as_deref() {
        Some("length") => return Err(Rejection::new("cut_off", Some(reply.text.clone()))),
        Some("content_filter") => return Err(Rejection::new("content_filter", Some(reply.text.clone()))),
        _ => {}
    }
    let text = unfenced(&reply.text);
    let wrong = |error: serde_json::Error| {
        // A refusal in plain words instead of the form is still a refusal.
        let reason = if refuses(text, replies) { "refusal" } else { "schema" };
        Rejection::new(reason, Some(format!("{error}: {}", reply.text)))
    };
    if task.single() {
        let single: Single = serde_json::from_str(text).map_err(wrong)?;
        let question = instruction(prompt, &item.id).to_owned();
        return Ok(vec![Turn { question, answer: single.answer.trim().to_owned() }]);
    }
    let turns: Turns = serde_json::from_str(text).map_err(wrong)?;
    let trimmed = |turn: Turn| Turn {
        question: turn.question.trim().to_owned(),
        answer: turn.answer.trim().to_owned(),
    };
    Ok(turns.turns.into_iter().map(trimmed).collect())
}

/// The instruction for an item: the same in every run, spread evenly over the list.
fn instruction<'a>(prompt: &'a Prompt, id: &str) -> &'a str {
    let at = id.bytes().fold(0_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
    match prompt.instructions.len() {
        0 => "",
        count => &prompt.instructions[(at % count as u64) as usize],
    }
}

/// Servers without strict mode often put the JSON between code fences.
pub(crate) fn unfenced(text: &str) -> &str {
    let text = text.trim();
    let Some(inner) = text.strip_prefix("```") else { return text };
    let inner = inner.strip_prefix("json").unwrap_or(inner);
    inner.strip_suffix("```").unwrap_or(inner).trim()
}
