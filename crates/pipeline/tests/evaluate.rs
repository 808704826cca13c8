//! The step `evaluate` through an endpoint: the stand-in server answers and judges.
#![cfg(feature = "eval")]

use std::path::Path;
use std::sync::{Arc, Mutex};

use tsumugi_demo::StandIn;
use tsumugi_eval::Registry;
use tsumugi_eval::profile::Profile;
use tsumugi_eval::results::{Results, compare};
use tsumugi_eval::scorer::names;
use tsumugi_pipeline::steps::evaluate::{EvaluateConfig, JudgeConfig, evaluate};
use tsumugi_pipeline::{Progress, with_causes};
use tsumugi_record::{Excluded, Judgement, Prediction, ShardReader, shards};
use tsumugi_testkit::{Server, chat};

type Failure = Box<dyn std::error::Error>;

fn config(folder: &Path, url: &str, profile: Profile, out: &str) -> Result<EvaluateConfig, Failure> {
    let benchmark = tsumugi_demo::write_benchmark(folder, "ja")?;
    Ok(EvaluateConfig {
        benchmark: benchmark.display().to_string(),
        profile,
        model: "stand-in".to_owned(),
        base_url: Some(url.to_owned()),
        judge: Some(JudgeConfig { model: "stand-in-judge".to_owned(), runs: Some(2), ..Default::default() }),
        out: folder.join(out),
        note: Some("The server is a stand-in <that follows rules>.".to_owned()),
        ..Default::default()
    })
}

#[test]
fn answers_judgements_results_and_report() -> Result<(), Failure> {
    let server = StandIn::start()?;
    let folder = tempfile::tempdir()?;
    let config = config(folder.path(), server.base_url(), Profile::EvalMm, "run")?;
    let (summary, found) = evaluate(&config, &Progress::hidden())?;
    let questions = found.results.questions;
    assert!(questions >= 10);
    assert_eq!(summary.rows["predictions"], questions as u64);
    assert_eq!(summary.rows["judgements"], 2 * questions as u64);
    assert_eq!(found.failed_judgements, 0);

    let out = folder.path().join("run");
    let results = Results::read(&out)?;
    assert_eq!(results, found.results);
    let points = results.metric(names::JUDGE_POINTS).ok_or("no points")?;
    assert!(points.interval.low <= points.score && points.score <= points.interval.high);
    let predictions: Vec<Prediction> = ShardReader::open(&shards(&out, "predictions")?[0])?.read_all()?;
    assert!(predictions.iter().any(|p| !p.answer.is_empty()));
    let judgements: Vec<Judgement> =
        ShardReader::open(&shards(out.join("judgements"), "judgements")?[0])?.read_all()?;
    assert!(judgements.iter().all(|j| j.score.is_some() && j.profile == "eval-mm"));
    let page = std::fs::read_to_string(&found.report)?;
    assert!(page.contains("&lt;that follows rules&gt;") && page.contains(&predictions[0].question_id));

    // Doing it again asks nobody: the server is gone.
    drop(server);
    let (_, again) = evaluate(&config, &Progress::hidden())?;
    assert_eq!(again.results, found.results);
    let comparison =
        compare(&[("a".to_owned(), results.clone()), ("b".to_owned(), results)], &Registry::default())?;
    assert!(comparison.differences.iter().all(|d| d.by_question.difference == 0.0));
    Ok(())
}

#[test]
fn a_server_that_is_not_there_is_one_message() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let config = config(folder.path(), "http://127.0.0.1:9/v1", Profile::Paper, "run")?;
    let error = evaluate(&config, &Progress::hidden()).err().ok_or("it answered")?;
    assert_eq!(error.exit_code(), 1);
    let message = with_causes(&error);
    assert!(message.contains("127.0.0.1:9") && !message.contains('\n'), "{message}");
    assert!(shards(folder.path().join("run"), "predictions")?.is_empty());
    Ok(())
}

