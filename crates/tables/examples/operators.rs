//! Prints seeded tables with what each operator keeps of them and its SQL text, a JSON line each, for
//! `tests/interop/sql_operators.py`, which runs the SQL and compares.

use serde_json::{Value, json};
use tsumugi_tables::{
    Column, Columns, Dialect, Error, Operator, draw, join, join_sql, quantile, quantile_sql,
};

fn main() -> Result<(), Error> {
    for seed in 1..=3 {
        table(seed)?;
    }
    Ok(())
}

fn table(seed: u64) -> Result<(), Error> {
    let mut random = Random(seed);
    let rows = 2000_i64;
    let ids: Vec<String> = (0..rows).map(|row| format!("{:04x}-{row}", random.below(0xFFFF))).collect();
    let alts: Vec<String> =
        (0..rows).map(|_| format!("画像 {}", random.below(900) * random.below(3))).collect();
    let phashes: Vec<i64> = (0..rows).map(|_| random.below(40) * random.below(40) - 300).collect();
    let years: Vec<i64> = (0..rows).map(|_| 2020 + random.below(3)).collect();
    let bands: Vec<Vec<i64>> =
        (0..rows).map(|row| (0..row % 4).map(|_| random.below(3000) - 1500).collect()).collect();
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    let scores: Vec<f64> = (0..rows).map(|_| random.below(1 << 40) as f64 / 7.0).collect();

    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    let second: Vec<f64> =
        scores.iter().zip(&phashes).map(|(score, phash)| score % 97.0 + *phash as f64).collect();
    let draws: Vec<[u8; 16]> = ids.iter().map(|id| draw(seed, id)).collect();
    let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    let id = || "id".to_owned();
    let operators = [
        Operator::DropFrequent { id: id(), key: names(&["alt"]), count: 3 },
        Operator::DropFrequent { id: id(), key: names(&["phash", "year"]), count: 4 },
        Operator::DropFrequentInSamples {
            id: id(),
            draw: "draw".into(),
            key: names(&["phash"]),
            group: names(&["year"]),
            block: 90,
            count: 2,
        },
        Operator::KeepFirst { id: id(), key: names(&["phash", "alt"]), order: names(&["id"]) },
        Operator::NearDuplicates { id: id(), bands: "bands".into() },
        Operator::DropLowest { id: id(), scores: "scores".into(), scorers: 2, share: 0.3 },
    ];
    let columns = Columns::new()
        .with("id", Column::Text(ids.clone()))
        .with("alt", Column::Text(alts.clone()))
        .with("phash", Column::Int(phashes.clone()))
        .with("year", Column::Int(years.clone()))
        .with("draw", Column::Key(draws.clone()))
        .with("scores", Column::Scores(scores.iter().zip(&second).map(|(a, b)| vec![*a, *b]).collect()))
        .with("bands", Column::List(bands.clone()));
    let mut cases: Vec<Value> = Vec::new();
    for operator in operators {
        let keep = operator.keep(&columns)?;
        let mut kept: Vec<&String> =
            ids.iter().zip(keep).filter(|(_, keep)| *keep).map(|(id, _)| id).collect();
        kept.sort();
        cases.push(json!({
            "operator": operator,
            "sql": operator.sql("records", Dialect::DuckDb)?,
            "spark": operator.sql("records", Dialect::Spark)?,
            "ids": kept,
        }));
    }
    for q in [0.0, 0.3, 0.5, 1.0] {
        cases.push(json!({ "sql": quantile_sql("records", "score", q)?, "value": quantile(&scores, q)? }));
    }
    let alt_keys: Vec<&str> = alts.iter().map(String::as_str).collect();
    let mut pairs: Vec<(&String, &String)> = join(&alt_keys[..100], &alt_keys)
        .into_iter()
        .map(|(left, right)| (&ids[left], &ids[right]))
        .collect();
    pairs.sort();
    cases
        .push(json!({ "sql": join_sql(("first_records", "id"), ("records", "id"), "alt")?, "pairs": pairs }));
    let rows: Vec<Value> = (0..ids.len())
        .map(|row| {
            json!({
                "id": ids[row], "alt": alts[row], "phash": phashes[row], "year": years[row], "bands": bands[row],
                "score": scores[row], "scores": [scores[row], second[row]],
                "draw": draws[row].iter().map(|byte| format!("{byte:02x}")).collect::<String>(),
            })
        })
        .collect();
    println!("{}", json!({ "rows": rows, "cases": cases }));
    Ok(())
}

/// A linear congruential generator; the tables need no better one.
struct Random(u64);

impl Random {
    fn below(&mut self, end: i64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33).cast_signed() % end
    }
}
