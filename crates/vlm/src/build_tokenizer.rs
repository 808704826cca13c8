//! A small tokenizer built from texts, for tiny models, where a real vocabulary would be most of the model.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::conversation::IMAGE;
use crate::error::{Error, Result};
use crate::template;
use crate::tokenizer::Tokenizer;

/// Names of the special tokens, which take the first ids.
const SPECIAL: [&str; 5] = ["<unk>", "<s>", "</s>", "<pad>", IMAGE];

/// Longest piece in characters.
const LONGEST: usize = 4;

/// Fewest occurrences for which a piece is worth a row.
const RAREST: u64 = 4;

/// Builds a Unigram tokenizer with byte fallback, at most `vocab_size` pieces: `<unk>`, `<s>`, `</s>`, `<pad>`,
/// `<image>`, the 256 bytes, every character of `texts` (the most frequent if there is no room for all), and frequent runs
/// of up to four characters in the room that is left. It treats spaces and newlines as llm-jp's does and has the chat template
/// `llmjp_v3`. The same texts give the same bytes.
///
/// # Errors
/// [`Error::Tokenizer`] if `vocab_size` has no room beside the special tokens and the bytes.
pub fn build_tokenizer<S: AsRef<str>>(texts: &[S], vocab_size: usize) -> Result<Tokenizer> {
    let fixed = SPECIAL.len() + 256;
    if vocab_size <= fixed {
        return Err(Error::Tokenizer {
            reason: format!(
                "a vocabulary of {vocab_size} has no room beside {fixed} special tokens and bytes"
            ),
        });
    }
    let pieces = pieces(texts, vocab_size - fixed);
    let json = tokenizer_json(&pieces);
    let bytes = serde_json::to_vec(&json).map_err(|error| Error::Tokenize(error.into()))?;
    Ok(Tokenizer::from_bytes(&bytes)?.with_chat_template(template::LLMJP_V3_JINJA))
}

/// The pieces by falling use, with the logarithms of their shares.
fn pieces<S: AsRef<str>>(texts: &[S], room: usize) -> Vec<(String, f64)> {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for text in texts {
        // A space becomes U+2581, and one is put before the text, as the normalizer below does.
        for line in text.as_ref().split_inclusive('\n') {
            let line: Vec<char> =
                std::iter::once('▁').chain(line.chars().map(|c| if c == ' ' { '▁' } else { c })).collect();
            count(&line, &mut counts);
        }
    }
    let length = |piece: &str| piece.chars().count() as u64;
    let (mut single, mut longer): (Vec<_>, Vec<_>) =
        counts.into_iter().partition(|(piece, _)| length(piece) == 1);
    longer.retain(|(_, n)| *n >= RAREST);
    single.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    // A piece saves tokens each time it occurs.
    longer.sort_by(|a, b| {
        let saved = |(piece, n): &(String, u64)| n * (length(piece) - 1);
        saved(b).cmp(&saved(a)).then_with(|| a.0.cmp(&b.0))
    });
    single.truncate(room);
    longer.truncate(room - single.len());
    let total: u64 = single.iter().map(|(_, n)| n).sum::<u64>().max(1);
    let known: BTreeSet<String> = single.iter().map(|(piece, _)| piece.clone()).collect();
    let whole = |piece: &str| piece.chars().all(|c| known.contains(c.encode_utf8(&mut [0; 4]) as &str));
    single
        .iter()
        .chain(longer.iter().filter(|(piece, _)| whole(piece)))
        .map(|(piece, n)| (piece.clone(), (*n as f64 / total as f64).ln()))
        .collect()
}

/// Counts characters, and runs of characters that do not cross a space or a newline.
fn count(line: &[char], counts: &mut BTreeMap<String, u64>) {
    for start in 0..line.len() {
        for length in 1..=LONGEST.min(line.len() - start) {
            let run = &line[start..start + length];
            if length > 1 && run.iter().enumerate().any(|(i, c)| (i > 0 && *c == '▁') || c.is_whitespace())
            {
                break;
            }
            *counts.entry(run.iter().collect()).or_default() += 1;
        }
    }
}

fn tokenizer_json(pieces: &[(String, f64)]) -> Value {
    let mut vocab: Vec<(String, f64)> = SPECIAL.iter().map(|name| ((*name).to_owned(), 0.0)).collect();
    vocab.extend((0..=255).map(|byte| (format!("<0x{byte:02X}>"), 0.0)));
    vocab.extend(pieces.iter().cloned());
    let added: Vec<Value> = SPECIAL
        .iter()
        .enumerate()
        .map(|(id, name)| {
            json!({"id": id, "content": name, "single_word": false, "lstrip": false, "rstrip": false,
                   "normalized": false, "special": true})
        })
        .collect();
    let replace = |kind: &str, pattern: &str, content: &str| json!({"type": "Replace", "pattern": {kind: pattern}, "content": content});
    json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": added,
        "normalizer": {"type": "Sequence", "normalizers": [
            replace("Regex", "(?<!\\n)^", "▁"),
            replace("Regex", " ", "▁"),
        ]},
        "pre_tokenizer": null,
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [
                {"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                {"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}},
            ],
            "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}},
        },
        "decoder": {"type": "Sequence", "decoders": [
            {"type": "ByteFallback"},
            replace("Regex", "▁", " "),
            {"type": "Fuse"},
            replace("Regex", "(?<!\\n)^ ", ""),
        ]},
        "model": {"type": "Unigram", "unk_id": 0, "byte_fallback": true, "vocab": vocab},
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXTS: [&str; 3] =
        ["猫が机の上にいます。", "犬が机の下にいます。\n\n### 応答:\nはい", "a red bus and a red car"];

    #[test]
    fn texts_go_there_and_back() {
        let tokenizer = build_tokenizer(&TEXTS, 400).unwrap();
        for text in TEXTS.into_iter().chain(["知らない字🗻", "  空白  二つ", "", "改行\nの後"])
        {
            let ids = tokenizer.encode(text, true).unwrap();
            assert_eq!(ids[0], 1);
            assert_eq!(tokenizer.decode(&ids).unwrap(), text, "{ids:?}");
        }
        let special = tokenizer.special();
        assert_eq!((special.bos, special.eos, special.pad, special.image), (Some(1), 2, 3, 4));
    }

    #[test]
    fn frequent_runs_become_pieces_and_the_result_is_fixed() {
        let many: Vec<&str> = TEXTS.iter().cycle().take(30).copied().collect();
        let (a, b) = (build_tokenizer(&many, 400).unwrap(), build_tokenizer(&many, 400).unwrap());
        let ids = a.encode("猫がいます。", false).unwrap();
        assert!(ids.len() < 7, "{ids:?}");
        assert_eq!(ids, b.encode("猫がいます。", false).unwrap());
        assert!(a.vocab_size() <= 400);
        assert!(build_tokenizer(&many, 261).is_err());
    }
}