#[test]
fn what_makes_no_sense_is_said_at_once() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let good = config(folder.path(), "http://127.0.0.1:9/v1", Profile::Paper, "run")?;
    let missing = |config: EvaluateConfig, code: u8, words: &str| {
        let error = evaluate(&config, &Progress::hidden()).err().map(|e| (e.exit_code(), with_causes(&e)));
        assert!(
            error.as_ref().is_some_and(|(c, e)| *c == code && e.contains(words)),
            "{error:?} for {words}"
        );
    };
    let rules = folder.path().join("rule.json");
    std::fs::write(&rules, r#"{"conv": {"role": "Assistant", "prompt": "x"}}"#)?;
    let judge = good.judge.clone().map(|judge| JudgeConfig { rules: Some(rules), ..judge });
    missing(EvaluateConfig { judge, ..good.clone() }, 2, "rules");
    missing(EvaluateConfig { training: vec![folder.path().to_owned()], ..good.clone() }, 1, "127.0.0.1:9");
    missing(EvaluateConfig { benchmark: "/nowhere.jsonl".into(), ..good.clone() }, 2, "/nowhere.jsonl");
    missing(EvaluateConfig { profile: Profile::Sakana, ..good.clone() }, 2, "no judge");
    missing(EvaluateConfig { model: String::new(), ..good.clone() }, 2, "checkpoint");
    missing(EvaluateConfig { dictionary: Some("/nowhere".into()), ..good }, 1, "sys.dic");
    Ok(())
}

/// A benchmark of three questions, the second of which has HTML where its image should be.
fn three_questions(folder: &Path) -> Result<std::path::PathBuf, Failure> {
    let mut png = std::io::Cursor::new(Vec::new());
    image::RgbImage::new(8, 8).write_to(&mut png, image::ImageFormat::Png)?;
    std::fs::write(folder.join("a.png"), png.into_inner())?;
    std::fs::write(folder.join("b.png"), "<html>not found</html>")?;
    let line = |id: &str, image: &str| {
        format!(
            "{{\"id\":\"{id}\",\"question\":\"何色ですか({id})\",\"answer\":\"赤\",\"image\":\"{image}\"}}\n"
        )
    };
    let path = folder.join("three.jsonl");
    std::fs::write(&path, line("q1", "a.png") + &line("q2", "b.png") + &line("q3", "a.png"))?;
    Ok(path)
}

/// Answers by the model's name, and keeps the bodies of all requests.
fn endpoint() -> (Server, Arc<Mutex<Vec<serde_json::Value>>>) {
    let seen = Arc::<Mutex<Vec<serde_json::Value>>>::default();
    let log = Arc::clone(&seen);
    let server = Server::start(move |request| {
        let body = request.json();
        let asked = body["messages"].to_string();
        log.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(body.clone());
        match body["model"].as_str().unwrap_or_default() {
            "refused" => chat::error(400, "content_filter", "blocked"),
            "half" if asked.contains("q1") => chat::error(400, "content_filter", "blocked"),
            "silent" => chat::completion("<think>赤か青か</think>"),
            "strict" if body.get("temperature").is_some() => chat::error(
                400,
                "unsupported_value",
                "Unsupported value: 'temperature' does not support 0.0 with this model.",
            ),
            "judge-of-nothing" => chat::completion("何とも言えません。\n申し訳ありません。"),
            "judge" if body.get("seed").is_some() => {
                chat::error(400, "x", "Unrecognized request argument supplied: seed")
            }
            "judge" => chat::completion("<think>Score: 1 ではない</think>Score: 4"),
            _ => chat::completion("<think>Score: 1\n赤か青か</think>\n赤"),
        }
    });
    (server, seen)
}

