//! Splits texts into paragraphs and sentences as Swallow's code does: a paragraph is a line, and a sentence is a run of characters
//! up to and including one terminator. A terminator without characters before it belongs to no sentence.

use std::borrow::Cow;

/// The parts of a text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Paragraphs<'a> {
    /// All lines, also empty ones, without the terminators that belong to no sentence.
    pub paragraphs: Vec<Part<'a>>,
    /// The sentences of all lines.
    pub sentences: Vec<Part<'a>>,
}

/// A paragraph or sentence with its length.
#[derive(Clone, Debug, PartialEq)]
pub struct Part<'a> {
    /// The text.
    pub text: Cow<'a, str>,
    /// Code points.
    pub letters: usize,
}

/// 。．！？!? end a sentence.
pub(crate) fn is_terminator(c: char) -> bool {
    matches!(c, '。' | '．' | '！' | '？' | '!' | '?')
}

impl<'a> Paragraphs<'a> {
    /// Cuts `text` at line feeds and terminators.
    #[must_use]
    pub fn of(text: &'a str) -> Self {
        let mut parts = Self::default();
        for line in text.split('\n') {
            parts.line(line);
        }
        parts
    }

    fn line(&mut self, line: &'a str) {
        let first = self.sentences.len();
        let mut start = 0;
        let mut letters = 0;
        for (at, c) in line.char_indices() {
            let end = at + c.len_utf8();
            if !is_terminator(c) {
                letters += 1;
            } else if letters > 0 {
                self.push_sentence(&line[start..end], letters + 1);
                (start, letters) = (end, 0);
            } else {
                start = end;
            }
        }
        if letters > 0 {
            self.push_sentence(&line[start..], letters);
        }
        let own = &self.sentences[first..];
        let bytes: usize = own.iter().map(|s| s.text.len()).sum();
        let text = if bytes == line.len() {
            Cow::Borrowed(line)
        } else {
            Cow::Owned(own.iter().map(|s| &*s.text).collect())
        };
        self.paragraphs.push(Part { text, letters: own.iter().map(|s| s.letters).sum() });
    }

    fn push_sentence(&mut self, text: &'a str, letters: usize) {
        self.sentences.push(Part { text: Cow::Borrowed(text), letters });
    }
}

/// How many parts and letters repeat an earlier part: (parts, letters).
pub(crate) fn repeated(parts: &[Part<'_>]) -> (usize, usize) {
    let mut sorted: Vec<(u64, &str, usize)> = parts
        .iter()
        .map(|part| (xxhash_rust::xxh3::xxh3_64(part.text.as_bytes()), &*part.text, part.letters))
        .collect();
    sorted.sort_unstable();
    let runs = sorted.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1));
    runs.fold((0, 0), |(count, letters), run| {
        let again = run.len() - 1;
        (count + again, letters + again * run[0].2)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_as_swallow_does() {
        let parts = Paragraphs::of("。はい。。\n\nいいえ！？つぎ");
        let texts = |parts: &[Part<'_>]| parts.iter().map(|p| p.text.to_string()).collect::<Vec<_>>();
        assert_eq!(texts(&parts.sentences), ["はい。", "いいえ！", "つぎ"]);
        assert_eq!(texts(&parts.paragraphs), ["はい。", "", "いいえ！つぎ"]);
        assert_eq!(parts.paragraphs[2].letters, 6);
    }

    #[test]
    fn counts_what_repeats() {
        let parts = Paragraphs::of("あ\nあ\nいう\nあ\nいう");
        assert_eq!(repeated(&parts.paragraphs), (3, 4));
    }
}
