//! A benchmark in memory.

use std::collections::HashSet;

use sha2::{Digest, Sha256};

use super::question::{DroppedRow, Question, Questions, hex};
use crate::Error;
use crate::profile::JudgePlan;

/// A benchmark in memory.
#[derive(Debug, Clone)]
pub struct Benchmark {
    /// Its name, such as `heron-bench`.
    pub name: String,
    /// How its answers are judged.
    pub judge: JudgePlan,
    /// The questions in the order of the files.
    pub questions: Vec<Question>,
    /// Rows of its files that are no questions, and are not asked.
    pub dropped: Vec<DroppedRow>,
}

impl Benchmark {
    /// Checks that there are questions, that their ids differ and that each has a text.
    ///
    /// # Errors
    /// [`Error::Benchmark`] naming the first question that is wrong.
    pub fn new(name: impl Into<String>, judge: JudgePlan, questions: Vec<Question>) -> Result<Self, Error> {
        let name = name.into();
        let fault = |reason: String| Error::Benchmark { benchmark: name.clone(), reason };
        if questions.is_empty() {
            return Err(fault("it holds no questions".to_owned()));
        }
        let mut seen = HashSet::new();
        for question in &questions {
            if !seen.insert(&question.id) {
                return Err(fault(format!(
                    "the question id {:?} occurs twice; ids must differ",
                    question.id
                )));
            }
            if question.question.is_empty() {
                return Err(fault(format!("question {:?} is empty", question.id)));
            }
        }
        Ok(Self { name, judge, questions, dropped: Vec::new() })
    }

    /// As [`Benchmark::new`], of what was read of files.
    ///
    /// # Errors
    /// As [`Benchmark::new`].
    pub fn from_files(name: impl Into<String>, judge: JudgePlan, read: Questions) -> Result<Self, Error> {
        Ok(Self { dropped: read.dropped, ..Self::new(name, judge, read.questions)? })
    }

    /// A digest of the questions and their images, wherever they were read from: 32 hex digits.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut hasher = Sha256::new();
        for question in &self.questions {
            let image = question.image.as_ref().map_or("", |image| &image.id);
            let context = question.context.as_deref().unwrap_or_default();
            for field in [
                question.id.as_str(),
                &question.category,
                &question.question,
                &question.reference,
                context,
                image,
            ] {
                hasher.update((field.len() as u64).to_le_bytes());
                hasher.update(field);
            }
        }
        hex(&hasher.finalize()[..16])
    }
}
