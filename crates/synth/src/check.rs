//! What makes a reply unfit, each with a reason.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use tsumugi_text::LanguageIdentifier;

use crate::item::{Item, Turn};
use crate::{Prompt, Task};

/// Why an item gave no conversation: a word for the exclusion table and its funnel, and what decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// `schema`, `refusal`, `not_japanese`, ...
    pub reason: &'static str,
    /// The reply or the part of it that decided.
    pub value: Option<String>,
}

impl Rejection {
    pub(crate) fn new(reason: &'static str, value: Option<String>) -> Self {
        Self { reason, value }
    }
}

/// Settings of the checks that are not the prompt's own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CheckConfig {
    /// Fewest kana and kanji among the letters of all answers together (ours: half; English names and quotations stay possible).
    pub japanese_share: f64,
    /// A run of this many characters that an answer shares with the prompt counts as copied (ours: 24, two clauses).
    pub copied_chars: usize,
    /// Conversations with at least this similarity to an earlier one are dropped, by MinHash over character 5-grams of the
    /// answers (0.8: where bands of 14 by 8 catch over nine in ten). `None`: not looked for. Questions with short answers and
    /// texts that are not free (transcribed or translated) are not compared.
    pub near_duplicate: Option<f64>,
    /// Answers shorter than this many characters together are not compared either: short texts are alike by nature (ours: 60).
    pub near_duplicate_chars: usize,
    /// Length in characters of the n-grams that no question or answer may share with a benchmark's questions (ours: 20).
    pub contamination_ngram: usize,
}

impl Default for CheckConfig {
    fn default() -> Self {
        Self {
            japanese_share: 0.5,
            copied_chars: 24,
            near_duplicate: Some(0.8),
            near_duplicate_chars: 60,
            contamination_ngram: 20,
        }
    }
}

/// The checks on single replies.
#[derive(Debug)]
pub struct Checker {
    config: CheckConfig,
    language: LanguageIdentifier,
    benchmark: HashSet<Vec<char>>,
}

impl Checker {
    /// With questions of benchmarks that must not be in the data; often none.
    #[must_use]
    pub fn new(config: CheckConfig, benchmark_questions: &[String]) -> Self {
        let mut benchmark = HashSet::new();
        for question in benchmark_questions {
            benchmark.extend(grams(question, config.contamination_ngram));
        }
        Self { config, language: LanguageIdentifier::default(), benchmark }
    }

    /// Passes, or gives the first reason against.
    ///
    /// # Errors
    /// The [`Rejection`].
    pub fn check(&self, task: Task, prompt: &Prompt, item: &Item, turns: &[Turn]) -> Result<(), Rejection> {
        let reject = |reason, value: &str| Err(Rejection::new(reason, Some(value.to_owned())));
        if task == Task::Ocr && turns.iter().all(|turn| turn.answer.is_empty()) {
            return Err(Rejection::new("no_text_in_image", None));
        }
        if task == Task::Translate && turns.len() != item.turns.len() {
            return reject("turns", &format!("{} for {}", turns.len(), item.turns.len()));
        }
        if turns.len() < prompt.min_turns || turns.len() > prompt.max_turns {
            return reject("turns", &turns.len().to_string());
        }
        for turn in turns {
            let (question, answer) = (turn.question.chars().count(), turn.answer.chars().count());
            if question == 0 || answer < prompt.min_chars.max(1) {
                return reject("too_short", &format!("{} / {}", turn.question, turn.answer));
            }
            if question > prompt.max_chars || answer > prompt.max_chars {
                return reject("too_long", &format!("{} / {}", turn.question, turn.answer));
            }
            // What is transcribed or translated may itself be an apology.
            if !matches!(task, Task::Ocr | Task::Translate) && refuses(&turn.answer) {
                return reject("refusal", &turn.answer);
            }
        }
        self.language(task, turns)?;
        if let Some(repeated) = repeated(task, turns) {
            return reject("repeated", repeated);
        }
        let asked = grams(&format!("{}\n{}", prompt.system, prompt.user_text()), self.config.copied_chars);
        let asked: HashSet<Vec<char>> = asked.into_iter().collect();
        if let Some(copy) = turns.iter().find_map(|turn| self.copied(&asked, turn)) {
            return reject("copied_prompt", &copy);
        }
        if !task.sees()
            && task != Task::Translate
            && let Some(turn) = turns.iter().find(|turn| talks_of_data(turn))
        {
            return reject("talks_of_data", &format!("{} / {}", turn.question, turn.answer));
        }
        match turns.iter().find(|turn| self.contaminated(&turn.question)) {
            Some(turn) => reject("contaminated", &turn.question),
            None => Ok(()),
        }
    }

    /// Text in pictures may be of any language; all else is to be Japanese.
    fn language(&self, task: Task, turns: &[Turn]) -> Result<(), Rejection> {
        if task == Task::Ocr {
            return Ok(());
        }
        for part in [|turn: &Turn| turn.question.clone(), |turn: &Turn| turn.answer.clone()] {
            let text: Vec<String> = turns.iter().map(part).collect();
            let text = text.join("\n");
            // Answers of one word ("3", "LEGO") say nothing of the language.
            let letters = text.chars().filter(|c| c.is_alphabetic()).count();
            if letters < 8 {
                continue;
            }
            let japanese = text.chars().filter(|c| is_japanese(*c)).count();
            let share = japanese as f64 / letters as f64;
            if share < self.config.japanese_share || !self.language.identify(&text).is_japanese() {
                return Err(Rejection::new("not_japanese", Some(text)));
            }
        }
        Ok(())
    }

