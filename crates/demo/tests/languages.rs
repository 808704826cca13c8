//! The site of each language passes that language's filters, and gives pairs and sentences for interleaved documents.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, also in its helpers")]

use tsumugi_demo::{PAGES, site};
use tsumugi_interleave::{PairConfig, TextChecker};
use tsumugi_page::{PageHeaders, parse};
use tsumugi_text::{FilterChain, LanguagePack, Profile};

#[test]
fn sites_pass_the_filters_of_their_language() {
    for code in ["ja", "en", "ko"] {
        let pack = LanguagePack::embedded(code).unwrap();
        let profile = Profile::of_pack(&pack, &pack.manifest().profiles.documents).unwrap();
        let chain = FilterChain::new(&profile, None).unwrap();
        let config = PairConfig { language: code.into(), ..PairConfig::default() };
        let checker = TextChecker::new(&config).unwrap();
        let (mut kept, mut pairs, mut dropped) = (0, 0, Vec::new());
        for file in site(PAGES, code).unwrap() {
            if !file.url.ends_with(".html") || file.status != 200 {
                continue;
            }
            let content_type = file.headers.iter().find(|(name, _)| name == "Content-Type");
            let content_type = content_type.map(|(_, value)| value.as_str());
            let page = parse(&file.body, &PageHeaders { content_type, ..PageHeaders::default() }, &file.url);
            let text = page.main_text();
            let decision = chain.apply(&text);
            assert!(
                decision.keep <= pack.accepts(decision.language.code),
                "{code}: {}",
                decision.language.code
            );
            if !decision.keep {
                dropped.push(format!("{} {}: {:?}", file.url, decision.language.code, decision.rules()));
                continue;
            }
            kept += usize::from(pack.sentences().split_joined(&text).len() >= 10);
            let slots = page.nodes.iter().filter_map(|node| node.image.as_ref());
            let texts = slots.filter_map(|slot| slot.alt.as_deref().or(slot.caption.as_deref()));
            pairs += texts.filter(|text| checker.check(text, Some(code)).is_ok()).count();
        }
        assert!(kept >= 30 && pairs >= 80, "{code}: {kept} documents, {pairs} texts; {dropped:#?}");
        assert!(dropped.len() >= 8, "{code}: pages in other languages are there to be dropped");
    }
}
