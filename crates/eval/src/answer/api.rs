//! Answers from an OpenAI-compatible endpoint.

use futures::StreamExt;
use tsumugi_chat::{ChatMessage, Client, Part, Request};

use super::outcome::{Answer, bad_image};
use crate::Error;
use crate::bench::Question;
use crate::judge::is_passing;
use crate::profile::Generation;

/// Sends each question with its image, as the references do: the question alone, no system message.
#[derive(Debug)]
pub struct ApiAnswerer<'a> {
    client: &'a Client,
    model: String,
    generation: Generation,
}

impl<'a> ApiAnswerer<'a> {
    /// Asks `model` through this client. Beams and repetition penalty are not part of the protocol and are not sent.
    #[must_use]
    pub fn new(client: &'a Client, model: impl Into<String>, generation: Generation) -> Self {
        Self { client, model: model.into(), generation }
    }

    /// Answers in the order of the questions.
    ///
    /// # Errors
    /// Only what ends a run: a refused connection or key, a used-up quota or budget.
    pub async fn answer(&self, questions: &[Question]) -> Result<Vec<Answer>, Error> {
        let tasks = questions.iter().map(|question| self.answer_one(question));
        let mut replies = futures::stream::iter(tasks).buffered(self.client.config().concurrency.max(1));
        let mut answers = Vec::with_capacity(questions.len());
        while let Some(answer) = replies.next().await {
            answers.push(answer?);
        }
        Ok(answers)
    }

    async fn answer_one(&self, question: &Question) -> Result<Answer, Error> {
        let mut parts = Vec::new();
        if let Some(image) = &question.image {
            let (mime, _) = image.format();
            if mime == "application/octet-stream" {
                return Ok(bad_image(&image.bytes, "it is no JPEG, PNG, GIF, WebP or BMP file"));
            }
            parts.push(Part::Image { mime: mime.to_owned(), bytes: image.bytes.to_vec() });
        }
        parts.push(Part::Text(question.question.clone()));
        let request = Request {
            model: self.model.clone(),
            messages: vec![ChatMessage::user_parts(parts)],
            max_tokens: Some(self.generation.max_tokens),
            temperature: Some(0.0),
            seed: Some(0),
            ..Request::default()
        };
        match self.client.send(&request).await {
            Ok(reply) => {
                let answer = reply.answer();
                Ok(Answer::Text(reply.refusal.filter(|_| answer.is_empty()).unwrap_or(answer)))
            }
            Err(error) if error.is_fatal() => Err(error.into()),
            Err(error) if is_passing(&error) => Ok(Answer::Unanswered(error.to_string())),
            Err(error) => Ok(Answer::Refused(error.to_string())),
        }
    }
}
