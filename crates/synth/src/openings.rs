//! Rough words, and the kind of a question: enough to show how questions begin and what they ask for.
//!
//! No dictionary is needed for that. Words end where the script changes; in languages without spaces also after a word, and
//! around a particle, that the language pack lists.

use tsumugi_text::pack::Questions;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Script {
    Hiragana,
    Katakana,
    Han,
    Alphabetic,
    Other,
}

fn script(c: char) -> Script {
    match c {
        '\u{3041}'..='\u{309f}' => Script::Hiragana,
        '\u{30a1}'..='\u{30ff}' | '\u{ff66}'..='\u{ff9d}' => Script::Katakana,
        // The last two are the iteration mark and the closing mark of letters.
        '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{3005}' | '\u{3006}' => Script::Han,
        c if c.is_alphanumeric() => Script::Alphabetic,
        _ => Script::Other,
    }
}

/// The first `count` rough words, without punctuation and spaces.
pub(crate) fn first_words<'t>(text: &'t str, count: usize, questions: &Questions) -> Vec<&'t str> {
    let mut words = Vec::new();
    let mut rest = text;
    while words.len() < count {
        rest = rest.trim_start_matches(|c| script(c) == Script::Other);
        let Some(first) = rest.chars().next() else { break };
        let kind = script(first);
        let run = &rest[..rest.find(|c| script(c) != kind).unwrap_or(rest.len())];
        let word = first_of_run(run, questions);
        words.push(word);
        rest = &rest[word.len()..];
    }
    words
}

/// The first word of a run of letters of one script: a listed word, a particle, or what stands before a particle.
fn first_of_run<'t>(run: &'t str, questions: &Questions) -> &'t str {
    if questions.whole_words.iter().any(|word| word == run) {
        return run;
    }
    if let Some(head) = questions.heads.iter().find(|head| run.starts_with(head.as_str())) {
        return &run[..head.len()];
    }
    let mut places = run.char_indices();
    match places.next() {
        Some((_, first)) if questions.particles.contains(first) => &run[..first.len_utf8()],
        _ => places.find(|(_, c)| questions.particles.contains(*c)).map_or(run, |(at, _)| &run[..at]),
    }
}

/// The kind of a question: one that the pack names, or `request`, `yes or no` or `other`.
pub(crate) fn kind<'q>(question: &str, questions: &'q Questions) -> &'q str {
    let ends = |c: char| questions.terminators.contains(c);
    // The first sentence may only set the scene: the last one asks.
    let asking = question.trim_end().trim_end_matches(ends);
    let asking = asking.rsplit(|c| ends(c) || c == '\n').next().unwrap_or(asking).trim_start();
    let begins = |words: &[String]| words.iter().any(|word| asking.starts_with(word.as_str()));
    let ends = |words: &[String]| words.iter().any(|word| asking.ends_with(word.as_str()));
    let mut kinds = questions.kinds.iter();
    if let Some(kind) = kinds.find(|kind| kind.words.iter().any(|word| asking.contains(word.as_str()))) {
        return &kind.name;
    }
    if begins(&questions.request_beginnings) || ends(&questions.requests) {
        "request"
    } else if begins(&questions.yes_or_no_beginnings) || ends(&questions.yes_or_no) {
        "yes or no"
    } else {
        "other"
    }
}

#[cfg(test)]
mod tests {
    use tsumugi_text::LanguagePack;

    use super::*;

    fn questions(code: &str) -> Questions {
        LanguagePack::embedded(code).unwrap().questions().clone()
    }

    #[test]
    fn words_are_cut_roughly() {
        let questions = questions("ja");
        for (text, words) in [
            ("この画像には何が写っていますか。", vec!["この", "画像", "に"]),
            ("「写真」の中央に何が", vec!["写真", "の", "中央"]),
            ("りんごはいくつありますか", vec!["りんご", "は", "いくつ"]),
            ("どのような場面ですか", vec!["どのような", "場面", "です"]),
            ("はい、そうです", vec!["はい", "そう", "です"]),
            ("LEGOの車", vec!["LEGO", "の", "車"]),
            ("。", vec![]),
        ] {
            assert_eq!(first_words(text, 3, &questions), words, "{text}");
        }
    }

    #[test]
    fn kinds_of_questions() {
        let questions = questions("ja");
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
            assert_eq!(kind(text, &questions), expected, "{text}");
        }
    }

    #[test]
    fn other_languages() {
        let check = |code: &str, question: &str, words: [&str; 2], expected: &str| {
            let questions = questions(code);
            assert_eq!(first_words(question, 2, &questions), words, "{question}");
            assert_eq!(kind(question, &questions), expected, "{question}");
        };
        check("en", "How many boats are there?", ["How", "many"], "how many");
        check("en", "Is it raining?", ["Is", "it"], "yes or no");
        check("en", "Please describe the image.", ["Please", "describe"], "request");
        check("ko", "배는 무슨 색인가요?", ["배는", "무슨"], "colour");
        check("ko", "비가 오나요?", ["비가", "오나요"], "yes or no");
        check("zh", "图中有多少只猫？", ["图中", "有"], "how many");
        check("zh", "在下雨吗？", ["在", "下雨"], "yes or no");
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_cut(text in "\\PC*") {
            let questions = questions("ja");
            let _ = kind(&text, &questions);
            for word in first_words(&text, 5, &questions) {
                assert!(!word.is_empty());
            }
        }
    }
}
