//! Charsets of pages that are honest, that lie and that say nothing, made from texts in the encodings of the web
//! (`fixtures/make_charset_cases.py`).

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "the table of cases is ours")]

use std::collections::BTreeMap;

use tsumugi_page::decode;

struct Case {
    charset: &'static str,
    kind: &'static str,
    bytes: Vec<u8>,
    text: &'static str,
}

fn cases() -> Vec<Case> {
    let table = include_str!("fixtures/charset_cases.tsv");
    let case = |line: &'static str| {
        let mut cells = line.split('\t');
        let mut cell = || cells.next().expect("four columns");
        let (charset, kind, hex, text) = (cell(), cell(), cell(), cell());
        let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        Case { charset, kind, bytes: (0..hex.len()).step_by(2).map(byte).collect(), text }
    };
    table.lines().map(case).collect()
}

/// What is written in front of the text, and the header.
fn declarations(label: &str) -> [(String, Option<String>); 4] {
    [
        (String::new(), Some(format!("text/html; charset={label}"))),
        (format!("<meta charset=\"{label}\">"), None),
        (
            format!("<meta http-equiv=Content-Type content='text/html; charset={label}'>"),
            Some("text/html".into()),
        ),
        (format!("<?xml version=\"1.0\" encoding=\"{label}\"?>"), Some("application/xhtml+xml".into())),
    ]
}

/// Ways in which pages hold a text.
fn shapes(head: &str, bytes: &[u8]) -> [Vec<u8>; 5] {
    let around = |before: &[u8], after: &[u8]| [head.as_bytes(), before, bytes, after].concat();
    let title = around(b"<html><head><title>", b"</title></head><body><p>Copyright 2010</body>");
    let body = around(b"<html><body><h1>", b"</h1><p class='x'>text</p></body></html>");
    // Far down, in a page of one line.
    let late = around(&b"<script>var x = 1;</script>".repeat(1000), b"</p>");
    // A page cut in the middle of a character, and one with two bytes gone bad.
    let cut = around(b"<p>", &[b"</p><p>", &bytes[..bytes.len() - 1]].concat());
    let broken = around(b"<p>", &[&b"</p><p>"[..], &bytes.repeat(20), b"\xff<b>\xfe</b>", bytes].concat());
    [title, body, late, cut, broken]
}

/// Shares of right pages, by kind.
#[derive(Default)]
struct Score(BTreeMap<String, (u32, u32)>, Vec<String>);

impl Score {
    fn check(&mut self, name: &str, case: &Case, page: &[u8], header: Option<&str>) {
        let decoded = decode(page, header);
        let right = decoded.text.contains(case.text);
        let entry = self.0.entry(name.to_owned()).or_default();
        entry.0 += u32::from(right);
        entry.1 += 1;
        if !right {
            let start = String::from_utf8_lossy(&page[..page.len().min(120)]).into_owned();
            self.1.push(format!(
                "{name} {} {} read as {}: {header:?} {start}",
                case.charset, case.kind, decoded.charset
            ));
        }
    }

    fn share(&self, name: &str) -> f64 {
        self.share_of(&[name])
    }

    /// The share of several kinds taken together.
    fn share_of(&self, names: &[&str]) -> f64 {
        let found = names.iter().filter_map(|name| self.0.get(*name));
        let (right, all) = found.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        f64::from(right) / f64::from(all)
    }

    fn report(&self) {
        for line in &self.1 {
            println!("{line}");
        }
        for (name, (right, all)) in &self.0 {
            println!("{name}: {right} of {all}");
        }
    }
}

const LABELS: [(&str, &str); 12] = [
    ("UTF-8", "utf-8"),
    ("Shift_JIS", "Shift_JIS"),
    ("Shift_JIS", "x-sjis"),
    ("Shift_JIS", "windows-31j"),
    ("EUC-JP", "EUC-JP"),
    ("ISO-2022-JP", "iso-2022-jp"),
    ("windows-1252", "iso-8859-1"),
    ("windows-1251", "windows-1251"),
    ("GBK", "gb2312"),
    ("Big5", "big5"),
    ("EUC-KR", "euc-kr"),
    ("KOI8-U", "koi8-u"),
];

fn is_japanese(charset: &str) -> bool {
    ["UTF-8", "Shift_JIS", "EUC-JP", "ISO-2022-JP", "windows-1252"].contains(&charset)
}

