//! The layouts that benchmarks come in.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow_array::{
    ArrayRef, BinaryArray, Int64Array, ListArray, RecordBatch, StringArray, StructArray, new_null_array,
};
use arrow_buffer::OffsetBuffer;
use arrow_schema::{DataType, Field};
use parquet::arrow::ArrowWriter;
use tsumugi_eval::bench::{Benchmark, LoadRequest};
use tsumugi_eval::profile::Profile;
use tsumugi_eval::{Error, Registry};

type Failure = Box<dyn std::error::Error>;

const PNG: &[u8] = &[0x89, b'P', b'N', b'G', 1];
const JPEG: &[u8] = &[0xff, 0xd8, 2];

fn load(name: &str, data: Option<&Path>, profile: Profile) -> Result<Benchmark, Error> {
    Registry::default().load_benchmark(name, &LoadRequest::new(profile).with_data(data))
}

fn strings(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

fn fields(columns: Vec<(&str, ArrayRef)>) -> StructArray {
    StructArray::from(
        columns
            .into_iter()
            .map(|(name, array)| (Arc::new(Field::new(name, array.data_type().clone(), true)), array))
            .collect::<Vec<_>>(),
    )
}

fn images(values: &[&[u8]]) -> ArrayRef {
    let bytes: ArrayRef = Arc::new(BinaryArray::from_vec(values.to_vec()));
    let path = new_null_array(&DataType::Utf8, values.len());
    Arc::new(fields(vec![("bytes", bytes), ("path", path)]))
}

fn write(path: &Path, columns: Vec<(&str, ArrayRef)>) -> Result<(), Failure> {
    let batch = RecordBatch::try_from_iter(columns)?;
    let mut writer = ArrowWriter::try_new(File::create(path)?, batch.schema(), None)?;
    writer.write(&batch)?;
    writer.close()?;
    Ok(())
}

#[test]
fn heron_bench() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let answer =
        fields(vec![("claude", strings(&["x", "x"])), ("gpt-4-0125-preview", strings(&["答一", "答二"]))]);
    std::fs::create_dir(folder.path().join("data"))?;
    write(
        &folder.path().join("data/train-00000-of-00001.parquet"),
        vec![
            ("question_id", Arc::new(Int64Array::from(vec![7, 8])) as ArrayRef),
            ("category", strings(&["conv", "detail"])),
            ("text", strings(&["問一", "問二"])),
            ("context", strings(&["様子", "様子"])),
            ("answer", Arc::new(answer)),
            ("image", images(&[PNG, PNG])),
        ],
    )?;
    let benchmark = load("heron-bench", Some(folder.path()), Profile::Paper)?;
    assert_eq!(benchmark.name, "heron-bench");
    let second = &benchmark.questions[1];
    assert_eq!((second.id.as_str(), second.category.as_str()), ("8", "detail"));
    assert_eq!((second.question.as_str(), second.reference.as_str()), ("問二", "答二"));
    assert_eq!(second.context.as_deref(), Some("様子"));
    assert_eq!(second.image, benchmark.questions[0].image);
    assert_eq!(second.image.as_ref().map(|p| p.format().1), Some("png"));
    Ok(())
}

#[test]
fn visual_genome_asks_all_questions_or_the_first() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let ids: ArrayRef = Arc::new(Int64Array::from(vec![1, 2, 3]));
    let qas = fields(vec![
        ("qa_id", ids),
        ("question", strings(&["甲", "乙", "丙"])),
        ("answer", strings(&["子", "丑", "寅"])),
    ]);
    let item = Arc::new(Field::new("item", arrow_array::Array::data_type(&qas).clone(), true));
    let lists = ListArray::try_new(item, OffsetBuffer::from_lengths([2, 1]), Arc::new(qas), None)?;
    let path = folder.path().join("test.parquet");
    write(&path, vec![("image", images(&[PNG, JPEG])), ("qas", Arc::new(lists))])?;
    let all = load("ja-vg-vqa-500", Some(folder.path()), Profile::EvalMm)?;
    let ids: Vec<_> = all.questions.iter().map(|q| q.id.as_str()).collect();
    assert_eq!(ids, ["1", "2", "3"]);
    assert_eq!(all.questions[0].image, all.questions[1].image);
    let first = load("ja-vg-vqa-500", Some(&path), Profile::Sakana)?;
    let answers: Vec<_> = first.questions.iter().map(|q| q.reference.as_str()).collect();
    assert_eq!(answers, ["子", "寅"]);
    Ok(())
}

#[test]
fn in_the_wild_takes_row_numbers_as_ids() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let columns = || {
        vec![
            ("question", strings(&["問一", "問二"])),
            ("answer", strings(&["答一", "答二"])),
            ("image", images(&[PNG, JPEG])),
        ]
    };
    write(&folder.path().join("test-00000.parquet"), columns())?;
    write(&folder.path().join("test-00001.parquet"), columns())?;
    let benchmark = load("ja-vlm-bench-in-the-wild", Some(folder.path()), Profile::Paper)?;
    let ids: Vec<_> = benchmark.questions.iter().map(|q| q.id.as_str()).collect();
    assert_eq!(ids, ["0", "1", "2", "3"]);
    Ok(())
}

