use super::*;

#[track_caller]
fn check(text: &str, expected: &str) {
    assert_eq!(mask_pii(text).as_deref().unwrap_or(text), expected);
}

#[test]
fn phones_and_mail_as_hojichar_masks_them() {
    check("06-1234-5678", "06-1234-XXXX");
    check("0166-12-3456", "0166-12-XXXX");
    check("09808-1-2345", "09808-1-XXXX");
    check("連絡は075-123-4567 まで", "連絡は075-123-XXXX まで");
    check("+818012345678", "+81801234XXXX");
    check("何かあれば hogehoge@example.ne.jp まで連絡", "何かあれば xxxx@yyy.jp まで連絡");
    check("ISBN978-4-06-123456-7", "ISBN978-4-06-123456-7");
    check("2024-01-23", "2024-01-23");
    check("カード4111-1111-1111-1111", "カード4111-1111-1111-1111");
}

#[track_caller]
fn strict(text: &str, expected: &str) {
    assert_eq!(mask_pii_strict(text).as_deref().unwrap_or(text), expected, "{text}");
}

#[test]
fn numbers_with_check_digits() {
    strict("カード4111-1111-1111-1111", "カードXXXX-XXXX-XXXX-XXXX");
    strict("番号 4111 1111 1111 1112", "番号 4111 1111 1111 1112");
    strict("アメックス 3782 822463 10005", "アメックス XXXX XXXXXX XXXXX");
    strict("マイナンバー 1234 5678 9018", "マイナンバー XXXX XXXX XXXX");
    strict("マイナンバー１２３４５６７８９０１８です", "マイナンバーXXXXXXXXXXXXです");
    strict("マイナンバー 1234 5678 9019", "マイナンバー 1234 5678 9019");
    strict("時刻 202411230900", "時刻 202411230900");
    strict("ISBN 9784061234567", "ISBN 9784061234567");
    strict("JAN 4901234567894", "JAN 4901234567894");
    strict("000000000000", "000000000000");
}

#[test]
fn addresses() {
    strict("〒100-0001 東京都千代田区千代田1-1です", "〒XXX-XXXXです");
    strict("〒１００−０００１東京都千代田区丸の内一丁目２番３号", "〒XXX-XXXX");
    strict("〒060-8588 北海道札幌市中央区北3条西6丁目", "〒XXX-XXXX");
    strict("住所 530-0001 大阪府大阪市北区梅田3-1-3", "住所 〒XXX-XXXX");
    strict("〒 1000001", "〒XXX-XXXX");
    strict("品番 100-0001 の部品", "品番 100-0001 の部品");
}

#[test]
fn telephone_numbers_of_every_kind() {
    for (number, masked) in [
        ("03-1234-5678", "03-1234-XXXX"),
        ("(03)1234-5678", "(03)1234-XXXX"),
        ("（０３）１２３４−５６７８", "（０３）１２３４−XXXX"),
        ("03(1234)5678", "03(1234)XXXX"),
        ("0166-12-3456", "0166-12-XXXX"),
        ("09808-1-2345", "09808-1-XXXX"),
        ("0312345678", "031234XXXX"),
        ("090-1234-5678", "090-1234-XXXX"),
        ("09012345678", "0901234XXXX"),
        ("090 1234 5678", "090 1234 XXXX"),
        ("０９０ー１２３４ー５６７８", "０９０ー１２３４ーXXXX"),
        ("050-3456-7890", "050-3456-XXXX"),
        ("0120-123-456", "0120-123-XXX"),
        ("0120-12-3456", "0120-12-XXXX"),
        ("0570-012-345", "0570-012-XXX"),
        ("0800-123-4567", "0800-123-XXXX"),
        ("+81-3-1234-5678", "+81-3-1234-XXXX"),
        ("+81 90 1234 5678", "+81 90 1234 XXXX"),
        ("+81(0)3-1234-5678", "+81(0)3-1234-XXXX"),
        ("+819012345678", "+81901234XXXX"),
    ] {
        strict(number, masked);
        strict(&format!("電話は{number}です。"), &format!("電話は{masked}です。"));
        strict(&format!("TEL:{number}（内線12）"), &format!("TEL:{masked}（内線12）"));
        strict(&format!("{number}、{number}"), &format!("{masked}、{masked}"));
    }
}

