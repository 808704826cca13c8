//! The optional second call, which finds questions that need no image.
//!
//! A question that can be answered without the image teaches a model not to look. No rule finds such questions, so the
//! conversation is shown to the model once more, without the image.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::json;
use tsumugi_chat::{ChatMessage, JsonSchema, Part, Reply, Request};
use tsumugi_text::LanguagePack;

use crate::check::Rejection;
use crate::extract;
use crate::item::Turn;
use crate::prompt::read_replaceable;
use crate::task::Task;
use crate::{Error, IMAGE_NEEDED};

/// The prompt file `image_needed.toml`, which a user can replace as those of the tasks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SecondLook {
    /// Goes into the table of calls; raise it with every change.
    pub version: String,
    /// Standing instructions.
    pub system: String,
    /// What is asked; the conversation follows as a part of its own.
    pub user: String,
    /// Most tokens of the reply.
    pub max_tokens: u32,
    /// Sampling temperature; left out where the model takes none.
    #[serde(default)]
    pub temperature: Option<f32>,
}

impl SecondLook {
    /// Name of the prompt file, of the JSON schema and of the call.
    pub const NAME: &str = IMAGE_NEEDED;

    /// The prompt in the folder's file, or that of the language pack where the folder has no such file.
    ///
    /// # Errors
    /// As [`Prompt::load`](crate::Prompt::load).
    pub fn load(pack: &LanguagePack, folder: Option<&Path>) -> Result<Self, Error> {
        let (text, path) = read_replaceable(folder, Self::NAME, pack)?;
        let prompt: Self = toml::from_str(&text).map_err(|e| Error::invalid(&path, "invalid prompt", e))?;
        if prompt.version.trim().is_empty() {
            return Err(Error::format(&path, "`version` is empty"));
        }
        Ok(prompt)
    }

    /// Whether a task's questions are looked at: not our own instructions ("describe this image"), and no translations.
    pub(crate) fn concerns(task: Task) -> bool {
        matches!(task, Task::Conversation | Task::Reasoning | Task::Photo | Task::Vqa)
    }

    /// The request; no image is in it.
    pub(crate) fn request(&self, turns: &[Turn], model: &str, seed: Option<i64>) -> Request {
        let turns: Vec<_> = turns
            .iter()
            .enumerate()
            .map(|(at, turn)| json!({"number": at + 1, "question": turn.question, "answer": turn.answer}))
            .collect();
        let parts = vec![Part::Text(self.user.clone()), Part::Text(json!({ "turns": turns }).to_string())];
        let verdict = json!({
            "type": "object",
            "properties": {"number": {"type": "integer"}, "image_needed": {"type": "boolean"}},
            "required": ["number", "image_needed"],
            "additionalProperties": false
        });
        let schema = json!({
            "type": "object",
            "properties": {"verdicts": {"type": "array", "items": verdict}},
            "required": ["verdicts"],
            "additionalProperties": false
        });
        Request {
            model: model.to_owned(),
            messages: vec![ChatMessage::system(self.system.as_str()), ChatMessage::user_parts(parts)],
            max_tokens: Some(self.max_tokens),
            temperature: self.temperature,
            seed,
            json_schema: Some(JsonSchema { name: format!("tsumugi_{}", Self::NAME), schema }),
            sample: 0,
        }
    }

    /// Rejects where fewer than `least` of the questions need the image, and where the reply tells nothing.
    pub(crate) fn judge(turns: &[Turn], reply: &Reply, least: f64) -> Result<(), Rejection> {
        let unreadable = || Rejection::new("image_check_unreadable", Some(reply.text.clone()));
        let verdicts = extract::find(&crate::ask::said(reply), |value| {
            extract::list(value, "verdicts", |verdict| {
                let number: usize = extract::text(verdict, "number")?.parse().ok()?;
                let is_needed: bool = extract::text(verdict, "image_needed")?.to_lowercase().parse().ok()?;
                Some((number, is_needed))
            })
        });
        let needed: BTreeMap<usize, bool> = verdicts.ok_or_else(unreadable)?.into_iter().collect();
        let mut idle = Vec::new();
        for (at, turn) in turns.iter().enumerate() {
            if !*needed.get(&(at + 1)).ok_or_else(unreadable)? {
                idle.push(turn.question.as_str());
            }
        }
        let share = 1.0 - idle.len() as f64 / turns.len().max(1) as f64;
        if share < least {
            return Err(Rejection::new("image_not_needed", Some(idle.join("\n"))));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(verdicts: &str, least: f64) -> &'static str {
        let turn = |question: &str| Turn { question: question.into(), answer: "はい。".into() };
        let turns = [turn("富士山は日本一高い山ですか。"), turn("右の人は笑っていますか。")];
        let reply = Reply {
            text: verdicts.into(),
            reasoning: None,
            refusal: None,
            finish_reason: None,
            usage: Default::default(),
            model: "m".into(),
            time: 0,
            usd: 0.0,
            cached: false,
        };
        SecondLook::judge(&turns, &reply, least).err().map_or("ok", |rejection| rejection.reason)
    }

    #[test]
    fn the_share_of_questions_decides() {
        let half = r#"```json
{"verdicts":[{"number":2,"image_needed":true},{"number":1,"image_needed":false}]}
```"#;
        assert_eq!((reason(half, 0.5), reason(half, 1.0)), ("ok", "image_not_needed"));
        assert_eq!(
            reason(r#"{"verdicts":[{"number":1,"image_needed":true}]}"#, 0.5),
            "image_check_unreadable"
        );
        assert_eq!(reason("はい", 0.5), "image_check_unreadable");
    }

    #[test]
    fn the_request_shows_the_conversation_and_no_image() {
        let turns = [Turn { question: "何色ですか。".into(), answer: "赤です。".into() }];
        let request = SecondLook::load(&LanguagePack::embedded("ja").unwrap(), None)
            .unwrap()
            .request(&turns, "m", None);
        let parts = &request.messages[1].parts;
        assert!(parts.iter().all(|part| matches!(part, Part::Text(_))));
        assert!(
            matches!(&parts[1], Part::Text(text) if text.contains("何色ですか。") && text.contains("\"number\":1"))
        );
    }
}
