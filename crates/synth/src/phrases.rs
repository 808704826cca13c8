//! Words that give a reply away.

use crate::item::Turn;

/// Words by which models decline. Looked for at the beginning only: inside a conversation they can be quite apt.
const REFUSALS: [&str; 33] = [
    "申し訳ありません",
    "申し訳ございません",
    "申し訳ないのですが",
    "すみませんが",
    "すみません、",
    "ごめんなさい",
    "恐れ入りますが",
    "恐縮ですが",
    "残念ながら、画像",
    "お手伝いできません",
    "お手伝いすることはできません",
    "お答えできません",
    "お答えすることはできません",
    "回答できません",
    "回答することはできません",
    "対応できません",
    "画像を見ることはできません",
    "画像を見ることができません",
    "画像を確認できません",
    "画像を確認することができません",
    "画像が提供されていません",
    "AI言語モデル",
    "I'm sorry",
    "I’m sorry",
    "I am sorry",
    "Sorry, ",
    "I cannot",
    "I can't",
    "I can’t",
    "I'm unable",
    "I’m unable",
    "I am unable",
    "As an AI",
];

/// Whether a text declines to answer.
pub(crate) fn refuses(text: &str) -> bool {
    let start: String = text.trim_start().chars().take(40).collect();
    REFUSALS.iter().any(|phrase| start.contains(phrase))
}

/// Words that betray that the writer had captions instead of the picture.
const DATA: [&str; 9] = [
    "説明文によ",
    "キャプション",
    "座標",
    "JSON",
    "captions",
    "objects",
    "バウンディングボックス",
    "与えられた情報",
    "提供された情報",
];

/// Whether a turn speaks of the data that the writer was given.
pub(crate) fn talks_of_data(turn: &Turn) -> bool {
    DATA.iter().any(|word| turn.question.contains(word) || turn.answer.contains(word))
}
