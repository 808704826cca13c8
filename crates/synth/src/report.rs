//! What a set of conversations is like: kinds, lengths, how questions begin, how varied the words are.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::{Deserialize, Serialize};
use tsumugi_record::Conversation;

/// How many openings are listed.
const OPENINGS: usize = 20;
/// Characters that make an opening: about the first word or two of a Japanese question.
const OPENING_CHARS: usize = 4;

/// A description of a data set, by task.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// By task name.
    pub tasks: BTreeMap<String, TaskReport>,
}

/// A description of the conversations of one task.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TaskReport {
    /// Conversations.
    pub conversations: u64,
    /// Question-answer pairs.
    pub turns: u64,
    /// Characters of the questions.
    pub question_chars: Quantiles,
    /// Characters of the answers.
    pub answer_chars: Quantiles,
    /// The most frequent beginnings of questions (4 characters), with their counts.
    pub openings: Vec<(String, u64)>,
    /// Questions that begin differently from all others in the list, as a part of all questions.
    pub distinct_openings: f64,
    /// Different pairs of neighbouring characters in the answers, as a part of all such pairs (distinct-2; falls with size).
    pub distinct_2: f64,
    /// By model: rows.
    pub models: BTreeMap<String, u64>,
    /// By reason: rejected replies and items.
    pub rejected: BTreeMap<String, u64>,
}

/// Five points of a distribution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Quantiles {
    /// Least.
    pub min: u64,
    /// One in twenty is below.
    pub p5: u64,
    /// The middle.
    pub median: u64,
    /// One in twenty is above.
    pub p95: u64,
    /// Greatest.
    pub max: u64,
}

/// Gathers a [`Report`].
#[derive(Debug, Default)]
pub struct Reporter {
    tasks: BTreeMap<String, Gathered>,
}

#[derive(Debug, Default)]
struct Gathered {
    report: TaskReport,
    questions: Vec<u64>,
    answers: Vec<u64>,
    openings: HashMap<String, u64>,
    pairs: HashSet<(char, char)>,
    all_pairs: u64,
}

impl Reporter {
    /// Takes in a conversation.
    pub fn add(&mut self, conversation: &Conversation) {
        let gathered = self.tasks.entry(conversation.task.clone()).or_default();
        gathered.report.conversations += 1;
        *gathered.report.models.entry(conversation.generator.model.clone()).or_default() += 1;
        for message in &conversation.messages {
            let texts = message.content.iter().filter_map(|content| content.text.as_deref());
            let text = texts.collect::<Vec<_>>().join("\n");
            let chars: Vec<char> = text.chars().collect();
            if message.role == "user" {
                gathered.report.turns += 1;
                gathered.questions.push(chars.len() as u64);
                *gathered.openings.entry(chars.iter().take(OPENING_CHARS).collect()).or_default() += 1;
            } else {
                gathered.answers.push(chars.len() as u64);
                gathered.pairs.extend(chars.windows(2).map(|pair| (pair[0], pair[1])));
                gathered.all_pairs += chars.len().saturating_sub(1) as u64;
            }
        }
    }

    /// Takes in a rejection.
    pub fn reject(&mut self, task: &str, reason: &str) {
        let gathered = self.tasks.entry(task.to_owned()).or_default();
        *gathered.report.rejected.entry(reason.to_owned()).or_default() += 1;
    }

    /// The report.
    #[must_use]
    pub fn finish(self) -> Report {
        Report { tasks: self.tasks.into_iter().map(|(task, gathered)| (task, gathered.finish())).collect() }
    }
}

impl Gathered {
    fn finish(mut self) -> TaskReport {
        let mut openings: Vec<(String, u64)> = self.openings.into_iter().collect();
        openings.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let part = |some: u64, all: u64| if all == 0 { 0.0 } else { some as f64 / all as f64 };
        TaskReport {
            question_chars: quantiles(&mut self.questions),
            answer_chars: quantiles(&mut self.answers),
            distinct_openings: part(openings.len() as u64, self.report.turns),
            distinct_2: part(self.pairs.len() as u64, self.all_pairs),
            openings: openings.into_iter().take(OPENINGS).collect(),
            ..self.report
        }
    }
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

    #[test]
    fn kinds_lengths_and_openings_are_counted() {
        let mut reporter = Reporter::default();
        let say = |role: &str, text: &str| Message {
            role: role.into(),
            content: vec![Content { kind: "text".into(), text: Some(text.into()) }],
        };
        for answer in ["赤です", "青です"] {
            let messages = vec![say("user", "船は何色ですか"), say("assistant", answer)];
            reporter.add(&Conversation { task: "vqa".into(), messages, ..Default::default() });
        }
        reporter.reject("vqa", "refusal");
        let report = reporter.finish();
        let vqa = &report.tasks["vqa"];
        assert_eq!((vqa.conversations, vqa.turns, vqa.rejected["refusal"]), (2, 2, 1));
        assert_eq!(vqa.openings, [("船は何色".to_owned(), 2)]);
        assert_eq!((vqa.answer_chars.median, vqa.distinct_2), (3, 0.75));
    }
}
