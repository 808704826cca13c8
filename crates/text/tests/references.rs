//! The filters against HojiChar's code and plain Python (`fixtures/make_quality.py`).

use serde_json::Value;
use tsumugi_text::{FilterChain, Profile, mask_pii, nfkc};

#[test]
fn statistics_and_decisions_equal_the_references() {
    let swallow = FilterChain::new(&Profile::named("swallow-v1").unwrap(), None).unwrap();
    let hojichar = FilterChain::new(&Profile::named("hojichar").unwrap(), None).unwrap();
    let llm_jp = FilterChain::new(&Profile::named("llm-jp").unwrap(), None).unwrap();
    // Other texts by `make_quality.py`'s rules.
    let more = std::env::var_os("TSUMUGI_QUALITY").map(|path| std::fs::read_to_string(path).unwrap());
    for line in more.as_deref().unwrap_or(include_str!("fixtures/quality.jsonl")).lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let text = row["text"].as_str().unwrap();
        let ours = swallow.apply(text);
        match row["statistics"].as_object() {
            Some(expected) => {
                for (name, value) in expected {
                    let found =
                        ours.statistics.iter().find(|(have, _)| have == name).map(|(_, value)| *value);
                    let close = found.is_some_and(|found| (found - value.as_f64().unwrap()).abs() < 1e-9);
                    assert!(close, "{name} of {text:?}: {found:?} {value}");
                }
            }
            None => {
                let failing = ["too_short_for_ngrams", "no_sentence"];
                assert!(
                    ours.rules().iter().any(|rule| failing.contains(rule)),
                    "{text:?}: {:?}",
                    ours.rules()
                );
            }
        }
        let decision = hojichar.apply(text);
        let rules: Vec<&str> =
            decision.rules().into_iter().filter(|rule| !rule.starts_with("num_letters")).collect();
        assert_eq!(serde_json::json!(rules), row["broken"], "{text:?}");
        let ratio = decision.statistics.iter().find(|(name, _)| name == "char_repetition_ratio").unwrap().1;
        assert!((ratio - row["char_repetition_ratio"].as_f64().unwrap()).abs() < 1e-9, "{text:?}");
        if !text.is_empty() {
            let ratio =
                llm_jp.apply(text).statistics.iter().find(|(name, _)| name == "zlib_ratio").unwrap().1;
            let expected = row["zlib"].as_f64().unwrap() / text.len() as f64;
            assert!((ratio - expected).abs() < 1e-12, "{text:?}: {ratio} {expected}");
        }
        assert_eq!(mask_pii(text).as_deref().unwrap_or(text), row["masked"], "{text:?}");
        assert_eq!(nfkc(text), row["nfkc"], "{text:?}");
    }
}
