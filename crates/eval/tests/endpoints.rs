//! Answering and judging through an endpoint, healthy and not.

mod support;

use std::path::Path;

use support::Server;
use tsumugi_chat::{Client, ClientConfig};
use tsumugi_eval::Error;
use tsumugi_eval::answer::{Answer, ApiAnswerer};
use tsumugi_eval::bench::{Image, Question};
use tsumugi_eval::judge::{FailureKind, Judge, JudgeSettings, failure_kind};
use tsumugi_eval::profile::{JudgeKind, JudgePlan, Profile};
use tsumugi_record::Judgement;

type Failure = Box<dyn std::error::Error>;

fn questions() -> Vec<Question> {
    let question = |i: usize| Question {
        id: format!("q{i}"),
        category: "conv".to_owned(),
        question: format!("これは何ですか({i})"),
        reference: format!("猫です({i})"),
        context: Some("猫の写真".to_owned()),
        image: Some(Image::new(vec![0x89, b'P', b'N', b'G', i as u8])),
    };
    (0..6).map(question).collect()
}

fn client(url: &str, cache: Option<&Path>) -> Result<Client, Failure> {
    let config = ClientConfig {
        max_retries: 1,
        backoff_base: 0.01,
        concurrency: 2,
        cache: cache.map(Path::to_owned),
        ..ClientConfig::new(url)
    };
    Ok(Client::new(config)?)
}

fn run<T>(work: impl Future<Output = T>) -> Result<T, Failure> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work))
}

fn judge_all(
    client: &Client,
    profile: Profile,
    answers: &[&str],
) -> Result<Result<Vec<Judgement>, Error>, Failure> {
    let judging = profile.judging(JudgePlan { kind: JudgeKind::Pair, runs: 5 }).ok_or("no judge")?;
    let settings = JudgeSettings { model: "judge".to_owned(), ..JudgeSettings::default() };
    let judge = Judge::new(client, settings, "heron-bench", profile, judging)?;
    let questions = questions();
    let items: Vec<_> =
        questions.iter().zip(answers).map(|(question, answer)| (question, *answer, 0)).collect();
    run(judge.judge(&items))
}

#[test]
fn answers_come_in_order_and_are_asked_for_once() -> Result<(), Failure> {
    let server = Server::start(|_, body| {
        let parts = &body["messages"][0]["content"];
        let good = body["messages"].as_array().is_some_and(|m| m.len() == 1)
            && body["temperature"] == 0.0
            && parts[0]["image_url"]["url"]
                .as_str()
                .is_some_and(|url| url.starts_with("data:image/png;base64,"));
        let text = parts[1]["text"].as_str().unwrap_or_default().to_owned();
        if good { (200, format!("答え:{text}")) } else { (400, format!("unexpected: {body}")) }
    })?;
    let folder = tempfile::tempdir()?;
    let questions = questions();
    for _ in 0..2 {
        let client = client(&server.url, Some(folder.path()))?;
        let answerer = ApiAnswerer::new(&client, "model", Profile::Paper.settings().generation);
        let answers = run(answerer.answer(&questions))??;
        for (question, answer) in questions.iter().zip(&answers) {
            assert_eq!(*answer, Answer::Text(format!("答え:{}", question.question)));
        }
        assert_eq!(server.requests(), questions.len());
    }
    Ok(())
}

#[test]
fn a_judge_that_talks_nonsense_gives_no_points() -> Result<(), Failure> {
    let server = Server::start(|_, body| {
        let asked = body["messages"][1]["content"].to_string();
        match ["(0)", "(1)", "(2)", "(3)"].iter().position(|n| asked.contains(n)) {
            Some(0) => (200, "9 6\n良い".to_owned()),
            Some(1) => (200, "何とも言えません。".to_owned()),
            Some(2) => (400, "no".to_owned()),
            _ => (200, String::new()),
        }
    })?;
    let answers = ["犬", "犬", "犬", "犬"];
    let judgements = judge_all(&client(&server.url, None)?, Profile::Paper, &answers)??;
    assert_eq!((judgements[0].score, judgements[0].reference_score), (Some(6.0), Some(9.0)));
    assert_eq!(judgements[1].reply, "何とも言えません。");
    let kinds: Vec<_> = judgements[1..].iter().map(|j| j.error.as_deref().map(failure_kind)).collect();
    assert_eq!(kinds, [Some(FailureKind::Default), Some(FailureKind::Refused), Some(FailureKind::Default)]);
    assert!(judgements[1..].iter().all(|j| j.score.is_none() && j.reference_score.is_none()));
    Ok(())
}

#[test]
fn a_faltering_judge_is_asked_again_only_for_what_is_missing() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let answers = ["犬"; 6];
    let bad = Server::start(|_, body| {
        if body.to_string().contains("(4)") { (500, "down".to_owned()) } else { (200, "8 4".to_owned()) }
    })?;
    let judgements = judge_all(&client(&bad.url, Some(folder.path()))?, Profile::Paper, &answers)??;
    let missing: Vec<_> = judgements.iter().filter(|j| j.error.is_some()).collect();
    assert_eq!(missing.len(), 1);
    assert_eq!(missing[0].error.as_deref().map(failure_kind), Some(FailureKind::Unanswered));
    let good = Server::start(|_, _| (200, "8 5".to_owned()))?;
    let judgements = judge_all(&client(&good.url, Some(folder.path()))?, Profile::Paper, &answers)??;
    assert_eq!(good.requests(), 1);
    let scores: Vec<_> = judgements.iter().map(|j| j.score).collect();
    assert_eq!(scores, [Some(4.0), Some(4.0), Some(4.0), Some(4.0), Some(5.0), Some(4.0)]);
    Ok(())
}

#[test]
fn nobody_there_ends_the_run_with_one_message() -> Result<(), Failure> {
    let client = client("http://127.0.0.1:9/v1", None)?;
    let error = judge_all(&client, Profile::EvalMm, &["犬"; 6])?.err().ok_or("somebody answered")?;
    assert!(error.to_string().contains("127.0.0.1:9"), "{error}");
    Ok(())
}

#[test]
fn an_empty_answer_gets_nothing_without_a_call() -> Result<(), Failure> {
    let server = Server::start(|_, _| (200, "5".to_owned()))?;
    let client = client(&server.url, None)?;
    let judging = Profile::EvalMm.judging(JudgePlan { kind: JudgeKind::Point, runs: 1 }).ok_or("no judge")?;
    let settings = JudgeSettings { model: "judge".to_owned(), ..JudgeSettings::default() };
    let judge = Judge::new(&client, settings, "ja-vg-vqa-500", Profile::EvalMm, judging)?;
    let questions = questions();
    let judgements = run(judge.judge(&[(&questions[0], "", 0), (&questions[1], "猫", 0)]))??;
    assert_eq!(judgements.iter().map(|j| j.score).collect::<Vec<_>>(), [Some(0.0), Some(5.0)]);
    assert_eq!(server.requests(), 1);
    Ok(())
}
