//! Checks of replies; each failure has a reason.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tsumugi_text::{LanguageIdentifier, LanguagePack};

use crate::benchmark::{Benchmark, plain};
use crate::item::{Item, Turn};
use crate::phrases::{mentions_input, refuses};
use crate::prompt::Prompt;
use crate::task::Task;

/// Why an item gave no conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// Reason for the exclusion table and the funnel: `schema`, `refusal`, `wrong_language`, ...
    pub reason: &'static str,
    /// The reply, or the part of it that was decisive.
    pub value: Option<String>,
}

impl Rejection {
    pub(crate) fn new(reason: &'static str, value: Option<String>) -> Self {
        Self { reason, value }
    }
}

/// Settings of the checks, besides the limits that prompts have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct CheckConfig {
    /// Minimum fraction of letters of the language among the letters of all questions, and of all answers, of a conversation.
    /// Default: 0.5, this project's choice, which leaves room for foreign names and quotations.
    #[serde(alias = "japanese_share")]
    pub language_share: f64,
    /// Length in characters of a run that counts as copied where a reply shares it with the prompt. Default: 24, about two
    /// clauses, this project's choice.
    pub copied_chars: usize,
    /// Similarity to an earlier conversation from which one is dropped, 0 to 1, by MinHash over character 5-grams of the
    /// answers; none for no comparison. Default: 0.8, where bands of 14 by 8 find over nine in ten. Questions with short
    /// answers and transcribed or translated texts are not compared.
    pub near_duplicate: Option<f64>,
    /// Total length in characters below which the answers of a conversation are not compared, because short texts are often
    /// alike. Default: 60, this project's choice.
    pub near_duplicate_chars: usize,
    /// Length in letters of the n-grams that no question or answer may share with a benchmark's questions; shorter questions of
    /// a benchmark must not occur whole. Default: 20, this project's choice.
    pub contamination_ngram: usize,
    /// Minimum fraction of a conversation's questions that need the image, as a second call to the model decides from the text
    /// alone; none for no second call, which nearly doubles the requests. Default: none. 0.5 leaves room for the follow-up
    /// questions of a conversation.
    pub image_needed: Option<f64>,
}

impl Default for CheckConfig {
    fn default() -> Self {
        Self {
            language_share: 0.5,
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
    pack: Arc<LanguagePack>,
    identifier: LanguageIdentifier,
    benchmark: Benchmark,
}

impl Checker {
    /// Checks for conversations in the language of `pack`. Questions of `benchmark_questions` must not be in the data.
    #[must_use]
    pub fn new(config: CheckConfig, pack: Arc<LanguagePack>, benchmark_questions: &[String]) -> Self {
        let benchmark = Benchmark::new(benchmark_questions, config.contamination_ngram);
        Self { config, pack, identifier: LanguageIdentifier::default(), benchmark }
    }

    /// Checks a conversation.
    ///
    /// # Errors
    /// The first reason against it.
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
            if !matches!(task, Task::Ocr | Task::Translate) && refuses(&turn.answer, self.pack.replies()) {
                return reject("refusal", &turn.answer);
            }
        }
        self.language(task, turns)?;
        if let Some(repeated) = repeated(task, turns, &self.pack) {
            return reject("repeated", &repeated);
        }
        let asked = grams(&format!("{}\n{}", prompt.system, prompt.user_text()), self.config.copied_chars);
        let asked: HashSet<Vec<char>> = asked.into_iter().collect();
        if let Some(copy) = turns.iter().find_map(|turn| self.copied(&asked, turn)) {
            return reject("copied_prompt", &copy);
        }
        if !task.sees()
            && task != Task::Translate
            && let Some(turn) = turns.iter().find(|turn| mentions_input(turn, self.pack.replies()))
        {
            return reject("mentions_input", &format!("{} / {}", turn.question, turn.answer));
        }
        let mut texts = turns.iter().flat_map(|turn| [&turn.question, &turn.answer]);
        match texts.find(|text| self.benchmark.holds(text)) {
            Some(text) => reject("contaminated", text),
            None => Ok(()),
        }
    }

    /// Checks the language. Text in images may be of any language.
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
            let own = text.chars().filter(|c| self.pack.has_letters(c.encode_utf8(&mut [0; 4]))).count();
            let share = own as f64 / letters as f64;
            // Short answers of Han characters alone could be of two languages; the questions, checked before, decide.
            let around = (is_answer && letters < SHORT_ANSWERS).then_some(self.pack.code());
            let found = self.identifier.identify_on_page(&text, around);
            if share < self.config.language_share || !self.pack.accepts(found.code) {
                return Err(Rejection::new("wrong_language", Some(text)));
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

/// Finds what is repeated: a question, an answer (unless of a word or two), or a sentence that an answer says three times.
/// Punctuation and width make no difference.
fn repeated(task: Task, turns: &[Turn], pack: &LanguagePack) -> Option<String> {
    let looping = |turn: &&Turn| {
        let mut counts: HashMap<Vec<char>, usize> = HashMap::new();
        pack.sentences()
            .split(&turn.answer)
            .into_iter()
            .map(plain)
            .filter(|sentence| sentence.len() >= 4)
            .any(|sentence| {
                let count = counts.entry(sentence).or_default();
                *count += 1;
                *count == 3
            })
    };
    // What is written in an image, or was said in the original, may well repeat itself.
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
        let pack = Arc::new(LanguagePack::embedded("ja").unwrap());
        let prompt = Prompt::builtin(task, &pack).unwrap();
        let checker = Checker::new(
            CheckConfig::default(),
            pack,
            &["この写真に写っている建物の名前と所在地を教えてください。".into()],
        );
        let item = Item { turns: Some(vec![Turn::default(); 2]), ..Item::default() };
        match checker.check(task, &prompt, &item, turns) {
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
                "wrong_language",
                vec![
                    turn("What is it?", "It is a red boat."),
                    turn("Where is it?", "It is on the sea at dusk."),
                ],
            ),
            (
                "wrong_language",
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
            ("mentions_input", with(turn("何がありますか。", "説明文によれば、船があります。"))),
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
        assert_eq!(reason(Task::Vqa, &chinese), "wrong_language");
    }
}
