//! Conversations out of a caption.

/// Colours as captions name them, with the noun.
const COLOURS: [(&str, &str); 14] = [
    ("橙色", "橙色"),
    ("桃色", "桃色"),
    ("黄色", "黄色"),
    ("茶色", "茶色"),
    ("灰色", "灰色"),
    ("水色", "水色"),
    ("赤", "赤"),
    ("青", "青"),
    ("緑", "緑"),
    ("紫", "紫"),
    ("黒", "黒"),
    ("白", "白"),
    ("金色", "金色"),
    ("銀色", "銀色"),
];
/// Counters that follow a number.
const COUNTERS: &str = "隻輪つ匹軒本両羽基人個台枚頭冊";
/// Numbers as captions write them.
const NUMBERS: &str = "一二三四五六七八九十0123456789０１２３４５６７８９";
/// Words that tell the time of day, with what they let one conclude.
const LIGHTS: [(&str, &str); 4] = [
    ("夕", "空が橙色に染まり太陽が低いので、夕方のようすだと考えられます。"),
    ("夜", "空が暗く月と星が見えるので、夜のようすだと考えられます。"),
    ("晴れ", "空が青く太陽が明るく光っているので、昼間のようすだと考えられます。"),
    ("くもり", "空が灰色の雲におおわれているので、くもりの日の昼間だと考えられます。"),
];

/// What a caption tells.
#[derive(Debug)]
pub(super) struct About {
    phrase: String,
    colour: Option<&'static str>,
    number: Option<String>,
}

impl About {
    pub(super) fn new(caption: &str) -> Self {
        let phrase = caption.trim().trim_end_matches(['。', '．', '.']).to_owned();
        let phrase = if phrase.is_empty() { "説明のない画像".to_owned() } else { phrase };
        // The colour named first, since it mostly belongs to the thing named first.
        let colour = COLOURS
            .iter()
            .filter_map(|(word, noun)| phrase.find(word).map(|at| (at, *noun)))
            .min_by_key(|(at, _)| *at)
            .map(|(_, noun)| noun);
        let number = number(&phrase);
        Self { phrase, colour, number }
    }

    /// The caption as a sentence.
    fn sentence(&self) -> String {
        let verbal = ["る", "た", "い", "す", "う", "く"].iter().any(|end| self.phrase.ends_with(end));
        if self.phrase.ends_with(['！', '？', '!', '?']) {
            self.phrase.clone()
        } else if verbal {
            format!("{}。", self.phrase)
        } else {
            format!("{}です。", self.phrase)
        }
    }

    /// Deterministic choice by the caption's own characters.
    fn choose<'a>(&self, of: &[&'a str]) -> &'a str {
        let sum: usize = self.phrase.chars().map(|c| c as usize).sum();
        of[sum % of.len()]
    }

    fn details(&self) -> Vec<(String, String)> {
        let mut turns = Vec::new();
        if let Some(colour) = self.colour {
            turns.push(("何色ですか。".to_owned(), format!("{colour}です。")));
        }
        if let Some(number) = &self.number {
            turns.push(("いくつありますか。".to_owned(), format!("数は{number}です。")));
        }
        turns
    }

    pub(super) fn conversation(&self) -> Vec<(String, String)> {
        let question = self.choose(&[
            "この画像を説明してください。",
            "この画像には何が写っていますか。",
            "何の画像ですか。",
        ]);
        let mut turns = vec![(question.to_owned(), self.sentence())];
        turns.extend(self.details());
        if turns.len() == 1 {
            turns.push((
                "画像に題名を付けてください。".into(),
                format!("「{}」という題名が合うと思います。", self.phrase),
            ));
        }
        turns
    }

    pub(super) fn detail(&self) -> String {
        let mut text = format!("この画像を説明します。{}", self.sentence());
        if let Some(colour) = self.colour {
            text.push_str(&format!("目立つ色は{colour}です。"));
        }
        if let Some(number) = &self.number {
            text.push_str(&format!("数は{number}です。"));
        }
        text.push_str("そのほかに目立つものは説明にありません。");
        text
    }

    pub(super) fn reasoning(&self) -> Vec<(String, String)> {
        let light = LIGHTS.iter().find(|(word, _)| self.phrase.contains(word));
        match light {
            Some((_, reason)) => vec![(
                "この絵は一日のうちいつごろのようすだと考えられますか。理由も答えてください。".into(),
                (*reason).to_owned(),
            )],
            None => vec![(
                "この画像は何を伝えようとしていると考えられますか。理由も答えてください。".into(),
                format!(
                    "説明に「{}」とあるので、そのようすを伝えようとしていると考えられます。",
                    self.phrase
                ),
            )],
        }
    }
}

/// The first number with its counter.
fn number(phrase: &str) -> Option<String> {
    let chars: Vec<char> = phrase.chars().collect();
    let start = chars.windows(2).position(|pair| NUMBERS.contains(pair[0]) && COUNTERS.contains(pair[1]))?;
    Some(chars[start..start + 2].iter().collect())
}
