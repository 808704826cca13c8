//! A small benchmark on pictures that are not in the archive.

use super::picture::picture;
use super::random::Random;
use super::subject::{KINDS, Light, Subject};
use crate::Error;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// A line of the benchmark file; `image` is a path beside it.
#[derive(Serialize)]
struct Question {
    question_id: String,
    category: &'static str,
    image: String,
    question: String,
    reference: String,
}

/// How many pictures the benchmark asks about.
const PICTURES: usize = 12;

/// Writes `benchmark.jsonl` and its pictures (`benchmark/00.png`, ...) into the folder `out`, and says where the
/// file is. Categories are those of Heron Bench: `conv`, `detail` and `complex`. The same bytes in every run.
///
/// # Errors
/// [`Error::Io`] where the folder cannot be written.
pub fn write_benchmark(out: &Path) -> Result<PathBuf, Error> {
    let pictures = out.join("benchmark");
    std::fs::create_dir_all(&pictures).map_err(Error::io("creating the benchmark's folder", &pictures))?;
    let mut random = Random::new(0x6265_6e63_686d_6172);
    let mut lines = String::new();
    for number in 0..PICTURES {
        let picture = picture(KINDS[(number * 5 + 1) % KINDS.len()], &mut random)?;
        let name = format!("{number:02}.{}", picture.extension);
        let path = pictures.join(&name);
        std::fs::write(&path, &picture.bytes).map_err(Error::io("writing a picture", &path))?;
        for (at, (category, question, reference)) in
            questions(&picture.subject, number).into_iter().enumerate()
        {
            let question_id = format!("{number:02}-{at}");
            let line =
                Question { question_id, category, image: format!("benchmark/{name}"), question, reference };
            lines.push_str(&serde_json::to_string(&line)?);
            lines.push('\n');
        }
    }
    let path = out.join("benchmark.jsonl");
    std::fs::write(&path, lines).map_err(Error::io("writing the benchmark", &path))?;
    Ok(path)
}

/// Two questions about a picture, category, question and answer each, and one about its light where that shows.
fn questions(subject: &Subject, number: usize) -> Vec<(&'static str, String, String)> {
    let (counted, coloured) = subject.counted_and_coloured();
    let first = if number.is_multiple_of(2) {
        ("conv", format!("{coloured}は何色ですか。"), format!("{coloured}は{}です。", subject.paint.alone))
    } else {
        (
            "conv",
            format!("{counted}はいくつありますか。"),
            format!("{counted}の数は{}です。", subject.number()),
        )
    };
    let second = ("detail", "この画像を説明してください。".to_owned(), subject.sentence());
    let mut questions = vec![first, second];
    if let Some(light) = subject.light {
        let question =
            "この絵は一日のうちいつごろのようすだと考えられますか。理由も答えてください。".to_owned();
        questions.push(("complex", question, Light::reason(light).to_owned()));
    }
    questions
}
