//! Words that give a reply away.

use crate::item::Turn;

/// Words by which models decline. Looked for at the beginning only: inside a conversation they can be quite apt.
const REFUSALS: [&str; 41] = [
    "申し訳ありません",
    "申し訳ございません",
    "申し訳ないのですが",
    "すみませんが",
    "すみません、",
    "ごめんなさい",
    "恐れ入りますが",
    "恐縮ですが",
    "お手伝いできません",
    "お手伝いすることはできません",
    "お力になれません",
    "お力になることはできません",
    "お答えできません",
    "お答えすることはできません",
    "お応えできません",
    "お応えすることはできません",
    "応じられません",
    "応じることはできません",
    "回答できません",
    "回答することはできません",
    "対応できません",
    "画像を見ることはできません",
    "画像を見ることができません",
    "画像を直接見ること",
    "画像を直接確認",
    "画像が見えない",
    "画像を確認できません",
    "画像を確認することができません",
    "画像が提供されていません",
    "AI言語モデル",
    "I'm sorry",
    "I am sorry",
    "Sorry, ",
    "I apologize",
    "I cannot",
    "I can't",
    "I'm unable",
    "I am unable",
    "I'm not able",
    "Unfortunately, I",
    "As an AI",
];

/// Whether a text declines to answer. What it quotes (from a sign, say) is not its own word.
pub(crate) fn refuses(text: &str) -> bool {
    let own = without_quotations(text);
    // A reply that is nothing but a quotation is its own word after all.
    let own = if own.chars().any(char::is_alphanumeric) { own } else { text.to_owned() };
    let start: String = own.trim_start().chars().take(40).collect::<String>().replace('’', "'");
    REFUSALS.iter().any(|phrase| start.contains(phrase))
}

/// The text outside of 「」 and 『』, which may hold one another; a bracket that is not closed opens nothing.
fn without_quotations(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    // Where the outermost open bracket stands in `kept`, with the brackets to come.
    let mut open: Vec<char> = Vec::new();
    let mut from = 0;
    for c in text.chars() {
        match c {
            '「' | '『' => {
                if open.is_empty() {
                    from = kept.len();
                }
                open.push(if c == '「' { '」' } else { '』' });
                kept.push(c);
            }
            c if open.last() == Some(&c) => {
                open.pop();
                kept.push(c);
                if open.is_empty() {
                    kept.truncate(from);
                }
            }
            c => kept.push(c),
        }
    }
    kept
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_told_from_answers() {
        for text in [
            "申し訳ありませんが、人物の特定はできません。",
            "画像を直接見ることはできませんが、説明から推測します。",
            "残念ながら、画像を見ることはできません。",
            "ご要望にはお応えできません。",
            "画像が見えないため、お答えしかねます。",
            "そのようなご依頼には応じられません。",
            "お力になれません。",
            "I’m not able to view images.",
            "I'm not able to help.",
            "I apologize, but no.",
            "Unfortunately, I can not see it.",
            "「申し訳ありませんが、お答えできません。」",
            "「申し訳ありませんが、お答えできません。",
        ] {
            assert!(refuses(text), "{text}");
        }
        for text in [
            "看板には「申し訳ありませんが、本日は休業いたします」と書かれています。",
            "『ごめんなさい「すみません、」』という題の本です。",
            "残念ながら、画像からは店の名前までは読み取れませんが、赤い看板が見えます。",
            "窓が曇っていて、海を直接見ることはできません。",
            "三隻とも赤い船です。",
            "",
        ] {
            assert!(!refuses(text), "{text}");
        }
    }
}