#[test]
fn tells_the_charset() {
    let mut score = Score::default();
    for case in cases() {
        let japanese = !case.kind.starts_with("other");
        for page in shapes("", &case.bytes) {
            let name = match case.kind {
                _ if case.charset == "UTF-8" => "silent, UTF-8",
                "menu" | "other menu" | "alone" => "silent, a few characters",
                _ => "silent",
            };
            score.check(name, &case, &page, None);
        }
        for (charset, label) in LABELS {
            for (head, header) in declarations(label) {
                let lying = charset != case.charset;
                // Who lies about Russian or French is found out by its letters' frequencies only: no claim is
                // made about them, nor about pages in Latin letters that claim to be UTF-8 and are not.
                if lying && !japanese && case.charset != "UTF-8" {
                    continue;
                }
                for page in shapes(&head, &case.bytes) {
                    let name = match (case.charset, lying) {
                        ("UTF-8", _) => "UTF-8, whatever is declared",
                        (_, false) if case.kind.ends_with("menu") => "honest, a few characters",
                        (_, false) => "honest",
                        // Half-width katakana and nothing else are Han characters in other encodings.
                        (_, true) if case.kind == "alone" => "lying, half-width katakana alone",
                        // Some Han characters alone fit Chinese and Korean encodings too.
                        (_, true) if matches!(case.kind, "short" | "menu") && !is_japanese(charset) => {
                            "lying, a few characters"
                        }
                        (_, true) => "lying",
                    };
                    score.check(name, &case, &page, header.as_deref());
                }
            }
        }
    }
    score.report();
    assert_eq!(score.share("UTF-8, whatever is declared"), 1.0);
    assert!(score.share_of(&["honest", "honest, a few characters"]) >= 0.999);
    let lying = ["lying", "lying, a few characters", "lying, half-width katakana alone"];
    assert!(score.share_of(&lying) >= 0.97);
    // One declaration in a word of two characters can be as likely as what it lies about.
    for (name, least) in lying.into_iter().zip([0.99, 0.93, 0.97]) {
        assert!(score.share(name) >= least, "{name}");
    }
    assert!(score.share("silent") >= 0.98);
    assert!(score.share("silent, a few characters") >= 0.84);
}

/// UTF-16 without a mark where the text begins at once, with characters whose lower byte is zero.
#[test]
fn reads_utf16_with_little_markup() {
    let text =
        "春になると川沿いの桜が一斉に咲き、町の人々は弁当を持って集まります。　一日一回、一人一個まで。"
            .repeat(20);
    for page in [
        format!("<p>{text}</p>"),
        format!("<title>{text}</title><body>{text}</body>"),
        format!("<p>{}</p>", "一　一".repeat(30)),
        format!("<html><head><title>{}</title></head><body>x</body></html>", "　一".repeat(40)),
    ] {
        let little: Vec<u8> = page.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = page.encode_utf16().flat_map(u16::to_be_bytes).collect();
        for (bytes, name) in [(little, "UTF-16LE"), (big, "UTF-16BE")] {
            for header in [None, Some("text/html; charset=Shift_JIS")] {
                assert_eq!(decode(&bytes, header).charset, name, "{page}");
            }
        }
        // Zeros between bytes of something else do not make it UTF-16.
        let (bytes, _, _) = encoding_rs::SHIFT_JIS.encode(&page);
        let with_zeros: Vec<u8> = bytes
            .iter()
            .enumerate()
            .flat_map(|(at, byte)| std::iter::once(*byte).chain((at % 50 == 0).then_some(0)))
            .collect();
        assert_eq!(decode(&with_zeros, Some("text/html; charset=Shift_JIS")).charset, "Shift_JIS");
    }
}

/// UTF-16 with and without a mark, whatever is declared.
#[test]
fn reads_utf16() {
    for case in cases().iter().filter(|case| case.charset == "UTF-8") {
        for label in ["utf-8", "Shift_JIS", "utf-16", "utf-16le"] {
            for (head, header) in declarations(label) {
                for before in ["", "\n<!-- x -->", " \r\n"] {
                    let page = format!("{before}{head}<html><body><p>{}</p></body></html>", case.text);
                    for mark in ["\u{feff}", ""] {
                        let units: Vec<u16> = mark.encode_utf16().chain(page.encode_utf16()).collect();
                        let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
                        let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
                        for (bytes, name) in [(little, "UTF-16LE"), (big, "UTF-16BE")] {
                            let decoded = decode(&bytes, header.as_deref());
                            assert_eq!(decoded.charset, name, "{page}");
                            assert!(decoded.text.contains(case.text));
                            // Cut in the middle of a character.
                            assert_eq!(decode(&bytes[..bytes.len() - 1], None).charset, name);
                        }
                    }
                }
            }
        }
    }
}
