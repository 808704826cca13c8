//! The filters against HojiChar's code and plain Python (`fixtures/make_quality.py`).

use serde_json::Value;
use tsumugi_text::{FilterChain, Profile, mask_pii, nfkc};

#[test]
fn statistics_and_decisions_equal_the_references() {
    let swallow = FilterChain::new(&Profile::named("swallow-v1").unwrap(), None).unwrap();
    let hojichar = FilterChain::new(&Profile::named("hojichar").unwrap(), None).unwrap();
    for line in include_str!("fixtures/quality.jsonl").lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let text = row["text"].as_str().unwrap();
        let ours = swallow.apply(text).statistics;
        for (name, value) in row["statistics"].as_object().unwrap() {
            let found = ours.iter().find(|(have, _)| have == name).map(|(_, value)| *value);
            // Where the reference would fail on the text, there are no statistics.
            if let Some(found) = found {
                assert!((found - value.as_f64().unwrap()).abs() < 1e-9, "{name} of {text}: {found} {value}");
            } else {
                assert!(text.chars().count() < 4, "{name} of {text}");
            }
        }
        let decision = hojichar.apply(text);
        let rules: Vec<&str> =
            decision.rules().into_iter().filter(|rule| !rule.starts_with("num_letters")).collect();
        assert_eq!(serde_json::json!(rules), row["broken"], "{text}");
        let ratio = decision.statistics.iter().find(|(name, _)| name == "char_repetition_ratio").unwrap().1;
        assert!((ratio - row["char_repetition_ratio"].as_f64().unwrap()).abs() < 1e-9, "{text}");
        assert_eq!(mask_pii(text).as_deref().unwrap_or(text), row["masked"], "{text}");
        assert_eq!(nfkc(text), row["nfkc"], "{text}");
    }
}
