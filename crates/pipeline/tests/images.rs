//! Images out of an archive, pairs and interleaved documents of them: on a site of three pages with every kind of
//! answer.
#![cfg(feature = "data")]
#![expect(clippy::unwrap_used, reason = "helpers of tests, where a failure is a failed test")]

use std::path::Path;
use std::sync::Arc;

use tsumugi_interleave::{ImageRules, InterleavedConfig, Matrix, PairConfig, Similarity};
use tsumugi_pipeline::runner::Summary;
use tsumugi_pipeline::steps::build_interleaved::{BuildInterleavedConfig, build_interleaved_with};
use tsumugi_pipeline::steps::build_pairs::{BuildPairs, BuildPairsConfig, build_pairs_with};
use tsumugi_pipeline::steps::fetch_images::{FetchImages, FetchImagesConfig};
use tsumugi_pipeline::steps::scorers::Scorers;
use tsumugi_pipeline::{Context, runner};
use tsumugi_record::{
    Document, Excluded, Fetch, ImageRow, ImageSlot, Interleaved, Node, Pair, Provenance, Record, ShardReader,
    ShardWriter, shards,
};
use tsumugi_warc::{ArchiveWriter, Compression, NewRecord};

const IMAGE: &[u8] = include_bytes!("../../images/tests/fixtures/cases/large.png");
const OTHER: &[u8] = include_bytes!("../../images/tests/fixtures/cases/wide.png");
const SITE: &str = "http://site.test";

