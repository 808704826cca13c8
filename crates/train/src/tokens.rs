//! Samples to token ids and labels.

use std::ops::Range;
use std::sync::Once;

use tsumugi_vlm::template::{Encoded, IMAGE_PLACE, LLMJP_V3_JINJA, encode};
use tsumugi_vlm::{ChatTemplate, Content, Error, IGNORE, Message, SpecialTokens, Tokenizer};

use crate::lower::{IMAGE_MARK, TurnFormat, write_messages};
use crate::sample::Chat;
use crate::{Part, Sample};

type Outcome = std::result::Result<Encoded, &'static str>;

/// Reports the first conversation that a chat template refuses; all of them are counted.
static REFUSED: Once = Once::new();

/// Ids and labels of a sample, with one place for an image. `own` is the chat template of the tokenizer.
pub(crate) fn encode_sample(tokenizer: &Tokenizer, own: Option<&ChatTemplate>, sample: &Sample) -> Outcome {
    let template = match &sample.chat {
        None => return written(tokenizer, &sample.parts),
        Some(Chat::Template(template)) => Some(template),
        Some(Chat::Tokenizer) => own,
    };
    match template.filter(|template| template.source() != LLMJP_V3_JINJA) {
        Some(template) => rendered(tokenizer, template, sample),
        // The same text as that of a prompt in `llmjp_v3`, also around images.
        None => written(tokenizer, &write_messages(sample, &TurnFormat::llmjp_v3())?.parts),
    }
}

/// Parts one after another: after what the tokenizer puts before a text, all of them tokenised as one text. A token has
/// loss if its first byte has.
fn written(tokenizer: &Tokenizer, parts: &[Part]) -> Outcome {
    let special = tokenizer.special();
    let tokens = tokenizer.special_tokens();
    let end = tokenizer.token(special.eos).unwrap_or_default();
    let mut text = String::new();
    let mut learnt: Vec<Range<usize>> = Vec::new();
    for part in parts {
        let start = text.len();
        let loss = match part {
            Part::Text { text: own, loss } => {
                text.push_str(&without_marks(own, tokens)?);
                *loss
            }
            Part::Image(_) => {
                text.push_str(&tokens.image);
                false
            }
            Part::End { loss } => {
                text.push_str(&end);
                *loss
            }
            Part::Turn(_) => false,
        };
        if loss {
            learnt.push(start..text.len());
        }
    }
    let before = tokenizer.before();
    let mut encoded = Encoded { ids: before.to_vec(), labels: vec![IGNORE; before.len()] };
    for (id, bytes) in tokenizer.encode_with_offsets(&text, false).map_err(|_| "untokenizable")? {
        let image = id == special.image;
        let loss = !image && learnt.iter().any(|range| range.contains(&bytes.start));
        encoded.ids.push(if image { IMAGE_PLACE } else { id });
        encoded.labels.push(if loss { id } else { IGNORE });
    }
    Ok(encoded)
}

/// Messages as a chat template writes them, tokenised as transformers' processors do.
fn rendered(tokenizer: &Tokenizer, template: &ChatTemplate, sample: &Sample) -> Outcome {
    let tokens = tokenizer.special_tokens();
    let mut messages: Vec<Message> = Vec::new();
    for part in &sample.parts {
        let content = match part {
            Part::Turn(role) => {
                messages.push(Message { role: *role, content: Vec::new() });
                continue;
            }
            Part::Text { text, .. } => Content::Text(without_marks(text, tokens)?),
            Part::Image(_) => Content::Image,
            Part::End { .. } => continue,
        };
        messages.last_mut().ok_or("no_messages")?.content.push(content);
    }
    let conversation = template.conversation(tokens, &messages).map_err(|error| {
        REFUSED.call_once(|| tracing::warn!("sample {}: {}", sample.id, error.with_causes()));
        match error {
            Error::Refused { .. } => "refused_by_template",
            _ => "template_failed",
        }
    })?;
    encode(tokenizer, &conversation.text, &conversation.answers).map_err(|_| "untokenizable")
}

/// A text as it may stand in a sample. As in VILA's data code, a text never stands for an image.
///
/// Only templates may use special tokens. In a text they would begin or end something.
fn without_marks(text: &str, tokens: &SpecialTokens) -> std::result::Result<String, &'static str> {
    let text = text.replace(IMAGE_MARK, "<IMAGE>");
    match tokens.found_in(&text) {
        Some(_) => Err("control_token_in_text"),
        None => Ok(text),
    }
}

