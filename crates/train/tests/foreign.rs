//! Parquet files that other programs have written (see `fixtures/make_foreign_tables.py`).
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, also in its helpers")]

use std::path::{Path, PathBuf};

use tsumugi_train::data::{DataSource, Place};
use tsumugi_train::lower::Template;
use tsumugi_train::recipe::DataConfig;
use tsumugi_train::{Drawn, Error, Part, Registry, Result, SourceRequest};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/foreign/{name}.parquet"))
}

fn open(source: &str, name: &str, images: Option<&Path>) -> Result<Box<dyn DataSource>> {
    let config = DataConfig {
        source: source.into(),
        path: file(name),
        images: images.map(Path::to_owned),
        ..DataConfig::default()
    };
    Registry::default().make_source(&SourceRequest { config: &config, template: Template::Caption })
}

/// All rows of a source, sorted: `ID: [image bytes] text with loss`, or `ID: reason`.
fn rows(source: &str, name: &str, images: Option<&Path>) -> Vec<String> {
    let mut source =
        open(source, name, images).unwrap_or_else(|error| panic!("{name}: {}", error.with_causes()));
    let shown = |part: &Part| match part {
        Part::Image(bytes) => format!("[{}]", String::from_utf8_lossy(&bytes[4..])),
        Part::Text { text, .. } => text.clone(),
        Part::End { .. } | Part::Turn(_) => String::new(),
    };
    let mut rows: Vec<String> = (0..source.len())
        .map(|position| match source.draw(Place { seed: 1, epoch: 0, position }).unwrap() {
            Drawn::Sample(sample) => {
                format!("{}: {}", sample.id, sample.parts.iter().map(shown).collect::<String>())
            }
            Drawn::Dropped { id, reason } => format!("{id}: {reason}"),
        })
        .collect();
    rows.sort();
    rows
}

#[test]
fn pairs_of_every_writer_are_the_same_samples() {
    let folder = tempfile::tempdir().unwrap();
    for (number, name) in ["a.png", "b.png", "c.png"].iter().enumerate() {
        std::fs::write(folder.path().join(name), format!("PNG! {number}")).unwrap();
    }
    for name in ["polars", "pandas", "duckdb", "datasets", "pyarrow", "bytes"] {
        let found = rows("pairs", &format!("pairs_{name}"), None);
        assert_eq!(found, ["a: [ 0]赤い船", "b: [ 1]青い鳥", "c: [ 2]緑の木"], "{name}");
    }
    // Images by path are read where the recipe names their folder.
    let found = rows("pairs", "pairs_paths", Some(folder.path()));
    assert_eq!(found, ["a: [ 0]赤い船", "b: [ 1]青い鳥", "c: [ 2]緑の木"]);
    let without = ["a: no_image_bytes", "b: no_image_bytes", "c: no_image_bytes"];
    assert_eq!(rows("pairs", "pairs_paths", None), without);
}

#[test]
fn rows_with_nulls_are_dropped_one_by_one() {
    assert_eq!(
        rows("pairs", "pairs_nulls", None),
        [
            "10: no_image_bytes",
            "11: empty_text",
            "7: [ 0]赤い船",
            "9: no_image_bytes",
            "pairs_nulls.parquet row 2: [ 1]青い鳥",
        ]
    );
    assert_eq!(
        rows("conversations", "conversations_nulls", None),
        ["a: [ 0]赤い船", "b: no_messages", "c: unknown_role", "d: image_count"]
    );
}

#[test]
fn conversations_of_every_writer_are_the_same_samples() {
    for (name, ids) in [
        ("polars", ["a", "b", "c"]),
        ("pandas", ["a", "b", "c"]),
        ("duckdb", ["a", "b", "c"]),
        ("datasets", ["0", "1", "2"]),
    ] {
        let found = rows("conversations", &format!("conversations_{name}"), None);
        let texts = ["[ 0]赤い船", "[ 1]青い鳥", "[ 2]緑の木"];
        let expected: Vec<String> = ids.iter().zip(texts).map(|(id, text)| format!("{id}: {text}")).collect();
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn interleaved_documents_of_every_writer_are_the_same_samples() {
    assert_eq!(
        rows("interleaved", "interleaved_polars", None),
        ["a: 前[ 0]赤い船", "b: 前[ 1]青い鳥", "c: 前[ 2]緑の木"]
    );
    let place = |row: u32, text: &str| format!("interleaved_pyarrow.parquet row {row}: 前{text}");
    assert_eq!(
        rows("interleaved", "interleaved_pyarrow", None),
        [place(1, "[ 0]赤い船"), place(2, "[ 1]青い鳥"), place(3, "[ 2]緑の木")]
    );
}

#[test]
fn a_file_that_is_no_such_table_is_refused_by_column() {
    for (source, name, parts) in [
        ("pairs", "bad_timestamp", ["`text`", "Timestamp"]),
        ("pairs", "bad_column", ["`text`", "missing"]),
        ("pairs", "bad_image", ["`image`", "Int64"]),
        ("conversations", "pairs_polars", ["`messages`", "missing"]),
        ("interleaved", "pairs_polars", ["`texts`", "missing"]),
    ] {
        let error = open(source, name, None).err().unwrap_or_else(|| panic!("{name} was opened"));
        let message = error.with_causes();
        assert!(matches!(error, Error::Data { .. }), "{message}");
        assert!(message.contains(name) && parts.iter().all(|part| message.contains(part)), "{message}");
    }
}