#[test]
fn own_files() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("a.png"), PNG)?;
    let jsonl = folder.path().join("own.jsonl");
    std::fs::write(
        &jsonl,
        "{\"question_id\": 5, \"question\": \"問\", \"reference\": \"答\", \"category\": \"色\", \"image\": \"a.png\", \"more\": 1}\n\n{\"question\": \"問2\", \"answer\": \"答2\", \"image\": {\"bytes\": \"/9gC\"}}\n{\"input_text\": \"問3\", \"answer\": \"\"}\n",
    )?;
    let benchmark = load(&jsonl.to_string_lossy(), None, Profile::Paper)?;
    assert_eq!(benchmark.name, "own");
    let ids: Vec<_> = benchmark.questions.iter().map(|q| q.id.as_str()).collect();
    assert_eq!(ids, ["5", "1", "2"]);
    assert_eq!(&*benchmark.questions[1].image.as_ref().ok_or("no image")?.bytes, JPEG);
    assert!(benchmark.questions[2].image.is_none());

    let parquet = folder.path().join("own.parquet");
    write(
        &parquet,
        vec![("question", strings(&["問"])), ("reference", strings(&["答"])), ("image", strings(&["a.png"]))],
    )?;
    let from_parquet = load(&parquet.to_string_lossy(), None, Profile::Paper)?;
    assert_eq!(from_parquet.questions[0].image, benchmark.questions[0].image);
    assert_ne!(from_parquet.digest(), benchmark.digest());
    Ok(())
}

#[test]
fn faults_name_the_place() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let jsonl = folder.path().join("own.jsonl");
    let message = |text: &str| -> Result<String, Failure> {
        std::fs::write(&jsonl, text)?;
        Ok(load(&jsonl.to_string_lossy(), None, Profile::Paper).err().ok_or("it was read")?.to_string())
    };
    assert!(message("\n{\"question\": \"q\"}\n")?.contains("row 2"));
    assert!(message("not json\n")?.contains("row 1"));
    assert!(message("")?.contains("no questions"));
    assert!(
        message("{\"question\": \"q\", \"answer\": \"a\", \"image\": \"gone.png\"}")?.contains("gone.png")
    );
    let twice = "{\"question_id\": 1, \"question\": \"q\", \"answer\": \"a\"}\n";
    assert!(message(&twice.repeat(2))?.contains("twice"));
    let empty = load("heron-bench", Some(folder.path()), Profile::Paper);
    assert!(empty.err().is_some_and(|e| e.to_string().contains(".parquet")));
    Ok(())
}

#[test]
fn json_is_read_in_the_forms_that_tools_write() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("a.png"), PNG)?;
    std::fs::write(folder.path().join("b.png"), JPEG)?;
    let file_url = format!("file://{}/a.png", folder.path().display());
    let rows = [
        r#"{"id": "path", "question": "q", "answer": "a", "image": "./a.png"}"#.to_owned(),
        r#"{"question": "q", "answer": "a", "image": ["a.png"], "images": ["./a.png", ""]}"#.to_owned(),
        r#"{"id": "broken", "question": "#.to_owned(),
        format!(r#"{{"id": "url", "question": "q", "answer": "a", "images": "{file_url}"}}"#),
        r#"{"id": "null", "question": null, "answer": "a"}"#.to_owned(),
        r#"{"id": "two", "question": "q", "answer": "a", "images": ["a.png", "b.png"]}"#.to_owned(),
        r#"{"id": "gone", "question": "q", "answer": "a", "image": "c.png"}"#.to_owned(),
        r#"{"question": "q", "answer": "a", "image": ""}"#.to_owned(),
    ];
    for (name, text) in [
        ("lines.jsonl", rows.join("\n")),
        ("mark.jsonl", format!("\u{feff}{}\r\n", rows.join("\r\n"))),
        ("array.json", format!("[{}]", rows.join(",\n"))),
        ("mark.json", format!("\u{feff}[{}]", rows.join(",\n"))),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, text)?;
        let benchmark = load(&path.to_string_lossy(), None, Profile::Paper)?;
        let ids: Vec<_> = benchmark.questions.iter().map(|q| q.id.as_str()).collect();
        // A row without an identifier has its number, whatever was dropped before it.
        assert_eq!(ids, ["path", "1", "url", "7"], "{name}");
        let with_image: Vec<bool> = benchmark.questions.iter().map(|q| q.image.is_some()).collect();
        assert_eq!(with_image, [true, true, true, false], "{name}");
        let lines: Vec<u64> = benchmark.dropped.iter().map(|row| row.line).collect();
        assert_eq!(lines, [3, 5, 6, 7], "{name}");
        assert!(benchmark.dropped[2].reason.contains("2 images"), "{name}: {:?}", benchmark.dropped);
        assert!(benchmark.dropped[3].reason.contains("c.png"), "{name}: {:?}", benchmark.dropped);
    }
    Ok(())
}
