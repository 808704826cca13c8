//! Any text through every profile, the sentences, the masks and the signature; and any bytes as a language model.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tsumugi_text::{
    FilterChain, LanguageModel, LanguagePack, MinHash, Profile, mask_pii, mask_pii_strict, nfkc, normalize_ccnet,
    normalize_neologd,
};

static CHAINS: LazyLock<Vec<FilterChain>> = LazyLock::new(|| {
    let chain = |name: String| {
        let profile = Profile::named(&name).expect("a built-in profile parses");
        FilterChain::new(&profile, None).expect("a built-in profile has known filters")
    };
    Profile::names().into_iter().map(chain).collect()
});

static PACKS: LazyLock<Vec<LanguagePack>> = LazyLock::new(|| {
    let pack = |code| LanguagePack::embedded(code).expect("an embedded pack loads");
    LanguagePack::codes().into_iter().map(pack).collect()
});

fuzz_target!(|data: &[u8]| {
    if let Ok(model) = LanguageModel::from_bytes(data.to_vec()) {
        let _ = model.score(["茶", "を", "飲む"]);
    }
    let text = String::from_utf8_lossy(data);
    for chain in &*CHAINS {
        let decision = chain.apply(&text);
        assert_eq!(decision.keep, decision.reason().is_none());
        assert!(decision.statistics.iter().all(|(_, value)| value.is_finite()));
        let _ = chain.modify(&text);
    }
    for pack in &*PACKS {
        assert_eq!(pack.sentences().split(&text).concat(), text);
        assert_eq!(pack.sentences().split_joined(&text).concat(), text);
    }
    let _ = (mask_pii(&text), mask_pii_strict(&text));
    let _ = (nfkc(&text), normalize_neologd(&text), normalize_ccnet(&text));
    let minhash = MinHash::default();
    assert_eq!(minhash.bands(&minhash.signature(&text)).is_empty(), text.trim().is_empty());
});
