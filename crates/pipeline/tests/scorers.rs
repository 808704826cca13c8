//! The builders with real encoders: tiny ones with random weights, whose scores mean nothing and are always the same.
#![cfg(feature = "train")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, also in its helpers")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tch::{Device, Kind, Tensor};
use tsumugi_interleave::{ImageRules, InterleavedConfig, PairConfig};
use tsumugi_pipeline::steps::build_interleaved::{BuildInterleaved, BuildInterleavedConfig};
use tsumugi_pipeline::steps::build_pairs::{BuildPairs, BuildPairsConfig};
use tsumugi_pipeline::steps::fetch_images::{FetchImages, FetchImagesConfig};
use tsumugi_pipeline::{Context, runner, with_threads};
use tsumugi_record::{
    Document, Excluded, ImageSlot, Interleaved, Node, Pair, Record, ShardReader, ShardWriter, shards,
};
use tsumugi_vlm::{ContrastiveEncoder, checkpoint};

const NAMES: [&str; 5] = ["wide.png", "large.png", "rgb.png", "tall.png", "diagonal64.png"];

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn encoder(name: &str) -> PathBuf {
    fixtures().join("tests/fixtures/contrastive").join(name)
}

/// A document with five images and as many sentences, and the images in a folder laid out as HOST/PATH.
fn prepare(home: &Path) {
    let cases = fixtures().join("crates/images/tests/fixtures/cases");
    let site = home.join("mirror/site.test");
    std::fs::create_dir_all(&site).unwrap();
    let mut nodes = Vec::new();
    for (n, name) in NAMES.iter().enumerate() {
        std::fs::copy(cases.join(name), site.join(name)).unwrap();
        let alt = Some(format!("{n}番目の絵の説明です"));
        let image = ImageSlot { url: format!("http://site.test/{name}"), alt, ..ImageSlot::default() };
        nodes.push(Node { text: Some(format!("これは{n}番目の文です。")), ..Node::default() });
        nodes.push(Node { image: Some(image), ..Node::default() });
    }
    let page = |n: usize| Document {
        id: n.to_string(),
        url: format!("http://site.test/{n}"),
        nodes: nodes.clone(),
        ..Document::default()
    };
    let mut writer = ShardWriter::create(home.join("documents").join("documents-00000.parquet")).unwrap();
    writer.write(&[page(0)]).unwrap();
    writer.finish().unwrap();
    let from = vec![format!("dir:{}", home.join("mirror").display())];
    let (documents, out) = (home.join("documents"), home.join("images"));
    runner::run::<FetchImages>(
        FetchImagesConfig { documents, from, out, ..Default::default() },
        &Context::hidden(),
    )
    .unwrap();
}

fn rows<R: Record>(folder: &Path) -> Vec<R> {
    let shards = shards(folder, R::KIND).unwrap();
    shards.iter().flat_map(|path| ShardReader::<R>::open(path).unwrap().read_all().unwrap()).collect()
}

fn images() -> ImageRules {
    ImageRules { min_side: 2, min_aspect: 0.01, max_aspect: 100.0, ..ImageRules::default() }
}

fn pairs(home: &Path, out: &str, scorer: &[String]) -> BuildPairsConfig {
    BuildPairsConfig {
        documents: home.join("documents"),
        images: home.join("images"),
        out: home.join(out),
        scorer: scorer.to_vec(),
        recipe: PairConfig { images: images(), ..PairConfig::default() },
        ..BuildPairsConfig::default()
    }
}

fn scorer(name: &str) -> String {
    format!("{}:{}", if name.starts_with("siglip") { "siglip" } else { "clip" }, encoder(name).display())
}

fn bytes(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .filter(|path| path.is_file())
        .map(|path| (path.file_name().unwrap().into(), std::fs::read(&path).unwrap()))
        .collect()
}

