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
    for (wrong, meant) in
        [("jp", "ja"), ("JPN", "ja"), ("Japanese", "ja"), ("日本語", "ja"), ("cn", "zh"), ("kr-KR", "ko")]
    {
        let error = LanguagePack::open(wrong).unwrap_err().to_string();
        assert!(error.contains(&format!("did you mean {meant}?")), "{error}");
    }
    assert!(!LanguagePack::open("xx").unwrap_err().to_string().contains("mean"));
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
        let is_file = pack.is_file_name(text);
        assert_eq!((is_file, !is_file && pack.is_placeholder(text)), (file, placeholder), "{code}: {text}");
    };
    for name in [
        "画像1",
        "画像①",
        "画像（２）",
        "写真 2024-05-01",
        "スクリーンショット 2024-05-01 12.34.56",
        "スクリーンショット (12)",
        "スクリーンショット 2024-05-01 午後1.23.45",
        "スクリーンショット_20240501-123456.png",
        "IMG_1234",
        "_MG_1234",
        "IMG_E1234",
        "IMG_1234のコピー",
        "IMG-20240501-WA0001",
        "DSC_0123",
        "DSC01234",
        "P1010012",
        "無題 3",
        "無題1",
        "名称未設定-1",
        "名称未設定のデザイン (3)",
        "2024年5月1日",
        "画像のコピー",
        "S__12345678",
        "Screenshot_20240501",
        "キャプチャ12",
    ] {
        check("ja", name, true, false);
    }
    for placeholder in [
        "代替テキスト",
        "代替テキスト2",
        "代替テキスト。",
        "alt属性",
        "この画像には alt 属性が指定されておらず、ファイル名は IMG_1.jpg です",
        "画像に alt 属性が指定されていません。ファイル名: a.png",
        "ALT属性が設定されていません",
        "画像の説明を入力してください",
        "無題",
        "この商品の画像はまだ登録されていません",
        "NO IMAGE",
        "no-image",
        "プロフィール画像",
        "アイキャッチ画像",
        "Twitterでシェアする",
        "はてなブックマークに追加",
        "この画像をクリックすると拡大します",
        "スクリーンショット",
    ] {
        check("ja", placeholder, false, true);
    }
    for text in [
        "画像タブの設定",
        "写真で見る庭",
        "スクリーンショットの撮り方",
        "無題の絵の前で",
        "代替テキストの書き方",
        "図書館の入口",
        "2024年の桜",
        "画像1を開いたところ",
        "P1グランプリ",
        "alt キーを押す",
        "メニューバー",
        "検索結果の画面",
        "5月の花",
    ] {
        check("ja", text, false, false);
    }
    check("en", "Screenshot 2024-05-01 at 12.34.56 PM", true, false);
    check("en", "Copy of a painting", false, false);
    check("en", "This image has an empty alt attribute; its file name is a.jpg", false, true);
    check("zh", "屏幕截图 2024-05-01 123456", true, false);
    check("zh", "此图像的alt属性为空；文件名为 a.jpg", false, true);
    check("zh", "这張圖片的顏色", false, false);
    check("ko", "스크린샷 2024-05-01 오후 1.23.45", true, false);
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