fn answer(head: &str, body: &[u8]) -> Vec<u8> {
    [format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\n\r\n", body.len()).as_bytes(), body].concat()
}

fn archive(path: &Path) {
    let mut writer = ArchiveWriter::new(std::fs::File::create(path).unwrap(), Compression::default());
    let answers: [(&str, Vec<u8>); 8] = [
        ("/moved.png", answer("302 Found\r\nLocation: /a.png#top", b"")),
        ("/a.png", answer("200 OK\r\nETag: \"1\"", IMAGE)),
        ("/same.png", answer("200 OK", IMAGE)),
        ("/b.png", answer("200 OK", OTHER)),
        ("/circle.png", answer("301 Moved\r\nLocation: /circle.png", b"")),
        ("/closed.png", answer("200 OK\r\nX-Robots-Tag: noai", IMAGE)),
        ("/drawn.svg", answer("200 OK", b"<svg xmlns='http://www.w3.org/2000/svg'/>")),
        ("/gone.png", answer("404 Not Found", b"gone")),
    ];
    for (path, answer) in &answers {
        let url = format!("{SITE}{path}");
        writer.write(&NewRecord::response("2021-01-31T12:00:00Z", &url, answer)).unwrap();
    }
    writer.finish().unwrap();
}

fn image(path: &str, alt: &str) -> Node {
    let alt = (!alt.is_empty()).then(|| alt.to_owned());
    let image = ImageSlot { url: format!("{SITE}{path}"), alt, ..ImageSlot::default() };
    Node { image: Some(image), ..Node::default() }
}

fn text(text: &str) -> Node {
    Node { text: Some(text.to_owned()), ..Node::default() }
}

fn documents(folder: &Path) {
    let page = |name: &str, nodes: Vec<Node>| Document {
        id: name.to_owned(),
        url: format!("{SITE}/{name}"),
        charset: "UTF-8".into(),
        nodes,
        provenance: Provenance { date: "2021-01-31T12:00:00Z".into(), ..Provenance::default() },
        ..Document::default()
    };
    let mut refused = image("/a.png#x", "使えない絵の説明");
    refused.image.as_mut().unwrap().opt_out = true;
    let first = vec![
        text("一つ目の文です。二つ目の文です。"),
        image("/moved.png", "動かされた絵の説明"),
        text("三つ目の文です。"),
        image("/b.png#part", " 横に長い\u{3000}絵の説明 "),
        text("四つ目の文です。"),
    ];
    let second = vec![
        image("/same.png", "動かされた絵の説明"),
        image("/circle.png", "回る絵の説明です"),
        image("/closed.png", "閉じた絵の説明です"),
        image("/drawn.svg", "描いた絵の説明です"),
        image("/gone.png", "無くなった絵の説明"),
        image("/never.png", "無い絵の説明です"),
        image("/a.png", "tower"),
    ];
    std::fs::create_dir_all(folder).unwrap();
    let mut writer = ShardWriter::create(folder.join("documents-00000.parquet")).unwrap();
    writer.write(&[page("1", first), page("2", second), page("3", vec![refused])]).unwrap();
    writer.finish().unwrap();
}

fn rows<R: Record>(folder: &Path) -> Vec<R> {
    shards(folder, R::KIND)
        .unwrap()
        .iter()
        .flat_map(|p| ShardReader::<R>::open(p).unwrap().read_all().unwrap())
        .collect()
}

fn dropped(summary: &Summary, stage: &str) -> Vec<(String, u64)> {
    let stage = summary.funnel.stages.iter().find(|s| s.name == stage).unwrap();
    assert_eq!(stage.input, stage.kept + stage.dropped.values().sum::<u64>());
    stage.dropped.clone().into_iter().collect()
}

fn counts(expected: &[(&str, u64)]) -> Vec<(String, u64)> {
    expected.iter().map(|(reason, n)| ((*reason).to_owned(), *n)).collect()
}

fn pair_recipe() -> PairConfig {
    let images = ImageRules { min_side: 5, max_aspect: 100.0, ..ImageRules::default() };
    PairConfig { images, ..PairConfig::default() }
}

fn fetched(folder: &Path) -> Summary {
    archive(&folder.join("site.warc.gz"));
    documents(&folder.join("documents"));
    let from = vec![format!("warc:{}", folder.join("site.warc.gz").display())];
    let (documents, out) = (folder.join("documents"), folder.join("images"));
    runner::run::<FetchImages>(
        FetchImagesConfig { documents, from, out, ..Default::default() },
        &Context::hidden(),
    )
    .unwrap()
}

#[test]
fn every_image_comes_or_has_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let summary = fetched(folder.path());
    assert_eq!((summary.rows["images"], summary.rows["fetches"]), (2, 10));
    assert_eq!(
        dropped(&summary, "fetch"),
        counts(&[
            ("not_in_archive", 1),
            ("opt_out", 1),
            ("opt_out_header", 1),
            ("status:404", 1),
            ("svg", 1),
            ("too_many_redirects", 1),
        ])
    );
    let images: Vec<ImageRow> = rows(&folder.path().join("images"));
    assert_eq!(images[0].image.bytes.as_deref(), Some(IMAGE));
    assert_eq!((images[0].width, images[0].height, images[0].format.as_str()), (211, 160, "png"));
    let fetches: Vec<Fetch> = rows(&folder.path().join("images/fetches"));
    let moved = &fetches[0];
    assert_eq!(moved.url, format!("{SITE}/moved.png"));
    assert_eq!(moved.final_url, format!("{SITE}/a.png"));
    assert_eq!(moved.image_id.as_ref(), Some(&images[0].id));
    assert_eq!(moved.etag.as_deref(), Some("\"1\""));
    // Run again: nothing is done and the same is said.
    assert_eq!(fetched(folder.path()).rows, summary.rows);
}

