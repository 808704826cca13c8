//! Questions of benchmarks, which must not be in the data.

use std::collections::HashSet;
use std::path::Path;

use serde_json::Value;
use tsumugi_text::nfkc;

use crate::Error;

/// Questions shorter than this many characters ("what colour is it?" in Japanese has 5) are asked of any image and
/// contaminate nothing.
const SHORTEST: usize = 10;

/// What texts are compared by: NFKC, small letters, nothing but letters and digits.
pub(crate) fn plain(text: &str) -> Vec<char> {
    nfkc(text).chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The n-grams of benchmark questions, and whole those questions that are shorter than one.
#[derive(Debug, Default)]
pub(crate) struct Benchmark {
    ngram: usize,
    grams: HashSet<Vec<char>>,
    short: HashSet<Vec<char>>,
}

impl Benchmark {
    pub(crate) fn new(questions: &[String], ngram: usize) -> Self {
        let mut benchmark = Self { ngram: ngram.max(SHORTEST), ..Self::default() };
        for question in questions {
            let question = plain(question);
            if question.len() >= benchmark.ngram {
                benchmark.grams.extend(question.windows(benchmark.ngram).map(<[char]>::to_vec));
            } else if question.len() >= SHORTEST {
                benchmark.short.insert(question);
            }
        }
        benchmark
    }

    /// Whether a text shares an n-gram with a question, or is one.
    pub(crate) fn holds(&self, text: &str) -> bool {
        if self.grams.is_empty() && self.short.is_empty() {
            return false;
        }
        let text = plain(text);
        self.short.contains(&text) || text.windows(self.ngram).any(|gram| self.grams.contains(gram))
    }
}

/// Reads questions from a file: one a line; JSON lines with `question` (or `text`, as Heron Bench has it); or a JSON list of
/// such objects or of strings, which may be the member `questions` or `data` of an object and stand on any number of lines.
///
/// # Errors
/// [`Error::Io`] where the file cannot be read; [`Error::Format`] with the line for JSON that cannot be read or holds no question.
pub fn benchmark_questions(path: &Path) -> Result<Vec<String>, Error> {
    let text = std::fs::read_to_string(path).map_err(|source| Error::io(path, source))?;
    questions(&text).map_err(|message| Error::format(path, message))
}

fn questions(text: &str) -> Result<Vec<String>, String> {
    let mut questions = Vec::new();
    let text = text.trim_start_matches('\u{feff}').trim_end();
    let body = text.trim_start();
    let lines =
        || text.lines().enumerate().map(|(at, line)| (at + 1, line.trim())).filter(|(_, l)| !l.is_empty());
    let bad_line =
        lines().find(|(_, line)| line.starts_with('{') && serde_json::from_str::<Value>(line).is_err());
    let list = body.strip_prefix('[').is_some_and(|rest| rest.trim_start().starts_with(['{', '"', '[', ']']));
    if list || (bad_line.is_some() && body.starts_with('{')) {
        // One value or several, however they are broken into lines. Lines are counted from the first of the file.
        for value in serde_json::Deserializer::from_str(text).into_iter::<Value>() {
            let value = value.map_err(|error| match bad_line {
                Some((line, _)) if !list => {
                    format!("line {line} begins like JSON and cannot be read: {error}")
                }
                _ => error.to_string(),
            })?;
            collect(&value, &mut questions)?;
        }
        return Ok(questions);
    }
    if let Some((line, _)) = bad_line {
        return Err(format!("line {line} begins like JSON and cannot be read"));
    }
    for (number, line) in lines() {
        match serde_json::from_str::<Value>(line) {
            Ok(row @ Value::Object(_)) => {
                collect(&row, &mut questions).map_err(|message| format!("line {number} {message}"))?;
            }
            _ => questions.push(line.to_owned()),
        }
    }
    Ok(questions)
}

/// Adds the questions of a JSON value.
fn collect(value: &Value, questions: &mut Vec<String>) -> Result<(), String> {
    match value {
        Value::String(question) => questions.push(question.clone()),
        Value::Array(rows) => {
            for (at, row) in rows.iter().enumerate() {
                collect(row, questions).map_err(|message| format!("entry {} {message}", at + 1))?;
            }
        }
        Value::Object(row) => {
            if let Some(question) = ["question", "text"].iter().find_map(|name| row.get(*name)?.as_str()) {
                questions.push(question.to_owned());
            } else if let Some(rows) = ["questions", "data"].iter().find_map(|name| row.get(*name)) {
                collect(rows, questions)?;
            } else {
                return Err("has no string `question` or `text`".into());
            }
        }
        _ => return Err("is neither a string nor an object".into()),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_runs_and_whole_short_questions_are_found() {
        let questions = [
            "この写真に写っている建物の名前と所在地を教えてください。",
            "男性は何をしていますか？",
            "何色ですか。",
        ];
        let benchmark = Benchmark::new(&questions.map(str::to_owned), 20);
        assert!(benchmark.holds("では、写真に写っている建物の 名前と所在地を教えてほしい。"));
        assert!(benchmark.holds("男性は何をしていますか。"));
        for other in ["男性は今何をしていますか。", "何色ですか。", "写真に写っている建物の名前は何ですか。"]
        {
            assert!(!benchmark.holds(other), "{other}");
        }
        assert!(!Benchmark::new(&[], 20).holds("男性は何をしていますか。"));
    }

    #[test]
    fn lines_and_json_lines_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("q.jsonl");
        std::fs::write(&path, "何の絵ですか。\n\n{\"question\":\"一\"}\n{\"text\":\"二\"}\n").unwrap();
        assert_eq!(benchmark_questions(&path).unwrap(), ["何の絵ですか。", "一", "二"]);
        std::fs::write(&path, "{\"q\":1}").unwrap();
        assert!(benchmark_questions(&path).unwrap_err().to_string().contains("line 1"));
    }

    #[test]
    fn lists_and_indented_json_are_read_and_broken_json_is_told() {
        for text in [
            r#"[{"question":"一","id":1},{"text":"二"}]"#,
            r#"["一", "二"]"#,
            "[\n  {\n    \"question\": \"一\"\n  },\n  {\"question\": \"二\"}\n]\n",
            "{\n  \"questions\": [{\"question\": \"一\"}, {\"question\": \"二\"}]\n}\n",
            "{\n  \"question\": \"一\"\n}\n{\n  \"question\": \"二\"\n}\n",
            "\u{feff}{\"question\":\"一\"}\r\n{\"question\":\"二\"}\r\n",
            "一\n二\n",
        ] {
            assert_eq!(questions(text).unwrap(), ["一", "二"], "{text}");
        }
        assert_eq!(questions("[図]は何ですか。").unwrap(), ["[図]は何ですか。"]);
        for (text, place) in [
            ("{\"question\":\"一\"}\n{\"question\":\"二", "line 2"),
            ("一\n{\"question\":", "line 2"),
            ("[{\"question\":\"一\"},\n{\"q\":1}]", "entry 2"),
            ("[\"一\",\n3", "line 2"),
        ] {
            let error = questions(text).unwrap_err();
            assert!(error.contains(place), "{text}: {error}");
        }
    }
}
