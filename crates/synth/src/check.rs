//! What makes a reply unfit, each with a reason.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};
use tsumugi_text::{LanguageIdentifier, sentences};

use crate::benchmark::{Benchmark, plain};
use crate::item::{Item, Turn};
use crate::phrases::{refuses, talks_of_data};
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
    /// Length in letters of the n-grams that no question or answer may share with a benchmark's questions (ours: 20). A
    /// benchmark's question that is shorter must not stand in the data as it is.
    pub contamination_ngram: usize,
    /// The least share of a conversation's questions that need the picture, as a second call to the model judges them from the
    /// text alone. `None`: no second call, which nearly doubles the requests. Half (ours, for a start) leaves room for the
    /// follow-up questions of a conversation.
    pub image_needed: Option<f64>,
}

impl Default for CheckConfig {
    fn default() -> Self {
        Self {
            japanese_share: 0.5,
            copied_chars: 24,
            near_duplicate: Some(0.8),
            near_duplicate_chars: 60,
            contamination_ngram: 20,
            image_needed: None,
        }
    }
}

/// The checks on single replies.
#[derive(Debug)]
pub struct Checker {
    config: CheckConfig,
    language: LanguageIdentifier,
    benchmark: Benchmark,
}

impl Checker {
    /// With questions of benchmarks that must not be in the data; often none.
    #[must_use]
    pub fn new(config: CheckConfig, benchmark_questions: &[String]) -> Self {
        let benchmark = Benchmark::new(benchmark_questions, config.contamination_ngram);
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
        if let (Task::Translate, Some(source)) = (task, &item.turns)
            && turns.len() != source.len()
        {
            return reject("turns", &format!("{} for {}", turns.len(), source.len()));
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
            return reject("repeated", &repeated);
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
        let mut texts = turns.iter().flat_map(|turn| [&turn.question, &turn.answer]);
        match texts.find(|text| self.benchmark.holds(text)) {
            Some(text) => reject("contaminated", text),
            None => Ok(()),
        }
    }

    /// Text in pictures may be of any language; all else is to be Japanese.
    fn language(&self, task: Task, turns: &[Turn]) -> Result<(), Rejection> {
        if task == Task::Ocr {
            return Ok(());
        }
        let joined = |part: fn(&Turn) -> &str| turns.iter().map(part).collect::<Vec<_>>().join("\n");
        for (text, is_answer) in [(joined(|turn| &turn.question), false), (joined(|turn| &turn.answer), true)]
        {
            // Answers of one word ("3", "LEGO") say nothing of the language.
            let letters = text.chars().filter(|c| c.is_alphabetic()).count();
            if letters < 8 {
                continue;
            }
            let japanese = text.chars().filter(|c| is_japanese(*c)).count();
            let share = japanese as f64 / letters as f64;
            // Short answers of kanji alone could be either language; the questions, seen before, decide.
            let around = (is_answer && letters < SHORT_ANSWERS).then_some("ja");
            if share < self.config.japanese_share
                || !self.language.identify_on_page(&text, around).is_japanese()
            {
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
}

/// Letters up to which all answers of a conversation together count as short.
const SHORT_ANSWERS: usize = 60;

fn is_japanese(c: char) -> bool {
    matches!(c, '\u{3041}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{ff66}'..='\u{ff9d}' | '々')
}

/// What comes twice: a question, an answer (unless of a word or two), or a sentence that an answer says three times.
/// Punctuation and width make no difference.
fn repeated(task: Task, turns: &[Turn]) -> Option<String> {
    let looping = |turn: &&Turn| {
        let mut counts: HashMap<Vec<char>, usize> = HashMap::new();
        sentences(&turn.answer).into_iter().map(plain).filter(|sentence| sentence.len() >= 4).any(
            |sentence| {
                let count = counts.entry(sentence).or_default();
                *count += 1;
                *count == 3
            },
        )
    };
    // What is written in a picture, or was said in the original, may well repeat itself.
    if matches!(task, Task::Ocr | Task::Translate) {
        return None;
    }
    let mut seen = HashSet::new();
    for turn in turns {
        if !seen.insert(plain(&turn.question)) {
            return Some(turn.question.clone());
        }
        let answer = plain(&turn.answer);
        if answer.len() > 12 && !seen.insert(answer) {
            return Some(turn.answer.clone());
        }
    }
    turns.iter().find(looping).map(|turn| turn.answer.clone())
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
        let item = Item { turns: Some(vec![Turn::default(); 2]), ..Item::default() };
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
            ("repeated", with(turn("船は、何色ですか？", "赤い色です。"))),
            ("repeated", with(turn("何が見えますか。", &"海が見えます。".repeat(3)))),
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
        let kanji = [turn("ここはどこですか。", "東京駅丸内広場"), turn("何が見えますか。", "高層建築物")];
        assert_eq!(reason(Task::Vqa, &kanji), "ok");
        let chinese =
            [turn("这是什么地方？", "这是东京车站的广场。"), turn("可以看到什么？", "可以看到很多高楼。")];
        assert_eq!(reason(Task::Vqa, &chinese), "not_japanese");
    }
}
