//! Conversations: questions without loss, answers with loss.

use tsumugi_record::{Conversation, Message};
use tsumugi_vlm::Role;

use super::template::{Lowered, Template, TurnFormat};
use crate::{Chat, Part, Sample};

/// Writes a conversation in a template. The assistant's turns and the end tokens after them have loss.
///
/// In a turn with images, the text before each is trimmed and followed by a space, and a newline follows each image, as
/// in LLaVA's preprocessing. `plain` and `caption` keep only the images and the last answer. A Jinja chat template is
/// rendered later, when the tokenizer is known.
///
/// # Errors
/// `no_messages`, `no_answer`, `unknown_role`, `roles_do_not_alternate`, `image_count`, `no_image_bytes`.
pub fn lower_conversation(row: Conversation, template: &Template) -> Lowered {
    let mut images = Vec::with_capacity(row.images.len());
    for image in row.images {
        images.push(image.bytes.filter(|b| !b.is_empty()).ok_or("no_image_bytes")?);
    }
    let mut turns = row.messages.iter().map(Turn::read).collect::<Result<Vec<_>, _>>()?;
    place_images(&mut turns, images)?;
    let format = match template {
        Template::Plain | Template::Caption => return caption(row.id, turns, *template == Template::Plain),
        Template::Chat(chat) => return messages(row.id, turns, chat.clone()),
        Template::LlmjpV3 => &TurnFormat::llmjp_v3(),
        Template::Turns(format) => format,
    };
    write_turns(Sample::new(row.id), turns, format)
}

/// A message: texts with an image between each two.
pub(super) struct Turn {
    pub(super) role: Role,
    pub(super) texts: Vec<String>,
    pub(super) images: Vec<Vec<u8>>,
}

impl Turn {
    fn read(message: &Message) -> Result<Self, &'static str> {
        let role = match message.role.as_str() {
            "system" => Role::System,
            "user" => Role::User,
            "assistant" => Role::Assistant,
            _ => return Err("unknown_role"),
        };
        let mut texts = vec![String::new()];
        for content in &message.content {
            match (content.kind.as_str(), &content.text) {
                ("image", _) => texts.push(String::new()),
                ("text", Some(text)) => {
                    if let Some(last) = texts.last_mut() {
                        last.push_str(text);
                    }
                }
                _ => return Err("unknown_content"),
            }
        }
        Ok(Self { role, texts, images: Vec::new() })
    }
}

/// Distributes the images to their places. If no message has a place, the images precede the first user message.
pub(super) fn place_images(turns: &mut [Turn], images: Vec<Vec<u8>>) -> Result<(), &'static str> {
    let places: usize = turns.iter().map(|t| t.texts.len() - 1).sum();
    if places == 0 && !images.is_empty() {
        let first = turns.iter_mut().find(|t| t.role == Role::User).ok_or("no_messages")?;
        for _ in &images {
            first.texts.insert(0, String::new());
        }
    } else if places != images.len() {
        return Err("image_count");
    }
    let mut images = images.into_iter();
    for turn in turns {
        turn.images = images.by_ref().take(turn.texts.len() - 1).collect();
    }
    Ok(())
}

pub(super) fn caption(id: String, turns: Vec<Turn>, plain: bool) -> Lowered {
    let answer =
        turns.iter().rfind(|t| t.role == Role::Assistant).map(|t| t.texts.concat()).ok_or("no_answer")?;
    if answer.trim().is_empty() {
        return Err("empty_text");
    }
    let images = turns.into_iter().flat_map(|t| t.images);
    let sample = images.fold(Sample::new(id), Sample::image).text(answer.trim(), true);
    Ok(if plain { sample.text("\n", true) } else { sample.end(true) })
}

/// The turns as they are, for a chat template to write.
pub(super) fn messages(id: String, turns: Vec<Turn>, chat: Chat) -> Lowered {
    if turns.iter().all(|turn| turn.role != Role::Assistant) {
        return Err("no_answer");
    }
    let mut sample = Sample::chat(id, chat);
    for turn in turns {
        sample.parts.push(Part::Turn(turn.role));
        let mut images = turn.images.into_iter();
        for text in turn.texts {
            sample.push_text(&text, turn.role == Role::Assistant);
            sample.parts.extend(images.next().map(Part::Image));
        }
    }
    Ok(sample)
}

/// The same conversation in a format of texts around its turns.
pub(crate) fn write_messages(sample: &Sample, format: &TurnFormat) -> Lowered {
    let mut turns: Vec<Turn> = Vec::new();
    for part in &sample.parts {
        let last = turns.last_mut();
        match (part, last) {
            (Part::Turn(role), _) => {
                turns.push(Turn { role: *role, texts: vec![String::new()], images: Vec::new() });
            }
            (Part::Text { text, .. }, Some(turn)) => {
                if let Some(last) = turn.texts.last_mut() {
                    last.push_str(text);
                }
            }
            (Part::Image(bytes), Some(turn)) => {
                turn.images.push(bytes.clone());
                turn.texts.push(String::new());
            }
            _ => return Err("no_messages"),
        }
    }
    write_turns(Sample::new(sample.id.as_str()), turns, format)
}

pub(super) fn write_turns(mut sample: Sample, turns: Vec<Turn>, format: &TurnFormat) -> Lowered {
    let mut turns = turns.into_iter().peekable();
    match turns.next_if(|t| t.role == Role::System) {
        Some(system) => sample.push_text(&system.texts.concat(), false),
        None => sample.push_text(&format.system, false),
    }
    let mut expected = Role::User;
    let mut answers = 0;
    for turn in turns {
        if turn.role != expected {
            return Err("roles_do_not_alternate");
        }
        let loss = turn.role == Role::Assistant;
        let before = if loss { &format.before_assistant } else { &format.before_user };
        sample.push_text(before, false);
        sample = write_turn(sample, turn, loss);
        if loss {
            sample = sample.end(true);
            answers += 1;
        }
        expected = if loss { Role::User } else { Role::Assistant };
    }
    if answers == 0 { Err("no_answer") } else { Ok(sample) }
}

