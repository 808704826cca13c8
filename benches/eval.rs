//! Speed of the evaluator's text side: opening the dictionary, tokenising, ROUGE-L with and without tokenising.
//!
//! `cargo bench -p tsumugi-eval --bench eval`; all on one thread. The texts are made here, 30 to 120 characters each;
//! `benches/peers/rouge.py` holds the same kind of texts against PyPI's packages.

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use tsumugi_eval::rouge::{RougeL, f1};
use tsumugi_text::mecab::{Dictionary, Tokenizer};
use tsumugi_text::normalize::Normalizer;

const PAIRS: usize = 10_000;

/// A sentence of the kind that models answer with.
fn text(seed: &mut u64) -> String {
    const PLACES: [&str; 8] =
        ["公園", "駅のホーム", "海辺", "台所", "京都の寺", "雪の積もった道", "商店街", "校庭"];
    const THINGS: [&str; 8] = [
        "猫",
        "白い犬",
        "東京タワー",
        "小さな男の子",
        "赤い自転車に乗った女性",
        "新幹線",
        "スマートフォン",
        "３台のバス",
    ];
    const ENDS: [&str; 8] = [
        "歩いています。",
        "眠っているようです。",
        "見えます。",
        "写っている。",
        "並んでいると思われます。",
        "ある、2024年のことです。",
        "待っているのでしょう。",
        "光っていました！",
    ];
    let mut next = |n: usize| {
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*seed >> 33) as usize % n
    };
    let length = 30 + next(91);
    let mut out = String::new();
    while out.chars().count() < length {
        out += &format!("{}で{}が{}", PLACES[next(8)], THINGS[next(8)], ENDS[next(8)]);
    }
    out.chars().take(length).collect()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dictionary = Dictionary::find(None)?;
    let mut seed = 8;
    let pairs: Vec<(String, String)> = (0..PAIRS).map(|_| (text(&mut seed), text(&mut seed))).collect();
    let chars: usize = pairs.iter().map(|(a, b)| a.chars().count() + b.chars().count()).sum();
    let mut criterion = Criterion::default().configure_from_args().sample_size(10);

    criterion.bench_function("dictionary/open", |b| {
        b.iter(|| black_box(Dictionary::open(dictionary.path()).is_ok()));
    });
    let mut group = criterion.benchmark_group("text");
    group.throughput(Throughput::Elements(chars as u64));
    group.bench_function("tokenize", |b| {
        let mut tokenizer = Tokenizer::new(&dictionary);
        b.iter(|| {
            pairs.iter().map(|(a, b)| tokenizer.tokens(a).len() + tokenizer.tokens(b).len()).sum::<usize>()
        });
    });
    group.finish();
    let mut group = criterion.benchmark_group("rouge");
    group.throughput(Throughput::Elements(PAIRS as u64));
    for (name, normalizer) in [("nfkc", Normalizer::Nfkc), ("neologdn", Normalizer::Neologdn)] {
        group.bench_function(format!("texts/{name}"), |b| {
            let mut scorer = RougeL::new(&dictionary, normalizer);
            b.iter(|| pairs.iter().map(|(p, r)| scorer.score(p, r)).sum::<f64>());
        });
    }
    let mut tokenizer = Tokenizer::new(&dictionary);
    let tokens: Vec<_> = pairs.iter().map(|(p, r)| (tokenizer.tokens(p), tokenizer.tokens(r))).collect();
    group.bench_function("tokens", |b| {
        b.iter(|| tokens.iter().map(|(p, r)| f1(p, r)).sum::<f64>());
    });
    group.finish();
    criterion.final_summary();
    Ok(())
}
