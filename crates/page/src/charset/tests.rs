//! Charsets of honest, lying and mixed pages.

use super::*;

const TEXT: &str = "<p>日本語の文章です。高速に処理します。カタカナも漢字も①もあります。</p>";

fn check(bytes: &[u8], content_type: Option<&str>, charset: &str) {
    let decoded = decode(bytes, content_type);
    assert_eq!(decoded.charset, charset, "{content_type:?}");
    assert!(decoded.text.contains("高速に処理します"), "{charset}: {}", decoded.text);
}

#[test]
fn bytes_win_over_lies() {
    for encoding in [UTF_8, SHIFT_JIS, EUC_JP] {
        let (bytes, _, _) = encoding.encode(TEXT);
        for lie in [
            None,
            Some("utf-8"),
            Some("shift_jis"),
            Some("euc-jp"),
            Some("iso-8859-1"),
            Some("gb2312"),
            Some("iso-2022-kr"),
            Some("hz-gb-2312"),
            Some("x-user-defined"),
            Some("none"),
        ] {
            let content_type = lie.map(|lie| format!("text/html; charset={lie}"));
            check(&bytes, content_type.as_deref(), encoding.name());
            let meta = lie.map(|lie| format!("<meta charset='{lie}'>")).unwrap_or_default();
            check(&[meta.as_bytes(), &bytes].concat(), None, encoding.name());
        }
    }
}

#[test]
fn reads_iso_2022_jp_and_utf16() {
    let (bytes, _, _) = ISO_2022_JP.encode("<p>高速に処理します");
    check(&bytes, Some("text/html; charset=utf-8"), "ISO-2022-JP");
    let text = "<p>高速に処理します";
    let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    check(&little, None, "UTF-16LE");
    check(&[&[0xff, 0xfe], &little[..]].concat(), Some("text/html; charset=utf-8"), "UTF-16LE");
    // The mark of UTF-8 before a page in another encoding.
    for encoding in [UTF_8, SHIFT_JIS, EUC_JP] {
        let (bytes, _, _) = encoding.encode(TEXT);
        check(&[b"\xef\xbb\xbf", &*bytes].concat(), None, encoding.name());
    }
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    check(&[&[0xfe, 0xff], &big[..]].concat(), None, "UTF-16BE");
}

#[test]
fn keeps_utf8_with_some_broken_bytes() {
    let mut bytes = TEXT.repeat(10).into_bytes();
    bytes.truncate(bytes.len() - 6);
    check(&bytes, Some("text/html; charset=Shift_JIS"), "UTF-8");
    bytes[100] = 0xff;
    check(&bytes, Some("text/html; charset=Shift_JIS"), "UTF-8");
}

#[test]
fn labels_of_no_encoding_claim_nothing() {
    for label in ["iso-2022-kr", "replacement", "iso-2022-cn", "x-user-defined"] {
        let content_type = format!("text/html; charset={label}");
        let page = decode(b"<p>caf\xe9 cr\xe8me br\xfbl\xe9e \xe0 la carte</p>", Some(&content_type));
        assert_eq!((page.charset, &*page.text), ("windows-1252", "<p>café crème brûlée à la carte</p>"));
    }
}

#[test]
fn believes_western_declarations() {
    let page = decode(b"<p>caf\xe9 cr\xe8me</p>", Some("text/html; charset=ISO-8859-1"));
    assert_eq!((page.charset, &*page.text), ("windows-1252", "<p>café crème</p>"));
}

/// Sentences, and others for the part in another encoding.
const MAIN: &str = "<p>山の話です。今日は川へ行きました。空が青いので、帰りは歩いて駅まで行きました。</p>\n";
const PART: &str = "<p>広告の欄：今すぐこちらをクリックしてください</p>";

#[test]
fn reads_mixed_pages_in_the_encoding_of_most_text() {
    let all = [UTF_8, SHIFT_JIS, EUC_JP, ISO_2022_JP];
    let lost = PART.chars().filter(|c| !c.is_ascii()).count();
    for main in all {
        let text = MAIN.repeat(6);
        let (long, _, _) = main.encode(&text);
        for other in all.into_iter().filter(|other| *other != main) {
            let (short, _, _) = other.encode(PART);
            let head = format!("<meta charset={}>", other.name());
            for (page, place) in [
                ([&long[..], &short].concat(), "footer"),
                ([&short[..], &long].concat(), "header"),
                ([head.as_bytes(), &short, &long].concat(), "header that lies"),
                ([&long[..long.len() / 2], b"</p>", &short, &long[long.len() / 2..]].concat(), "middle"),
            ] {
                // A character or an escape sequence cut in two may take its neighbour along.
                let is_cut = place == "middle";
                let decoded = decode(&page, Some("text/html"));
                let what = format!("{} with a {place} in {}: {}", main.name(), other.name(), decoded.text);
                assert_eq!(decoded.charset, main.name(), "{what}");
                let legible = decoded.text.matches("帰りは歩いて駅まで行きました").count();
                assert!(legible >= if is_cut { 5 } else { 6 }, "{what}");
                if main != ISO_2022_JP && !is_cut {
                    assert_eq!(decoded.replaced, lost, "{what}");
                    assert_eq!(decoded.text.matches('\u{fffd}').count(), lost, "{what}");
                }
                assert!(decoded.replaced >= lost, "{what}");
            }
        }
    }
}

#[test]
fn a_long_part_in_another_encoding_decides_nothing_before_it_is_most() {
    for (main, other) in [(UTF_8, SHIFT_JIS), (SHIFT_JIS, UTF_8), (EUC_JP, SHIFT_JIS), (SHIFT_JIS, EUC_JP)] {
        let (most, least) = (MAIN.repeat(110), MAIN.repeat(90));
        let (most, _, _) = main.encode(&most);
        let (least, _, _) = other.encode(&least);
        let decoded = decode(&[&least[..], &most].concat(), None).charset;
        assert_eq!(decoded, main.name(), "{} behind {}", main.name(), other.name());
    }
}

#[test]
fn surrogates_in_utf8_are_replaced_alone() {
    let emoji = b"\xed\xa0\xbd\xed\xb8\x80";
    for text in ["絵です", "山の話です。今日は川へ行きました。", "頁"] {
        let page = [b"<title>", text.as_bytes(), b"</title><p>", emoji, text.as_bytes(), b"</p>"].concat();
        let decoded = decode(&page, Some("text/html; charset=UTF-8"));
        assert_eq!(decoded.charset, "UTF-8", "{text}");
        assert_eq!(decoded.text.matches(text).count(), 2, "{}", decoded.text);
        assert_eq!(decoded.replaced, 6);
    }
}

#[test]
fn counts_only_what_it_replaced() {
    for (bytes, replaced) in [
        ("山\u{fffd}海".as_bytes(), 0),
        (&[MAIN.as_bytes(), "\u{fffd}".as_bytes(), b"\xff</p>"].concat(), 1),
        (b"<p>caf\xe9</p>", 0),
        (&[MAIN.as_bytes(), b"\xe3\x81"].concat(), 1),
    ] {
        assert_eq!(decode(bytes, None).replaced, replaced, "{}", String::from_utf8_lossy(bytes));
    }
}
