//! Judgements by shared characters, in the formats that judges are asked for.

use std::collections::BTreeMap;

/// How a kind of judge marks the reference and the answer in its prompt.
struct Labels {
    reference: (&'static str, &'static str),
    answer: (&'static str, &'static str),
    /// The reply for a share of 0 to 1.
    reply: fn(f64) -> String,
}

const JUDGES: [Labels; 4] = [
    // Pairwise, two numbers on the first line.
    Labels {
        reference: ("[回答者1の回答]\n", "\n[回答者1の回答ここまで]"),
        answer: ("[回答者2の回答]\n", "\n[回答者2の回答ここまで]"),
        reply: |share| {
            format!(
                "9 {}\n代役の採点です。二つの回答に共通する文字の割合から点を付けました。",
                points(share, 10)
            )
        },
    },
    // Pairwise, JSON.
    Labels {
        reference: ("\"gpt4o_answer\": ", ",\n    \"model_answer\": "),
        answer: ("\"model_answer\": ", "\n}"),
        reply: |share| format!("```json\n{{\"score_gpt\": 9, \"score\": {}}}\n```", points(share, 10)),
    },
    // Pointwise with a label.
    Labels {
        reference: ("\n正解例: ", "\n回答: "),
        answer: ("\n回答: ", "\n\nまず評価の理由"),
        reply: |share| {
            format!(
                "代役の採点です。正解例と共通する文字の割合から点を付けました。\nScore: {}",
                points(share, 5)
            )
        },
    },
    // Pointwise, a digit alone.
    Labels {
        reference: ("\n正解: ", "\n予測: "),
        answer: ("\n予測: ", "\n\n点:"),
        reply: |share| points(share, 5).to_string(),
    },
];

/// The judgement a prompt asks for; `None` where it is no judge's prompt.
pub(super) fn judge(prompt: &str) -> Option<String> {
    JUDGES.iter().find_map(|labels| {
        let reference = between(prompt, labels.reference)?;
        let answer = between(prompt, labels.answer)?;
        Some((labels.reply)(overlap(reference, answer)))
    })
}

fn between<'a>(text: &'a str, (from, to): (&str, &str)) -> Option<&'a str> {
    let start = text.find(from)? + from.len();
    let end = text[start..].find(to)?;
    Some(&text[start..start + end])
}

/// 1 to `most` points.
fn points(share: f64, most: u32) -> u32 {
    1 + (share * f64::from(most - 1)).round() as u32
}

/// F1 of the character pairs of two texts (of single characters where one is shorter than two).
fn overlap(a: &str, b: &str) -> f64 {
    let (a, b) = (pairs(a), pairs(b));
    let (total_a, total_b): (u32, u32) = (a.values().sum(), b.values().sum());
    let shared: u32 = a.iter().map(|(pair, count)| (*count).min(b.get(pair).copied().unwrap_or(0))).sum();
    if total_a + total_b == 0 { 0.0 } else { 2.0 * f64::from(shared) / f64::from(total_a + total_b) }
}

fn pairs(text: &str) -> BTreeMap<(char, char), u32> {
    let chars: Vec<char> = text.chars().filter(|c| !c.is_whitespace()).collect();
    let mut counts = BTreeMap::new();
    for pair in chars.windows(2) {
        *counts.entry((pair[0], pair[1])).or_default() += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_format_is_met() {
        let point = |answer: &str| {
            format!("評価\n質問: 何色\n正解例: 赤い船です。\n回答: {answer}\n\nまず評価の理由を")
        };
        assert!(judge(&point("赤い船です。")).unwrap().ends_with("Score: 5"));
        assert!(judge(&point("犬")).unwrap().ends_with("Score: 1"));
        let digit = "質問: 何色\n正解: 赤い船\n予測: 赤い船\n\n点:\n";
        assert_eq!(judge(digit).unwrap(), "5");
        let pair = "[回答者1の回答]\n赤い船\n[回答者1の回答ここまで]\n\n[回答者2の回答]\n赤い船\n[回答者2の回答ここまで]\n";
        assert_eq!(judge(pair).unwrap().lines().next(), Some("9 10"));
        let json =
            "{\n    \"context\": x,\n    \"gpt4o_answer\": 赤い船,\n    \"model_answer\": 赤い船\n}\n\n出力:";
        assert!(judge(json).unwrap().contains("\"score\": 10"));
        assert_eq!(judge("富士山の高さは？"), None);
    }
}
