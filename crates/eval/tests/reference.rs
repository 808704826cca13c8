//! Tokens and ROUGE-L against the values that `fixtures/make_eval_cases.py` wrote with the Python packages.

use std::io::Read;
use std::path::Path;

use serde::Deserialize;
use tsumugi_eval::mecab::{Dictionary, Tokenizer};
use tsumugi_eval::normalize::Normalizer;
use tsumugi_eval::rouge::{RougeL, score_all};

type Failure = Box<dyn std::error::Error>;

/// Tokens of the reference, tokens of the prediction, score.
type Expected = (String, String, f64);

#[derive(Deserialize)]
struct Case {
    reference: String,
    prediction: String,
    nfkc: Expected,
    neologdn: Expected,
}

impl Case {
    fn of(&self, normalizer: Normalizer) -> &Expected {
        match normalizer {
            Normalizer::Nfkc => &self.nfkc,
            Normalizer::Neologdn => &self.neologdn,
        }
    }
}

fn cases() -> Result<Vec<Case>, Failure> {
    let packed = include_bytes!("fixtures/rouge_cases.jsonl.gz");
    let mut text = String::new();
    flate2::read::GzDecoder::new(packed.as_slice()).read_to_string(&mut text)?;
    Ok(text.lines().map(serde_json::from_str).collect::<Result<_, _>>()?)
}

#[test]
fn tokens_and_scores_equal_the_python_packages() -> Result<(), Failure> {
    let dictionary = Dictionary::find(None)?;
    let cases = cases()?;
    assert!(cases.len() >= 1000);
    check(&dictionary, &cases);
    Ok(())
}

fn check(dictionary: &Dictionary, cases: &[Case]) {
    for normalizer in [Normalizer::Nfkc, Normalizer::Neologdn] {
        let mut scorer = RougeL::new(dictionary, normalizer);
        for case in cases {
            let (reference, prediction, score) = case.of(normalizer);
            assert_eq!(scorer.tokens(&case.reference).join(" "), *reference, "{:?}", case.reference);
            assert_eq!(scorer.tokens(&case.prediction).join(" "), *prediction, "{:?}", case.prediction);
            let ours = scorer.score(&case.prediction, &case.reference);
            assert!(
                (ours - score).abs() < 1e-9,
                "{ours} for {score}: {:?} {:?}",
                case.reference,
                case.prediction
            );
        }
        let pairs: Vec<_> = cases.iter().map(|c| (&c.prediction, &c.reference)).collect();
        let together = score_all(dictionary, normalizer, &pairs);
        assert!(together.iter().zip(cases).all(|(score, case)| (score - case.of(normalizer).2).abs() < 1e-9));
    }
}

#[test]
#[ignore = "needs a file of cases that `make_eval_cases.py --fuzz` wrote"]
fn further_cases() -> Result<(), Failure> {
    let place = std::env::var("TSUMUGI_ROUGE_CASES")?;
    let text = std::fs::read_to_string(place)?;
    let cases: Vec<Case> = text
        .split('\n')
        .filter(|line| !line.is_empty())
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?;
    check(&Dictionary::find(None)?, &cases);
    Ok(())
}

#[test]
fn odd_texts() -> Result<(), Failure> {
    let dictionary = Dictionary::find(None)?;
    let mut tokenizer = Tokenizer::new(&dictionary);
    assert!(tokenizer.tokens("").is_empty());
    assert!(tokenizer.tokens("   ").is_empty());
    assert_eq!(tokenizer.tokens("あい\0うえ"), ["あい"]);
    assert_eq!(tokenizer.tokens("\u{fffe}\u{ffff}日本"), ["\u{fffe}", "\u{ffff}", "日本"]);
    assert_eq!(tokenizer.tokens(" 猫 が ").join("|"), "猫|が");
    let long = "あ".repeat(30_000);
    assert_eq!(tokenizer.tokens(&long).concat(), long);
    let words = tokenizer.morphemes("すももとＸＹＺもも");
    assert!(words.iter().all(|word| word.feature.contains(',')));
    assert!(words.iter().any(|word| word.unknown));
    Ok(())
}

#[test]
fn a_broken_dictionary_is_an_error() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    assert!(Dictionary::open(folder.path()).is_err_and(|e| e.to_string().contains("sys.dic")));
    for name in ["sys.dic", "unk.dic", "matrix.bin", "char.bin"] {
        std::fs::write(folder.path().join(name), [0_u8; 200])?;
    }
    assert!(Dictionary::open(folder.path()).is_err_and(|e| e.to_string().contains("cargo xtask provision")));
    assert!(Dictionary::find(Some(Path::new("/nowhere"))).is_err());
    Ok(())
}

#[test]
fn damaged_tables_do_not_panic() -> Result<(), Failure> {
    let found = Dictionary::find(None)?;
    let folder = tempfile::tempdir()?;
    for name in ["sys.dic", "matrix.bin"] {
        std::os::unix::fs::symlink(
            std::fs::canonicalize(found.path().join(name))?,
            folder.path().join(name),
        )?;
    }
    // Every unknown word and category points somewhere else.
    for name in ["unk.dic", "char.bin"] {
        let mut bytes = std::fs::read(found.path().join(name))?;
        let start = if name == "unk.dic" { 72 } else { 356 };
        bytes[start..]
            .iter_mut()
            .enumerate()
            .for_each(|(i, b)| *b = b.wrapping_mul(31).wrapping_add(i as u8));
        std::fs::write(folder.path().join(name), bytes)?;
    }
    let dictionary = Dictionary::open(folder.path())?;
    let mut tokenizer = Tokenizer::new(&dictionary);
    let _ = tokenizer.tokens("ＡＢＣ日本語のテキスト、123 \u{1f600}ｱｲｳ");
    Ok(())
}
