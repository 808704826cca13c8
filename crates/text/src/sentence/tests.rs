use std::sync::LazyLock;

use proptest::prelude::*;

use crate::LanguagePack;

static JAPANESE: LazyLock<LanguagePack> = LazyLock::new(|| LanguagePack::embedded("ja").unwrap());

fn split<'a>(code: &str, text: &'a str) -> Vec<&'a str> {
    LanguagePack::embedded(code).unwrap().sentences().split(text)
}

fn sentences(text: &str) -> Vec<&str> {
    JAPANESE.sentences().split(text)
}

fn joined_sentences(text: &str) -> Vec<&str> {
    JAPANESE.sentences().split_joined(text)
}

#[track_caller]
fn check(expected: &[&str]) {
    assert_eq!(sentences(&expected.concat()), expected);
}

#[test]
fn terminators() {
    check(&["春です。", "夏です！", "秋ですか？！", "冬"]);
    check(&["これは. ", "それは．", "あれ"]);
    check(&["一行目\n\n", "二行目です。\n", "三行目"]);
    check(&["え……", "まさか……"]);
}

#[test]
fn numbers_names_and_addresses() {
    check(&["ROOM No.411を予約しました。"]);
    check(&["和室3.5畳。", "version 2.10.36 です。"]);
    check(&["お問い合わせはinfo@example.co.jpまで。", "お待ちしております。"]);
    check(&["index.html と .gitignore を開く。"]);
    check(&["1. 概要を書く。"]);
    check(&["This is a pen. ", "That is a dog."]);
}

#[test]
fn quotes_and_brackets() {
    check(&["「今日は暑いね。」と母が言った。", "私はうなずいた。"]);
    check(&["それはそれ(だがつらい?)として!", "(ほげ。)。", "ではまた。"]);
    check(&["「はい。」", "「いいえ。」"]);
    check(&["閉じない「括弧。", "次の文。"]);
}

#[test]
fn particles_go_on() {
    check(&["おかしいんじゃないの？って思います。"]);
    check(&["行くしかない！！！・・・と予約しました。"]);
    check(&["最高！", "とても良い。"]);
}

#[test]
fn marks_and_faces() {
    check(&["いい湯でした(^_^)", "食事はよかった"]);
    check(&["行きました（笑）", "また来ます♪", "では"]);
    check(&["品揃えは良い(-_-)zzZZ", "サービスは良好"]);
    check(&["子供連れによい(／＼) ＼(^o^)／", "品揃えは良い"]);
}

#[test]
fn pieces_without_letters_are_joined() {
    assert_eq!(joined_sentences("はい。\n---\n！！\n次。"), ["はい。\n---\n！！\n", "次。"]);
    assert_eq!(joined_sentences("***\n始め。終わり。"), ["***\n始め。", "終わり。"]);
    assert_eq!(joined_sentences("…"), ["…"]);
    assert!(joined_sentences("").is_empty());
}

#[test]
fn pieces_of_any_script_stand_alone() {
    for text in ["안녕하세요.\n네.\n", "Да.\nНет.\n", "ใช่\nไม่\n", "نعم.\nلا.\n", "١\n२\n", "①\n"]
    {
        let expected: Vec<&str> = text.split_inclusive('\n').collect();
        assert_eq!(joined_sentences(text), expected);
    }
    assert_eq!(joined_sentences("네.\n①\n"), ["네.\n①\n"]);
}

#[test]
fn other_languages() {
    let check = |code: &str, expected: &[&str]| assert_eq!(split(code, &expected.concat()), expected);
    check("en", &["Mr. Mori paid $3.50 (why?) in Jan. 2024. ", "“Yes!” he said... ", "Fine.\n", "Go!"]);
    check("ko", &["“어디 가요?”라고 물었다. ", "집에 가요ㅋㅋ\n", "정말요?! ", "네."]);
    check("zh", &["他说：“你好。”然后走了。", "价格是3.5元。", "真的吗？！", "是的……", "好"]);
}

#[test]
fn a_long_text_without_a_stop_is_one_sentence() {
    let text = "（あ".repeat(50_000);
    assert_eq!(sentences(&text).len(), 1);
}

proptest! {
    #[test]
    fn sentences_make_up_the_text(text in "(\\PC|[。！？.…()（）「」♪\n 笑^_;a1あ]){0,120}") {
        prop_assert_eq!(sentences(&text).concat(), text.clone());
        prop_assert_eq!(joined_sentences(&text).concat(), text.clone());
        prop_assert!(sentences(&text).iter().all(|s| !s.is_empty()));
    }
}
