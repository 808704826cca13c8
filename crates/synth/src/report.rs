//! Statistics of a set of conversations: kinds of questions, lengths, openings, variety and cost.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::{Deserialize, Serialize};
use tsumugi_record::Conversation;
use tsumugi_text::LanguagePack;
use tsumugi_text::pack::Questions;

use crate::Call;
use crate::benchmark::plain;
use crate::openings::{first_words, kind};

/// Openings listed at most.
const OPENINGS: usize = 20;
/// Second words listed at most for each opening.
const SECOND_WORDS: usize = 6;
/// Characters of a window for `window_distinct_2`.
const WINDOW: usize = 1000;

/// Statistics of a data set by task.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Statistics by task name.
    pub tasks: BTreeMap<String, TaskReport>,
}

/// Statistics of the conversations of one task.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TaskReport {
    /// Number of conversations.
    pub conversations: u64,
    /// Number of question-answer pairs.
    pub turns: u64,
    /// Question-answer pairs per conversation.
    pub turns_each: Quantiles,
    /// Lengths of the questions in characters.
    pub question_chars: Quantiles,
    /// Lengths of the answers in characters.
    pub answer_chars: Quantiles,
    /// Histogram of answer lengths: upper bound in characters (1, 2, 4, 8, ...) and number of answers.
    pub answer_lengths: Vec<(u64, u64)>,
    /// Questions by kind (what, how many, where, ...), the most frequent first.
    pub question_kinds: Vec<(String, u64)>,
    /// First words of the questions, the most frequent first.
    pub question_openings: Vec<Opening>,
    /// First words of the answers, the most frequent first.
    pub answer_openings: Vec<Opening>,
    /// Distinct questions divided by all questions; punctuation is ignored.
    pub distinct_questions: f64,
    /// Distinct pairs of first two words divided by all questions.
    pub distinct_openings: f64,
    /// Distinct characters of the answers divided by all characters (distinct-1, Li et al. 2016). Falls with the size of the
    /// data set.
    pub distinct_1: f64,
    /// Distinct pairs of adjacent characters of the answers divided by all pairs (distinct-2, Li et al. 2016). Falls with the
    /// size of the data set.
    pub distinct_2: f64,
    /// Mean of distinct-2 over windows of 1,000 characters. Does not depend on the size of the data set, so that data sets
    /// can be compared (after the moving average of Covington and McFall 2010). `None` with less than one window.
    pub window_distinct_2: Option<f64>,
    /// Conversations by the model that wrote them.
    pub models: BTreeMap<String, u64>,
    /// Rejected replies and items by reason.
    pub rejected: BTreeMap<String, u64>,
    /// Number of paid replies, second calls included.
    pub calls: u64,
    /// Prompt tokens of these replies.
    pub prompt_tokens: u64,
    /// Completion tokens of these replies.
    pub completion_tokens: u64,
    /// Cost of these replies in USD.
    pub usd: f64,
}

/// A first word with the second words that follow it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Opening {
    /// The word.
    pub word: String,
    /// Number of texts that begin with it.
    pub count: u64,
    /// The most frequent second words with their counts.
    pub next: Vec<(String, u64)>,
}

/// Five quantiles of a distribution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Quantiles {
    /// Minimum.
    pub min: u64,
    /// 5th percentile.
    pub p5: u64,
    /// Median.
    pub median: u64,
    /// 95th percentile.
    pub p95: u64,
    /// Maximum.
    pub max: u64,
}

/// Collects a [`Report`] conversation by conversation.
#[derive(Debug)]
pub struct Reporter {
    tasks: BTreeMap<String, Gathered>,
    questions: Questions,
}

#[derive(Debug, Default)]
struct Gathered {
    report: TaskReport,
    turns_each: Vec<u64>,
    questions: Vec<u64>,
    answers: Vec<u64>,
    kinds: HashMap<String, u64>,
    question_openings: Openings,
    answer_openings: Openings,
    distinct_questions: HashSet<Vec<char>>,
    variety: Variety,
}

impl Reporter {
    /// Collects conversations in the language of a pack.
    #[must_use]
    pub fn new(pack: &LanguagePack) -> Self {
        Self { tasks: BTreeMap::new(), questions: pack.questions().clone() }
    }