#[test]
fn numbers_beside_other_numbers() {
    let masked = "03-1234-XXXX";
    for (text, expected) in [
        ("03-1234-5678 090-1234-5678", "03-1234-XXXX 090-1234-XXXX"),
        ("03-1234-5678,090-1234-5678", "03-1234-XXXX,090-1234-XXXX"),
        ("03-1234-5678/090-1234-5678", "03-1234-XXXX/090-1234-XXXX"),
        ("03-1234-5678FAX03-1234-5679", "03-1234-XXXXFAX03-1234-XXXX"),
        ("03-1234-5678(FAX:03-1234-5679)", "03-1234-XXXX(FAX:03-1234-XXXX)"),
        ("千代田1-1 03-1234-5678", "千代田1-1 03-1234-XXXX"),
        ("TEL03-1234-5678", "TEL03-1234-XXXX"),
        ("tel.03-1234-5678", "tel.03-1234-XXXX"),
        ("T:03-1234-5678 F:03-1234-5679", "T:03-1234-XXXX F:03-1234-XXXX"),
    ] {
        strict(text, expected);
    }
    strict("HOTEL03-1234-5678", "HOTEL03-1234-5678");
    strict(&format!("番号 {}", "03-1234-5678"), &format!("番号 {masked}"));
    strict("4111 1111 1111 1111 12/28", "XXXX XXXX XXXX XXXX 12/28");
    strict("4111111111111111 12/28", "XXXXXXXXXXXXXXXX 12/28");
    strict("会員 12 4111 1111 1111 1111", "会員 12 XXXX XXXX XXXX XXXX");
    strict("4111 1111 1111 1111 4111 1111 1111 1111", "XXXX XXXX XXXX XXXX XXXX XXXX XXXX XXXX");
    strict("4111-1111-1111-1111-12", "4111-1111-1111-1111-12");
}

#[test]
fn other_numbers_stay() {
    for text in [
        "2024-01-23",
        "2024年01月23日 09:30",
        "01-02-2024",
        "2024-01-23 0900",
        "version 0.3.1234.5678",
        "v10.03-1234-5678",
        "0.0312345678",
        "¥0312345678",
        "0312345678円",
        "ISBN 0-306-40615-2",
        "ISBN4-06-123456-7",
        "978-4-06-123456-7",
        "1,234,567,890",
        "192.168.0.1",
        "00-1234-5678",
        "A03-1234-5678",
        "103-1234-5678",
        "03-1234-56789",
        "10.5281/zenodo.0312345678",
        "3.14159265358979",
        "0x0312345678",
        "12345",
        "",
    ] {
        strict(text, text);
    }
}

#[test]
fn mail_addresses() {
    strict("taro.yamada+web@mail.example.co.jp へ", "xxxx@yyy.jp へ");
    strict("<info@example.com>", "<xxxx@yyy.com>");
    strict("@example", "@example");
    strict("a@b", "a@b");
}

/// `personal_data.tsv` has a text a line, and after a tab what is left of it; without a tab nothing is masked.
#[test]
fn kinds_of_personal_data() {
    let mut wrong = Vec::new();
    let (mut masked, mut kept) = (0, 0);
    for line in include_str!("../../tests/fixtures/personal_data.tsv").lines() {
        if line.is_empty() || line.starts_with("# ") {
            continue;
        }
        let (text, expected) = line.split_once('\t').unwrap_or((line, line));
        if text == expected {
            kept += 1
        } else {
            masked += 1
        }
        for frame in ["{}", "第3項の連絡先は次の通りです。【{}】以上。", "{}。"] {
            let (text, expected) = (frame.replace("{}", text), frame.replace("{}", expected));
            let found = mask_pii_strict(&text).unwrap_or_else(|| text.clone());
            if found != expected {
                wrong.push(format!("{text}: {found}, not {expected}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(masked >= 100 && kept >= 100, "{masked} masked, {kept} kept");
}
