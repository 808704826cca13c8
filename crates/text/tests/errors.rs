//! Every error shows its cause once: in its own message or as its source, and never loses it.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::error::Error as StdError;
use std::fs;

use tsumugi_text::{Error, FilterChain, LanguageModel, LanguagePack, Matching, Profile, WordList};

/// The messages of an error and its sources, none of which may repeat the next.
fn chain(error: &dyn StdError) -> Vec<String> {
    let messages: Vec<String> = std::iter::successors(Some(error), |error| StdError::source(*error))
        .map(ToString::to_string)
        .collect();
    for pair in messages.windows(2) {
        assert!(!pair[0].contains(&pair[1]), "{pair:?} says it twice");
        assert!(!pair[0].trim().is_empty());
    }
    messages
}

/// The error has `causes` sources, and its messages together contain all of `words`.
#[track_caller]
fn check<T>(result: Result<T, Error>, causes: usize, words: &[&str]) {
    let messages = chain(&result.err().unwrap());
    assert_eq!(messages.len(), causes + 1, "{messages:?}");
    let all = messages.join(": ");
    for word in words {
        assert_eq!(all.matches(word).count(), 1, "{word} in {all}");
    }
}

fn filters(toml: &str, folder: Option<&std::path::Path>) -> Result<FilterChain, Error> {
    FilterChain::new(&Profile::parse("mine", &format!("[[filter]]\n{toml}"))?, folder)
}

#[test]
fn causes_are_shown_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("broken.bin"), [0xff, 0xfe]).unwrap();
    fs::write(path("pack.toml"), "code = 3\n").unwrap();

    check(Profile::named("missing.toml"), 1, &["missing.toml", "No such file"]);
    check(Profile::named("papre"), 0, &["papre", "swallow-v1"]);
    check(Profile::parse("mine", "fliter = []"), 1, &["mine", "unknown field `fliter`"]);
    check(filters("type = \"lenght\"", None), 0, &["lenght", "single-char-run"]);
    check(filters("type = \"length\"\nmim = 3", None), 1, &["filter `length`", "unknown field `mim`"]);
    check(filters("type = \"has-letters\"\nletters = \"(\"", None), 1, &["`letters`", "unclosed group"]);
    check(LanguagePack::open("tlh"), 0, &["tlh", "ja, ko"]);
    check(LanguagePack::from_folder(folder.path()), 1, &["pack.toml", "invalid type"]);
    check(LanguagePack::from_folder(&path("none")), 1, &["/none", "No such file"]);
    check(WordList::read(&path("broken.bin"), Matching::First), 1, &["broken.bin", "UTF-8"]);
    check(LanguageModel::open(&path("broken.bin")), 0, &["broken.bin"]);
    check(LanguageModel::open(&path("absent.bin")), 1, &["absent.bin", "No such file"]);
    let linear = "type = \"linear-language\"\nmodel = \"broken.bin\"";
    check(filters(linear, Some(folder.path())), 1, &["broken.bin", "expected value"]);
}

#[cfg(feature = "tokenizers")]
#[test]
fn causes_of_tokenizers_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("lm.arpa"), include_str!("fixtures/lm.arpa")).unwrap();
    fs::write(folder.path().join("tokenizer.json"), "[1, 2]").unwrap();
    let filter = "type = \"perplexity\"\nmodel = \"lm.arpa\"\ntokens = { tokenizer = \"tokenizer.json\" }\n\
                  head = 1.0\ntail = 2.0\n";
    check(filters(filter, Some(folder.path())), 1, &["tokenizer.json"]);
}
