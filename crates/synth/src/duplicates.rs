//! Near-duplicates among the conversations of a run.

use std::collections::HashMap;

use tsumugi_record::Conversation;
use tsumugi_text::{MinHash, MinHashConfig};

use crate::{CheckConfig, Task};

/// Finds conversations that are nearly the same as an earlier one of the same task. The result depends only on the order in
/// which conversations are added.
#[derive(Debug)]
pub struct NearDuplicates {
    minhash: MinHash,
    threshold: Option<f64>,
    shortest: usize,
    signatures: Vec<Vec<u32>>,
    bands: HashMap<(Task, i64), Vec<usize>>,
}

impl NearDuplicates {
    /// Starts without conversations.
    #[must_use]
    pub fn new(config: &CheckConfig) -> Self {
        Self {
            minhash: MinHash::new(MinHashConfig::default()),
            threshold: config.near_duplicate,
            shortest: config.near_duplicate_chars,
            signatures: Vec::new(),
            bands: HashMap::new(),
        }
    }

    /// The similarity to an earlier conversation, where it reaches the threshold; else remembers this one.
    pub fn duplicate(&mut self, conversation: &Conversation) -> Option<f64> {
        let threshold = self.threshold?;
        let free = [Task::Conversation, Task::Detail, Task::Reasoning, Task::Photo];
        let task = *free.iter().find(|task| task.name() == conversation.task)?;
        let answers = conversation.messages.iter().filter(|message| message.role == "assistant");
        let texts =
            answers.flat_map(|message| &message.content).filter_map(|content| content.text.as_deref());
        let text = texts.collect::<Vec<_>>().join("\n");
        if text.chars().count() < self.shortest {
            return None;
        }
        let signature = self.minhash.signature(&text);
        let keys = self.minhash.bands(&signature);
        let similar = |at: &usize| self.minhash.similarity(&self.signatures[*at], &signature);
        let found = keys
            .iter()
            .filter_map(|key| self.bands.get(&(task, *key)))
            .flatten()
            .map(similar)
            .fold(0.0, f64::max);
        if found >= threshold {
            return Some(found);
        }
        for key in keys {
            self.bands.entry((task, key)).or_default().push(self.signatures.len());
        }
        self.signatures.push(signature);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tsumugi_record::{Content, Message};

    fn said(task: &str, text: &str) -> Conversation {
        let content = vec![Content { kind: "text".into(), text: Some(text.into()) }];
        Conversation {
            task: task.into(),
            messages: vec![Message { role: "assistant".into(), content }],
            ..Default::default()
        }
    }

    #[test]
    fn the_later_of_two_alike_is_found() {
        let long = "夕焼けの海に赤い船が三隻浮かんでいて、その向こうには低い山並みと小さな灯台が見えます。手前の浜では子どもたちが貝を拾い、犬が波打ち際を走っています。";
        let mut seen = NearDuplicates::new(&CheckConfig::default());
        assert_eq!(seen.duplicate(&said("photo", long)), None);
        assert!(seen.duplicate(&said("photo", &long.replace("三隻", "四隻"))).is_some());
        assert_eq!(seen.duplicate(&said("detail", long)), None);
        assert_eq!(seen.duplicate(&said("photo", &long.chars().rev().collect::<String>())), None);
        for _ in 0..2 {
            assert_eq!(seen.duplicate(&said("photo", "赤です。")), None);
            assert_eq!(seen.duplicate(&said("ocr", long)), None);
        }
    }
}
