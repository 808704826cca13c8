//! Puts texts through a profile: a JSON line each with the decision, its reason, the language and the statistics.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use serde_json::{Map, Value, json};
use tsumugi::text::{FilterChain, Profile, sentences};

/// Judge the texts of a JSON lines file (`id`, `text`).
#[derive(Parser)]
struct Arguments {
    /// JSON lines with `id` and `text`.
    #[arg(long, value_name = "FILE.jsonl")]
    input: PathBuf,
    /// Profile: paper, swallow-v1, hojichar, llm-jp, llm-jp-strict, gopher, ko, zh-hans, zh-hant, en, th, or a TOML file.
    #[arg(long)]
    profile: String,
    /// Add the sentences.
    #[arg(long)]
    sentences: bool,
    /// Add the text as the profile changes it, where it does.
    #[arg(long)]
    text: bool,
    /// Folder with the word lists (a word a line) and models that the profile names.
    #[arg(long, value_name = "DIR")]
    words: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let chain = Profile::named(&arguments.profile)
        .and_then(|profile| FilterChain::new(&profile, arguments.words.as_deref()));
    let is_usage = chain.is_err();
    let Err(error) = chain.map_err(anyhow::Error::from).and_then(|chain| run(&arguments, &chain)) else {
        return ExitCode::SUCCESS;
    };
    eprintln!("error: {error:#}");
    ExitCode::from(if is_usage { 2 } else { 1 })
}

fn run(arguments: &Arguments, chain: &FilterChain) -> anyhow::Result<()> {
    chain.missing_lists().iter().for_each(|list| eprintln!("not used, as --words has no such list: {list}"));
    let name = || arguments.input.display().to_string();
    let input = BufReader::new(File::open(&arguments.input).with_context(name)?);
    let mut out = BufWriter::new(std::io::stdout().lock());
    for (number, line) in input.split(b'\n').enumerate() {
        let line = String::from_utf8_lossy(&line.with_context(name)?).into_owned();
        if !line.trim().is_empty() {
            writeln!(out, "{}", judge(arguments, chain, number, &line))?;
        }
    }
    Ok(out.flush()?)
}

/// The answer to one line; a line that cannot be read gets one too.
fn judge(arguments: &Arguments, chain: &FilterChain, number: usize, line: &str) -> Value {
    let drop = |id: &Value, reason| json!({"id": id, "keep": false, "reason": reason, "language": "und", "statistics": {}});
    let parsed = serde_json::from_str::<Value>(line).map(|row| (row, false));
    // Half of a surrogate pair is no character, so what it stands in is no text; the rest of the row is still good.
    let repaired = || serde_json::from_str::<Value>(&without_surrogates(line)).map(|row| (row, true));
    let Ok((row, is_half)) = parsed.or_else(|_| repaired()) else {
        return drop(&number.into(), "invalid_json");
    };
    let id = row.get("id").cloned().unwrap_or_else(|| number.into());
    let Some(text) = row.get("text").and_then(Value::as_str) else { return drop(&id, "no_text") };
    if is_half {
        return drop(&id, "lone_surrogate");
    }
    let decision = chain.apply(text);
    let statistics: Map<String, Value> =
        decision.statistics.iter().map(|(k, v)| (k.clone(), json!(v))).collect();
    let mut answer = json!({
        "id": id, "keep": decision.keep, "reason": decision.reason(), "reasons": decision.rules(),
        "language": decision.language.code, "language_score": decision.language.score, "statistics": statistics,
    });
    if arguments.sentences {
        answer["sentences"] = json!(sentences(text));
    }
    if arguments.text {
        answer["text"] = json!(chain.modify(text));
    }
    answer
}

fn without_surrogates(line: &str) -> String {
    let fix = |part: &str| match part.as_bytes() {
        [b'd' | b'D', b'8'..=b'9' | b'a'..=b'f' | b'A'..=b'F', ..] => {
            format!("\\ufffd{}", part.get(4..).unwrap_or(""))
        }
        _ => format!("\\u{part}"),
    };
    line.split("\\u")
        .enumerate()
        .map(|(at, part)| if at == 0 { part.to_owned() } else { fix(part) })
        .collect()
}
