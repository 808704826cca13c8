//! Settings as a TOML file that explains itself: every key with its meaning, unit and source above it.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use crate::schema::Node;

/// The settings as TOML with comments. Reading it gives the same settings: keys without a value are comments.
pub(crate) fn print(schema: &Value, settings: &Value) -> String {
    let mut text = String::new();
    if let Value::Object(table) = settings {
        write_table(&mut text, Node::new(schema), table, settings, &[]);
    }
    text
}

/// A file that settings name, as comments: it is no part of the settings file.
pub(crate) fn print_as_comments(about: &str, schema: &Value, values: &Value) -> String {
    let mut text = format!("# {about}\n#\n");
    for line in print(schema, values).lines() {
        let _ = if line.is_empty() { writeln!(text, "#") } else { writeln!(text, "# {line}") };
    }
    text
}

/// How a value is written.
enum Form<'a> {
    /// `# key =`: there is no value.
    Unset,
    /// `key = value`.
    Inline,
    /// `[key]`.
    Table(&'a Map<String, Value>),
    /// `[[key]]`, once for each.
    Tables(&'a [Value]),
}

fn form(value: &Value, required: bool) -> Form<'_> {
    match value {
        Value::Null => Form::Unset,
        Value::String(text) if text.is_empty() && required => Form::Unset,
        Value::Array(values) if values.is_empty() && required => Form::Unset,
        Value::Object(table) => Form::Table(table),
        Value::Array(values) if !values.is_empty() && values.iter().all(Value::is_object) => {
            Form::Tables(values)
        }
        _ => Form::Inline,
    }
}

fn write_table(
    text: &mut String,
    node: Node<'_>,
    table: &Map<String, Value>,
    value: &Value,
    above: &[String],
) {
    // Keys of a table come before the tables in it: TOML has no way back.
    for (key, inner) in table {
        let child = node.child(key, value);
        let shape = form(inner, child.is_some_and(is_required) || node.requires(key));
        let is_unset_table = matches!(shape, Form::Unset) && child.is_some_and(Node::is_table);
        if is_unset_table || matches!(shape, Form::Table(_) | Form::Tables(_)) {
            continue;
        }
        comment(text, child, inner, &node.constants(key));
        let key = toml_key(key);
        let _ = match shape {
            Form::Unset => writeln!(text, "# {key} = {}\n", example(child)),
            _ => writeln!(text, "{key} = {}\n", inline(child, inner)),
        };
    }
    for (key, inner) in table {
        let child = node.child(key, value);
        let path = [above, &[toml_key(key)]].concat();
        match form(inner, false) {
            Form::Table(table) => {
                comment(text, child, inner, &[]);
                let _ = writeln!(text, "[{}]\n", path.join("."));
                write_table(text, child.unwrap_or(Node::NOTHING), table, inner, &path);
            }
            Form::Tables(tables) => {
                let items = child.and_then(Node::items).unwrap_or(Node::NOTHING);
                comment(text, child, inner, &[]);
                for value in tables {
                    let _ = writeln!(text, "[[{}]]\n", path.join("."));
                    if let Value::Object(table) = value {
                        write_table(text, items, table, value, &path);
                    }
                }
            }
            Form::Unset => {
                if let Some(child) = child.filter(|child| child.is_table()) {
                    comment(text, Some(child), inner, &[]);
                    write_unset(text, child, &path);
                }
            }
            Form::Inline => {}
        }
    }
}

/// A table that is not set, as comments with the defaults of its keys.
fn write_unset(text: &mut String, node: Node<'_>, path: &[String]) {
    let _ = writeln!(text, "# [{}]\n", path.join("."));
    let (tables, keys): (Vec<_>, Vec<_>) =
        node.properties().into_iter().partition(|(_, child)| child.is_table());
    for (key, child) in keys {
        let default = child.keyword("default").unwrap_or(&Value::Null);
        comment(text, Some(child), default, &node.constants(key));
        let key = toml_key(key);
        let _ = match default {
            Value::Null => writeln!(text, "# {key} = {}\n", example(Some(child))),
            value => writeln!(text, "# {key} = {}\n", inline(Some(child), value)),
        };
    }
    for (key, child) in tables {
        comment(text, Some(child), &Value::Null, &[]);
        write_unset(text, child, &[path, &[toml_key(key)]].concat());
    }
}

