//! Evaluation on held-out rows during training: their loss, and sample answers.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tch::Tensor;
use tsumugi_record::write_atomic;
use tsumugi_vlm::{GenerateOptions, IGNORE, generate};

use crate::collate::{BatchShape, Collator};
use crate::data::{Member, Place};
use crate::engine::Engine;
use crate::metrics::rewind;
use crate::prepare::{Prepared, Preparer, SpecialIds};
use crate::recipe::EvaluationConfig;
use crate::{Drawn, Error, Part, Result, Sample};

/// Seed of the order of held-out rows, which is the same for every evaluation and every seed of the run.
const ORDER: u64 = 0x0e7a_15ee;

/// File of the answers in a run's folder.
pub(crate) const ANSWERS: &str = "answers.jsonl";

/// A sample answer of the model during training: a line of `answers.jsonl`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Name of the stage.
    pub stage: String,
    /// Steps done in it.
    pub step: u64,
    /// Identifier of the row.
    pub id: String,
    /// The prompt, without images.
    pub prompt: String,
    /// The image files, relative to the run's folder.
    pub images: Vec<PathBuf>,
    /// The row's own answer.
    pub reference: String,
    /// The model's answer.
    pub answer: String,
}

/// Held-out rows of a stage.
pub(crate) struct Evaluation<'a> {
    pub(crate) config: &'a EvaluationConfig,
    pub(crate) members: Vec<Member>,
    pub(crate) preparer: Preparer,
    pub(crate) shape: BatchShape,
    /// Name of the stage.
    pub(crate) stage: &'a str,
    /// Folder of the run.
    pub(crate) out: &'a Path,
}

impl Evaluation<'_> {
    /// Whether an evaluation is due after a step.
    pub(crate) fn is_due(&self, step: u64) -> bool {
        self.config.every > 0 && step.is_multiple_of(self.config.every)
    }

    /// Drops answers of later steps: the stage resumes at this one.
    pub(crate) fn begin(&self, step: u64) -> Result<()> {
        rewind(&self.out.join(ANSWERS), self.stage, step)
    }

    /// Mean loss over the rows, with the objective's weights.
    pub(crate) fn loss(&mut self, engine: &Engine, mut collator: Box<dyn Collator>) -> Result<f64> {
        let (mut sum, mut weight) = (0.0, 0.0);
        let mut add = |batches: Vec<crate::collate::Batch>| -> Result<()> {
            for batch in batches {
                let of_batch = engine.objective().weight(&batch).max(1.0);
                sum += engine.evaluate(&batch)? * of_batch;
                weight += of_batch;
            }
            Ok(())
        };
        let mut used = 0;
        for row in 0..self.config.rows {
            let Some(sample) = self.sample(row)? else { continue };
            let Ok(prepared) = self.preparer.prepare(&sample) else { continue };
            used += 1;
            add(collator.push(prepared)?)?;
        }
        add(collator.flush()?)?;
        if used == 0 { Err(self.nothing_usable()) } else { Ok(sum / weight) }
    }

    /// Checks that the loss of at least one row can be measured.
    pub(crate) fn check(&mut self) -> Result<()> {
        for row in 0..self.config.rows {
            let sample = self.sample(row).map_err(Error::unusable(Some(self.stage), "evaluation.data"))?;
            if sample.is_some_and(|sample| self.preparer.prepare(&sample).is_ok()) {
                return Ok(());
            }
        }
        Err(self.nothing_usable())
    }

    fn nothing_usable(&self) -> Error {
        Error::NoSamples {
            stage: format!("{} (evaluation)", self.stage),
            drawn: self.config.rows,
            reasons: "every row was dropped".into(),
        }
    }

    /// The row of this index. The sources take turns.
    fn sample(&mut self, row: u64) -> Result<Option<Sample>> {
        let count = self.members.len() as u64;
        let source = &mut self.members[(row % count) as usize].source;
        let position = row / count;
        if position >= source.len() {
            return Ok(None);
        }
        match source.draw(Place { seed: ORDER, epoch: 0, position })? {
            Drawn::Sample(sample) => Ok(Some(sample)),
            Drawn::Dropped { .. } => Ok(None),
        }
    }

    /// Has the model answer the first rows that have a prompt, and appends the answers to the run's file.
    pub(crate) fn answer(&mut self, engine: &Engine, step: u64) -> Result<()> {
        let mut answers = Vec::new();
        let (mut prompts, mut pixels) = (Vec::new(), Vec::new());
        for row in 0..self.config.rows {
            if answers.len() == self.config.answers {
                break;
            }
            let Some(sample) = self.sample(row)? else { continue };
            let Ok(prepared) = self.preparer.prepare(&sample) else { continue };
            let Some(asked) = Asked::of(&prepared, self.preparer.ids()) else { continue };
            answers.push(Answer {
                stage: self.stage.to_owned(),
                step,
                id: sample.id.clone(),
                prompt: self.preparer.decode(&asked.prompt)?,
                images: self.keep_images(row, &sample, asked.images)?,
                reference: self.preparer.decode(&asked.reference)?,
                answer: String::new(),
            });
            prompts.push(asked.prompt);
            pixels.extend(prepared.pixels.into_iter().take(asked.images));
        }
        if answers.is_empty() {
            return Ok(());
        }
        let pixels = if pixels.is_empty() { None } else { Some(Tensor::f_stack(&pixels, 0)?) };
        let options =
            GenerateOptions { max_new_tokens: self.config.max_new_tokens, ..GenerateOptions::default() };
        let weights = engine.computing_weights()?;
        let said = generate(engine.model(), &weights, &prompts, pixels.as_ref(), &options, &mut |_, _| true)?;
        for (answer, ids) in answers.iter_mut().zip(&said) {
            answer.answer = self.preparer.decode(ids)?;
        }
        append(&self.out.join(ANSWERS), &answers)
    }

    /// Writes the images of a row beside the answers, once.
    fn keep_images(&self, row: u64, sample: &Sample, count: usize) -> Result<Vec<PathBuf>> {
        let folder = self.out.join("answers");
        let images = sample.parts.iter().filter_map(|part| match part {
            Part::Image(bytes) => Some(bytes),
            _ => None,
        });
        let mut names = Vec::new();
        for (number, bytes) in images.take(count).enumerate() {
            let name = format!("{}-{row}-{number}.{}", self.stage, extension(bytes));
            let path = folder.join(&name);
            if !path.is_file() {
                write_atomic(&path, |file| file.write_all(bytes))?;
            }
            names.push(Path::new("answers").join(name));
        }
        Ok(names)
    }
}

