//! Puts texts through a profile: a JSON line each with the decision, its reason, the language and the statistics.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use serde_json::{Map, Value, json};
use tsumugi::text::{FilterChain, Profile};

/// Judge the texts of a JSON lines file (`id`, `text`).
#[derive(Parser)]
struct Arguments {
    /// JSON lines with `id` and `text`.
    #[arg(long, value_name = "FILE.jsonl")]
    input: PathBuf,
    /// Profile: paper, paper-pairs, swallow-v1, hojichar, llm-jp, llm-jp-strict, gopher, ko, zh-hans, zh-hant, en, th, or a TOML file.
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
        let line = line.with_context(name)?;
        let line = String::from_utf8_lossy(line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&line)).into_owned();
        if !line.trim().is_empty() {
            writeln!(out, "{}", judge(arguments, chain, number, &line))?;
        }
    }
    Ok(out.flush()?)
}

/// The answer to one line; a line that cannot be read gets one too.
fn judge(arguments: &Arguments, chain: &FilterChain, number: usize, line: &str) -> Value {
    let drop = |id: &Value, reason| json!({"id": id, "keep": false, "reason": reason, "language": "und", "statistics": {}});
    // Half of a surrogate pair is no character, so what it stands in is no text; the rest of the row is still good.
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
    if arguments.sentences {
        answer["sentences"] = json!(chain.pack().sentences().split(text));
    }
    if arguments.text {
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