    fn copied(&self, asked: &HashSet<Vec<char>>, turn: &Turn) -> Option<String> {
        let copies =
            |text: &&String| grams(text, self.config.copied_chars).iter().any(|gram| asked.contains(gram));
        [&turn.question, &turn.answer].into_iter().find(copies).cloned()
    }

    fn contaminated(&self, question: &str) -> bool {
        !self.benchmark.is_empty()
            && grams(question, self.config.contamination_ngram)
                .iter()
                .any(|gram| self.benchmark.contains(gram))
    }
}

fn is_japanese(c: char) -> bool {
    matches!(c, '\u{3041}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{ff66}'..='\u{ff9d}' | '々')
}

/// A question or (except for one-word answers) an answer that comes twice.
fn repeated(task: Task, turns: &[Turn]) -> Option<&str> {
    let mut seen = HashSet::new();
    if task == Task::Translate {
        return None;
    }
    for turn in turns {
        if !seen.insert(turn.question.as_str()) {
            return Some(&turn.question);
        }
        if turn.answer.chars().count() > 12 && !seen.insert(turn.answer.as_str()) {
            return Some(&turn.answer);
        }
    }
    None
}

/// Words by which models decline. Looked for at the beginning only: inside a conversation they can be quite apt.
const REFUSALS: [&str; 16] = [
    "申し訳ありません",
    "申し訳ございません",
    "申し訳ないのですが",
    "すみませんが",
    "恐れ入りますが",
    "お手伝いできません",
    "お答えできません",
    "対応できません",
    "この画像を見ることはできません",
    "画像を見ることができません",
    "画像を確認できません",
    "I'm sorry",
    "I’m sorry",
    "I cannot",
    "I can't",
    "As an AI",
];

/// Whether a text declines to answer.
pub(crate) fn refuses(text: &str) -> bool {
    let start: String = text.trim_start().chars().take(40).collect();
    REFUSALS.iter().any(|phrase| start.contains(phrase))
}

/// Words that betray that the writer had captions instead of the picture.
const DATA: [&str; 9] = [
    "説明文によ",
    "キャプション",
    "座標",
    "JSON",
    "captions",
    "objects",
    "バウンディングボックス",
    "与えられた情報",
    "提供された情報",
];

fn talks_of_data(turn: &Turn) -> bool {
    DATA.iter().any(|word| turn.question.contains(word) || turn.answer.contains(word))
}

/// The n-grams of a text's characters, white space left out.
fn grams(text: &str, size: usize) -> Vec<Vec<char>> {
    let chars: Vec<char> = text.chars().filter(|c| !c.is_whitespace()).collect();
    chars.windows(size.max(1)).map(<[char]>::to_vec).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(question: &str, answer: &str) -> Turn {
        Turn { question: question.into(), answer: answer.into() }
    }

    fn reason(task: Task, turns: &[Turn]) -> &'static str {
        let checker = Checker::new(
            CheckConfig::default(),
            &["この写真に写っている建物の名前と所在地を教えてください。".into()],
        );
        let item = Item { turns: vec![Turn::default(); 2], ..Item::default() };
        match checker.check(task, &Prompt::builtin(task).unwrap(), &item, turns) {
            Ok(()) => "ok",
            Err(rejection) => rejection.reason,
        }
    }

    #[test]
    fn each_fault_has_its_reason() {
        let good = turn("船は何色ですか。", "三隻とも赤い船です。");
        let second = turn("どこに浮かんでいますか。", "夕焼けの海に浮かんでいます。");
        let with = |other: Turn| vec![good.clone(), other];
        let cases: Vec<(&str, Vec<Turn>)> = vec![
            ("ok", with(second.clone())),
            ("turns", vec![good.clone()]),
            ("too_short", with(turn("何ですか。", ""))),
            ("too_long", with(turn("何ですか。", &"長い文です。".repeat(200)))),
            ("refusal", with(turn("誰ですか。", "申し訳ありませんが、人物の特定はできません。"))),
            (
                "not_japanese",
                vec![
                    turn("What is it?", "It is a red boat."),
                    turn("Where is it?", "It is on the sea at dusk."),
                ],
            ),
            (
                "not_japanese",
                vec![
                    turn("船はどこにありますか。", "The boat is on the sea."),
                    turn("それは何色ですか。", "It is red all over."),
                ],
            ),
            ("repeated", vec![good.clone(), good.clone()]),
            (
                "copied_prompt",
                with(turn(
                    "何をしますか。",
                    "物の種類、数、色、動作、位置、物どうしの関係など、画像を見れば確かに答えられることだけを尋ねてください。",
                )),
            ),
            ("talks_of_data", with(turn("何がありますか。", "説明文によれば、船があります。"))),
            (
                "contaminated",
                with(turn(
                    "この写真に写っている建物の名前と所在地を教えてください。",
                    "時計台という建物です。",
                )),
            ),
        ];
        for (expected, turns) in cases {
            assert_eq!(reason(Task::Conversation, &turns), expected, "{turns:?}");
        }
        assert_eq!(reason(Task::Translate, &[good.clone(), good.clone()]), "ok");
        assert_eq!(reason(Task::Translate, std::slice::from_ref(&good)), "turns");
        assert_eq!(reason(Task::Ocr, &[turn("書き起こしてください。", "EXIT 出口")]), "ok");
        assert_eq!(reason(Task::Ocr, &[turn("書き起こしてください。", "")]), "no_text_in_image");
        assert_eq!(reason(Task::Vqa, &[turn("何色ですか。", "赤"), turn("いくつですか。", "3")]), "ok");
    }
}
