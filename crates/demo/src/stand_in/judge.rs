//! Judgements by shared characters, in the formats that judges are asked for.

use std::collections::BTreeMap;

/// What stands before and behind a text in a prompt.
type Marks = (&'static str, &'static str);

/// A form of reply.
#[derive(Clone, Copy)]
enum Form {
    /// Pairwise, two numbers on the first line, and a note behind them.
    TwoNumbers(&'static str),
    /// Pairwise, JSON.
    Json,
    /// Pointwise: a note, and the points with a label.
    Labelled(&'static str),
    /// Pointwise, a digit alone.
    Digit,
}

/// How each prompt marks the reference and the answer: those of Japanese, English and Korean.
const JUDGES: [(Marks, Marks, Form); 10] = [
    (
        ("[回答者1の回答]\n", "\n[回答者1の回答ここまで]"),
        ("[回答者2の回答]\n", "\n[回答者2の回答ここまで]"),
        Form::TwoNumbers("代役の採点です。二つの回答に共通する文字の割合から点を付けました。"),
    ),
    (
        ("[Answer of assistant 1]\n", "\n[End of the answer of assistant 1]"),
        ("[Answer of assistant 2]\n", "\n[End of the answer of assistant 2]"),
        Form::TwoNumbers(
            "The scores of a stand-in, from the share of characters that the two answers have in common.",
        ),
    ),
    (
        ("[답변자 1의 답변]\n", "\n[답변자 1의 답변 끝]"),
        ("[답변자 2의 답변]\n", "\n[답변자 2의 답변 끝]"),
        Form::TwoNumbers("대역의 점수입니다. 두 답변에 공통된 글자의 비율로 점수를 매겼습니다."),
    ),
    (("\"gpt4o_answer\": ", ",\n    \"model_answer\": "), ("\"model_answer\": ", "\n}"), Form::Json),
    (
        ("\n正解例: ", "\n回答: "),
        ("\n回答: ", "\n\nまず評価の理由"),
        Form::Labelled("代役の採点です。正解例と共通する文字の割合から点を付けました。"),
    ),
    (
        ("\nReference answer: ", "\nAnswer: "),
        ("\nAnswer: ", "\n\nFirst explain"),
        Form::Labelled(
            "The score of a stand-in, from the share of characters that the answer and the reference have in common.",
        ),
    ),
    (
        ("\n정답 예시: ", "\n답변: "),
        ("\n답변: ", "\n\n먼저 평가 이유"),
        Form::Labelled("대역의 점수입니다. 정답 예시와 공통된 글자의 비율로 점수를 매겼습니다."),
    ),
    (("\n正解: ", "\n予測: "), ("\n予測: ", "\n\n点:"), Form::Digit),
    (("\nCorrect answer: ", "\nPrediction: "), ("\nPrediction: ", "\n\nScore:"), Form::Digit),
    (("\n정답: ", "\n예측: "), ("\n예측: ", "\n\n점수:"), Form::Digit),
];

/// The judgement that a prompt asks for; `None` if it is not a judge's prompt.
pub(super) fn judge(prompt: &str) -> Option<String> {
    JUDGES.iter().find_map(|(reference, answer, form)| {
        let share = overlap(between(prompt, *reference)?, between(prompt, *answer)?);
        Some(match form {
            Form::TwoNumbers(note) => format!("9 {}\n{note}", points(share, 10)),
            Form::Json => format!("```json\n{{\"score_gpt\": 9, \"score\": {}}}\n```", points(share, 10)),
            Form::Labelled(note) => format!("{note}\nScore: {}", points(share, 5)),
            Form::Digit => points(share, 5).to_string(),
        })
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
        let korean = "질문: 무슨 색\n정답 예시: 빨간 배\n답변: 빨간 배\n\n먼저 평가 이유를";
        assert!(judge(korean).unwrap().ends_with("Score: 5"));
        let english = "Question: how\nCorrect answer: red\nPrediction: a dog\n\nScore:\n";
        assert_eq!(judge(english).unwrap(), "1");
        assert_eq!(judge("富士山の高さは？"), None);
    }
}
