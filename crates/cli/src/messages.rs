//! Messages of the libraries, which name settings, in the words of the command line.

use std::error::Error;

use crate::schema::Field;

/// An error with its causes in one line. A cause that the message before it holds already is not repeated.
pub(crate) fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let words = error.to_string();
        if !text.contains(&words) {
            text = format!("{text}: {words}");
        }
        cause = error.source();
    }
    text
}

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
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::schema::fields;

    #[test]
    fn causes_are_shown_once() {
        #[derive(Debug)]
        struct Layer(&'static str, Option<Box<Layer>>);
        impl std::fmt::Display for Layer {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.0)
            }
        }
        impl Error for Layer {
            fn source(&self) -> Option<&(dyn Error + 'static)> {
                self.1.as_deref().map(|layer| layer as &(dyn Error + 'static))
            }
        }
        let layer = |text, below: Option<Layer>| Layer(text, below.map(Box::new));
        let plain = layer("a.parquet: reading failed", Some(layer("disk", Some(layer("cable", None)))));
        assert_eq!(with_causes(&plain), "a.parquet: reading failed: disk: cable");
        let embedding = layer("reading failed: disk", Some(layer("disk", Some(layer("cable", None)))));
        assert_eq!(with_causes(&embedding), "reading failed: disk: cable");
    }

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