fn is_required(node: Node<'_>) -> bool {
    node.keyword("x-required") == Some(&Value::Bool(true))
}

/// The meaning of a key as comment lines, then its unit and source, and the words that it takes: those of its own, or the
/// `tags` that tell alternatives of its table apart.
fn comment(text: &mut String, node: Option<Node<'_>>, value: &Value, tags: &[&str]) {
    let Some(node) = node else { return };
    let mut lines: Vec<String> = Vec::new();
    if let Some(meaning) = node.text("description") {
        lines.extend(meaning.lines().map(|line| line.trim_end().to_owned()));
    }
    for (name, keyword) in [("Unit", "x-unit"), ("Source", "x-source"), ("Environment", "x-env")] {
        lines.extend(node.text(keyword).map(|content| format!("{name}: {content}.")));
    }
    let choices = node.choices();
    let words = if tags.is_empty() { choices.iter().map(String::as_str).collect() } else { tags.to_vec() };
    if words.len() > 1 && !value.is_object() {
        lines.push(format!("One of {}.", words.join(", ")));
    }
    for line in lines {
        let _ = if line.is_empty() { writeln!(text, "#") } else { writeln!(text, "# {line}") };
    }
}

/// What an unset key could hold.
fn example(node: Option<Node<'_>>) -> &'static str {
    let types = node.map(Node::types).unwrap_or_default();
    match types.iter().find(|name| **name != "null") {
        Some(&"boolean") => "true",
        Some(&"integer") => "1",
        Some(&"number") => "1.0",
        Some(&"array") => "[]",
        Some(&"object") => "{}",
        _ => "\"\"",
    }
}

/// A value on one line.
fn inline(node: Option<Node<'_>>, value: &Value) -> String {
    match value {
        Value::Null => "\"\"".to_owned(),
        Value::Bool(switch) => switch.to_string(),
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() => float_text(node, float),
            _ => number.to_string(),
        },
        Value::String(text) => toml::Value::String(text.clone()).to_string(),
        Value::Array(values) => {
            let items = node.and_then(Node::items);
            let parts: Vec<String> = values.iter().map(|value| inline(items, value)).collect();
            format!("[{}]", parts.join(", "))
        }
        Value::Object(table) => {
            let parts = table.iter().filter(|(_, value)| !value.is_null()).map(|(key, inner)| {
                let child = node.and_then(|node| node.child(key, value));
                format!("{} = {}", toml_key(key), inline(child, inner))
            });
            let parts: Vec<String> = parts.collect();
            if parts.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", parts.join(", ")) }
        }
    }
}

/// The shortest text that reads back as the same number, in the precision of the setting.
fn float_text(node: Option<Node<'_>>, number: f64) -> String {
    let single = node.and_then(|node| node.text("format")) == Some("float");
    if single { format!("{:?}", number as f32) } else { format!("{number:?}") }
}

