//! Operators over files agree with operators in memory, whatever memory they may take.
#![cfg(feature = "parquet")]
#![allow(clippy::unwrap_used, reason = "a test that cannot make its files fails")]

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::builder::{Float64Builder, Int64Builder, ListBuilder};
use arrow_array::{ArrayRef, FixedSizeBinaryArray, Int64Array, RecordBatch};
use parquet::arrow::ArrowWriter;
use proptest::prelude::*;
use tsumugi_tables::{Column, Columns, Error, Memory, Operator, compare_files, verdicts};

/// A row of keys.
#[derive(Clone, Debug)]
struct Row {
    phash: i64,
    text: u8,
    year: i64,
    bands: Vec<i64>,
    scores: [f64; 2],
}

fn key(first: u8, last: u64) -> [u8; 16] {
    let mut key = [first; 16];
    key[8..].copy_from_slice(&last.to_be_bytes());
    key
}

/// The columns of some rows, the first of which has number `first`.
fn columns(rows: &[Row], first: usize) -> Columns {
    let number = |at: usize| (first + at) as u64;
    // Ids against the order of rows, and pairs of rows that are one occurrence.
    let id = |at: usize| key(200 - (number(at) % 7) as u8, number(at));
    let all = 0..rows.len();
    Columns::new()
        .with("place", Column::Int(all.clone().map(|at| number(at) as i64 - 3).collect()))
        .with("id", Column::Key(all.clone().map(id).collect()))
        .with("draw", Column::Key(all.map(|at| key((number(at) / 2 * 37 % 251) as u8, 0)).collect()))
        .with("phash", Column::Int(rows.iter().map(|row| row.phash).collect()))
        .with("text", Column::Key(rows.iter().map(|row| key(row.text, 1)).collect()))
        .with("year", Column::Int(rows.iter().map(|row| row.year).collect()))
        .with("bands", Column::List(rows.iter().map(|row| row.bands.clone()).collect()))
        .with("scores", Column::Scores(rows.iter().map(|row| row.scores.to_vec()).collect()))
}

fn write(path: &Path, rows: &[Row], first: usize) {
    let keys = |of: &dyn Fn(usize) -> [u8; 16]| -> ArrayRef {
        let keys = (0..rows.len()).map(|at| Some(of(at)));
        Arc::new(FixedSizeBinaryArray::try_from_sparse_iter_with_size(keys, 16).unwrap())
    };
    let number = |at: usize| (first + at) as u64;
    let ints = |of: &dyn Fn(usize) -> i64| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values((0..rows.len()).map(of)))
    };
    let (mut bands, mut scores) =
        (ListBuilder::new(Int64Builder::new()), ListBuilder::new(Float64Builder::new()));
    for row in rows {
        bands.append_value(row.bands.iter().map(|band| Some(*band)));
        scores.append_value(row.scores.iter().map(|score| Some(*score)));
    }
    let arrays: [(&str, ArrayRef); 8] = [
        ("place", ints(&|at| number(at) as i64 - 3)),
        ("id", keys(&|at| key(200 - (number(at) % 7) as u8, number(at)))),
        ("draw", keys(&|at| key((number(at) / 2 * 37 % 251) as u8, 0))),
        ("phash", ints(&|at| rows[at].phash)),
        ("text", keys(&|at| key(rows[at].text, 1))),
        ("year", ints(&|at| rows[at].year)),
        ("bands", Arc::new(bands.finish())),
        ("scores", Arc::new(scores.finish())),
    ];
    let batch = RecordBatch::try_from_iter(arrays).unwrap();
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

fn operators() -> Vec<Operator> {
    let id = || "place".to_owned();
    vec![
        Operator::DropFrequentInSamples {
            id: id(),
            draw: "draw".into(),
            key: names(&["phash"]),
            group: names(&["year"]),
            block: 5,
            count: 3,
        },
        Operator::DropFrequent { id: id(), key: names(&["text"]), count: 6 },
        Operator::KeepFirst { id: id(), key: names(&["phash", "text"]), order: names(&["place"]) },
        Operator::NearDuplicates { id: "id".into(), bands: "bands".into() },
        Operator::DropLowest { id: id(), scores: "scores".into(), scorers: 2, share: 0.3 },
    ]
}

fn row() -> impl Strategy<Value = Row> {
    let score = -3..40_i32;
    (-3..3_i64, 0..8_u8, 2023..2025_i64, proptest::collection::vec(0..30_i64, 0..3), [score.clone(), score])
        .prop_map(|(phash, text, year, bands, scores)| Row {
            phash,
            text,
            year,
            bands,
            scores: scores.map(|score| f64::from(score) / 7.0),
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn files_give_what_memory_gives(
        shards in proptest::collection::vec(proptest::collection::vec(row(), 0..25), 1..5),
        bytes in prop_oneof![Just(1_u64 << 30), 0..800_u64],
        which in 0..6_usize,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let (mut files, mut table, mut first) = (Vec::<PathBuf>::new(), Columns::new(), 0);
        for (number, rows) in shards.iter().enumerate() {
            files.push(folder.path().join(format!("{number}.parquet")));
            write(&files[number], rows, first);
            if !rows.is_empty() {
                table.extend(columns(rows, first)).unwrap();
            }
            first += rows.len();
        }
        let all = operators();
        // One operator by itself, or all, each on what those before it keep.
        let operators = all.get(which..=which).unwrap_or(&all);
        let memory = Memory { bytes, scratch: folder.path().to_owned() };
        let found = compare_files(&files, operators, &memory).unwrap();
        let found: Vec<Option<usize>> = (0..files.len()).flat_map(|file| found.of_file(file)).collect();
        prop_assert_eq!(found, verdicts(&table, operators).unwrap());
    }
}

#[test]
fn mistakes_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys.parquet");
    let row = Row { phash: 1, text: 1, year: 2023, bands: Vec::new(), scores: [f64::NAN, 1.0] };
    write(&file, &[row], 0);
    let memory = Memory { bytes: 1 << 20, scratch: folder.path().to_owned() };
    let compare = |operator: Operator| compare_files(std::slice::from_ref(&file), &[operator], &memory);
    let frequent = |key: &[&str]| Operator::DropFrequent { id: "place".into(), key: names(key), count: 2 };
    assert!(matches!(compare(frequent(&["alt"])), Err(Error::NoColumn { name, .. }) if name == "alt"));
    assert!(
        matches!(compare(frequent(&["scores"])), Err(Error::FileColumnType { name, .. }) if name == "scores")
    );
    let wide = ["id", "draw", "text", "place", "phash", "year"].map(|name| [name, name]).concat();
    assert!(matches!(compare(frequent(&wide)), Err(Error::WideKey { bytes: 144, .. })));
    assert!(matches!(compare(operators().remove(4)), Err(Error::NotANumber { row: 0 })));
}