fn three(
    folder: &Path,
    server: &Server,
    model: &str,
    judge: Option<&str>,
) -> Result<EvaluateConfig, Failure> {
    Ok(EvaluateConfig {
        benchmark: three_questions(folder)?.display().to_string(),
        model: model.to_owned(),
        base_url: Some(server.url("v1")),
        judge: judge.map(|model| JudgeConfig { model: model.to_owned(), ..Default::default() }),
        metrics: vec![names::EXACT_MATCH.to_owned(), names::JUDGE_POINTS.to_owned()],
        out: folder.join(model),
        ..Default::default()
    })
}

#[test]
fn a_bad_image_costs_its_question_and_scores_say_of_how_many() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let (server, seen) = endpoint();
    let config = three(folder.path(), &server, "strict", Some("judge"))?;
    let (summary, found) = evaluate(&config, &Progress::hidden())?;
    let (read, out) = (Results::read(&folder.path().join("strict"))?, folder.path().join("strict"));
    assert_eq!((found.questions, found.answered, read.unanswered), (3, 2, 1));
    let excluded: Vec<Excluded> =
        ShardReader::open(&shards(out.join("excluded"), "excluded")?[0])?.read_all()?;
    assert_eq!((excluded[0].id.as_str(), excluded[0].reason.as_str()), ("q2", "unreadable_image"));
    assert_eq!(summary.rows["predictions"], 2);
    // The thoughts of neither model count.
    let score = |metric: &str| read.metric(metric).map(|score| (score.answers, score.score));
    assert_eq!((score(names::EXACT_MATCH), score(names::JUDGE_POINTS)), (Some((2, 100.0)), Some((2, 4.0))));
    assert!(read.markdown().contains("| 2 of 3 |"), "{}", read.markdown());
    // What the model and its judge refuse is part of what was done.
    assert_eq!(read.settings["sent_instead"], serde_json::json!({"temperature": null}));
    assert_eq!(read.judge.ok_or("no judge")?.sent_instead.get("seed"), Some(&None));
    let bodies = seen.lock().map_err(|_| "poisoned")?.clone();
    let refused = bodies.iter().filter(|body| body["model"] == "strict" && body.get("temperature").is_some());
    assert!(refused.count() <= 2);
    drop(server);
    // Once more, without a server: the same.
    let again = evaluate(&config, &Progress::hidden())?.1;
    assert_eq!((again.results.scores, again.results.judge), (found.results.scores, found.results.judge));
    Ok(())
}

#[test]
fn nothing_answered_or_judged_is_no_success() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let (server, _) = endpoint();
    for (model, judge, words) in [
        ("refused", None, vec!["none of 3 questions", "refused 2", "unreadable_image 1", "blocked"]),
        ("silent", None, vec!["all 2 answers are empty", "generation.max_tokens"]),
        ("answers", Some("judge-of-nothing"), vec!["none of 2 judgements", "何とも言えません。 申し訳"]),
    ] {
        let config = three(folder.path(), &server, model, judge)?;
        // A second run finds it as it is.
        for _ in 0..2 {
            let error = evaluate(&config, &Progress::hidden()).err().ok_or("a success")?;
            let message = with_causes(&error);
            assert!(error.exit_code() == 1 && words.iter().all(|word| message.contains(word)), "{message}");
            assert!(!message.contains('\n'), "{message}");
        }
    }
    // What was answered has its scores, and no score of a judge that gave none.
    let read = Results::read(&folder.path().join("answers"))?;
    assert!(read.metric(names::EXACT_MATCH).is_some() && read.metric(names::JUDGE_POINTS).is_none());
    assert!(!folder.path().join("refused/results.json").exists());
    Ok(())
}

#[test]
fn few_answers_are_said_to_be_few() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let (server, _) = endpoint();
    let (_, found) = evaluate(&three(folder.path(), &server, "half", None)?, &Progress::hidden())?;
    assert_eq!((found.questions, found.answered, found.answers[names::EXACT_MATCH]), (3, 1, 1));
    let page = std::fs::read_to_string(&found.report)?;
    assert!(page.contains("1 of 3"), "{page}");
    Ok(())
}
