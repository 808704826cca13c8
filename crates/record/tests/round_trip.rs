//! What is written is read again, row by row, for every table.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, also in its helpers")]
#![cfg(feature = "parquet")]

use proptest::prelude::*;
use tsumugi_record::*;

fn round_trip<R: Record + PartialEq + std::fmt::Debug>(rows: &[R]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(shard_name(R::KIND, 0));
    let mut writer = ShardWriter::create(&path).unwrap();
    writer.write(rows).unwrap();
    let info = writer.finish().unwrap();
    assert_eq!(info.rows, rows.len() as u64);
    assert_eq!(info.bytes, std::fs::metadata(&path).unwrap().len());
    let read: Vec<R> = ShardReader::open(&path).unwrap().read_all().unwrap();
    assert_eq!(read, rows);
    assert_eq!(shards(folder.path(), R::KIND).unwrap(), [path]);
}

fn provenance() -> impl Strategy<Value = Provenance> {
    (any::<String>(), any::<u64>(), any::<String>()).prop_map(|(warc, offset, date)| Provenance {
        warc,
        offset,
        date,
        ..Default::default()
    })
}

fn slot() -> impl Strategy<Value = ImageSlot> {
    let text = || proptest::option::of("\\PC{0,12}");
    (any::<String>(), text(), text(), text(), any::<Option<u32>>(), any::<bool>()).prop_map(
        |(url, alt, caption, link_text, width, opt_out)| ImageSlot {
            url,
            alt,
            caption,
            link_text,
            width,
            height: None,
            opt_out,
        },
    )
}

fn node() -> impl Strategy<Value = Node> {
    let role = prop::sample::select(vec![Role::Main, Role::Heading, Role::Caption, Role::Boilerplate]);
    (any::<Option<String>>(), role, proptest::option::of(slot())).prop_map(|(text, role, image)| Node {
        text,
        role,
        image,
    })
}

fn document() -> impl Strategy<Value = Document> {
    let lists = (
        prop::collection::vec(node(), 0..6),
        prop::collection::vec(any::<u32>(), 0..4),
        prop::collection::vec(any::<i64>(), 0..4),
        prop::collection::vec(any::<String>(), 0..3),
    );
    (any::<String>(), any::<Option<String>>(), any::<Option<u32>>(), lists, provenance()).prop_map(
        |(id, title, score, (nodes, signature, bands, signals), provenance)| Document {
            id,
            title,
            language_score: score.map(f64::from),
            page_type: score.and_then(|score| PageType::ALL.get(score as usize % 8).copied()),
            main_confidence: score.map(|score| f64::from(score % 100) / 100.0),
            nodes,
            signature,
            bands,
            opt_out: !signals.is_empty(),
            opt_out_signals: signals,
            provenance,
            ..Default::default()
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..Default::default() })]

    #[test]
    fn documents_survive(rows in prop::collection::vec(document(), 0..20)) {
        round_trip(&rows);
    }

    #[test]
    fn interleaved_documents_survive(
        rows in prop::collection::vec(prop::collection::vec(any::<Option<String>>(), 0..5), 0..8)
    ) {
        let rows: Vec<Interleaved> = rows
            .into_iter()
            .map(|texts| {
                let image = |t: &Option<String>| match t {
                    Some(_) => None,
                    None => Some(Image { bytes: Some(vec![0, 159, 255]), path: None }),
                };
                let images = texts.iter().map(image).collect();
                Interleaved { texts, images, ..Default::default() }
            })
            .collect();
        round_trip(&rows);
    }
}

#[test]
fn every_other_table_survives() {
    let image = Image { bytes: Some(vec![1, 2, 3]), path: Some("a.png".into()) };
    round_trip(&[ImageRow { id: "i".into(), image: image.clone(), width: 3, ..Default::default() }]);
    round_trip(&[Fetch { status: 404, reason: Some("missing".into()), ..Default::default() }]);
    let similarities = vec![Similarity { scorer: "clip".into(), value: 0.25 }];
    round_trip(&[Pair {
        image: image.clone(), text: "赤い船".into(), similarities, ..Default::default()
    }]);
    let content = vec![
        Content { kind: "image".into(), text: None },
        Content { kind: "text".into(), text: Some("何が見えますか。".into()) },
    ];
    let messages = vec![Message { role: "user".into(), content }];
    round_trip(&[Conversation { images: vec![image], messages, ..Default::default() }]);
    round_trip(&[Excluded { reason: "short".into(), value: Some("3".into()), ..Default::default() }]);
    round_trip(&[Prediction { answer: "船です。".into(), ..Default::default() }]);
    round_trip(&[Judgement { score: Some(4.5), error: None, run: 2, ..Default::default() }]);
    round_trip::<Pair>(&[]);
}

