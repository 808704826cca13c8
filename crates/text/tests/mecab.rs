//! MeCab's dictionaries: odd texts, missing and damaged files. That tokens equal those of the Python packages is tested
//! together with ROUGE-L, in `tsumugi-eval`.

use std::path::Path;

use tsumugi_text::mecab::{Dictionary, Tokenizer};

type Failure = Box<dyn std::error::Error>;

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