#[test]
fn pairs_are_scored_and_the_lowest_are_dropped() {
    let home = tempfile::tempdir().unwrap();
    prepare(home.path());
    let both = [scorer("open_clip"), scorer("siglip")];
    let config = pairs(home.path(), "pairs", &both);
    let summary = with_threads(1, || runner::run::<BuildPairs>(config.clone(), &Context::hidden())).unwrap();
    let kept: Vec<Pair> = rows(&config.out);
    let dropped: Vec<Excluded> = rows(&config.out.join("excluded"));
    let low = dropped.iter().filter(|row| row.reason == "low_similarity").count();
    // The two lowest of five are below what 30 % are below.
    assert_eq!((kept.len(), low), (3, 2));
    assert!(!summary.counts.contains_key("pairs without similarity"));

    // The scores are the cosines of the encoder itself.
    let clip = ContrastiveEncoder::open(encoder("open_clip"), Device::Cpu, Kind::Float).unwrap();
    for pair in &kept {
        let names: Vec<&str> = pair.similarities.iter().map(|score| score.scorer.as_str()).collect();
        assert_eq!(names, ["clip:open_clip", "siglip:siglip"]);
        let image = clip.embed_images(&[pair.image.bytes.as_ref().unwrap()]).unwrap();
        let text = clip.embed_texts(&[&pair.text]).unwrap();
        let cosine = image.matmul(&text.tr()).double_value(&[0, 0]);
        assert!((pair.similarities[0].value - cosine).abs() < 1e-5, "{cosine}");
    }

    // Other threads, same bytes; another encoder in the same folder is another run.
    let again = pairs(home.path(), "again", &both);
    with_threads(4, || runner::run::<BuildPairs>(again.clone(), &Context::hidden())).unwrap();
    assert_eq!(bytes(&config.out), bytes(&again.out));
    let other = pairs(home.path(), "pairs", &both[..1]);
    assert!(
        runner::run::<BuildPairs>(other.clone(), &Context::hidden())
            .unwrap_err()
            .to_string()
            .contains("scorer")
    );
}

#[test]
fn what_a_probe_finds_is_dropped() {
    let home = tempfile::tempdir().unwrap();
    prepare(home.path());
    let clip = ContrastiveEncoder::open(encoder("open_clip"), Device::Cpu, Kind::Float).unwrap();
    // A probe that finds what points where the first image does.
    let file = std::fs::read(home.path().join("mirror/site.test").join(NAMES[0])).unwrap();
    let vector = clip.embed_images(&[&file]).unwrap();
    let probe = home.path().join("finds-one.safetensors");
    let (weight, bias) = (&vector * 1000.0, Tensor::from_slice(&[-999.0_f32]));
    let tensors = [("layers.0.weight", &weight), ("layers.0.bias", &bias)];
    checkpoint::write_safetensors(&probe, tensors).unwrap();

    let mut config = pairs(home.path(), "pairs", &[scorer("open_clip")]);
    config.nsfw = Some(probe.clone());
    config.recipe.drop_lowest = 0.0;
    let summary = runner::run::<BuildPairs>(config.clone(), &Context::hidden()).unwrap();
    let stage = summary.funnel.stages.iter().find(|stage| stage.name == "nsfw").unwrap();
    assert_eq!((stage.input, stage.dropped["nsfw"]), (5, 1));
    let kept: Vec<Pair> = rows(&config.out);
    assert!(kept.iter().all(|pair| !pair.image_url.ends_with(NAMES[0])));
    assert!(kept.iter().all(|pair| pair.similarities[1].scorer == "nsfw:finds-one"));

    let recipe = InterleavedConfig {
        images: images(),
        min_images: 1,
        min_sentences: 1,
        min_similarity: -1.0,
        ..InterleavedConfig::default()
    };
    let mut config = BuildInterleavedConfig {
        documents: home.path().join("documents"),
        images: home.path().join("images"),
        out: home.path().join("interleaved"),
        scorer: vec![scorer("open_clip")],
        nsfw: Some(probe.clone()),
        recipe,
        ..BuildInterleavedConfig::default()
    };
    runner::run::<BuildInterleaved>(config.clone(), &Context::hidden()).unwrap();
    let built: Vec<Interleaved> = rows(&config.out);
    assert_eq!(built[0].image_info.len(), NAMES.len() - 1);
    assert!(
        built[0].image_info.iter().all(|image| !image.url.ends_with(NAMES[0]) && image.similarity.is_some())
    );

    // A probe alone, one of another encoder, and two scorers for one place each are refused.
    config.out = home.path().join("refused");
    config.scorer = vec!["none".into()];
    assert!(
        runner::run::<BuildInterleaved>(config.clone(), &Context::hidden())
            .unwrap_err()
            .to_string()
            .contains("scorer")
    );
    config.scorer = vec![scorer("siglip")];
    assert!(runner::run::<BuildInterleaved>(config.clone(), &Context::hidden()).is_err());
    (config.scorer, config.nsfw) = (vec![scorer("siglip"), scorer("open_clip")], None);
    assert_eq!(
        runner::run::<BuildInterleaved>(config.clone(), &Context::hidden()).unwrap_err().exit_code(),
        2
    );
    config.scorer = vec!["clip:no/such/folder".into()];
    assert_eq!(
        runner::run::<BuildInterleaved>(config.clone(), &Context::hidden()).unwrap_err().exit_code(),
        2
    );
}
