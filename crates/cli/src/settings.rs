//! The settings of a run: defaults, then a file, then environment, `--set` and flags.

use std::path::Path;

use serde_json::{Map, Value};

use crate::schema::Node;

/// Reads the settings file of a step and checks its keys against the schema.
///
/// # Errors
/// A message that names the file, and the line or the key.
pub(crate) fn read_file(path: &Path, schema: &Value) -> Result<Value, String> {
    let name = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| format!("{name}: {error}"))?;
    let table: toml::Table = toml::from_str(&text).map_err(|error| format!("{name}: {error}"))?;
    let value = from_toml(toml::Value::Table(table));
    check_keys(Node::new(schema), &value, "", true).map_err(|problem| format!("{name}: {problem}"))?;
    Ok(value)
}

/// Refuses keys that the schema does not have. The top level is always closed; nested tables where their schema says so.
fn check_keys(node: Node<'_>, value: &Value, above: &str, closed: bool) -> Result<(), String> {
    let Value::Object(table) = value else { return Ok(()) };
    for (key, inner) in table {
        let place = if above.is_empty() { key.clone() } else { format!("{above}.{key}") };
        match node.child(key, value) {
            Some(child) => check_keys(child, inner, &place, child.is_closed())?,
            None if closed && (node.is_table() || above.is_empty()) => {
                let known: Vec<String> =
                    node.properties().into_iter().map(|(key, _)| format!("`{key}`")).collect();
                return Err(format!("there is no setting `{place}`; there are {}", known.join(", ")));
            }
            None => {}
        }
    }
    Ok(())
}

/// Lays settings over others: tables key by key, all else as a whole. A map and a table with alternatives are replaced.
pub(crate) fn overlay(node: Node<'_>, below: &mut Value, above: Value) {
    match (below, above) {
        (Value::Object(below), Value::Object(above)) if node.is_table() => {
            for (key, value) in above {
                let child = node.child(&key, &value);
                match (below.get_mut(&key), child) {
                    (Some(place), Some(child)) => overlay(child, place, value),
                    _ => {
                        below.insert(key, value);
                    }
                }
            }
        }
        (place, value) => *place = value,
    }
}

/// Sets the value at a path of keys, and makes the tables on the way.
pub(crate) fn set(settings: &mut Value, path: &[String], value: Value) {
    let Some((key, rest)) = path.split_first() else {
        *settings = value;
        return;
    };
    if !settings.is_object() {
        *settings = Value::Object(Map::new());
    }
    if let Value::Object(table) = settings {
        set(table.entry(key.clone()).or_insert(Value::Null), rest, value);
    }
}

/// One `--set table.key=value` as a path and a value.
///
/// # Errors
/// A message where the text is not such an assignment, or the first key is none of the settings.
pub(crate) fn assignment(text: &str, schema: &Value) -> Result<(Vec<String>, Value), String> {
    let Some((path, value)) = text.split_once('=') else {
        return Err(format!("invalid value '{text}' for '--set': it takes KEY=VALUE, such as table.key=3"));
    };
    let path: Vec<String> = path.trim().split('.').map(str::to_owned).collect();
    let mut nested = crate::flags::scalar(value.trim());
    for key in path.iter().rev() {
        nested = Value::Object(Map::from_iter([(key.clone(), nested)]));
    }
    check_keys(Node::new(schema), &nested, "", true)
        .map_err(|problem| format!("invalid value '{text}' for '--set': {problem}"))?;
    Ok((path, crate::flags::scalar(value.trim())))
}

/// A TOML value as JSON; dates become text.
pub(crate) fn from_toml(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::String(text),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => number.into(),
        toml::Value::Boolean(switch) => Value::Bool(switch),
        toml::Value::Datetime(date) => Value::String(date.to_string()),
        toml::Value::Array(values) => values.into_iter().map(from_toml).collect(),
        toml::Value::Table(table) => {
            Value::Object(table.into_iter().map(|(key, value)| (key, from_toml(value))).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schema() -> Value {
        json!({
            "properties": {
                "out": {"type": "string"},
                "http": {"$ref": "#/$defs/Http"},
                "model": {"oneOf": [
                    {"properties": {"type": {"const": "api"}, "url": {"type": "string"}}},
                    {"properties": {"type": {"const": "local"}, "batch": {"type": "integer"}}},
                ]},
            },
            "$defs": {"Http": {
                "properties": {"connections": {"type": "integer"}, "contact": {"type": "string"}},
                "additionalProperties": false,
            }},
        })
    }

    #[test]
    fn tables_merge_by_key_and_alternatives_are_replaced() {
        let schema = schema();
        let mut settings =
            json!({"http": {"connections": 8, "contact": "a"}, "model": {"type": "api", "url": "u"}});
        let file = json!({"http": {"contact": "b"}, "model": {"type": "local", "batch": 2}});
        overlay(Node::new(&schema), &mut settings, file);
        let expected =
            json!({"http": {"connections": 8, "contact": "b"}, "model": {"type": "local", "batch": 2}});
        assert_eq!(settings, expected);
    }

    #[test]
    fn assignments_are_checked_and_typed() {
        let schema = schema();
        let (path, value) = assignment("http.connections=12", &schema).unwrap();
        assert_eq!((path, value), (vec!["http".to_owned(), "connections".to_owned()], json!(12)));
        assert_eq!(assignment("out=a b", &schema).unwrap().1, json!("a b"));
        assert_eq!(assignment("model.url=x", &schema).unwrap().1, json!("x"));
        for (wrong, part) in [
            (
                "http.conections=1",
                "there is no setting `http.conections`; there are `connections`, `contact`",
            ),
            ("nothing=1", "there is no setting `nothing`"),
            ("out", "it takes KEY=VALUE"),
        ] {
            let message = assignment(wrong, &schema).unwrap_err();
            assert!(message.contains(part), "{message}");
        }
    }

    #[test]
    fn a_file_is_named_with_line_or_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.toml");
        std::fs::write(&path, "out = \"a\"\n[http]\ncontact = 'b'\n").unwrap();
        assert_eq!(read_file(&path, &schema()).unwrap(), json!({"out": "a", "http": {"contact": "b"}}));
        for (text, part) in
            [("out = \n", "line 1"), ("[http]\nfoo = 1\n", "`http.foo`"), ("foo = 1\n", "`foo`")]
        {
            std::fs::write(&path, text).unwrap();
            let message = read_file(&path, &schema()).unwrap_err();
            assert!(message.contains("run.toml") && message.contains(part), "{message}");
        }
        assert!(read_file(&folder.path().join("none.toml"), &schema()).unwrap_err().contains("none.toml"));
    }
}
