//! Rough words of Japanese text, and the kind of a question: enough to show how questions begin and what they are after.
//!
//! No dictionary is at hand here, and none is needed for a chart. Words are cut where the script changes; runs of hiragana
//! also behind a demonstrative or interrogative, and around a particle.

/// Words written in hiragana that stand at the beginning of a run: demonstratives, interrogatives, conjunctions,
/// the copula. Longer ones first.
const HEADS: [&str; 35] = [
    "どのように",
    "どのような",
    "どうやって",
    "どのくらい",
    "どうして",
    "どちら",
    "いくつ",
    "いくら",
    "あそこ",
    "なぜ",
    "どんな",
    "どこ",
    "どれ",
    "どの",
    "どう",
    "どなた",
    "だれ",
    "いつ",
    "なに",
    "なん",
    "この",
    "その",
    "あの",
    "これ",
    "それ",
    "あれ",
    "ここ",
    "そこ",
    "もし",
    "また",
    "では",
    "でしょう",
    "でした",
    "です",
    "いいえ",
];
/// Particles that part words.
const PARTICLES: &str = "はがをにでとのもへや";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Script {
    Hiragana,
    Katakana,
    Han,
    Latin,
    Other,
}

fn script(c: char) -> Script {
    match c {
        '\u{3041}'..='\u{309f}' => Script::Hiragana,
        '\u{30a1}'..='\u{30ff}' | '\u{ff66}'..='\u{ff9d}' => Script::Katakana,
        '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '々' | '〆' => Script::Han,
        c if c.is_alphanumeric() => Script::Latin,
        _ => Script::Other,
    }
}

/// The first `count` rough words; punctuation and spaces are none.
pub(crate) fn first_words(text: &str, count: usize) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = text;
    while words.len() < count {
        rest = rest.trim_start_matches(|c| script(c) == Script::Other);
        let Some(first) = rest.chars().next() else { break };
        let kind = script(first);
        let run = &rest[..rest.find(|c| script(c) != kind).unwrap_or(rest.len())];
        let word = if kind == Script::Hiragana { hiragana_word(run) } else { run };
        words.push(word);
        rest = &rest[word.len()..];
    }
    words
}

/// The first word of a run of hiragana: a known head, a particle, or what stands before one.
fn hiragana_word(run: &str) -> &str {
    // Only where it stands alone: "はいくつ" is another thing.
    if run == "はい" {
        return run;
    }
    if let Some(head) = HEADS.iter().find(|head| run.starts_with(**head)) {
        return &run[..head.len()];
    }
    let mut places = run.char_indices();
    match places.next() {
        Some((_, first)) if PARTICLES.contains(first) => &run[..first.len_utf8()],
        _ => places.find(|(_, c)| PARTICLES.contains(*c)).map_or(run, |(at, _)| &run[..at]),
    }
}

/// What questions are after, by the words that ask; the first that is found counts, so the narrower come first.
const KINDS: [(&str, &[&str]); 11] = [
    ("why", &["なぜ", "どうして", "理由", "なんで"]),
    ("how", &["どのように", "どうやって", "方法"]),
    ("colour", &["何色", "なに色", "どんな色", "色は", "色を"]),
    (
        "how many",
        &[
            "いくつ",
            "いくら",
            "何人",
            "何個",
            "何本",
            "何匹",
            "何枚",
            "何台",
            "何頭",
            "何羽",
            "何隻",
            "何冊",
            "何軒",
            "何種類",
            "何回",
            "何度",
            "どのくらい",
            "数は",
            "数を",
        ],
    ),
    ("where", &["どこ", "どちら側", "位置", "場所"]),
    ("when", &["いつ", "何時", "季節", "時間帯", "年代"]),
    ("who", &["誰", "だれ", "どなた"]),
    ("what like", &["どんな", "どのような", "どういう"]),
    ("which", &["どの", "どれ", "どちら"]),
    ("what like", &["どう", "特徴", "様子", "ようす", "雰囲気"]),
    ("what", &["何", "なに", "なん"]),
];

/// The kind of a question: one of [`KINDS`], `request` ("... ください"), `yes or no` ("... か" without such a word), or `other`.
pub(crate) fn kind(question: &str) -> &'static str {
    // The first sentence may only set the scene: the last one asks.
    let asking = question.trim_end().trim_end_matches(['。', '？', '?', '！', '!']);
    let asking = asking.rsplit(['。', '？', '?', '\n']).next().unwrap_or(asking);
    let ends_in = |endings: &[&str]| endings.iter().any(|ending| asking.ends_with(ending));
    if let Some((name, _)) = KINDS.iter().find(|(_, words)| words.iter().any(|word| asking.contains(word))) {
        return name;
    }
    match asking {
        _ if ends_in(&["ください", "下さい", "なさい", "ほしい", "お願いします"]) => {
            "request"
        }
        _ if ends_in(&["か", "の", "かな"]) => "yes or no",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_cut_roughly() {
        for (text, words) in [
            ("この画像には何が写っていますか。", vec!["この", "画像", "に"]),
            ("「写真」の中央に何が", vec!["写真", "の", "中央"]),
            ("りんごはいくつありますか", vec!["りんご", "は", "いくつ"]),
            ("どのような場面ですか", vec!["どのような", "場面", "です"]),
            ("はい、そうです", vec!["はい", "そう", "です"]),
            ("LEGOの車", vec!["LEGO", "の", "車"]),
            ("。", vec![]),
        ] {
            assert_eq!(first_words(text, 3), words, "{text}");
        }
    }

    #[test]
    fn kinds_of_questions() {
        for (text, expected) in [
            ("船は何色ですか。", "colour"),
            ("人は何人いますか？", "how many"),
            ("犬はどこにいますか", "where"),
            ("なぜ傘をさしているのですか。", "why"),
            ("どのように調理しますか。", "how"),
            ("どんな雰囲気ですか。", "what like"),
            ("どのような船が写っていますか。", "what like"),
            ("様子を教えてください。", "what like"),
            ("左に写っているのは何ですか。", "what"),
            ("雨は降っていますか。", "yes or no"),
            ("この画像を詳しく説明してください。", "request"),
            ("看板が見えます。どの店の看板ですか。", "which"),
            ("いい天気だ", "other"),
        ] {
            assert_eq!(kind(text), expected, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_cut(text in "\\PC*") {
            let _ = kind(&text);
            for word in first_words(&text, 5) {
                assert!(!word.is_empty());
            }
        }
    }
}
