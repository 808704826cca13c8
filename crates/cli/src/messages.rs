//! Messages of the libraries, which name settings, in the words of the command line.

use crate::schema::Field;

/// A message about settings with each setting's flag in the place of its name: a name at the beginning (`out: ...`), and
/// names between backticks.
pub(crate) fn with_flags(message: &str, fields: &[Field]) -> String {
    let mut text = message.to_owned();
    for field in fields.iter().filter(|field| field.fixed.is_none()) {
        let (name, flag) = (field.name(), field.shown());
        if let Some(rest) = text.strip_prefix(&format!("{name}:")) {
            text = format!("{flag}:{rest}");
        }
        text = text.replace(&format!("`{name}`"), &format!("`{flag}`"));
    }
    // What no setting holds, since it is no part of a run.
    text.replace("`allow_empty`", "`--allow-empty`")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::schema::fields;

    #[test]
    fn settings_are_named_by_their_flags() {
        let schema = json!({"x-flags": {"contact": "http.contact"}, "properties": {
            "judge_model": {"type": "string"},
            "files": {"type": "array", "items": {"type": "string"}, "x-positional": true, "x-value-name": "FILE"},
            "http": {"properties": {"contact": {"type": "string"}, "retries": {"type": "integer"}}},
        }});
        let fields = fields(&schema, &json!({}));
        for (message, shown) in [
            ("judge_model: it is empty", "--judge-model: it is empty"),
            ("set `judge_model`, or leave out `files`", "set `--judge-model`, or leave out `FILE`"),
            ("http.contact: it is needed", "--contact: it is needed"),
            ("`http.retries` is too large", "`http.retries` is too large"),
            ("run.toml: `other`", "run.toml: `other`"),
        ] {
            assert_eq!(with_flags(message, &fields), shown);
        }
    }
}
