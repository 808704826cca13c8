use std::fs;

use super::*;

#[test]
fn every_embedded_pack_loads() {
    assert_eq!(LanguagePack::codes(), ["en", "ja", "ko", "zh"]);
    for code in LanguagePack::codes() {
        let pack = LanguagePack::embedded(code).unwrap();
        assert_eq!(pack.code(), code);
        assert!(pack.has_letters(&pack.manifest().name), "{code}");
        assert!(pack.replies().refusals.len() > 9 && !pack.replies().input_words.is_empty(), "{code}");
        assert!(pack.questions().kinds.iter().any(|kind| kind.name == "how many"), "{code}");
    }
}

#[test]
fn every_pack_has_the_prompts_of_japanese() {
    let names = |code: &str| {
        let pack = LanguagePack::embedded(code).unwrap();
        pack.names("prompts").into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let ours = names("ja");
    assert!(ours.iter().any(|name| name == "conversation"));
    for code in LanguagePack::codes() {
        assert_eq!(names(code), ours, "{code}");
    }
}

#[test]
fn codes_with_script_and_region_are_understood() {
    for (tag, code) in [("ja-JP", "ja"), ("zh_Hant_TW", "zh"), (" EN-gb ", "en")] {
        assert_eq!(LanguagePack::embedded(tag).unwrap().code(), code);
    }
    assert!(matches!(LanguagePack::embedded(""), Err(Error::UnknownLanguage { .. })));
    assert!(matches!(LanguagePack::open("no/such/folder"), Err(Error::UnknownLanguage { .. })));
}

#[test]
fn captions_lose_the_number_of_their_figure() {
    for (code, caption, expected) in [
        ("ja", "図17.267 元の画像", "元の画像"),
        ("ja", "図3の橋", "図3の橋"),
        ("ja", "図.3 橋", "図.3 橋"),
        ("ja", "Fig. ３：夜の橋", "夜の橋"),
        ("en", "FIG. A-3) A bridge", "A bridge"),
        ("en", "Figures of speech", "Figures of speech"),
        ("ko", "그림 2. 밤의 다리", "밤의 다리"),
        ("ko", "표 3-1: 색상", "색상"),
        ("zh", "图1：夜晚的桥", "夜晚的桥"),
        ("zh", "圖 2 夜晚的橋", "夜晚的橋"),
    ] {
        assert_eq!(LanguagePack::embedded(code).unwrap().without_figure_number(caption), expected);
    }
}

#[test]
fn file_names_and_placeholders_are_no_captions() {
    let check = |code: &str, text: &str, file: bool, placeholder: bool| {
        let pack = LanguagePack::embedded(code).unwrap();
        assert_eq!(
            (pack.is_file_name(text), pack.is_placeholder(text)),
            (file, placeholder),
            "{code}: {text}"
        );
    };
    check("ja", "画像 001", true, false);
    check("ja", "画像がありません", false, true);
    check("ja", "画像 で見る庭", false, false);
    check("en", "Screenshot (2)", true, false);
    check("en", "No image available", false, true);
    check("ko", "사진_20240101", true, false);
    check("ko", "이미지 없음", false, true);
    check("zh", "微信图片_20240101", true, false);
    check("zh", "暂无图片", false, true);
    check("zh", "https://example.cn/图.html", true, false);
}

#[test]
fn a_folder_is_a_pack_too() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    let open = || LanguagePack::open(folder.path().to_str().unwrap());
    for name in ["pack", "captions", "replies", "questions", "sentences"] {
        let file = format!("{name}.toml");
        write(&file, LanguagePack::embedded("ko").unwrap().files.get(&file).unwrap());
    }
    fs::create_dir(folder.path().join("prompts")).unwrap();
    fs::create_dir(folder.path().join("texts")).unwrap();
    write("prompts/mine.toml", "version = \"mine-1\"\n");
    write("texts/colours.txt", "빨강\n\n파랑\n");
    let pack = open().unwrap();
    assert_eq!(pack.prompt("mine").unwrap(), "version = \"mine-1\"\n");
    assert_eq!(pack.lines("colours").unwrap(), ["빨강", "파랑"]);
    let absent = pack.prompt("vqa").unwrap_err().to_string();
    assert!(absent.contains("vqa.toml") && absent.contains("mine"), "{absent}");
    assert_eq!(pack.hash(), open().unwrap().hash());
    write("texts/colours.txt", "빨강\n");
    assert_ne!(pack.hash(), open().unwrap().hash());

    write("pack.toml", "code = 3");
    assert!(matches!(open().unwrap_err(), Error::Pack { .. }));
    write("captions.toml", "");
    fs::remove_file(folder.path().join("pack.toml")).unwrap();
    assert!(matches!(LanguagePack::from_folder(folder.path()), Err(Error::PackFile { .. })));
}
