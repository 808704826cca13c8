//! Reading a judge's reply, each form as its reference reads it.

use std::sync::LazyLock;

use regex::Regex;

use super::python;
use crate::profile::{PairReply, PointReply, Style};

/// What a reply says.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// It can be read.
    Score {
        /// Points of the model's answer.
        score: f64,
        /// Points of the reference answer, where it was judged too.
        reference: Option<f64>,
    },
    /// It cannot be read, and the reference then takes a fixed value ([`fallback`]).
    Default {
        /// What is wrong with it.
        reason: String,
    },
    /// It cannot be read, and the reference then stops with an exception.
    Crash {
        /// What stops it.
        reason: String,
    },
}

/// Points that a reference puts where it cannot read a reply: for the answer, and for the reference answer where it
/// is judged too.
#[must_use]
pub fn fallback(style: Style) -> (f64, Option<f64>) {
    match style {
        Style::Pair(_) => (-1.0, Some(-1.0)),
        Style::Point(PointReply::Labelled) => (1.0, None),
        Style::Point(PointReply::FirstDigit) => (0.0, None),
    }
}

/// Reads a reply.
///
/// ```
/// use tsumugi_eval::judge::{Verdict, parse};
/// use tsumugi_eval::profile::{PairReply, Style};
///
/// let verdict = parse("9,7\n二つ目は数を誤る。", Style::Pair(PairReply::TwoIntegers));
/// assert_eq!(verdict, Verdict::Score { score: 7.0, reference: Some(9.0) });
/// ```
#[must_use]
pub fn parse(reply: &str, style: Style) -> Verdict {
    match style {
        Style::Pair(PairReply::TwoIntegers) => two_integers(reply),
        Style::Pair(PairReply::TwoNumbers) => two_numbers(reply),
        Style::Pair(PairReply::Json) => json_pair(reply),
        Style::Point(PointReply::Labelled) => labelled(reply),
        Style::Point(PointReply::FirstDigit) => first_digit(reply),
    }
}

fn unreadable(reason: &str) -> Verdict {
    Verdict::Default { reason: reason.to_owned() }
}

fn first_line(reply: &str) -> String {
    reply.split('\n').next().unwrap_or_default().replace(',', " ")
}

fn two_integers(reply: &str) -> Verdict {
    let line = first_line(reply);
    let words: Vec<&str> = line.split(' ').collect();
    let [reference, score] = words[..] else { return unreadable("the first line is not two numbers") };
    match (python::int(reference), python::int(score)) {
        (Some(reference), Some(score)) => Verdict::Score { score, reference: Some(reference) },
        _ => unreadable("the first line is not two integers"),
    }
}

fn two_numbers(reply: &str) -> Verdict {
    let line = first_line(reply);
    let numbers: Option<Vec<f64>> = line
        .split(tsumugi_text::normalize::is_python_space)
        .filter(|word| !word.is_empty())
        .map(python::float)
        .collect();
    match numbers.as_deref() {
        Some([reference, score]) => Verdict::Score { score: *score, reference: Some(*reference) },
        _ => unreadable("the first line is not two numbers"),
    }
}

static FENCED: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(?s)```json(.*?)```").ok());
static BRACED: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(?s)(\{.*?\})").ok());

fn pieces<'a>(pattern: &LazyLock<Option<Regex>>, reply: &'a str) -> Vec<&'a str> {
    let Some(pattern) = &**pattern else { return Vec::new() };
    pattern.captures_iter(reply).filter_map(|found| found.get(1)).map(|piece| piece.as_str()).collect()
}

fn json_pair(reply: &str) -> Verdict {
    let mut found = pieces(&FENCED, reply);
    if found.is_empty() {
        found = pieces(&BRACED, reply);
    }
    for piece in found {
        let piece = piece.trim_matches(tsumugi_text::normalize::is_python_space);
        let value = python::json(piece).or_else(|| {
            let clean: String = piece.chars().filter(|c| !matches!(c, '\0'..='\u{1f}' | '\u{7f}')).collect();
            python::json(&clean)
        });
        let Some(object) = value.as_ref().and_then(|value| value.as_object()) else { continue };
        let (Some(score), Some(reference)) = (object.get("score"), object.get("score_gpt")) else { continue };
        return match (python::int_of(score), python::int_of(reference)) {
            (Ok(score), Ok(reference)) => Verdict::Score { score, reference: Some(reference) },
            (Err(reason), _) | (_, Err(reason)) => Verdict::Crash { reason },
        };
    }
    unreadable("there is no JSON object with `score` and `score_gpt`")
}

fn labelled(reply: &str) -> Verdict {
    let digit = reply.match_indices("Score: ").find_map(|(at, label)| {
        let after = reply.get(at + label.len()..)?.chars().next()?;
        python::digit(after)
    });
    match digit {
        Some(score @ 1..=5) => Verdict::Score { score: f64::from(score), reference: None },
        Some(score) => unreadable(&format!("the score {score} is not one of 1 to 5")),
        None => unreadable("there is no `Score: ` with a digit"),
    }
}

fn first_digit(reply: &str) -> Verdict {
    match reply.chars().find_map(python::digit) {
        Some(score) => Verdict::Score { score: f64::from(score), reference: None },
        None => unreadable("there is no digit"),
    }
}
