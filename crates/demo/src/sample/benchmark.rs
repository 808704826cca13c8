//! A small benchmark on images that are not in the archive.

use super::drawing::drawing;
use super::random::Random;
use super::subject::{KINDS, Subject};
use crate::Error;
use crate::language::{Language, fill};
use serde::Serialize;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use tsumugi_record::write_atomic;

/// A line of the benchmark file; `image` is a path beside it.
#[derive(Serialize)]
struct Question {
    question_id: String,
    category: &'static str,
    image: String,
    question: String,
    reference: String,
}

/// How many images the benchmark asks about.
const IMAGES: usize = 12;

/// Writes a benchmark in a language (`ja`, `en` or `ko`): `benchmark.jsonl` and its images (`benchmark/00.png`, ...) into the folder `out`, and says where the
/// file is. Categories are those of Heron Bench: `conv`, `detail` and `complex`. The same bytes in every run.
///
/// # Errors
/// [`Error::Language`] for another language, and [`Error::Record`] if a file cannot be written.
pub fn write_benchmark(out: &Path, language: &str) -> Result<PathBuf, Error> {
    let language = Language::named(language)?;
    let images = out.join("benchmark");
    let mut random = Random::new(0x6265_6e63_686d_6172);
    let mut lines = String::new();
    for number in 0..IMAGES {
        let drawing = drawing(language, KINDS[(number * 5 + 1) % KINDS.len()], &mut random)?;
        let name = format!("{number:02}.{}", drawing.extension);
        let path = images.join(&name);
        write_atomic(&path, |file| file.write_all(&drawing.bytes))?;
        for (at, (category, question, reference)) in
            questions(language, &drawing.subject, number).into_iter().enumerate()
        {
            let question_id = format!("{number:02}-{at}");
            let line =
                Question { question_id, category, image: format!("benchmark/{name}"), question, reference };
            lines.push_str(&serde_json::to_string(&line)?);
            lines.push('\n');
        }
    }
    let path = out.join("benchmark.jsonl");
    write_atomic(&path, |file| file.write_all(lines.as_bytes()))?;
    Ok(path)
}

/// Two questions about an image, category, question and answer each, and one about its light where that shows.
fn questions(
    language: &'static Language,
    subject: &Subject,
    number: usize,
) -> Vec<(&'static str, String, String)> {
    let words = &language.questions;
    let (counted, coloured) = subject.counted_and_coloured(language);
    let count = subject.number(language);
    let values = [
        ("counted", counted),
        ("coloured", coloured),
        ("alone", subject.colour(language)),
        ("number", count.as_str()),
    ];
    let (question, answer) = if number.is_multiple_of(2) {
        (&words.colour, &words.colour_answer)
    } else {
        (&words.number, &words.number_answer)
    };
    let mut questions = vec![
        ("conv", fill(question, &values), fill(answer, &values)),
        ("detail", words.describe.clone(), subject.sentence(language)),
    ];
    if let Some(reason) = subject.reason(language) {
        questions.push(("complex", words.light.clone(), reason.to_owned()));
    }
    questions
}
