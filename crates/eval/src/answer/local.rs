//! Answers of a local checkpoint.

use tch::Kind;
use tsumugi_vlm::{Families, GenerateOptions, Model};

use super::outcome::{Answer, bad_image};
use crate::Error;
use crate::bench::Question;
use crate::profile::Generation;

/// A checkpoint that answers questions under the model's own chat template.
#[derive(Debug)]
pub struct LocalAnswerer {
    model: Model,
    options: GenerateOptions,
    batch: usize,
}

impl LocalAnswerer {
    /// Loads a checkpoint of a built-in model family: a folder, or the name of a repository at the Hugging Face hub. On a
    /// GPU it runs in bfloat16, elsewhere in float32.
    ///
    /// # Errors
    /// As [`LocalAnswerer::load_with`].
    pub fn load(model: &str, generation: Generation, batch: usize) -> Result<Self, Error> {
        Self::load_with(&Families::default(), model, generation, batch)
    }

    /// Loads a checkpoint of any of `families`, as [`LocalAnswerer::load`] does.
    ///
    /// # Errors
    /// Where the checkpoint cannot be loaded.
    pub fn load_with(
        families: &Families,
        model: &str,
        generation: Generation,
        batch: usize,
    ) -> Result<Self, Error> {
        let device = tsumugi_vlm::torch_ext::best_device();
        let kind = if device.is_cuda() { Kind::BFloat16 } else { Kind::Float };
        let options = GenerateOptions {
            max_new_tokens: generation.max_tokens as usize,
            num_beams: generation.beams as usize,
            repetition_penalty: f64::from(generation.repetition_penalty),
            ..GenerateOptions::default()
        };
        Ok(Self { model: Model::load_with(families, model, device, kind)?, options, batch: batch.max(1) })
    }

    /// Answers in the order of the questions. One whose image cannot be read has [`Answer::BadImage`].
    ///
    /// # Errors
    /// Where the model fails.
    pub fn answer(&self, questions: &[Question]) -> Result<Vec<Answer>, Error> {
        let mut answers = Vec::with_capacity(questions.len());
        for batch in questions.chunks(self.batch) {
            answers.extend(self.answer_batch(batch)?);
        }
        Ok(answers)
    }

    /// Answers together. Where an image turns out to be unreadable, the others are asked again without its question.
    fn answer_batch(&self, questions: &[Question]) -> Result<Vec<Answer>, Error> {
        let mut answers: Vec<Option<Answer>> = vec![None; questions.len()];
        loop {
            let open: Vec<usize> = (0..questions.len()).filter(|at| answers[*at].is_none()).collect();
            if open.is_empty() {
                return Ok(answers.into_iter().flatten().collect());
            }
            let batch: Vec<_> = open.iter().map(|at| asked(&questions[*at])).collect();
            match self.model.answer(&batch, &self.options, &mut |_, _| {}) {
                Ok(texts) => {
                    for (at, text) in open.into_iter().zip(texts) {
                        answers[at] = Some(Answer::Text(text));
                    }
                }
                Err(tsumugi_vlm::Error::Image { index, source }) => {
                    // The index counts the images of the batch; a question has one at the most.
                    let mut with_image = open.iter().filter(|at| questions[**at].image.is_some());
                    match with_image.nth(index) {
                        Some(at) => {
                            let bytes = questions[*at].image.as_ref().map_or(&[][..], |image| &image.bytes);
                            answers[*at] = Some(bad_image(bytes, &source.to_string()));
                        }
                        None => return Err(tsumugi_vlm::Error::Image { index, source }.into()),
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}

fn asked(question: &Question) -> tsumugi_vlm::Question {
    let images = question.image.iter().map(|image| image.bytes.to_vec()).collect();
    tsumugi_vlm::Question::new(question.question.as_str(), images)
}
