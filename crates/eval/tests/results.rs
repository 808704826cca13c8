//! From tables to results: failures, intervals, files, comparison.

use tsumugi_eval::bench::{Benchmark, Image, Question};
use tsumugi_eval::profile::{JudgeKind, JudgePlan, Profile};
use tsumugi_eval::published::standings;
use tsumugi_eval::results::{Results, Run, compare, score};
use tsumugi_eval::scorer::{Resources, names};
use tsumugi_eval::{Error, Registry};
use tsumugi_record::{Judgement, Prediction};

type Failure = Box<dyn std::error::Error>;

fn benchmark(n: usize) -> Benchmark {
    let question = |i: usize| Question {
        id: i.to_string(),
        category: ["conv", "detail", "complex"][i % 3].to_owned(),
        question: format!("問い{i}"),
        reference: format!("これは{i}番目の猫です。"),
        context: None,
        image: Some(Image::new(vec![(i / 4) as u8])),
    };
    Benchmark {
        name: "heron-bench".to_owned(),
        judge: JudgePlan { kind: JudgeKind::Pair, runs: 5 },
        questions: (0..n).map(question).collect(),
        dropped: Vec::new(),
    }
}

fn predictions(benchmark: &Benchmark, wrong_every: usize) -> Vec<Prediction> {
    let answer = |(i, q): (usize, &Question)| Prediction {
        benchmark: benchmark.name.clone(),
        question_id: q.id.clone(),
        category: q.category.clone(),
        question: q.question.clone(),
        reference: q.reference.clone(),
        answer: if i % wrong_every == 0 { "全く違います".to_owned() } else { q.reference.clone() },
        model: format!("m{wrong_every}"),
        settings: "{}".to_owned(),
    };
    benchmark.questions.iter().enumerate().map(answer).collect()
}

/// Two runs of points; question 0 is unreadable in run 0, question 1 was never judged in run 1.
fn judgements(predictions: &[Prediction], points: f64) -> Vec<Judgement> {
    let mut all = Vec::new();
    for run in 0..2 {
        for (i, p) in predictions.iter().enumerate() {
            let error = match (i, run) {
                (0, 0) => Some("unreadable: no numbers".to_owned()),
                (1, 1) => Some("refused: no".to_owned()),
                _ => None,
            };
            let ok = error.is_none();
            all.push(Judgement {
                question_id: p.question_id.clone(),
                run,
                judge: "j".to_owned(),
                score: ok.then_some(points + f64::from(run)),
                reference_score: ok.then_some(10.0),
                error,
                ..Judgement::default()
            });
        }
    }
    all
}

fn results(n: usize, wrong_every: usize, points: f64) -> Result<Results, Failure> {
    let benchmark = benchmark(n);
    let predictions = predictions(&benchmark, wrong_every);
    let judgements = judgements(&predictions, points);
    let profile = Profile::Paper;
    let run = Run {
        benchmark: &benchmark,
        profile,
        predictions: &predictions,
        judgements: &judgements,
        judging: profile.judging(benchmark.judge),
    };
    let scorers = Registry::default().scorers(&profile.metrics())?;
    Ok(score(&run, &scorers, &Resources::default())?)
}

#[test]
fn failures_are_counted_apart_and_enter_as_the_reference_has_it() -> Result<(), Failure> {
    let results = results(12, 3, 5.0)?;
    let judge = results.judge.as_ref().ok_or("no judge")?;
    assert_eq!((judge.judgements, judge.unreadable, judge.unanswered, judge.crashes), (24, 1, 1, 0));
    // Run 0: one of four `conv` is -1 with reference -1; the others are 5 of 10. Run 1: 6 of 10 throughout.
    let conv = 100.0 * ((15.0 - 1.0) / 4.0) / ((30.0 - 1.0) / 4.0);
    let first = (conv + 50.0 + 50.0) / 3.0;
    let scores: Vec<f64> = judge.run_scores.iter().copied().flatten().collect();
    assert!((scores[0] - first).abs() < 1e-9 && (scores[1] - 60.0).abs() < 1e-9, "{scores:?}");
    let relative = results.metric(names::JUDGE_RELATIVE).ok_or("no score")?;
    assert!((relative.score - (first + 60.0) / 2.0).abs() < 1e-9);
    assert_eq!(results.items[0].points, [Some(-1.0), Some(6.0)]);
    assert_eq!(results.items[1].points, [Some(5.0), None]);
    assert_eq!(results.items[1].failures, 1);
    assert!(standings(&results).iter().any(|s| s.rows.iter().any(|(name, ..)| name == "GPT-4o")));
    Ok(())
}

