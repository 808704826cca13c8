//! The JSON format of LLaVA's data sets.

use serde::Deserialize;

use tsumugi_vlm::Role;

use super::conversation::{Turn, caption, messages, place_images, write_turns};
use super::template::{IMAGE_MARK, Lowered, Template, TurnFormat};
use crate::Sample;

/// One entry of a LLaVA data set. Other keys are ignored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct LlavaItem {
    /// Identifier: a string or a number.
    #[serde(default)]
    pub id: serde_json::Value,
    /// File name of the image, or several.
    #[serde(default)]
    pub image: Option<Names>,
    /// The same under the key that other tools use.
    #[serde(default)]
    pub images: Option<Names>,
    /// The turns, also under the key `messages`.
    #[serde(default, alias = "messages")]
    pub conversations: Vec<LlavaTurn>,
}

/// One name or several. An empty one or null names nothing.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Names {
    /// One.
    One(String),
    /// Several.
    Many(Vec<Option<String>>),
}

impl Names {
    /// All of them that are not empty.
    pub fn list(&self) -> Vec<&str> {
        let names: Vec<&str> = match self {
            Self::One(name) => vec![name],
            Self::Many(names) => names.iter().flatten().map(String::as_str).collect(),
        };
        names.into_iter().filter(|name| !name.is_empty()).collect()
    }
}

/// One turn.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct LlavaTurn {
    /// `human` or `gpt` (also `user`, `assistant`, `system`); also under the key `role`.
    #[serde(alias = "role")]
    pub from: String,
    /// Its text, with `<image>` for each image; also under the key `content`.
    #[serde(alias = "content")]
    pub value: String,
}

impl LlavaItem {
    /// The files of its images, in order.
    ///
    /// # Errors
    /// `image_and_images` if the two keys name different files.
    pub fn image_names(&self) -> Result<Vec<&str>, &'static str> {
        let one = self.image.as_ref().map(Names::list).unwrap_or_default();
        let other = self.images.as_ref().map(Names::list).unwrap_or_default();
        match (one.is_empty(), other.is_empty()) {
            (true, _) => Ok(other),
            (false, false) if one != other => Err("image_and_images"),
            (false, _) => Ok(one),
        }
    }

    /// The identifier as text, or the index in the file if there is none.
    pub fn name(&self, row: u64) -> String {
        match &self.id {
            serde_json::Value::Null => row.to_string(),
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        }
    }
}

/// Lowers an entry with the bytes of its images. A leading answer is dropped, as in LLaVA's code.
///
/// # Errors
/// As [`lower_conversation`](super::lower_conversation).
pub fn lower_llava(id: String, item: &LlavaItem, images: Vec<Vec<u8>>, template: &Template) -> Lowered {
    let mut turns = item.conversations.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    if turns.first().is_some_and(|t| t.role == Role::Assistant) {
        turns.remove(0);
    }
    place_images(&mut turns, images)?;
    match template {
        Template::Chat(chat) => messages(id, turns, chat.clone()),
        Template::Plain => caption(id, turns, true),
        Template::Caption => caption(id, turns, false),
        Template::LlmjpV3 => write_turns(Sample::new(id), turns, &TurnFormat::llmjp_v3()),
        Template::Turns(format) => write_turns(Sample::new(id), turns, format),
    }
}

fn read(turn: &LlavaTurn) -> Result<Turn, &'static str> {
    let role = match turn.from.as_str() {
        "human" | "user" => Role::User,
        "gpt" | "assistant" => Role::Assistant,
        "system" => Role::System,
        _ => return Err("unknown_role"),
    };
    Ok(Turn { role, texts: turn.value.split(IMAGE_MARK).map(str::to_owned).collect(), images: Vec::new() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_lowers() {
        let item: LlavaItem = serde_json::from_str(
            r#"{"id": 7, "image": "a.jpg", "model": "x", "conversations": [
                {"from": "human", "value": "<image>\n何?"}, {"from": "gpt", "value": "猫"}]}"#,
        )
        .unwrap();
        assert_eq!(item.name(0), "7");
        assert_eq!(item.image_names(), Ok(vec!["a.jpg"]));
        let sample = lower_llava("7".into(), &item, vec![vec![1]], &Template::LlmjpV3).unwrap();
        assert_eq!(sample.images(), 1);
        let plain = lower_llava("7".into(), &item, vec![vec![1]], &Template::Plain).unwrap();
        assert_eq!(plain, Sample::new("7").image(vec![1]).text("猫\n", true));
        assert_eq!(lower_llava("7".into(), &item, vec![], &Template::Plain), Err("image_count"));
    }
}