/// A row as a question: everything before the first loss, and the expected answer.
struct Asked {
    prompt: Vec<i64>,
    reference: Vec<i64>,
    images: usize,
}

impl Asked {
    /// None if nothing precedes the answer.
    fn of(row: &Prepared, ids: SpecialIds) -> Option<Self> {
        let start = row.labels.iter().position(|&label| label != IGNORE).filter(|&start| start > 1)?;
        let prompt = row.ids[..start].to_vec();
        let said = row.labels[start..].iter().take_while(|&&label| label != IGNORE && label != ids.eos);
        let features = prompt.iter().filter(|&&id| id == ids.image).count();
        Some(Self { reference: said.copied().collect(), images: features / ids.image_tokens.max(1), prompt })
    }
}

fn append(path: &Path, answers: &[Answer]) -> Result<()> {
    let mut text = String::new();
    for answer in answers {
        text.push_str(&serde_json::to_string(answer).map_err(Error::json(path))?);
        text.push('\n');
    }
    let file = OpenOptions::new().create(true).append(true).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes())).map_err(Error::io(path))
}

/// The usual extension of an image file, by its first bytes.
fn extension(bytes: &[u8]) -> &'static str {
    match bytes {
        [0x89, b'P', b'N', b'G', ..] => "png",
        [0xff, 0xd8, ..] => "jpg",
        [b'G', b'I', b'F', ..] => "gif",
        [b'B', b'M', ..] => "bmp",
        [b'R', b'I', b'F', b'F', ..] => "webp",
        _ => "bin",
    }
}

/// The answers of a run so far. Other lines are ignored.
///
/// # Errors
/// [`Error::Io`] if the file exists but cannot be read.
pub fn read_answers(run: &Path) -> Result<Vec<Answer>> {
    let path = run.join(ANSWERS);
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(Error::io(path)(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_cut_before_its_first_loss() {
        let ids = SpecialIds { eos: 2, pad: 3, image: 4, image_tokens: 2 };
        let row = Prepared {
            ids: vec![1, 4, 4, 7, 8, 9, 2, 7],
            labels: vec![IGNORE, IGNORE, IGNORE, IGNORE, 8, 9, 2, IGNORE],
            pixels: Vec::new(),
        };
        let asked = Asked::of(&row, ids).unwrap();
        assert_eq!((asked.prompt, asked.reference, asked.images), (vec![1, 4, 4, 7], vec![8, 9], 1));
        let silent = Prepared { ids: vec![1, 8], labels: vec![IGNORE, 8], pixels: Vec::new() };
        assert!(Asked::of(&silent, ids).is_none());
    }
}
