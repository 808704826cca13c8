//! Finds JSON in what a model says: alone, between fences of any kind, or with words around it.

use serde_json::{Deserializer, Map, Value};

/// Brackets at which JSON is looked for. No reply of a model that writes JSON has nearly as many that begin none.
const MOST_BRACKETS: usize = 10_000;

/// The last object or list in a text of which `read` makes something. A model may begin with a draft.
pub(crate) fn find<T>(text: &str, read: impl Fn(&Value) -> Option<T>) -> Option<T> {
    let (mut found, mut at) = (None, 0);
    for _ in 0..MOST_BRACKETS {
        let Some(next) = text[at..].find(['{', '[']) else { break };
        at += next;
        let mut values = Deserializer::from_str(&text[at..]).into_iter::<Value>();
        match values.next() {
            Some(Ok(value)) => {
                at += values.byte_offset();
                found = read(&value).or(found);
            }
            _ => at += 1,
        }
    }
    found
}

/// The list of a reply: the field of this name, the whole reply, or the only list in it. `read` reads each element.
pub(crate) fn list<T>(
    value: &Value,
    name: &str,
    read: impl Fn(&Map<String, Value>) -> Option<T>,
) -> Option<Vec<T>> {
    let all = |elements: &Vec<Value>| elements.iter().map(|element| read(element.as_object()?)).collect();
    match value {
        Value::Array(elements) if !elements.is_empty() => all(elements),
        Value::Object(fields) => match fields.get(name) {
            Some(Value::Array(elements)) => all(elements),
            Some(_) => None,
            None => {
                let mut lists = fields.values().filter_map(Value::as_array).filter(|list| !list.is_empty());
                let only = lists.next()?;
                if lists.next().is_some() { None } else { all(only) }
            }
        },
        _ => None,
    }
}

/// A field as text. Models without a schema write short answers as numbers, and yes and no as booleans.
pub(crate) fn text(fields: &Map<String, Value>, name: &str) -> Option<String> {
    match fields.get(name)? {
        Value::String(text) => Some(text.trim().to_owned()),
        value @ (Value::Number(_) | Value::Bool(_)) => Some(value.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn answers(text_of_model: &str) -> Option<Vec<String>> {
        find(text_of_model, |value| list(value, "turns", |fields| text(fields, "answer")))
    }

    #[test]
    fn json_is_found_wherever_it_stands() {
        let json = r#"{"turns":[{"answer":"赤{い}"},{"answer":3}]}"#;
        for around in [
            json.to_owned(),
            format!("```json\n{json}\n```"),
            format!("```JSON\n{json}\n```"),
            format!("~~~\n{json}\n~~~"),
            format!("``` {json} ```"),
            format!("はい、以下がJSONです。\n```json\n{json}\n```\n以上です。[終]"),
            format!("{{ たとえば }}を考えて[1]、{json}"),
            format!("下書き: {{\"turns\":[{{\"answer\":\"青\"}}]}}\n清書: {json}"),
            r#"[{"answer":"赤{い}"},{"answer":3}]"#.to_owned(),
            r#"{"notes":"x","turns":[{"answer":"赤{い}","type":"a"},{"answer":3}],"more":[1]}"#.to_owned(),
            r#"{"conversation":[{"answer":"赤{い}"},{"answer":3}]}"#.to_owned(),
        ] {
            assert_eq!(answers(&around), Some(vec!["赤{い}".to_owned(), "3".to_owned()]), "{around}");
        }
        // What is cut or broken is not read in part.
        for broken in [
            r#"{"turns":[{"answer":"赤"},{"ans"#,
            r#"{"turns":[{"answer":"赤"},{"answer":"a "b" c"}]}"#,
            r#"{"turns":[{"answer":"赤"},{"question":"青"}]}"#,
            r#"{"turns":"赤"}"#,
            "[]",
            "{}",
            "赤",
            "",
        ] {
            assert_eq!(answers(broken), None, "{broken}");
        }
        assert_eq!(answers(r#"{"turns":[]}"#), Some(Vec::new()));
    }

    proptest! {
        #[test]
        fn any_text_is_searched(words in "[\\[\\]{}\", a字]{0,40}", answer in "\\PC{0,20}") {
            answers(&words);
            let reply = format!("{}\n{}", words.replace(['{', '[', '"'], ""), json!({"turns": [{"answer": answer}]}));
            prop_assert_eq!(answers(&reply), Some(vec![answer.trim().to_owned()]));
        }
    }
}
