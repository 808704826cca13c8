use proptest::prelude::*;

use super::*;

#[track_caller]
fn check(text: &str, page: Option<&str>, expected: &str) {
    let found = LanguageIdentifier::default().identify_on_page(text, page);
    assert_eq!(found.code, expected, "{text}: {found:?}");
    assert!((0.0..=1.0).contains(&found.score), "{found:?}");
}

#[test]
fn short_strings() {
    check("レイヤーダイアログ", None, "ja");
    check("図 3.2 画像の開き方", None, "ja");
    check("GIMP の画面", None, "ja");
    check("発行", None, "ja");
    check("人々", None, "ja");
    check("画像", Some("ja-JP"), "ja");
    check("文件", Some("zh_TW"), "zh-Hant");
    check("设置选项", None, "zh-Hans");
    check("設置選項們", None, "zh-Hant");
    check("설정", None, "ko");
    check("Settings", None, "en");
    check("Über", None, "und-Latn");
    check("การตั้งค่า", None, "th");
    check("Настройки", None, "und-Cyrl");
    check("优の良品", None, "zh-Hans");
    check("C++ と Rust の本", None, "ja");
    check("Windows の窓を開く", None, "ja");
    check("Click あ to choose the input method", None, "en");
    for japanese in [
        "勉強中",
        "駐車場完備",
        "二〇二五年七月二十五日、金曜日",
        "年中無休",
        "工事中",
        "全席禁煙",
        "要予約",
        "仮想環境",
    ] {
        check(japanese, None, "ja");
    }
    for chinese in ["二〇二五年七月二十五日", "停車場", "星期五", "正在使用的工具"] {
        let found = LanguageIdentifier::default().identify(chinese);
        assert_ne!(found.code, "ja", "{chinese}: {found:?}");
    }
    check("", None, "und");
    check("123 … !?", None, "und");
    check("😀😀", None, "und");
}

#[test]
fn documents() {
    let japanese =
        "この章では画像を開く方法を説明します。File メニューから Open を選んでください。".repeat(5);
    check(&japanese, None, "ja");
    let chinese = "本章说明如何打开图像。请在文件菜单中选择打开。作者：ドラえもん。".repeat(8);
    check(&chinese, None, "zh-Hans");
    check(
        &"本章说明如何打开图像。请在文件菜单中选择打开一个文件并且继续阅读下面的说明。の".repeat(4),
        None,
        "zh-Hans",
    );
    check(&"本章說明如何開啟圖像。請在檔案選單中選擇開啟一個檔案。".repeat(4), None, "zh-Hant");
    let english = "This chapter shows how to open an image and save it. ".repeat(6) + "日本語";
    check(&english, None, "en");
    let french = "Ce chapitre montre comment ouvrir une image et la sauver dans un fichier avec les outils. "
        .repeat(3);
    check(&french, None, "fr");
    check(&"이 장에서는 이미지를 여는 방법을 설명합니다. ".repeat(5), None, "ko");
}

proptest! {
    #[test]
    fn any_text_gets_an_answer(text in "\\PC{0,200}", page in proptest::option::of("[a-z]{2}(-[A-Z]{2})?")) {
        let found = LanguageIdentifier::default().identify_on_page(&text, page.as_deref());
        prop_assert!((0.0..=1.0).contains(&found.score));
        prop_assert!(!found.code.is_empty());
    }
}
