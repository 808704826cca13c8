//! Where checkpoints keep their chat templates.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::error::{Error, Result};

/// Name of the template that is used unless another is named.
const DEFAULT: &str = "default";

/// File of the default template.
const FILE: &str = "chat_template.jinja";

/// Folder of the other ones.
const FOLDER: &str = "additional_chat_templates";

/// The chat templates of a checkpoint, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Templates(BTreeMap<String, String>);

impl Templates {
    /// The templates of a checkpoint's folders: those of the processor, else those of the tokenizer. As in transformers, a
    /// key of `processor_config.json` comes first, then `chat_template.json`, then `chat_template.jinja` with the files in
    /// `additional_chat_templates`, then `tokenizer_config.json`.
    pub(crate) fn find(folders: &[&Path], tokenizer_config: &Value) -> Result<Self> {
        for file in ["processor_config.json", "chat_template.json"] {
            for folder in folders {
                let found = in_json(&folder.join(file))?;
                if !found.0.is_empty() {
                    return Ok(found);
                }
            }
        }
        for folder in folders {
            let found = in_files(folder)?;
            if !found.0.is_empty() {
                return Ok(found);
            }
        }
        Ok(tokenizer_config.get("chat_template").map(in_value).unwrap_or_default())
    }

    /// One template.
    pub(crate) fn one(template: impl Into<String>) -> Self {
        Self(BTreeMap::from([(DEFAULT.to_owned(), template.into())]))
    }

    /// The template to use: the one named `default`, or the only one.
    pub(crate) fn chosen(&self) -> Option<&str> {
        let only = || self.0.values().next().filter(|_| self.0.len() == 1);
        self.0.get(DEFAULT).or_else(only).map(String::as_str)
    }

    /// The names, for an error where there is no default.
    pub(crate) fn names(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }

    /// Replaces the default template.
    pub(crate) fn set_default(&mut self, template: String) {
        self.0.insert(DEFAULT.to_owned(), template);
    }

    /// Writes the files of these templates.
    pub(crate) fn save(&self, folder: &Path) -> Result<()> {
        if let Some(template) = self.chosen() {
            write(&folder.join(FILE), template)?;
        }
        let others = self.0.iter().filter(|(_, text)| self.chosen() != Some(text.as_str()));
        for (name, template) in others {
            let home = folder.join(FOLDER);
            fs::create_dir_all(&home).map_err(Error::io(&home))?;
            write(&home.join(format!("{name}.jinja")), template)?;
        }
        Ok(())
    }
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).map_err(Error::io(path))
}

/// The key `chat_template` of a JSON file, if there is such a file with it.
fn in_json(path: &Path) -> Result<Templates> {
    if !path.is_file() {
        return Ok(Templates::default());
    }
    let value = crate::storage::read_json(path)?;
    Ok(value.get("chat_template").map(in_value).unwrap_or_default())
}

/// One template, a list of `{"name": ..., "template": ...}`, or templates by name.
fn in_value(value: &Value) -> Templates {
    let owned = |name: &str, text: &Value| Some((name.to_owned(), text.as_str()?.to_owned()));
    match value {
        Value::String(text) => Templates::one(text.as_str()),
        Value::Array(list) => {
            let named = |entry: &Value| owned(entry.get("name")?.as_str()?, entry.get("template")?);
            Templates(list.iter().filter_map(named).collect())
        }
        Value::Object(map) => Templates(map.iter().filter_map(|(name, text)| owned(name, text)).collect()),
        _ => Templates::default(),
    }
}

/// The files of a folder.
fn in_files(folder: &Path) -> Result<Templates> {
    let mut found = BTreeMap::new();
    let path = folder.join(FILE);
    if path.is_file() {
        found.insert(DEFAULT.to_owned(), fs::read_to_string(&path).map_err(Error::io(&path))?);
    }
    let others = fs::read_dir(folder.join(FOLDER)).into_iter().flatten().flatten().map(|entry| entry.path());
    for path in others.filter(|path| path.extension().is_some_and(|end| end == "jinja")) {
        if let Some(name) = path.file_stem().and_then(|stem| stem.to_str()) {
            found.insert(name.to_owned(), fs::read_to_string(&path).map_err(Error::io(&path))?);
        }
    }
    Ok(Templates(found))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn templates_are_found_where_transformers_finds_them() {
        let place = tempfile::tempdir().unwrap();
        let folders = [place.path()];
        let find = |config: &Value| Templates::find(&folders, config).unwrap().chosen().map(str::to_owned);
        let write = |name: &str, text: &str| fs::write(place.path().join(name), text).unwrap();
        assert_eq!(find(&json!({})), None);
        for config in [
            json!({"chat_template": "a"}),
            json!({"chat_template": [{"name": "rag", "template": "b"}, {"name": "default", "template": "a"}]}),
            json!({"chat_template": {"tool_use": "b", "default": "a"}}),
            json!({"chat_template": {"only": "a"}}),
        ] {
            assert_eq!(find(&config).as_deref(), Some("a"), "{config}");
        }
        let several = json!({"chat_template": {"x": "a", "y": "b"}});
        assert_eq!(find(&several), None);
        assert_eq!(Templates::find(&folders, &several).unwrap().names(), ["x", "y"]);
        write("chat_template.jinja", "file");
        assert_eq!(find(&several).as_deref(), Some("file"));
        write("chat_template.json", r#"{"chat_template": "json"}"#);
        assert_eq!(find(&several).as_deref(), Some("json"));
        write("processor_config.json", r#"{"chat_template": "processor"}"#);
        assert_eq!(find(&several).as_deref(), Some("processor"));
        write("chat_template.json", "{");
        write("processor_config.json", "{}");
        assert!(Templates::find(&folders, &several).is_err());
    }

    #[test]
    fn all_templates_are_kept() {
        let place = tempfile::tempdir().unwrap();
        let mut templates = in_value(&json!({"tool_use": "b", "default": "a"}));
        templates.save(place.path()).unwrap();
        assert_eq!(Templates::find(&[place.path()], &Value::Null).unwrap(), templates);
        templates.set_default("c".to_owned());
        assert_eq!(templates.chosen(), Some("c"));
    }
}
