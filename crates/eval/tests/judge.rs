//! Replies of judges and Heron Bench aggregates against the values that `fixtures/make_judge_cases.py` wrote.

use serde_json::Value;
use tsumugi_eval::aggregate::{Points, heron};
use tsumugi_eval::judge::{Verdict, parse};
use tsumugi_eval::profile::{PairReply, PointReply, Style};

type Failure = Box<dyn std::error::Error>;

fn cases() -> Result<Value, Failure> {
    Ok(serde_json::from_str(include_str!("fixtures/judge_cases.json"))?)
}

const STYLES: [(&str, Style); 5] = [
    ("two-integers", Style::Pair(PairReply::TwoIntegers)),
    ("two-numbers", Style::Pair(PairReply::TwoNumbers)),
    ("json", Style::Pair(PairReply::Json)),
    ("labelled", Style::Point(PointReply::Labelled)),
    ("first-digit", Style::Point(PointReply::FirstDigit)),
];

/// A number of the case file, where NaN and the infinities are words.
fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.parse().ok())
}

#[test]
fn replies_are_read_as_python_reads_them() -> Result<(), Failure> {
    let cases = cases()?;
    let replies = cases["replies"].as_array().ok_or("no replies")?;
    assert!(replies.len() >= 50);
    for case in replies {
        let reply = case["reply"].as_str().ok_or("no reply")?;
        for (name, style) in STYLES {
            let expected = &case[name];
            let place = format!("{name}: {reply:?}");
            match parse(reply, style) {
                Verdict::Score { score, reference } => {
                    let wanted =
                        number(&expected[0]).ok_or_else(|| format!("{place}: {score}, {expected}"))?;
                    assert!(score.total_cmp(&wanted).is_eq(), "{place}: {score} for {wanted}");
                    let wanted = number(&expected[1]);
                    assert_eq!(reference.map(f64::to_bits), wanted.map(f64::to_bits), "{place}");
                }
                Verdict::Default { .. } => assert_eq!(expected, "default", "{place}"),
                Verdict::Crash { .. } => assert_eq!(expected, "crash", "{place}"),
            }
        }
    }
    Ok(())
}

#[test]
fn heron_aggregates_are_those_of_the_references() -> Result<(), Failure> {
    let cases = cases()?;
    let aggregates = cases["aggregates"].as_array().ok_or("no aggregates")?;
    assert!(aggregates.len() >= 30);
    for case in aggregates {
        let rows: Vec<(&str, Points)> = case["rows"]
            .as_array()
            .ok_or("no rows")?
            .iter()
            .filter_map(|row| {
                Some((row[0].as_str()?, Points { score: row[1].as_f64()?, reference: row[2].as_f64()? }))
            })
            .collect();
        for (name, reply) in [
            ("eval-mm", PairReply::Json),
            ("eval-mm", PairReply::TwoIntegers),
            ("heron", PairReply::TwoNumbers),
        ] {
            let expected = &case[name];
            if expected.is_null() {
                continue;
            }
            let ours = heron(rows.iter().copied(), reply);
            let close =
                |a: f64, b: &Value| b.as_f64().is_some_and(|b| (a - b).abs() < 1e-9 * b.abs().max(1.0));
            assert!(close(ours.relative, &expected["relative"]), "{ours:?} for {expected}");
            assert!(close(ours.mean, &expected["mean"]), "{ours:?} for {expected}");
            let percents = expected["percents"].as_object().ok_or("no percents")?;
            assert_eq!(ours.categories.len(), percents.len());
            assert!(
                ours.categories.iter().all(|(category, _, percent)| close(*percent, &percents[category]))
            );
        }
    }
    Ok(())
}