#[test]
fn results_do_not_depend_on_threads_and_survive_their_file() -> Result<(), Failure> {
    let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build()?.install(|| results(40, 3, 5.0).ok());
    let several =
        rayon::ThreadPoolBuilder::new().num_threads(4).build()?.install(|| results(40, 3, 5.0).ok());
    let (alone, several) = alone.zip(several).ok_or("failed")?;
    assert_eq!(alone, several);
    let folder = tempfile::tempdir()?;
    alone.write(folder.path())?;
    assert_eq!(Results::read(folder.path())?, alone);
    assert!(alone.markdown().contains("| heron-bench | paper | m3 | ROUGE-L |"));
    let file = folder.path().join("results.json");
    let later = std::fs::read_to_string(&file)?.replacen("\"version\": 4", "\"version\": 99", 1);
    std::fs::write(&file, later)?;
    assert!(matches!(Results::read(folder.path()), Err(Error::Version { found: 99, .. })));
    Ok(())
}

#[test]
fn runs_are_compared_question_by_question() -> Result<(), Failure> {
    let (worse, better) = (results(60, 2, 4.0)?, results(60, 6, 6.0)?);
    let runs = [("worse".to_owned(), worse.clone()), ("better".to_owned(), better)];
    let comparison = compare(&runs, &Registry::default())?;
    assert_eq!(comparison.differences.len(), 2);
    for difference in &comparison.differences {
        assert!(
            difference.by_question.difference > 0.0 && difference.by_question.p_value < 0.01,
            "{difference:?}"
        );
        assert_eq!(difference.questions, 60);
    }
    assert!(comparison.markdown().contains("better"));
    let page = tsumugi_eval::report::comparison_page(&comparison).render()?;
    assert!(page.contains("ROUGE-L: differences") && page.contains("better - worse"));
    assert!(page.matches("class=\"drawing\"").count() >= 4);
    let mut other = worse.clone();
    other.profile = Profile::EvalMm;
    let mixed = compare(&[("a".to_owned(), worse), ("b".to_owned(), other)], &Registry::default());
    assert!(matches!(mixed, Err(Error::Incomparable(_))));
    Ok(())
}

#[test]
fn results_of_version_2_are_still_read() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let interval = serde_json::json!({"low": 40.0, "high": 60.0});
    let old = serde_json::json!({
        "version": 2, "benchmark": "heron-bench", "profile": "sakana", "model": "m", "settings": {},
        "questions": 1, "unanswered": 0, "judge": null,
        "scores": [{"metric": "rouge-l-ja", "score": 50.0, "interval": interval,
            "interval_by_picture": interval, "categories": []}],
        "items": [{"question_id": "1", "category": "conv", "picture": "ab", "rouge_l": 55.0, "rouge_l_ja": 50.0}]
    });
    std::fs::write(folder.path().join("results.json"), old.to_string())?;
    let results = Results::read(folder.path())?;
    let score = results.metric(names::ROUGE_L_JA).ok_or("no score")?;
    assert_eq!((score.maximum, score.interval_by_image.low), (100.0, 40.0));
    assert!(score.title.starts_with("ROUGE-L"));
    let item = &results.items[0];
    assert_eq!((item.scores[names::ROUGE_L], item.scores[names::ROUGE_L_JA]), (55.0, 50.0));
    assert_eq!(item.image.as_deref(), Some("ab"));
    Ok(())
}
