//! What is answered to which request.
//!
//! The tasks of `tsumugi-synth` are known by the name of their JSON schema (`tsumugi_conversation`, ...), and what they are
//! about by the JSON object that is one of the message's text parts; judges by the labels around the two answers.

use base64::Engine as _;
use serde_json::{Value, json};

use super::caption::About;
use super::judge;
use super::seen::Seen;
use crate::Error;
use crate::language::{Language, StandInWords, fill};

/// What a request holds that matters here.
#[derive(Debug, Default)]
pub(super) struct Asked {
    /// Text parts of the user's messages.
    texts: Vec<String>,
    /// The images, decoded from their data URLs.
    images: Vec<Vec<u8>>,
    /// Name of the JSON schema that the reply must follow.
    schema: Option<String>,
}

impl Asked {
    pub(super) fn read(request: &Value) -> Self {
        let mut asked = Self {
            schema: request
                .pointer("/response_format/json_schema/name")
                .and_then(Value::as_str)
                .map(str::to_owned),
            ..Self::default()
        };
        for message in request["messages"].as_array().into_iter().flatten() {
            if message["role"] != "user" {
                continue;
            }
            match &message["content"] {
                Value::String(text) => asked.texts.push(text.clone()),
                Value::Array(parts) => parts.iter().for_each(|part| asked.part(part)),
                _ => {}
            }
        }
        asked
    }

    fn part(&mut self, part: &Value) {
        if let Some(text) = part["text"].as_str() {
            self.texts.push(text.to_owned());
        }
        let data =
            part.pointer("/image_url/url").and_then(Value::as_str).and_then(|url| url.split_once(";base64,"));
        if let Some((_, data)) = data
            && let Ok(bytes) = base64::engine::general_purpose::STANDARD.decode(data)
        {
            self.images.push(bytes);
        }
    }

    /// A count of the prompt: characters, and 765 for each image.
    pub(super) fn tokens(&self) -> u64 {
        let text: usize = self.texts.iter().map(|text| text.chars().count()).sum();
        (text + 765 * self.images.len()) as u64
    }

    /// The first text part that is a JSON object.
    fn data(&self) -> Value {
        self.texts
            .iter()
            .filter_map(|text| serde_json::from_str::<Value>(text).ok())
            .find(Value::is_object)
            .unwrap_or(Value::Null)
    }

    fn caption(&self) -> String {
        self.data()["captions"].get(0).and_then(Value::as_str).unwrap_or_default().trim().to_owned()
    }
}

/// The reply's text, in the language that the user writes in.
pub(super) fn reply(asked: &Asked) -> Result<String, Error> {
    let language = Language::of_text(&asked.texts.concat())?;
    let words = &language.stand_in;
    let about = || About::new(language, &asked.caption());
    let seen = || Seen::new(language, asked.images.first().map(Vec::as_slice).unwrap_or_default());
    Ok(match asked.schema.as_deref() {
        Some("tsumugi_conversation") => turns(about().conversation()),
        Some("tsumugi_reasoning") => turns(about().reasoning()),
        Some("tsumugi_detail") => json!({"answer": about().detail()}).to_string(),
        Some("tsumugi_photo") => turns(seen().conversation()),
        Some("tsumugi_vqa") => turns(seen().questions()),
        Some("tsumugi_ocr") => json!({"answer": words.no_text}).to_string(),
        Some("tsumugi_image_needed") => image_needed(words, &asked.data()),
        Some("tsumugi_translate") => turns(translation(words, &asked.data())),
        Some(_) => "{}".into(),
        None => asked.texts.iter().find_map(|text| judge::judge(text)).unwrap_or_else(|| {
            if asked.images.is_empty() { words.unknown.clone() } else { seen().sentence() }
        }),
    })
}

fn turns(turns: Vec<(String, String)>) -> String {
    let turns: Vec<Value> =
        turns.into_iter().map(|(question, answer)| json!({"question": question, "answer": answer})).collect();
    json!({ "turns": turns }).to_string()
}

/// Each question needs the image, except where it asks for reasons: those are in the caption.
fn image_needed(words: &StandInWords, data: &Value) -> String {
    let verdict = |turn: &Value| {
        let question = turn["question"].as_str().unwrap_or_default();
        json!({"number": turn["number"], "image_needed": !question.contains(&words.reason_word)})
    };
    let verdicts: Vec<Value> = data["turns"].as_array().into_iter().flatten().map(verdict).collect();
    json!({ "verdicts": verdicts }).to_string()
}

/// No translation, but sentences in the place of one, with something of each text's own.
fn translation(words: &StandInWords, data: &Value) -> Vec<(String, String)> {
    let count = |text: &Value| text.as_str().unwrap_or_default().split_whitespace().count().to_string();
    let turns = data["turns"].as_array().into_iter().flatten().enumerate();
    turns
        .map(|(at, turn)| {
            let number = (at + 1).to_string();
            let text = |template: &str, of: &str| {
                fill(template, &[("number", number.as_str()), ("words", count(&turn[of]).as_str())])
            };
            (text(&words.translated_question, "question"), text(&words.translated_answer, "answer"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(schema: &str, data: &Value) -> Value {
        let request = json!({
            "messages": [
                {"role": "system", "content": "規則"},
                {"role": "user", "content": [{"type": "text", "text": "頼み"}, {"type": "text", "text": data.to_string()}]}
            ],
            "response_format": {"type": "json_schema", "json_schema": {"name": schema}}
        });
        serde_json::from_str(&reply(&Asked::read(&request)).unwrap()).unwrap()
    }

    #[test]
    fn conversations_come_from_the_caption() {
        let data = json!({"captions": ["夕焼けの海に浮かぶ三隻の赤い船"]});
        let value = ask("tsumugi_conversation", &data);
        let text = value.to_string();
        assert!(text.contains("赤い船") && text.contains("三隻") && text.contains("赤です"), "{text}");
        assert!(ask("tsumugi_reasoning", &data).to_string().contains("夕方"));
        assert!(ask("tsumugi_detail", &data)["answer"].as_str().unwrap().contains("赤い船"));
        assert_eq!(ask("tsumugi_conversation", &data), value);
        for schema in ["tsumugi_conversation", "tsumugi_reasoning", "tsumugi_photo", "tsumugi_vqa"] {
            assert!(
                ask(schema, &json!({}))["turns"].as_array().is_some_and(|turns| !turns.is_empty()),
                "{schema}"
            );
        }
    }

    #[test]
    fn translations_keep_the_turns() {
        let data = json!({"turns": [{"question": "What is it?", "answer": "A cat."}, {"question": "Why?", "answer": "So."}]});
        assert_eq!(ask("tsumugi_translate", &data)["turns"].as_array().unwrap().len(), 2);
    }
}
