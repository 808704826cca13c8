//! Phrases by which a reply gives itself away; the phrases are those of a language pack.

use tsumugi_text::pack::Replies;

use crate::item::Turn;

/// Characters at the beginning of an answer in which a refusal is looked for.
const BEGINNING: usize = 40;

/// Tells whether a text declines to answer. What it quotes (from a sign, say) does not count.
pub(crate) fn refuses(text: &str, replies: &Replies) -> bool {
    let own = without_quotations(text, &replies.quotation_marks);
    // A reply that is nothing but a quotation counts after all.
    let own = if own.chars().any(char::is_alphanumeric) { own } else { text.to_owned() };
    let start: String = own.trim_start().chars().take(BEGINNING).collect::<String>().replace('\u{2019}', "'");
    replies.refusals.iter().any(|phrase| start.contains(phrase.as_str()))
}

/// The text outside of quotation marks, which may be nested. A mark that is not closed opens nothing.
fn without_quotations(text: &str, marks: &[(char, char)]) -> String {
    let mut kept = String::with_capacity(text.len());
    // The closing marks to come, and where in `kept` the outermost opening mark stands.
    let mut open: Vec<char> = Vec::new();
    let mut from = 0;
    for c in text.chars() {
        if open.last() == Some(&c) {
            open.pop();
            kept.push(c);
            if open.is_empty() {
                kept.truncate(from);
            }
            continue;
        }
        if let Some((_, closing)) = marks.iter().find(|(opening, _)| *opening == c) {
            if open.is_empty() {
                from = kept.len();
            }
            open.push(*closing);
        }
        kept.push(c);
    }
    kept
}

/// Tells whether a turn mentions the captions and boxes that the writer was given in place of the image.
pub(crate) fn mentions_input(turn: &Turn, replies: &Replies) -> bool {
    let words = &replies.input_words;
    words.iter().any(|word| turn.question.contains(word.as_str()) || turn.answer.contains(word.as_str()))
}

#[cfg(test)]
mod tests {
    use tsumugi_text::LanguagePack;

    use super::*;

    #[test]
    fn refusals_are_told_from_answers() {
        let replies = LanguagePack::embedded("ja").unwrap().replies().clone();
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
            assert!(refuses(text, &replies), "{text}");
        }
        for text in [
            "看板には「申し訳ありませんが、本日は休業いたします」と書かれています。",
            "『ごめんなさい「すみません、」』という題の本です。",
            "残念ながら、画像からは店の名前までは読み取れませんが、赤い看板が見えます。",
            "窓が曇っていて、海を直接見ることはできません。",
            "三隻とも赤い船です。",
            "",
        ] {
            assert!(!refuses(text, &replies), "{text}");
        }
    }
}