#[cfg(test)]
mod tests {
    use tsumugi_vlm::{Role, build_tokenizer};

    use super::*;

    fn tokenizer() -> Tokenizer {
        build_tokenizer(&["問い: 答え。ab\n"], 320).unwrap()
    }

    /// A tokenizer that puts nothing around a text.
    fn bare() -> Tokenizer {
        let place = tempfile::tempdir().unwrap();
        tokenizer().save(place.path()).unwrap();
        let path = place.path().join("tokenizer.json");
        let mut json: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        json["post_processor"] = serde_json::Value::Null;
        std::fs::write(&path, json.to_string()).unwrap();
        Tokenizer::open(place.path()).unwrap()
    }

    fn learnt(tokenizer: &Tokenizer, encoded: &Encoded) -> String {
        let ids: Vec<i64> = encoded.labels.iter().copied().filter(|&label| label != IGNORE).collect();
        ids.iter().filter_map(|&id| tokenizer.token(id)).collect()
    }

    const MARKED: &str = "{{ bos_token }}{% for m in messages %}{{ m.role }}:{% if m.role == 'assistant' %}{% generation %}{{ m.content }}{{ eos_token }}{% endgeneration %}{% else %}{{ m.content }}{% endif %}{% endfor %}";

    fn conversation(chat: Chat, answer: &str) -> Sample {
        let mut sample = Sample::chat("c", chat);
        sample.parts = vec![Part::Turn(Role::User), Part::Image(vec![1])];
        sample.push_text("問い", false);
        sample.parts.push(Part::Turn(Role::Assistant));
        sample.push_text(answer, true);
        sample
    }

    #[test]
    fn a_sample_begins_as_the_tokenizer_begins_a_text() {
        let sample = Sample::new("a").text("問い", false).image(vec![1]).text("答え", true).end(true);
        for (tokenizer, before) in [(tokenizer(), vec![1]), (bare(), vec![])] {
            let encoded = encode_sample(&tokenizer, None, &sample).unwrap();
            assert_eq!(encoded.ids[..before.len()], before);
            let text = tokenizer.decode(&encoded.ids[before.len()..]).unwrap();
            assert_eq!(text.replace(' ', ""), "問い答え");
            assert_eq!(learnt(&tokenizer, &encoded).replace('▁', ""), "答え</s>");
            assert_eq!(encoded.images(), 1);
        }
    }

    #[test]
    fn a_chat_template_says_what_is_learnt() {
        let tokenizer = tokenizer();
        let chat = Chat::Template(ChatTemplate::new(MARKED).unwrap());
        let encoded = encode_sample(&tokenizer, None, &conversation(chat, "答え")).unwrap();
        assert_eq!(encoded.ids.iter().filter(|&&id| id == 1).count(), 1);
        assert_eq!(learnt(&tokenizer, &encoded), "答え</s>");
        assert_eq!(encoded.images(), 1);
    }

    #[test]
    fn the_tokenizer_has_a_template_or_llmjp_v3_is_used() {
        let tokenizer = tokenizer();
        let sample = conversation(Chat::Tokenizer, "答え");
        let own = tokenizer.chat().unwrap();
        let built_in = encode_sample(&tokenizer, None, &sample).unwrap();
        assert_eq!(encode_sample(&tokenizer, own.as_ref(), &sample), Ok(built_in.clone()));
        let other = ChatTemplate::new(MARKED).unwrap();
        assert_ne!(encode_sample(&tokenizer, Some(&other), &sample), Ok(built_in));
    }

    #[test]
    fn what_a_template_refuses_is_dropped_with_its_reason() {
        let of = |source: &str, answer: &str| {
            let chat = Chat::Template(ChatTemplate::new(source).unwrap());
            encode_sample(&tokenizer(), None, &conversation(chat, answer)).unwrap_err()
        };
        assert_eq!(of("{{ raise_exception('no images') }}", "答え"), "refused_by_template");
        assert_eq!(of("{{ messages[0].content }}", "答え"), "template_failed");
        assert_eq!(of(MARKED, "答え</s>"), "control_token_in_text");
    }
}
