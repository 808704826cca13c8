//! Every error shows its cause once: in its own message or as its source, and never loses it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, also in its helpers")]

use std::error::Error as StdError;
use std::fs;

use tsumugi_interleave::{Error, InterleavedConfig, PairConfig, TextChecker, TextRules};

/// The error has `causes` sources, no message repeats the one of its source, and together they contain each of `words` once.
#[track_caller]
fn check(error: Error, causes: usize, words: &[&str]) {
    let first: Option<&dyn StdError> = Some(&error);
    let messages: Vec<String> =
        std::iter::successors(first, |error| StdError::source(*error)).map(ToString::to_string).collect();
    assert_eq!(messages.len(), causes + 1, "{messages:?}");
    assert!(messages.windows(2).all(|pair| !pair[0].contains(&pair[1])), "{messages:?}");
    let all = messages.join(": ");
    for word in words {
        assert_eq!(all.matches(word).count(), 1, "{word} in {all}");
    }
}

#[test]
fn causes_are_shown_once() {
    let folder = tempfile::tempdir().unwrap();
    let recipe = folder.path().join("mine.toml");
    fs::write(&recipe, "text_cuont = 3\n").unwrap();
    check(
        PairConfig::profile(recipe.to_str().unwrap()).unwrap_err(),
        1,
        &["mine.toml", "unknown field `text_cuont`"],
    );
    check(InterleavedConfig::profile("none.toml").unwrap_err(), 1, &["none.toml", "No such file"]);
    check(PairConfig::profile("papre").unwrap_err(), 0, &["papre", "obelics"]);

    let checker = |language: &str, text: TextRules| {
        let config = PairConfig { language: language.into(), text, ..PairConfig::default() };
        TextChecker::new(&config).unwrap_err()
    };
    check(checker("xx", TextRules::default()), 0, &["`xx`", "ja, ko"]);
    let words = TextRules { adult_words: Some("none.txt".into()), ..TextRules::default() };
    check(checker("ja", words), 1, &["none.txt", "No such file"]);
    let pattern = TextRules { file_name: Some("(".into()), ..TextRules::default() };
    check(checker("ja", pattern), 1, &["`file_name`", "unclosed group"]);

    let cause = fs::read(folder.path().join("weights")).unwrap_err();
    check(Error::scorer("clip", cause), 1, &["clip", "No such file"]);
    check(Error::scorer("clip", "returned an empty matrix"), 1, &["clip", "empty matrix"]);
}