    /// Adds a conversation.
    pub fn add(&mut self, conversation: &Conversation) {
        let gathered = self.tasks.entry(conversation.task.clone()).or_default();
        gathered.report.conversations += 1;
        *gathered.report.models.entry(conversation.generator.model.clone()).or_default() += 1;
        gathered.turns_each.push((conversation.messages.len() / 2) as u64);
        for message in &conversation.messages {
            let texts = message.content.iter().filter_map(|content| content.text.as_deref());
            let text = texts.collect::<Vec<_>>().join("\n");
            if message.role == "user" {
                gathered.question(&text, &self.questions);
            } else {
                gathered.answer(&text, &self.questions);
            }
        }
    }

    /// Counts a rejected reply or item of a task.
    pub fn reject(&mut self, task: &str, reason: &str) {
        let gathered = self.tasks.entry(task.to_owned()).or_default();
        *gathered.report.rejected.entry(reason.to_owned()).or_default() += 1;
    }

    /// Adds the cost of a reply.
    pub fn call(&mut self, call: &Call) {
        let task = call.purpose.split('/').next().unwrap_or_default();
        let report = &mut self.tasks.entry(task.to_owned()).or_default().report;
        report.calls += 1;
        report.prompt_tokens += call.prompt_tokens;
        report.completion_tokens += call.completion_tokens;
        report.usd += call.usd;
    }

    /// Finishes the report.
    #[must_use]
    pub fn finish(self) -> Report {
        Report { tasks: self.tasks.into_iter().map(|(task, gathered)| (task, gathered.finish())).collect() }
    }
}

impl Gathered {
    fn question(&mut self, text: &str, questions: &Questions) {
        self.report.turns += 1;
        self.questions.push(text.chars().count() as u64);
        *self.kinds.entry(kind(text, questions).to_owned()).or_default() += 1;
        self.question_openings.add(text, questions);
        self.distinct_questions.insert(plain(text));
    }

    fn answer(&mut self, text: &str, questions: &Questions) {
        self.answers.push(text.chars().count() as u64);
        self.answer_openings.add(text, questions);
        self.variety.add(text);
    }

    fn finish(mut self) -> TaskReport {
        let turns = self.report.turns;
        let part = |some: usize| if turns == 0 { 0.0 } else { some as f64 / turns as f64 };
        TaskReport {
            answer_lengths: doubling(&self.answers),
            turns_each: quantiles(&mut self.turns_each),
            question_chars: quantiles(&mut self.questions),
            answer_chars: quantiles(&mut self.answers),
            question_kinds: by_count(self.kinds.into_iter()),
            distinct_questions: part(self.distinct_questions.len()),
            distinct_openings: part(self.question_openings.pairs.len()),
            question_openings: self.question_openings.finish(),
            answer_openings: self.answer_openings.finish(),
            distinct_1: self.variety.distinct(self.variety.chars.len(), 0),
            distinct_2: self.variety.distinct(self.variety.pairs.len(), self.variety.texts),
            window_distinct_2: self.variety.windowed(),
            ..self.report
        }
    }
}

#[derive(Debug, Default)]
struct Openings {
    pairs: HashMap<(String, String), u64>,
}

impl Openings {
    fn add(&mut self, text: &str, questions: &Questions) {
        let mut words = first_words(text, 2, questions).into_iter().map(str::to_owned);
        let pair = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        *self.pairs.entry(pair).or_default() += 1;
    }

    fn finish(self) -> Vec<Opening> {
        let mut firsts: HashMap<String, Opening> = HashMap::new();
        for ((first, second), count) in self.pairs {
            let opening = firsts.entry(first).or_default();
            opening.count += count;
            opening.next.push((second, count));
        }
        let mut openings: Vec<Opening> = firsts
            .into_iter()
            .map(|(word, opening)| Opening {
                word,
                count: opening.count,
                next: by_count(opening.next.into_iter()).into_iter().take(SECOND_WORDS).collect(),
            })
            .collect();
        openings.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.word.cmp(&b.word)));
        openings.truncate(OPENINGS);
        openings
    }
}

/// Distinct characters and pairs of adjacent characters, over all texts and in windows.
#[derive(Debug, Default)]
struct Variety {
    chars: HashSet<char>,
    pairs: HashSet<(char, char)>,
    total: u64,
    texts: u64,
    window: Vec<char>,
    windows: u64,
    sum: f64,
}

impl Variety {
    fn add(&mut self, text: &str) {
        let chars: Vec<char> = text.chars().filter(|c| !c.is_whitespace()).collect();
        self.chars.extend(&chars);
        self.pairs.extend(pairs(&chars));
        self.total += chars.len() as u64;
        self.texts += u64::from(!chars.is_empty());
        self.window.extend(chars);
        while self.window.len() >= WINDOW {
            let distinct: HashSet<_> = pairs(&self.window[..WINDOW]).collect();
            self.sum += distinct.len() as f64 / (WINDOW - 1) as f64;
            self.windows += 1;
            self.window.drain(..WINDOW);
        }
    }

