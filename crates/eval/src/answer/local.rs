//! Answers of a local checkpoint.

use tch::Kind;
use tsumugi_vlm::{Families, GenerateOptions, Model};

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

    /// Answers in the order of the questions.
    ///
    /// # Errors
    /// Where an image cannot be read or the model fails.
    pub fn answer(&self, questions: &[Question]) -> Result<Vec<String>, Error> {
        let mut answers = Vec::with_capacity(questions.len());
        for batch in questions.chunks(self.batch) {
            let batch: Vec<tsumugi_vlm::Question> = batch
                .iter()
                .map(|q| {
                    let images = q.image.iter().map(|image| image.bytes.to_vec()).collect();
                    tsumugi_vlm::Question::new(q.question.as_str(), images)
                })
                .collect();
            answers.extend(self.model.answer(&batch, &self.options, &mut |_, _| {})?);
        }
        Ok(answers)
    }
}
