//! The step `evaluate` through an endpoint: the stand-in server answers and judges.
#![cfg(feature = "eval")]

use std::path::Path;

use tsumugi_demo::StandIn;
use tsumugi_eval::Registry;
use tsumugi_eval::profile::Profile;
use tsumugi_eval::results::{Results, compare};
use tsumugi_eval::scorer::names;
use tsumugi_pipeline::steps::evaluate::{EvaluateConfig, JudgeConfig, evaluate};
use tsumugi_pipeline::{Progress, with_causes};
use tsumugi_record::{Judgement, Prediction, ShardReader, shards};

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
