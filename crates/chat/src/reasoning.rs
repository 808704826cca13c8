//! Tells the answer of a reasoning model from its thoughts where a server hands both over as one text.

/// Marks between which models think, in lower case: DeepSeek and Qwen, others of the same form, Kimi, Magistral, Command,
/// Seed-OSS, gpt-oss.
const MARKS: [(&str, &str); 10] = [
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
    ("<reasoning>", "</reasoning>"),
    ("◁think▷", "◁/think▷"),
    ("[think]", "[/think]"),
    ("<|start_thinking|>", "<|end_thinking|>"),
    ("<seed:think>", "</seed:think>"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
    ("<|channel|>analysis<|message|>", "<|end|>"),
];
/// What stands before gpt-oss's answer, and what may end it.
const FINAL: &str = "<|channel|>final<|message|>";
const ENDS: [&str; 3] = ["<|return|>", "<|end|>", "<|end_response|>"];

/// A text without thoughts.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Parted {
    /// What is said outside of thoughts.
    pub(crate) answer: String,
    /// A thought at the beginning that does not end.
    pub(crate) unfinished: Option<String>,
}

/// Parts a text. A closing mark without an opening one ends a thought that began before the text, as the templates of some
/// models have it.
pub(crate) fn without_thoughts(text: &str) -> Parted {
    // ASCII alone changes, so that places are the same.
    let lower = text.to_ascii_lowercase();
    let mut answer = String::with_capacity(text.len());
    let mut unfinished = None;
    let mut at = 0;
    while let Some((from, inside, close)) = next_open(&lower, at) {
        match closing(&lower, inside, close) {
            Some((_, after)) => {
                answer.push_str(&text[at..from]);
                at = after;
            }
            // Within an answer it is a word like any other.
            None if !(answer.trim().is_empty() && text[at..from].trim().is_empty()) => break,
            None => {
                unfinished = Some(text[inside..].trim().to_owned()).filter(|rest| !rest.is_empty());
                at = text.len();
            }
        }
    }
    answer.push_str(&text[at..]);
    let lower = answer.to_ascii_lowercase();
    let closes = MARKS.iter().map(|(_, close)| *close).filter(|close| !ENDS.contains(close));
    let stray = closes.filter_map(|close| Some(lower.rfind(close)? + close.len())).max();
    let from = lower.rfind(FINAL).map(|at| at + FINAL.len()).or(stray).unwrap_or(0);
    let mut rest = answer[from..].trim();
    while let Some(shorter) = ENDS.iter().find_map(|end| rest.strip_suffix(end)) {
        rest = shorter.trim_end();
    }
    // What holds no thoughts stays as it is, to the last space: some readers of judges count those.
    let answer = if from == 0 && answer == text { answer } else { rest.to_owned() };
    Parted { answer, unfinished }
}

/// The first opening mark: where it begins and ends, and what closes it.
fn next_open(lower: &str, at: usize) -> Option<(usize, usize, &'static str)> {
    let place = |(open, close): &(&str, &'static str)| {
        let from = at + lower[at..].find(open)?;
        Some((from, from + open.len(), *close))
    };
    MARKS.iter().filter_map(place).min()
}

/// Where the closing mark begins and ends.
fn closing(lower: &str, from: usize, close: &str) -> Option<(usize, usize)> {
    let at = from + lower[from..].find(close)?;
    Some((at, at + close.len()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn thoughts_are_cut_out() {
        for (text, answer, unfinished) in [
            ("赤い船", "赤い船", None),
            ("<think>赤か青か</think>\n赤い船", "赤い船", None),
            ("<THINK>a</Think> b", "b", None),
            ("<thinking>\n{ x }\n</thinking>\n\n{\"a\":1}", "{\"a\":1}", None),
            ("◁think▷考え◁/think▷答え", "答え", None),
            ("[THINK]a[/THINK]b", "b", None),
            ("<think></think>b", "b", None),
            // The template wrote the opening mark.
            ("考え中</think>答え", "答え", None),
            ("<think>a<think>b</think>c</think>d", "d", None),
            ("<think>a</think>b<think>c</think>d", "bd", None),
            ("<think>考え中 {\"a\":1}", "", Some("考え中 {\"a\":1}")),
            ("<think>a</think><think>b", "", Some("b")),
            ("<think>", "", None),
            ("タグは<think>です", "タグは<think>です", None),
            (
                "<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>final<|message|>b<|return|>",
                "b",
                None,
            ),
            (" 8 6\r\n", " 8 6\r\n", None),
            ("答え<|end|>", "答え<|end|>", None),
            ("", "", None),
        ] {
            let expected = Parted { answer: answer.into(), unfinished: unfinished.map(str::to_owned) };
            assert_eq!(without_thoughts(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_parted(pieces in proptest::collection::vec("(<think>|</think>|◁think▷|◁/think▷|[a-zß字<>]{0,3})", 0..12)) {
            let text = pieces.concat();
            let parted = without_thoughts(&text);
            prop_assert!(text.contains(parted.unfinished.as_deref().unwrap_or_default()));
            prop_assert!(parted.answer.len() <= text.len());
        }
    }
}
