//! Scenes as training data and as an examination.

use tsumugi::record::{Content, Conversation, Image, Message};
use tsumugi::train::data::{DataSource, Place};
use tsumugi::train::lower::{Template, lower_conversation};
use tsumugi::train::{Drawn, Error, Result};
use tsumugi::vlm::{GenerateOptions, Model, Question};

use crate::scene::{QUESTIONS, Scene};

/// Images drawn when they are asked for. Every pass over the source has other images.
pub(crate) struct Scenes {
    images: u64,
    seed: u64,
}

impl Scenes {
    /// Reads `images` and `seed` of a recipe's options.
    pub(crate) fn new(options: &toml::Table) -> Result<Self> {
        let number = |key: &str| {
            let value =
                options.get(key).and_then(toml::Value::as_integer).and_then(|n| u64::try_from(n).ok());
            value.ok_or_else(|| {
                Error::recipe(format!("data source scenes: options.{key} is not a whole number"))
            })
        };
        Ok(Self { images: number("images")?, seed: number("seed")? })
    }
}

impl DataSource for Scenes {
    fn len(&self) -> u64 {
        self.images
    }

    fn draw(&mut self, place: Place) -> Result<Drawn> {
        let number = place.epoch * self.images + place.position;
        let scene = Scene::new(self.seed, number, false);
        let template = Template::by_name("llmjp_v3")?;
        Ok(match lower_conversation(conversation(&scene, number), &template) {
            Ok(sample) => Drawn::Sample(sample),
            Err(reason) => Drawn::Dropped { id: number.to_string(), reason },
        })
    }
}

/// All questions about an image, one after another.
fn conversation(scene: &Scene, number: u64) -> Conversation {
    let text = |text: &str| Content { kind: "text".into(), text: Some(text.into()) };
    let mut messages = Vec::new();
    for (_, question, answer) in scene.talk() {
        let mut content = vec![text(question)];
        if messages.is_empty() {
            content.insert(0, Content { kind: "image".into(), text: None });
        }
        messages.push(Message { role: "user".into(), content });
        messages.push(Message { role: "assistant".into(), content: vec![text(&answer)] });
    }
    let image = Image { bytes: Some(scene.draw()), path: None };
    Conversation { id: number.to_string(), images: vec![image], messages, ..Conversation::default() }
}

/// Right answers by kind of question.
#[derive(Debug, Clone, Default)]
pub(crate) struct Score {
    right: [u64; QUESTIONS.len()],
    asked: [u64; QUESTIONS.len()],
}

impl Score {
    /// Number of questions asked.
    pub(crate) fn questions(&self) -> u64 {
        self.asked.iter().sum()
    }

    /// Names of the shares, one for each kind of question.
    pub(crate) fn names() -> impl Iterator<Item = String> {
        QUESTIONS.iter().map(|(name, _)| (*name).to_owned())
    }

    /// The shares by name, and that of all questions as `right`.
    pub(crate) fn shares(&self) -> Vec<(String, f64)> {
        let share = |right: u64, of: u64| right as f64 / of.max(1) as f64;
        let all = share(self.right.iter().sum(), self.questions());
        let each = self.right.into_iter().zip(self.asked).map(|(right, of)| share(right, of));
        Self::names().zip(each).chain([("right".to_owned(), all)]).collect()
    }

    /// The shares as a JSON object.
    pub(crate) fn json(&self) -> serde_json::Value {
        self.shares()
            .into_iter()
            .map(|(name, share)| (name, share.into()))
            .collect::<serde_json::Map<_, _>>()
            .into()
    }
}

/// Questions that are answered together.
const TOGETHER: usize = 40;

/// Asks every question about held-out images, each alone. With `shift` the model is shown the image of the scene that
/// many places further on: what it gets right then, it guesses.
pub(crate) fn ask(model: &Model, seed: u64, images: u64, shift: u64) -> Result<Score> {
    let options = GenerateOptions { max_new_tokens: 12, ..GenerateOptions::default() };
    let mut asked = Vec::new();
    for number in 0..images {
        let scene = Scene::new(seed, number, true);
        let shown = Scene::new(seed, (number + shift) % images.max(1), true).draw();
        for (kind, question, answer) in scene.talk() {
            asked.push((kind, Question::new(question, vec![shown.clone()]), answer));
        }
    }
    let mut score = Score::default();
    for part in asked.chunks(TOGETHER) {
        let questions: Vec<Question> = part.iter().map(|(_, question, _)| question.clone()).collect();
        let answers = model.answer(&questions, &options, &mut |_, _| {})?;
        for ((kind, _, expected), answer) in part.iter().zip(answers) {
            score.asked[*kind] += 1;
            score.right[*kind] += u64::from(answer == *expected);
        }
    }
    Ok(score)
}