#[test]
fn many_rows_make_many_batches() {
    let rows: Vec<Excluded> =
        (0..5000).map(|n| Excluded { id: n.to_string(), ..Default::default() }).collect();
    round_trip(&rows);
}

#[test]
fn an_unfinished_shard_has_no_final_name_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("excluded-00000.parquet");
    let mut writer = ShardWriter::create(&path).unwrap();
    writer.push(Excluded::default()).unwrap();
    assert!(!path.exists());
    drop(writer);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn the_same_rows_give_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str| {
        let mut writer = ShardWriter::create(folder.path().join(name)).unwrap();
        writer.write(&[Pair { text: "海".into(), ..Default::default() }]).unwrap();
        writer.finish().unwrap().sha256
    };
    assert_eq!(write("a.parquet"), write("b.parquet"));
}

#[test]
fn another_table_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.parquet");
    let mut writer = ShardWriter::create(&path).unwrap();
    writer.push(Excluded::default()).unwrap();
    writer.finish().unwrap();
    let message = ShardReader::<Pair>::open(&path).err().unwrap().to_string();
    assert!(message.contains("excluded") && message.contains("pairs"), "{message}");
}

#[test]
fn a_damaged_file_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pairs-00000.parquet");
    std::fs::write(&path, b"PAR1 this is not parquet").unwrap();
    let message = ShardReader::<Pair>::open(&path).err().unwrap().to_string();
    assert!(message.contains("pairs-00000.parquet"), "{message}");
}

record! {
    /// The bands of documents alone.
    #[derive(Debug, Clone, PartialEq)]
    struct Bands = "documents", 1 {
        bands: Vec<i64>,
    }
}

record! {
    /// A column that no document has.
    #[derive(Debug, Clone, PartialEq)]
    struct Unknown = "documents", 1 {
        no_such_column: String,
    }
}

#[test]
fn a_projection_reads_its_own_columns() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("documents-00000.parquet");
    let mut writer = ShardWriter::create(&path).unwrap();
    writer.push(Document { id: "d".into(), bands: vec![1, -2], ..Default::default() }).unwrap();
    writer.finish().unwrap();
    assert_eq!(
        ShardReader::<Bands>::open(&path).unwrap().read_all().unwrap(),
        [Bands { bands: vec![1, -2] }]
    );
    let body = ShardReader::<DocumentBody>::open(&path).unwrap().read_all().unwrap();
    assert_eq!(body[0].id, "d");
    let unknown = ShardReader::<Unknown>::open(&path).err();
    assert!(matches!(unknown, Some(Error::ColumnMissing { column }) if column == "no_such_column"));
}

#[test]
fn keys_of_sixteen_bytes_come_back() {
    record! {
        /// A key.
        #[derive(Debug, Clone, PartialEq)]
        struct Key = "keys", 1 {
            key: [u8; 16],
            other: Option<[u8; 16]>,
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys-00000.parquet");
    let rows = [Key { key: [7; 16], other: None }, Key { key: [1; 16], other: Some([2; 16]) }];
    let mut writer = ShardWriter::create(&path).unwrap();
    writer.write(&rows).unwrap();
    writer.finish().unwrap();
    assert_eq!(ShardReader::<Key>::open(&path).unwrap().read_all().unwrap(), rows);
}

#[test]
fn the_funnel_adds_up() {
    let mut a = Funnel::default();
    a.stage("length", "documents").keep();
    a.stage("length", "documents").drop("short");
    let mut b = Funnel::default();
    b.stage("language", "documents").drop("en");
    b.stage("length", "documents").drop("short");
    a.merge(&b);
    let length = &a.stages[0];
    assert_eq!((length.input, length.kept, length.dropped["short"]), (3, 1, 2));
    assert_eq!(a.stages[1].name, "language");
}
