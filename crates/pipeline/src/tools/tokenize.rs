//! `tokenize`: texts as the words that ROUGE-L compares.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tsumugi_eval::profile::Profile;
use tsumugi_eval::rouge::RougeL;
use tsumugi_text::mecab::Dictionary;

use super::{Lines, json_lines};
use crate::{Context, Error, Group, Tool};

/// Splits texts into the words that ROUGE-L compares: a JSON line with `tokens` for each line of the input, and the counts at
/// the end.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// JSON lines with `text`.
    #[schemars(extend("x-required" = true, "x-value-name" = "FILE.jsonl"))]
    pub input: PathBuf,
    /// The reference implementation whose normalisation comes first: paper, eval-mm, sakana or heron.
    pub profile: String,
    /// Folder of the dictionary unidic-lite.
    #[schemars(extend("x-value-name" = "DIR"))]
    pub dictionary: Option<PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        let profile = Profile::default().as_str().to_owned();
        Settings { input: PathBuf::new(), profile, dictionary: None }
    }
}

/// The command `tokenize`.
pub struct Tokenize;

impl Tool for Tokenize {
    const NAME: &'static str = "tokenize";
    const GROUP: Group = Group::Evaluation;
    const ABOUT: &'static str = "Splits texts into the words that ROUGE-L compares";
    type Settings = Settings;

    fn run(settings: Settings, _: &Context) -> Result<Value, Error> {
        let mut out = Lines::new();
        let result = run(&settings, &mut out);
        // What was found before a failure is shown too.
        out.finish().and(result)
    }
}

fn run(settings: &Settings, out: &mut Lines) -> Result<Value, Error> {
    let profile = super::profile(&settings.profile)?;
    let rows = json_lines(&settings.input)?;
    let dictionary =
        Dictionary::find(settings.dictionary.as_deref()).map_err(Error::step("tokenize", "dictionary"))?;
    let mut scorer = RougeL::new(&dictionary, profile.settings().normalizer);
    let (mut texts, mut words) = (0, 0);
    for row in rows {
        let text = row.text("text")?;
        let tokens = scorer.tokens(&text);
        (texts, words) = (texts + 1, words + tokens.len());
        out.write(&json!({ "tokens": tokens }))?;
    }
    Ok(json!({ "texts": texts, "words": words }))
}
