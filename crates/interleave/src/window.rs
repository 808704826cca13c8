//! Windows of a document that is too long for the recipe.

use std::ops::Range;

use crate::config::{InterleavedConfig, Long};
use crate::document::Draft;

/// Sentences and images of a draft, each by index; together they are a window, or a piece of one.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Span {
    sentences: Range<usize>,
    images: Range<usize>,
}

impl Draft {
    /// The documents that the draft becomes: itself, or where it has more images, sentences or characters than the recipe allows
    /// and the recipe splits long documents, windows that have not. Windows begin at headings; a section that is too long by
    /// itself is cut between its paragraphs, and a paragraph between its sentences.
    pub fn windows(self, config: &InterleavedConfig) -> Vec<Draft> {
        let all = Span { sentences: 0..self.sentences.len(), images: 0..self.images.len() };
        if config.long == Long::Drop || self.fits(&all, config) {
            return vec![self];
        }
        let mut pieces = Vec::new();
        for section in self.cut(&all, &self.starts(true)) {
            if self.fits(&section, config) {
                pieces.push((section, true));
                continue;
            }
            for (number, paragraph) in self.cut(&section, &self.starts(false)).into_iter().enumerate() {
                let fits = self.fits(&paragraph, config);
                let parts = if fits { vec![paragraph] } else { self.cut_everywhere(&paragraph) };
                pieces.extend(parts.into_iter().enumerate().map(|(part, span)| (span, number + part == 0)));
            }
        }
        self.joined(pieces, config).into_iter().map(|span| self.window(&span)).collect()
    }

    /// Joins neighbouring pieces as long as they fit. Of a section that was cut, only its own pieces are joined.
    fn joined(&self, pieces: Vec<(Span, bool)>, config: &InterleavedConfig) -> Vec<Span> {
        let mut windows: Vec<Span> = Vec::new();
        let mut sections =
            pieces.iter().map(|(_, begins)| *begins).skip(1).chain([true]).collect::<Vec<_>>().into_iter();
        let mut whole = true;
        for (piece, begins) in pieces {
            let ends = sections.next().unwrap_or(true);
            let joins = !begins || (whole && ends);
            whole = begins && ends;
            let joined = windows.last().map(|last| Span {
                sentences: last.sentences.start..piece.sentences.end,
                images: last.images.start..piece.images.end,
            });
            match (windows.last_mut(), joined) {
                (Some(last), Some(joined)) if joins && self.fits(&joined, config) => *last = joined,
                _ => windows.push(piece),
            }
        }
        windows
    }

    /// Whether a span is within the limits.
    fn fits(&self, span: &Span, config: &InterleavedConfig) -> bool {
        let captions: std::collections::BTreeSet<usize> =
            self.captions[span.images.clone()].iter().flatten().copied().collect();
        let characters = || {
            let captions = captions.iter().filter_map(|node| self.caption_texts.get(node));
            let own: usize = captions.map(|words| words.chars().count()).sum();
            own + self.text[self.bytes(&span.sentences)].chars().count()
        };
        span.images.len() <= config.max_images
            && span.sentences.len() + captions.len() <= config.max_sentences
            && config.max_characters.is_none_or(|most| characters() <= most)
    }

    /// The text of some sentences, as a range of bytes.
    fn bytes(&self, sentences: &Range<usize>) -> Range<usize> {
        let start = self.sentences.get(sentences.start).map_or(self.text.len(), |range| range.start);
        let end = sentences
            .end
            .checked_sub(1)
            .and_then(|last| self.sentences.get(last))
            .map_or(start, |range| range.end);
        start..end.max(start)
    }

    /// The sentences that begin blocks, or headings only. A heading after a heading begins nothing.
    fn starts(&self, headings: bool) -> Vec<usize> {
        let mut after_heading = false;
        let mut starts = Vec::new();
        for &(offset, is_heading) in &self.blocks {
            let begins = (!headings || is_heading) && !(is_heading && after_heading);
            after_heading = is_heading;
            let sentence = self.sentences.partition_point(|sentence| sentence.start < offset);
            if begins && self.sentences.get(sentence).is_some_and(|range| range.start == offset) {
                starts.push(sentence);
            }
        }
        starts
    }

    /// Cuts a span before some sentences. An image right before a cut belongs to what stands before it.
    fn cut(&self, span: &Span, before: &[usize]) -> Vec<Span> {
        let inside = |at: &&usize| span.sentences.contains(*at) && **at > span.sentences.start;
        let mut pieces = Vec::new();
        let mut from = (span.sentences.start, span.images.start);
        for &at in before.iter().filter(inside) {
            let to = (at, self.places.partition_point(|place| *place <= at).clamp(from.1, span.images.end));
            pieces.push(Span { sentences: from.0..to.0, images: from.1..to.1 });
            from = to;
        }
        pieces.push(Span { sentences: from.0..span.sentences.end, images: from.1..span.images.end });
        pieces
    }

    /// Cuts a span into single sentences and single images.
    fn cut_everywhere(&self, span: &Span) -> Vec<Span> {
        let sentences: Vec<usize> = span.sentences.clone().collect();
        let mut pieces = Vec::new();
        for piece in self.cut(span, &sentences) {
            let first = piece.images.start;
            pieces.push(Span {
                sentences: piece.sentences.clone(),
                images: first..first.max(piece.images.end.min(first + 1)),
            });
            let end = piece.sentences.end;
            pieces.extend(
                (first + 1..piece.images.end)
                    .map(|image| Span { sentences: end..end, images: image..image + 1 }),
            );
        }
        pieces
    }

    /// A draft of a span.
    fn window(&self, span: &Span) -> Draft {
        let bytes = self.bytes(&span.sentences);
        let shift = |range: &Range<usize>| range.start - bytes.start..range.end - bytes.start;
        let place = |place: &usize| place.saturating_sub(span.sentences.start).min(span.sentences.len());
        Draft {
            text: self.text[bytes.clone()].to_owned(),
            sentences: self.sentences[span.sentences.clone()].iter().map(shift).collect(),
            images: self.images[span.images.clone()].to_vec(),
            places: self.places[span.images.clone()].iter().map(place).collect(),
            captions: self.captions[span.images.clone()].to_vec(),
            caption_texts: self.caption_texts.clone(),
            blocks: Vec::new(),
        }
    }
}