    /// `less` is subtracted from the number of characters: a text has one pair less than characters.
    fn distinct(&self, distinct: usize, less: u64) -> f64 {
        match self.total.saturating_sub(less) {
            0 => 0.0,
            all => distinct as f64 / all as f64,
        }
    }

    fn windowed(&self) -> Option<f64> {
        (self.windows > 0).then(|| self.sum / self.windows as f64)
    }
}

fn pairs(chars: &[char]) -> impl Iterator<Item = (char, char)> {
    chars.windows(2).map(|pair| (pair[0], pair[1]))
}

fn by_count(counts: impl Iterator<Item = (String, u64)>) -> Vec<(String, u64)> {
    let mut counts: Vec<(String, u64)> = counts.collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    counts
}

/// A histogram with doubling upper bounds: 1, 2, 4, 8, ...
fn doubling(values: &[u64]) -> Vec<(u64, u64)> {
    let mut bins: BTreeMap<u64, u64> = BTreeMap::new();
    for value in values {
        *bins.entry(value.max(&1).next_power_of_two()).or_default() += 1;
    }
    // Empty bins between full ones are part of the histogram.
    let (Some(first), Some(last)) = (bins.keys().next().copied(), bins.keys().last().copied()) else {
        return Vec::new();
    };
    std::iter::successors(Some(first), |bound| bound.checked_mul(2))
        .take_while(|bound| *bound <= last)
        .map(|bound| (bound, bins.get(&bound).copied().unwrap_or(0)))
        .collect()
}

fn quantiles(values: &mut [u64]) -> Quantiles {
    values.sort_unstable();
    let Some(last) = values.len().checked_sub(1) else { return Quantiles::default() };
    let at = |part: f64| values[(part * last as f64).round() as usize];
    Quantiles { min: at(0.0), p5: at(0.05), median: at(0.5), p95: at(0.95), max: at(1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tsumugi_record::{Content, Message};

    fn say(role: &str, text: &str) -> Message {
        Message { role: role.into(), content: vec![Content { kind: "text".into(), text: Some(text.into()) }] }
    }

    #[test]
    fn kinds_lengths_openings_and_cost_are_counted() {
        let mut reporter = Reporter::new(&LanguagePack::embedded("ja").unwrap());
        for answer in ["赤です", "青です"] {
            let messages = vec![say("user", "船は何色ですか"), say("assistant", answer)];
            reporter.add(&Conversation { task: "vqa".into(), messages, ..Default::default() });
        }
        reporter.reject("vqa", "refusal");
        for purpose in ["vqa", "vqa/image_needed"] {
            let call = Call { purpose: purpose.into(), prompt_tokens: 10, usd: 0.25, ..Call::default() };
            reporter.call(&call);
        }
        let report = reporter.finish();
        let vqa = &report.tasks["vqa"];
        assert_eq!((vqa.conversations, vqa.turns, vqa.rejected["refusal"]), (2, 2, 1));
        let opening = Opening { word: "船".into(), count: 2, next: vec![("は".into(), 2)] };
        assert_eq!(vqa.question_openings, [opening]);
        assert_eq!(vqa.question_kinds, [("colour".to_owned(), 2)]);
        assert_eq!((vqa.answer_chars.median, vqa.distinct_2, vqa.distinct_questions), (3, 0.75, 0.5));
        assert_eq!((vqa.answer_lengths.as_slice(), vqa.window_distinct_2), ([(4, 2)].as_slice(), None));
        assert_eq!((vqa.calls, vqa.prompt_tokens, vqa.usd), (2, 20, 0.5));
    }

    #[test]
    fn variety_in_windows_does_not_fall_with_size() {
        let text: String = ('\u{4e00}'..'\u{51e8}').collect(); // 1,000 different characters
        let (mut small, mut large) = (Variety::default(), Variety::default());
        small.add(&text);
        (0..5).for_each(|_| large.add(&text));
        assert_eq!((small.windowed(), large.windowed()), (Some(1.0), Some(1.0)));
        assert!(large.distinct(large.pairs.len(), large.texts) < 0.21);
    }

    #[test]
    fn bins_double() {
        assert_eq!(doubling(&[1, 9, 16, 3]), [(1, 1), (2, 0), (4, 1), (8, 0), (16, 2)]);
        assert!(doubling(&[]).is_empty());
    }
}
