//! Which files of a repository are wanted, and whether all of them are there.

use std::path::Path;

use serde_json::Value;

/// What a repository is needed for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Files<'a> {
    /// Weights with their configuration, tokenizer and chat template.
    Model,
    /// A tokenizer alone.
    Tokenizer,
    /// The Parquet files of a split.
    Parquet(&'a str),
}

impl Files<'_> {
    /// The wanted ones among all files of a repository, in the order in which they are fetched.
    pub(crate) fn wanted(self, all: &[String]) -> Vec<String> {
        let all: Vec<String> = all.iter().filter(|name| is_safe(name)).cloned().collect();
        match self {
            Self::Parquet(split) => of_split(all, split),
            Self::Model => {
                let has_tokenizer = all.iter().any(|name| file_name(name) == "tokenizer.json");
                let mut names: Vec<String> = all
                    .into_iter()
                    .filter(|name| {
                        let is_needed =
                            [".safetensors", ".json", ".jinja"].iter().any(|end| name.ends_with(end));
                        is_needed || (file_name(name) == "tokenizer.model" && !has_tokenizer)
                    })
                    .collect();
                // The configuration is last: without it nobody takes what is there for a model.
                names.sort_by_key(|name| {
                    (name == "config.json", name.ends_with(".safetensors"), name.clone())
                });
                names
            }
            Self::Tokenizer => {
                let is_wanted = |name: &String| {
                    let file = file_name(name);
                    let is_token = ["tokenizer", "special_tokens", "added_tokens", "chat_template"];
                    is_token.iter().any(|start| file.starts_with(start)) && depth(name) <= 1
                };
                all.into_iter().filter(is_wanted).collect()
            }
        }
    }

    /// What a repository with these files does not hold, with the remedy; `None` where it can hold all that is wanted.
    pub(crate) fn missing_at_the_hub(self, all: &[String]) -> Option<String> {
        let has = |end: &str| all.iter().any(|name| name.ends_with(end));
        match self {
            Self::Parquet(split) => {
                let is_none = self.wanted(all).is_empty();
                is_none.then(|| format!("it has no Parquet file of the split `{split}`"))
            }
            Self::Model if !has(".safetensors") => {
                let other = all.iter().find(|name| {
                    [".bin", ".pt", ".pth", ".gguf", ".h5"].iter().any(|end| name.ends_with(end))
                });
                let found = other.map(|name| format!(", only {name}")).unwrap_or_default();
                Some(format!("it has no .safetensors file{found}; convert its weights to safetensors first"))
            }
            Self::Tokenizer if !all.iter().any(|name| file_name(name) == "tokenizer.json") => {
                let old = all.iter().any(|name| file_name(name) == "tokenizer.model");
                let found = if old { ", only a tokenizer.model of SentencePiece" } else { "" };
                Some(format!(
                    "it has no tokenizer.json{found}; save its tokenizer with `AutoTokenizer.from_pretrained(...).save_pretrained(...)` of transformers, which writes one"
                ))
            }
            Self::Model | Self::Tokenizer => None,
        }
    }

    /// Whether these files of a folder are all that is wanted, as far as they tell.
    pub(crate) fn are_whole(self, folder: &Path, found: &[String]) -> bool {
        match self {
            Self::Parquet(_) => {
                found.first().is_some_and(|first| shards(first).is_none_or(|count| count == found.len()))
            }
            Self::Tokenizer => found.iter().any(|name| file_name(name) == "tokenizer.json"),
            Self::Model => {
                let indexes = found.iter().filter(|name| name.ends_with(".safetensors.index.json"));
                found.iter().any(|name| name == "config.json")
                    && found.iter().any(|name| name.ends_with(".safetensors"))
                    && indexes.into_iter().all(|index| has_shards(&folder.join(index)))
            }
        }
    }
}

/// Whether all files that an index of weights names are beside it.
fn has_shards(index: &Path) -> bool {
    let text = std::fs::read(index).unwrap_or_default();
    let value: Value = serde_json::from_slice(&text).unwrap_or_default();
    let Some(map) = value["weight_map"].as_object() else { return false };
    map.values().filter_map(Value::as_str).all(|name| index.with_file_name(name).is_file())
}

/// Whether a name is a path below its folder, of characters that URLs take as they are.
fn is_safe(name: &str) -> bool {
    let is_part = |part: &str| !part.is_empty() && part != "." && part != "..";
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "-_./+=@".contains(c);
    name.chars().all(is_allowed) && name.split('/').all(is_part)
}

fn file_name(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

fn depth(name: &str) -> usize {
    name.matches('/').count()
}

/// The Parquet files whose names begin with the split (`data/test-00000-of-00001.parquet`); all of them where none does.
fn of_split(mut names: Vec<String>, split: &str) -> Vec<String> {
    names.retain(|name| name.ends_with(".parquet"));
    names.sort();
    let is_of_split = |name: &String| {
        file_name(name).strip_prefix(split).is_some_and(|rest| rest.starts_with(['-', '.', '_']))
    };
    if names.iter().any(is_of_split) {
        names.retain(is_of_split);
    }
    names
}

/// The number of files that a name such as `test-00000-of-00003.parquet` counts.
fn shards(name: &str) -> Option<usize> {
    let rest = &name[name.find("-of-")? + 4..];
    rest.get(..rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len()))?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn files_of_a_split() {
        let all = names(&[
            "README.md",
            "data/train-00000-of-00001-ab12.parquet",
            "data/test-00000-of-00002.parquet",
        ]);
        assert_eq!(of_split(all.clone(), "test"), ["data/test-00000-of-00002.parquet"]);
        assert_eq!(
            of_split(names(&["b.parquet", "a.parquet", "a.json"]), "test"),
            ["a.parquet", "b.parquet"]
        );
        assert_eq!(shards("data/train-00000-of-00012-ab12.parquet"), Some(12));
        assert_eq!(shards("a.parquet"), None);
        assert!(Files::Parquet("test").missing_at_the_hub(&names(&["a.json"])).unwrap().contains("`test`"));
    }

    #[test]
    fn files_of_a_model() {
        let all = names(&[
            "config.json",
            "model.safetensors",
            "README.md",
            "pytorch_model.bin",
            "llm/config.json",
            "tokenizer.model",
            "../x.json",
            "a b.json",
        ]);
        assert_eq!(
            Files::Model.wanted(&all),
            ["llm/config.json", "tokenizer.model", "model.safetensors", "config.json"]
        );
        assert_eq!(Files::Model.missing_at_the_hub(&all), None);
        let missing = Files::Model.missing_at_the_hub(&names(&["config.json", "pytorch_model.bin"])).unwrap();
        assert!(missing.contains("pytorch_model.bin"), "{missing}");
        let missing = Files::Tokenizer.missing_at_the_hub(&all).unwrap();
        assert!(missing.contains("tokenizer.model"), "{missing}");
        assert_eq!(
            Files::Tokenizer.wanted(&names(&[
                "llm/tokenizer.json",
                "chat_template.jinja",
                "model.safetensors"
            ])),
            ["llm/tokenizer.json", "chat_template.jinja"]
        );
    }
}
