//! The first phase: the model answers.

use std::sync::OnceLock;
#[cfg(feature = "train")]
use std::sync::{Mutex, PoisonError};

use tsumugi_chat::Client;
#[cfg(feature = "train")]
use tsumugi_eval::answer::LocalAnswerer;
use tsumugi_eval::answer::{Answer, ApiAnswerer};
use tsumugi_eval::bench::Question;
use tsumugi_record::{Excluded, Prediction};

use super::endpoint::{incomplete, runtime};
use super::{Evaluate, STEP, failed};
use crate::Error;
use crate::runner::{Outputs, Stage, Work};
use crate::steps::once::once;

/// Which questions are answered.
const QUESTIONS: Stage = Stage { name: "questions", unit: "questions" };
/// Questions whose answers by a local checkpoint are kept together: what a kill loses at most, and the largest batch.
const LOCAL_CHUNK: usize = 32;
/// The same of an endpoint.
const API_CHUNK: usize = 64;

/// The reason of questions whose image cannot be read.
const UNREADABLE_IMAGE: &str = "unreadable_image";

/// Who answers, made when there is something to answer.
#[derive(Default)]
pub(super) struct Answerers {
    client: OnceLock<Client>,
    // One batch at a time: LibTorch spreads each over the cores by itself.
    #[cfg(feature = "train")]
    local: Mutex<Option<LocalAnswerer>>,
}

impl Evaluate {
    /// Questions of a shard.
    fn chunk(&self) -> usize {
        if self.settings.base_url.is_some() { API_CHUNK } else { LOCAL_CHUNK }
    }

    pub(super) fn answer_shards(&self, _: &Work) -> Result<usize, Error> {
        if self.settings.base_url.is_some() {
            self.answering_client()?;
        }
        Ok(self.benchmark.questions.len().div_ceil(self.chunk()))
    }

    fn answering_client(&self) -> Result<&Client, Error> {
        once(&self.answerers.client, || {
            let cache = self.settings.out.join("cache/answers");
            super::endpoint::Endpoint::of_model(&self.settings).client(&cache)
        })
    }

    pub(super) fn answer(&self, _: &Work, shard: usize, outputs: &mut Outputs) -> Result<(), Error> {
        let Some(questions) = self.benchmark.questions.chunks(self.chunk()).nth(shard) else { return Ok(()) };
        let answers = match self.settings.base_url {
            Some(_) => self.ask_endpoint(questions)?,
            None => self.ask_checkpoint(questions)?,
        };
        self.keep_answers(questions, answers, outputs)
    }

    fn ask_endpoint(&self, questions: &[Question]) -> Result<Vec<Answer>, Error> {
        let client = self.answering_client()?;
        let answerer = ApiAnswerer::new(client, self.settings.model.as_str(), self.generation);
        runtime(&self.runtime)?.block_on(answerer.answer(questions)).map_err(failed(&self.benchmark.name))
    }

    #[cfg(feature = "train")]
    fn ask_checkpoint(&self, questions: &[Question]) -> Result<Vec<Answer>, Error> {
        let failed = || failed(&self.benchmark.name);
        let mut local = self.answerers.local.lock().unwrap_or_else(PoisonError::into_inner);
        let answerer = match local.take() {
            Some(answerer) => answerer,
            None => LocalAnswerer::load(&self.settings.model, self.generation, self.settings.batch)
                .map_err(failed())?,
        };
        local.insert(answerer).answer(questions).map_err(failed())
    }

    #[cfg(not(feature = "train"))]
    fn ask_checkpoint(&self, _: &[Question]) -> Result<Vec<Answer>, Error> {
        Err(Error::config(
            "model",
            "this build has no LibTorch; build with feature `train` to evaluate a checkpoint, or name an endpoint (`base_url`)",
        ))
    }

    fn keep_answers(
        &self,
        questions: &[Question],
        answers: Vec<Answer>,
        outputs: &mut Outputs,
    ) -> Result<(), Error> {
        let missing = answers.iter().filter(|answer| matches!(answer, Answer::Unanswered(_))).count();
        let answered_with = self.answered_with();
        let mut predictions = Vec::new();
        let mut excluded = Vec::new();
        let mut exclude = |question: &Question, reason: &str, why: String, outputs: &mut Outputs| {
            outputs.drop(QUESTIONS, reason);
            excluded.push(Excluded {
                id: question.id.clone(),
                step: STEP.to_owned(),
                reason: reason.to_owned(),
                value: Some(why),
                ..Default::default()
            });
        };
        for (question, answer) in questions.iter().zip(answers) {
            match answer {
                Answer::Text(answer) => {
                    outputs.pass(QUESTIONS);
                    predictions.push(self.prediction(question, answer, &answered_with));
                }
                Answer::Refused(why) => exclude(question, "refused", why, outputs),
                Answer::BadImage(why) => {
                    tracing::warn!(
                        "{STEP}: question {:?} is left out, its image cannot be read: {why}",
                        question.id
                    );
                    exclude(question, UNREADABLE_IMAGE, why, outputs);
                }
                Answer::Unanswered(why) => {
                    let count = questions.len();
                    return Err(incomplete(&format!("{missing} of {count} questions got no answer: {why}")));
                }
            }
        }
        if !excluded.is_empty() {
            outputs.write_all("excluded", excluded)?;
        }
        outputs.write_all("", predictions)
    }

    /// What each prediction says of how it was made: the settings, and what the endpoint made of them.
    fn answered_with(&self) -> String {
        let mut settings = self.answered_with.clone();
        let changes =
            self.answerers.client.get().map(|client| client.parameter_changes(&self.settings.model));
        if let Some(changes) = changes.filter(|changes| !changes.is_empty()) {
            settings["sent_instead"] = serde_json::json!(changes);
        }
        settings.to_string()
    }

    fn prediction(&self, question: &Question, answer: String, settings: &str) -> Prediction {
        Prediction {
            benchmark: self.benchmark.name.clone(),
            question_id: question.id.clone(),
            category: question.category.clone(),
            question: question.question.clone(),
            reference: question.reference.clone(),
            answer,
            model: self.settings.model.clone(),
            settings: settings.to_owned(),
        }
    }
}