/// A turn without images is written unchanged. With images, LLaVA's spacing applies.
fn write_turn(mut sample: Sample, turn: Turn, loss: bool) -> Sample {
    if turn.images.is_empty() {
        return sample.text(&turn.texts.concat(), loss);
    }
    let last = turn.texts.len() - 1;
    let mut pieces: Vec<String> = turn.texts.iter().map(|t| t.trim().to_owned()).collect();
    for piece in &mut pieces[..last] {
        // The first piece loses the space if it has no text.
        piece.push(' ');
    }
    pieces[0] = pieces[0].trim_start().to_owned();
    for piece in &mut pieces[1..] {
        piece.insert(0, '\n');
    }
    pieces[last] = pieces[last].trim_end().to_owned();
    let mut images = turn.images.into_iter();
    for piece in pieces {
        sample.push_text(&piece, loss);
        if let Some(image) = images.next() {
            sample = sample.image(image);
        }
    }
    sample
}

#[cfg(test)]
mod tests {
    use tsumugi_record::{Content, Image};

    use super::*;
    use crate::Part;

    fn message(role: &str, parts: &[&str]) -> Message {
        let content = parts
            .iter()
            .map(|p| match *p {
                "[i]" => Content { kind: "image".into(), text: None },
                text => Content { kind: "text".into(), text: Some(text.into()) },
            })
            .collect();
        Message { role: role.into(), content }
    }

    fn conversation(images: usize, messages: Vec<Message>) -> Conversation {
        let image = Image { bytes: Some(vec![0]), path: None };
        Conversation { id: "c".into(), images: vec![image; images], messages, ..Default::default() }
    }

    /// Text without loss in parentheses, `[i]` for images, `$` for the end token.
    fn shown(sample: &Sample) -> String {
        let part = |p: &Part| match p {
            Part::Text { text, loss: true } => text.clone(),
            Part::Text { text, loss: false } => format!("({text})"),
            Part::Image(_) => "[i]".into(),
            Part::End { .. } => "$".into(),
            Part::Turn(role) => format!("[{}]", role.name()),
        };
        sample.parts.iter().map(part).collect()
    }

    const SYSTEM: &str = "以下は、タスクを説明する指示です。要求を適切に満たす応答を書きなさい。";

    #[test]
    fn turns_of_llmjp() {
        let row = conversation(
            1,
            vec![
                message("user", &["[i]", "何色ですか?"]),
                message("assistant", &["赤です。"]),
                message("user", &["では?"]),
                message("assistant", &["青。"]),
            ],
        );
        let want = format!(
            "({SYSTEM}\n\n### 指示:\n)[i](\n何色ですか?\n\n### 応答:\n)赤です。$(\n\n### 指示:\nでは?\n\n### 応答:\n)青。$"
        );
        assert_eq!(shown(&lower_conversation(row, &Template::LlmjpV3).unwrap()), want);
    }

    #[test]
    fn messages_wait_for_their_chat_template() {
        let row = conversation(
            1,
            vec![
                message("system", &["短く。"]),
                message("user", &["[i]", "何色?"]),
                message("assistant", &["赤。"]),
            ],
        );
        let chat = Template::Chat(Chat::Tokenizer);
        let sample = lower_conversation(row.clone(), &chat).unwrap();
        assert_eq!(shown(&sample), "[system](短く。)[user][i](何色?)[assistant]赤。");
        let written = write_messages(&sample, &TurnFormat::llmjp_v3()).unwrap();
        assert_eq!(written, lower_conversation(row, &Template::LlmjpV3).unwrap());
        let question = conversation(0, vec![message("user", &["何色?"])]);
        assert_eq!(lower_conversation(question, &chat), Err("no_answer"));
    }

    #[test]
    fn spacing_around_images() {
        for (parts, want) in [
            (vec!["ありますか?\n", "[i]"], "ありますか? )[i]("),
            (vec!["[i]", "[i]", " 違いは?"], ")[i](\n )[i](\n違いは?"),
            (vec!["[i]", "\nx"], ")[i](\nx"),
        ] {
            let images = parts.iter().filter(|p| **p == "[i]").count();
            let row = conversation(images, vec![message("user", &parts), message("assistant", &["y"])]);
            let got = shown(&lower_conversation(row, &Template::LlmjpV3).unwrap());
            let want = format!("({SYSTEM}\n\n### 指示:\n{want}\n\n### 応答:\n)y$");
            assert_eq!(got, want);
        }
    }

    #[test]
    fn images_without_a_place_come_first() {
        let row = conversation(1, vec![message("user", &["説明して。"]), message("assistant", &["y"])]);
        let got = shown(&lower_conversation(row, &Template::LlmjpV3).unwrap());
        assert!(got.contains("指示:\n)[i](\n説明して。"), "{got}");
    }

    #[test]
    fn broken_rows_have_reasons() {
        let t = Template::LlmjpV3;
        let case = |images, messages| lower_conversation(conversation(images, messages), &t).unwrap_err();
        assert_eq!(case(0, vec![]), "no_answer");
        assert_eq!(case(0, vec![message("user", &["[i]"]), message("assistant", &["y"])]), "image_count");
        assert_eq!(case(0, vec![message("assistant", &["y"])]), "roles_do_not_alternate");
        assert_eq!(case(0, vec![message("robot", &["y"])]), "unknown_role");
    }
}
