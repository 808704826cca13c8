use super::*;

/// Scores of `fixtures/make_models.py`: each of its sentences under each of its model files.
fn cases() -> Vec<(String, f64)> {
    let table = include_str!("../../tests/fixtures/lm_scores.tsv");
    table
        .lines()
        .map(|line| {
            let (score, sentence) = line.split_once('\t').unwrap();
            (sentence.to_owned(), score.parse().unwrap())
        })
        .collect()
}

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)).unwrap()
}

#[track_caller]
fn check(name: &str, tolerance: f64) {
    let model = LanguageModel::from_bytes(fixture(name)).unwrap();
    assert_eq!(model.order(), 4);
    assert!(model.knows("茶") && !model.knows("鯨"));
    for (sentence, expected) in cases() {
        let score = model.score(sentence.split_ascii_whitespace());
        assert!((score.log10 - expected).abs() < tolerance, "{name}: {sentence}: {score:?} {expected}");
        assert_eq!(score.tokens, sentence.split_ascii_whitespace().count() as u64 + 1);
    }
}

#[test]
fn scores_equal_those_of_kenlm() {
    check("lm.arpa", 1e-4);
    check("lm.probing.bin", 1e-4);
    check("lm.trie.bin", 1e-4);
    check("lm.array.bin", 1e-4);
}

#[test]
fn quantised_models_score_as_kenlm_quantises_them() {
    let expected: Vec<f64> = include_str!("../../tests/fixtures/lm_scores_quantised.tsv")
        .lines()
        .map(|line| line.split_once('\t').unwrap().0.parse().unwrap())
        .collect();
    for name in ["lm.quantised.bin", "lm.quantised-array.bin"] {
        let model = LanguageModel::from_bytes(fixture(name)).unwrap();
        for ((sentence, _), expected) in cases().iter().zip(&expected) {
            let score = model.score(sentence.split_ascii_whitespace());
            assert!((score.log10 - expected).abs() < 1e-4, "{name}: {sentence}: {score:?} {expected}");
        }
    }
}

#[test]
fn damaged_files_are_errors_or_give_numbers() {
    for name in ["lm.arpa", "lm.probing.bin", "lm.trie.bin", "lm.quantised-array.bin"] {
        let whole = fixture(name);
        for cut in [0, 1, 60, 108, 150, whole.len() / 2, whole.len() - 30] {
            // The words at the end of a binary are not needed.
            if let Ok(model) = LanguageModel::from_bytes(whole[..cut].to_vec()) {
                assert!(!model.score(["茶", "を"]).log10.is_nan());
            }
        }
        for at in (88..whole.len()).step_by(97) {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x55;
            if let Ok(model) = LanguageModel::from_bytes(bytes) {
                let _ = model.score(["茶", "を", "鯨"]);
            }
        }
    }
}

#[test]
fn errors_name_the_line_and_the_remedy() {
    let message = |text: &str| LanguageModel::from_bytes(text.into()).unwrap_err().to_string();
    assert!(message("").contains("line 0"), "{}", message(""));
    let header = "\\data\\\nngram 1=1\nngram 2=1\n\n\\1-grams:\n";
    assert!(message(&format!("{header}x\t茶\n")).contains("line 6"));
    let unknown = format!("{header}-1\t茶\n\\2-grams:\n-1\t茶 鯨\n");
    assert!(message(&unknown).contains("鯨"), "{}", message(&unknown));
    assert!(message("mmap lm http://kheafield.com/code format version 4\n").contains("build_binary"));
    let missing = LanguageModel::open(Path::new("missing.arpa")).unwrap_err().to_string();
    assert!(missing.contains("missing.arpa"), "{missing}");
}