/// A key, in quotes where TOML wants them.
fn toml_key(key: &str) -> String {
    let bare = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    if bare { key.to_owned() } else { toml::Value::String(key.to_owned()).to_string() }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    use super::*;
    use crate::settings::{from_toml, overlay};

    /// Settings with all that TOML can hold.
    #[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
    #[serde(default, deny_unknown_fields)]
    struct Settings {
        /// Where it is written.
        #[schemars(extend("x-required" = true))]
        out: String,
        /// How long to wait.
        ///
        /// A second paragraph.
        #[schemars(extend("x-unit" = "seconds", "x-source" = "section 3 of the paper"))]
        wait: f64,
        /// A single-precision share.
        share: f32,
        /// May be left out.
        seed: Option<u64>,
        /// A table that may be left out.
        proxy: Option<Http>,
        /// Words with "quotes".
        words: Vec<String>,
        way: Way,
        http: Http,
        /// The stages, in order.
        stages: Vec<Stage>,
        by_name: BTreeMap<String, u32>,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "kebab-case", tag = "type")]
    enum Way {
        /// Here.
        InPlace {
            /// How often.
            tries: u32,
        },
        Remote {
            url: String,
        },
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
    #[serde(default, deny_unknown_fields)]
    struct Http {
        /// Requests at a time.
        connections: usize,
        /// Retries by status.
        retries: BTreeMap<String, u32>,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
    struct Stage {
        /// Its name.
        name: String,
        range: (f64, f64),
        inner: Http,
    }

    impl Default for Http {
        fn default() -> Self {
            Http { connections: 8, retries: BTreeMap::from([("429".into(), 3), ("a b".into(), 1)]) }
        }
    }

    impl Default for Settings {
        fn default() -> Self {
            let stage = |name: &str| Stage { name: name.into(), range: (0.1, 1e-9), inner: Http::default() };
            Settings {
                out: String::new(),
                wait: 1e-5,
                share: 0.1,
                seed: None,
                proxy: None,
                words: vec!["a \"b\"\n".into(), "c\\d".into()],
                way: Way::InPlace { tries: 3 },
                http: Http::default(),
                stages: vec![stage("a"), stage("b")],
                by_name: BTreeMap::new(),
            }
        }
    }

    fn printed(settings: &Settings) -> String {
        let schema = schemars::schema_for!(Settings).to_value();
        print(&schema, &serde_json::to_value(settings).unwrap())
    }

    #[test]
    fn what_is_printed_reads_back_as_the_same_settings() {
        let other = Settings {
            out: "x".into(),
            seed: Some(7),
            proxy: Some(Http::default()),
            way: Way::Remote { url: "u".into() },
            stages: Vec::new(),
            ..Settings::default()
        };
        for settings in [Settings::default(), other] {
            let text = printed(&settings);
            let read = from_toml(toml::Value::Table(toml::from_str(&text).unwrap()));
            assert_eq!(serde_json::from_value::<Settings>(read.clone()).unwrap(), settings, "{text}");
            let schema = schemars::schema_for!(Settings).to_value();
            let mut laid = serde_json::to_value(Settings::default()).unwrap();
            overlay(Node::new(&schema), &mut laid, read);
            assert_eq!(serde_json::from_value::<Settings>(laid).unwrap(), settings, "{text}");
        }
    }

    #[test]
    fn a_file_of_its_own_is_printed_as_comments() {
        let schema = schemars::schema_for!(Http).to_value();
        let values = serde_json::to_value(Http::default()).unwrap();
        let text = print_as_comments("A file.", &schema, &values);
        assert!(text.starts_with("# A file.\n#\n# # Requests at a time.\n# connections = 8\n#\n"), "{text}");
        assert!(text.lines().all(|line| line.starts_with('#')), "{text}");
    }

    #[test]
    fn keys_are_explained_at_every_depth() {
        let text = printed(&Settings::default());
        for part in [
            "# Where it is written.\n# out = \"\"\n",
            "# How long to wait.\n#\n# A second paragraph.\n# Unit: seconds.\n# Source: section 3 of the paper.\nwait = 1e-5\n",
            "# A single-precision share.\nshare = 0.1\n",
            "# May be left out.\n# seed = 1\n",
            "# A table that may be left out.\n# [proxy]\n\n# Requests at a time.\n# connections = 8\n\n",
            "[way]\n\n# One of in-place, remote.\ntype = \"in-place\"\n\n# How often.\ntries = 3\n",
            "[http]\n\n# Requests at a time.\nconnections = 8\n\n# Retries by status.\n[http.retries]\n\n429 = 3\n\n\"a b\" = 1\n",
            "# The stages, in order.\n[[stages]]\n\n# Its name.\nname = \"a\"\n",
            "range = [0.1, 1e-9]\n",
            "[stages.inner]\n",
        ] {
            assert!(text.contains(part), "{part}\nis not in\n{text}");
        }
    }
}
