//! Questions of benchmarks, which must not be in the data.

use std::collections::HashSet;
use std::path::Path;

use serde_json::Value;
use tsumugi_text::nfkc;

use crate::Error;

/// Questions shorter than this many characters are asked of any picture ("何色ですか") and contaminate nothing.
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

/// Reads questions from a file: one a line, or JSON lines with `question` (or `text`, as Heron Bench has it).
///
/// # Errors
/// [`Error::Io`] where the file cannot be read; [`Error::Format`] for a JSON line without a question.
pub fn benchmark_questions(path: &Path) -> Result<Vec<String>, Error> {
    let text = std::fs::read_to_string(path).map_err(|source| Error::Io { path: path.to_owned(), source })?;
    let mut questions = Vec::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let question = match serde_json::from_str::<Value>(line) {
            Ok(Value::Object(row)) => {
                let named = ["question", "text"].iter().find_map(|name| row.get(*name)?.as_str());
                let message = || format!("line {} has no string `question` or `text`", number + 1);
                named.ok_or_else(|| Error::Format { path: path.to_owned(), message: message() })?.to_owned()
            }
            _ => line.trim().to_owned(),
        };
        questions.push(question);
    }
    Ok(questions)
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
}