#[test]
fn pairs_are_built_and_what_is_not_has_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    fetched(folder.path());
    let at = |name: &str| folder.path().join(name);
    let config = BuildPairsConfig {
        documents: at("documents"),
        images: at("images"),
        out: at("pairs"),
        scorer: vec!["none".into()],
        nsfw: None,
        recipe: pair_recipe(),
        ..BuildPairsConfig::default()
    };
    let summary = runner::run::<BuildPairs>(config.clone(), &Context::hidden()).unwrap();
    let pairs: Vec<Pair> = rows(&at("pairs"));
    let texts: Vec<&str> = pairs.iter().map(|pair| pair.text.as_str()).collect();
    assert_eq!(texts, ["動かされた絵の説明", "横に長い 絵の説明"]);
    assert_eq!(pairs[1].image.bytes.as_deref(), Some(OTHER));
    assert_eq!(dropped(&summary, "duplicates"), counts(&[("duplicate_pair", 1)]));
    assert_eq!(dropped(&summary, "texts"), counts(&[("wrong_language", 1)]));
    assert_eq!(dropped(&summary, "images"), counts(&[("no_image", 5), ("opt_out", 1)]));
    let excluded: Vec<Excluded> = rows(&at("pairs/excluded"));
    assert_eq!(excluded.len(), 8);
    let wrong = BuildPairsConfig { scorer: vec!["clip:model".into()], out: at("other"), ..config };
    assert_eq!(runner::run::<BuildPairs>(wrong.clone(), &Context::hidden()).unwrap_err().exit_code(), 2);
}

/// Scores by the length of the file and a word of the text, which is enough to see what goes where.
struct Toy;

impl Similarity for Toy {
    fn name(&self) -> &str {
        "toy"
    }

    fn score(&self, images: &[&[u8]], texts: &[&str]) -> tsumugi_interleave::Result<Matrix> {
        let score = |image: &[u8], text: &str| {
            let word = if image.len() == IMAGE.len() { "四つ" } else { "二つ" };
            if text.contains(word) { 0.9 } else { 0.1 }
        };
        let values =
            images.iter().flat_map(|image| texts.iter().map(move |text| score(image, text))).collect();
        Matrix::new(images.len(), texts.len(), values)
    }
}

#[test]
fn scorers_place_images_and_drop_the_lowest_pairs() {
    let folder = tempfile::tempdir().unwrap();
    fetched(folder.path());
    let at = |name: &str| folder.path().join(name);
    let images = ImageRules { min_side: 5, max_aspect: 100.0, ..ImageRules::default() };
    let recipe = InterleavedConfig { images, min_sentences: 4, ..InterleavedConfig::default() };
    let mut config = BuildInterleavedConfig {
        documents: at("documents"),
        images: at("images"),
        out: at("plain"),
        recipe,
        ..BuildInterleavedConfig::default()
    };
    let show = |row: &Interleaved| -> Vec<String> {
        let part = |(text, image): (&Option<String>, &Option<tsumugi_record::Image>)| match (text, image) {
            (Some(text), None) => text.clone(),
            (None, Some(image)) => image.bytes.as_ref().unwrap().len().to_string(),
            _ => panic!("a text or an image"),
        };
        row.texts.iter().zip(&row.images).map(part).collect()
    };
    let (image, other) = (IMAGE.len().to_string(), OTHER.len().to_string());
    build_interleaved_with(&config, Scorers::default(), &Context::hidden()).unwrap();
    let plain: Vec<Interleaved> = rows(&at("plain"));
    assert_eq!(
        show(&plain[0]),
        ["一つ目の文です。二つ目の文です。", &image, "三つ目の文です。", &other, "四つ目の文です。"]
    );
    config.out = at("scored");
    let scorers = Scorers { similarity: vec![Arc::new(Toy)], nsfw: None };
    build_interleaved_with(&config, scorers.clone(), &Context::hidden()).unwrap();
    let scored: Vec<Interleaved> = rows(&at("scored"));
    assert_eq!(
        show(&scored[0]),
        ["一つ目の文です。", &other, "二つ目の文です。\n三つ目の文です。", &image, "四つ目の文です。"]
    );
    assert_eq!(scored[0].image_info[0].similarity, Some(0.9));

    let pairs = BuildPairsConfig {
        documents: at("documents"),
        images: at("images"),
        out: at("pairs"),
        recipe: pair_recipe(),
        ..BuildPairsConfig::default()
    };
    build_pairs_with(&pairs, scorers, &Context::hidden()).unwrap();
    let pairs: Vec<Pair> = rows(&at("pairs"));
    assert!(pairs.iter().all(|pair| pair.similarities[0].scorer == "toy" && pair.image.bytes.is_some()));
}
