//! `filter_text`: a profile's decision on each text of a JSON lines file.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tsumugi_text::{FilterChain, Profile};

use super::Lines;
use crate::{Context, Error, Group, Tool};

/// Applies a text-filter profile to the texts of a JSON lines file (`id`, `text`) and prints a JSON line each: the decision,
/// its reason, the language and the statistics.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// JSON lines with `id` and `text`.
    #[schemars(extend("x-required" = true, "x-value-name" = "FILE.jsonl"))]
    pub input: PathBuf,
    /// Profile: paper, paper-own-language, paper-pairs, swallow-v1, hojichar, llm-jp, llm-jp-strict, gopher, ko, zh-hans, zh-hant, en, th, or a TOML
    /// file.
    #[schemars(extend("x-required" = true))]
    pub profile: String,
    /// Add the sentences.
    pub sentences: bool,
    /// Add the text as the profile changes it, where it does.
    pub text: bool,
    /// Folder with the word lists (a word a line) and models that the profile names.
    #[schemars(extend("x-value-name" = "DIR"))]
    pub words: Option<PathBuf>,
}

/// The command `filter_text`.
pub struct FilterText;

impl Tool for FilterText {
    const NAME: &'static str = "filter_text";
    const GROUP: Group = Group::Data;
    const ABOUT: &'static str = "Applies a text-filter profile to JSON lines, with reasons";
    type Settings = Settings;

    fn run(settings: Settings, _: &Context) -> Result<Value, Error> {
        let mut out = Lines::new();
        let result = run(&settings, &mut out);
        // What was found before a failure is shown too.
        out.finish().and(result)
    }
}

fn run(settings: &Settings, out: &mut Lines) -> Result<Value, Error> {
    let chain = Profile::named(&settings.profile)
        .and_then(|profile| FilterChain::new(&profile, settings.words.as_deref()))
        .map_err(Error::setting("profile"))?;
    for list in chain.missing_lists() {
        tracing::warn!("not used, since the folder of word lists has no such list: {list}");
    }
    let failed = || Error::io("reading", &settings.input);
    let input = BufReader::new(File::open(&settings.input).map_err(failed())?);
    let (mut texts, mut kept) = (0_u64, 0_u64);
    for (number, line) in input.split(b'\n').enumerate() {
        let line = line.map_err(failed())?;
        let line = String::from_utf8_lossy(line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&line)).into_owned();
        if !line.trim().is_empty() {
            let answer = decide(settings, &chain, number, &line);
            texts += 1;
            kept += u64::from(answer["keep"] == true);
            out.write(&answer)?;
        }
    }
    Ok(json!({"texts": texts, "kept": kept}))
}

/// The answer to one line; a line that cannot be read gets one too.
fn decide(settings: &Settings, chain: &FilterChain, number: usize, line: &str) -> Value {
    let drop = |id: &Value, reason| json!({"id": id, "keep": false, "reason": reason, "language": "und", "statistics": {}});
    // Half of a surrogate pair is not a character, so the text that holds it is unusable; the rest of the row is still good.
    let parse = |line: &str| serde_json::from_str::<Value>(line).ok();
    let repaired = || parse(&with_halves_as(line, 'A'));
    let Some(row) = parse(line).or_else(repaired) else { return drop(&number.into(), "invalid_json") };
    let id = row.get("id").cloned().unwrap_or_else(|| number.into());
    let Some(text) = row.get("text").and_then(Value::as_str) else { return drop(&id, "no_text") };
    let other = parse(&with_halves_as(line, 'B'));
    if other.and_then(|row| Some(row.get("text")?.as_str()? != text)) == Some(true) {
        return drop(&id, "lone_surrogate");
    }
    let decision = chain.apply(text);
    let statistics: Map<String, Value> =
        decision.statistics.iter().map(|(k, v)| (k.clone(), json!(v))).collect();
    let mut answer = json!({
        "id": id, "keep": decision.keep, "reason": decision.reason(), "reasons": decision.rules(),
        "language": decision.language.code, "language_score": decision.language.score, "statistics": statistics,
    });
    if settings.sentences {
        answer["sentences"] = json!(chain.pack().sentences().split(text));
    }
    if settings.text {
        answer["text"] = json!(chain.modify(text));
    }
    answer
}

/// A line of JSON with this letter in the place of each escape that is half of a surrogate pair.
fn with_halves_as(line: &str, letter: char) -> String {
    let unit = |at: usize| {
        let digits = line.get(at..at + 6)?.strip_prefix("\\u")?;
        u32::from_str_radix(digits, 16).ok()
    };
    let mut out = String::with_capacity(line.len());
    let mut at = 0;
    while let Some(next) = line[at..].find('\\').map(|next| at + next) {
        out.push_str(&line[at..next]);
        let len = match (unit(next), unit(next + 6)) {
            (Some(0xD800..0xDC00), Some(0xDC00..0xE000)) => 12,
            (Some(0xD800..0xE000), _) => {
                out.push(letter);
                at = next + 6;
                continue;
            }
            (Some(_), _) => 6,
            (None, _) => 1 + line[next + 1..].chars().next().map_or(0, char::len_utf8),
        };
        out.push_str(&line[next..next + len]);
        at = next + len;
    }
    out.push_str(&line[at..]);
    out
}
