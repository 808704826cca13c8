//! Every profile answers to every text, with a reason where it drops one.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::ops::Range;
use std::sync::LazyLock;

use proptest::prelude::*;
use tsumugi_text::{
    FilterChain, LanguageIdentifier, LanguagePack, MinHash, Profile, mask_pii, mask_pii_strict,
};

static CHAINS: LazyLock<Vec<FilterChain>> = LazyLock::new(|| {
    let chain = |name: String| FilterChain::new(&Profile::named(&name).unwrap(), None).unwrap();
    Profile::names().into_iter().map(chain).collect()
});

static PACKS: LazyLock<Vec<LanguagePack>> = LazyLock::new(|| {
    LanguagePack::codes().into_iter().map(|code| LanguagePack::embedded(code).unwrap()).collect()
});

fn check(text: &str) {
    for chain in &*CHAINS {
        let decision = chain.apply(text);
        assert_eq!(decision.keep, decision.reason().is_none());
        assert!(decision.statistics.iter().all(|(_, value)| value.is_finite()), "{:?}", decision.statistics);
        let _ = chain.modify(text);
    }
    for pack in &*PACKS {
        assert_eq!(pack.sentences().split(text).concat(), text);
        assert_eq!(pack.sentences().split_joined(text).concat(), text);
    }
    let _ = mask_pii_strict(text);
    let minhash = MinHash::default();
    assert_eq!(minhash.bands(&minhash.signature(text)).is_empty(), text.trim().is_empty());
}

#[test]
fn nasty_texts() {
    let long = "あいう（え".repeat(40_000);
    for text in [
        "",
        "あ",
        " \n \n",
        "。",
        "😀👨‍👩‍👧❤️",
        "אבג ABC العربية 日本 12",
        "\u{FEFF}\u{200B}",
        "\0\u{FFFD}",
        "ー・、",
        &long,
    ] {
        check(text);
    }
    assert_eq!(LanguageIdentifier::default().identify(&long).code, "ja");
}

/// Ten megabytes of the same: nothing may take a time that grows faster than the text.
#[test]
fn long_texts() {
    for piece in [
        "あ", "a", " ", "\u{3000}", "\n", "…", "…、", "!", "。」", "「", "(", "(^", "😀", "A. ", "１．",
        "〒", "090-", "日",
    ] {
        let text = " ".repeat(5_000_000) + &piece.repeat(5_000_000 / piece.len());
        // The pack of Japanese has every kind of rule.
        let ranges = PACKS.iter().find(|pack| pack.code() == "ja").unwrap().sentences().ranges(&text);
        assert_eq!(ranges.iter().map(Range::len).sum::<usize>(), text.len());
        let _ = (mask_pii(&text), mask_pii_strict(&text), LanguageIdentifier::default().identify(&text));
    }
    let text = "静かな海".repeat(10_000_000 / 12);
    for chain in &*CHAINS {
        let _ = (chain.apply(&text), chain.modify(&text));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn any_text(text in "(\\PC|[\n 。！？.…「」（）^_0-9@a-zあ-んア-ン一-三])\
                         {0,80}") {
        check(&text);
    }
}
