//! Speed of the text filter, in bytes of text a CPU second of one core, so that it can be measured on a busy machine
//! too (on Linux; elsewhere by the clock on the wall).
//!
//! Without a data set of its own the bench builds documents of some 5 KB from a few sentences in six languages; with
//! `TSUMUGI_BENCH_TEXTS` naming a file of JSON lines (`text`), it takes those.

use criterion::measurement::{Measurement, ValueFormatter, WallTime};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use std::time::{Duration, Instant};
use tsumugi_text::{FilterChain, LanguageIdentifier, LanguagePack, MinHash, Profile, mask_pii_strict};

/// Time that this thread ran.
struct CpuTime;

impl Measurement for CpuTime {
    type Intermediate = (Option<u64>, Instant);
    type Value = Duration;

    fn start(&self) -> Self::Intermediate {
        (cpu_nanoseconds(), Instant::now())
    }

    fn end(&self, (before, start): Self::Intermediate) -> Duration {
        match (before, cpu_nanoseconds()) {
            (Some(before), Some(now)) => Duration::from_nanos(now.saturating_sub(before).max(1)),
            _ => start.elapsed(),
        }
    }

    fn add(&self, a: &Duration, b: &Duration) -> Duration {
        *a + *b
    }

    fn zero(&self) -> Duration {
        Duration::ZERO
    }

    fn to_f64(&self, value: &Duration) -> f64 {
        value.as_nanos() as f64
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        WallTime.formatter()
    }
}

fn cpu_nanoseconds() -> Option<u64> {
    std::fs::read_to_string("/proc/thread-self/schedstat").ok()?.split(' ').next()?.parse().ok()
}

const JAPANESE: [&str; 8] = [
    "春の朝、庭の梅に鶯がとまって鳴いていた。",
    "母は縁側に座り、湯気の立つ茶を両手で包んでいる。",
    "「今日は暑いね。」と隣の人が言った！",
    "レイヤーを選んでから、メニューの「フィルター」を開きます。",
    "コメントとレビューは3月1日までに投稿してください(^_^)",
    "お問い合わせは 03-1234-5678 または info@example.co.jp まで。",
    "ファイル index.html を version 2.10 で書き出しました…",
    "鉄道の駅から海まで、歩いて十分ほどかかるだろうか？",
];
const OTHERS: [&str; 5] = [
    "This chapter shows how to open an image, to change it and to save it under another name. ",
    "本章说明如何打开图像，如何修改它，以及如何用别的名字保存。",
    "本章說明如何開啟圖像，如何修改它，以及如何用別的名字儲存。",
    "이 장에서는 이미지를 열고 고치고 다른 이름으로 저장하는 방법을 설명합니다. ",
    "Ce chapitre montre comment ouvrir une image, la changer et la garder sous un autre nom. ",
];

/// A document of about 5 KB whose sentences stand in an order of its own, so that nothing repeats in blocks.
fn document(sentences: &[&str], seed: usize) -> String {
    let mut state = seed;
    let mut text = String::new();
    while text.len() < 5000 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        text.push_str(sentences[(state >> 33) % sentences.len()]);
        text.push_str(&((state >> 40) % 1000).to_string());
        if state >> 60 < 4 {
            text.push('\n');
        }
    }
    text
}

fn japanese() -> Vec<String> {
    if let Some(path) = std::env::var_os("TSUMUGI_BENCH_TEXTS") {
        let Ok(lines) = std::fs::read_to_string(&path) else { return Vec::new() };
        let text = |line: &str| {
            serde_json::from_str::<serde_json::Value>(line).ok()?["text"].as_str().map(str::to_owned)
        };
        return lines.lines().filter_map(text).collect();
    }
    (0..200).map(|seed| document(&JAPANESE, seed)).collect()
}

fn mixed() -> Vec<String> {
    (0..200)
        .map(|seed| {
            if seed % 2 == 0 {
                document(&JAPANESE, seed)
            } else {
                document(&OTHERS[seed / 2 % 5..=seed / 2 % 5], seed)
            }
        })
        .collect()
}

fn bench(c: &mut Criterion<CpuTime>, name: &str, texts: &[String], each: impl Fn(&str)) {
    let mut group = c.benchmark_group("text");
    group.throughput(Throughput::Bytes(texts.iter().map(|text| text.len() as u64).sum()));
    group.sample_size(10);
    group.bench_function(name, |b| b.iter(|| texts.iter().for_each(|text| each(black_box(text)))));
    group.finish();
}

fn all(c: &mut Criterion<CpuTime>) {
    let (japanese, mixed) = (japanese(), mixed());
    let identifier = LanguageIdentifier::default();
    bench(c, "language", &mixed, |text| _ = black_box(identifier.identify(text)));
    for name in ["swallow-v1", "hojichar", "llm-jp", "gopher", "paper"] {
        let Ok(chain) = Profile::named(name).and_then(|profile| FilterChain::new(&profile, None)) else {
            continue;
        };
        bench(c, name, &japanese, |text| drop(black_box(chain.apply(text))));
    }
    if let Ok(pack) = LanguagePack::embedded("ja") {
        bench(c, "sentences", &japanese, |text| drop(black_box(pack.sentences().split(text))));
    }
    bench(c, "mask_pii_strict", &japanese, |text| drop(black_box(mask_pii_strict(text))));
    let minhash = MinHash::default();
    bench(c, "minhash", &japanese, |text| drop(black_box(minhash.bands(&minhash.signature(text)))));
}

criterion_group! {
    name = benches;
    config = Criterion::default().with_measurement(CpuTime);
    targets = all
}
criterion_main!(benches);
