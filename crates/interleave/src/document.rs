//! An interleaved document from one page.

use std::ops::Range;

use tsumugi_record::{Document, Role};
use tsumugi_text::joined_sentence_ranges;

use crate::{InterleavedConfig, Matrix, Picture, PictureDrop, Surplus, assign, distinct};

/// A picture of a page that passed the rules of pictures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PagePicture {
    /// The picture.
    pub picture: Picture,
    /// Its address.
    pub url: String,
    /// Place of its node in the document.
    pub node: usize,
}

/// A picture that is left out, with its address and the reason.
pub type DroppedPicture = (String, PictureDrop);

/// The pictures of a page that are good by themselves, each once: what counts as an occurrence in the draw of samples.
/// `find` gives the picture behind an address.
pub fn page_pictures(
    document: &Document,
    find: &dyn Fn(&str) -> Option<Picture>,
    config: &InterleavedConfig,
) -> (Vec<PagePicture>, Vec<DroppedPicture>) {
    let (mut found, mut dropped) = (Vec::new(), Vec::new());
    for (at, node) in document.nodes.iter().enumerate() {
        let (Some(slot), Some(checked)) = (&node.image, config.images.check(node, find)) else { continue };
        match checked {
            Ok(picture) => found.push(PagePicture { picture, url: slot.url.clone(), node: at }),
            Err(reason) => dropped.push((slot.url.clone(), reason)),
        }
    }
    let facts: Vec<Picture> = found.iter().map(|page| page.picture).collect();
    let mut keep = distinct(&facts, config.phash_distance).into_iter();
    found.retain(|page| {
        let keep = keep.next().unwrap_or(false);
        if !keep {
            dropped.push((page.url.clone(), PictureDrop::DuplicateInDocument));
        }
        keep
    });
    (found, dropped)
}

/// Why a page makes no interleaved document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum DocumentDrop {
    /// The page forbids its use.
    OptOut,
    /// Too few pictures are left.
    FewImages,
    /// Too many pictures are left.
    ManyImages,
    /// Too few sentences.
    FewSentences,
    /// Too many sentences.
    ManySentences,
    /// Too many characters.
    TooLong,
    /// A picture was assigned to a sentence that does not fit it.
    LowSimilarity,
}

impl DocumentDrop {
    /// The word that stands in tables and funnels.
    pub fn as_str(self) -> &'static str {
        match self {
            DocumentDrop::OptOut => "opt_out",
            DocumentDrop::FewImages => "few_images",
            DocumentDrop::ManyImages => "many_images",
            DocumentDrop::FewSentences => "few_sentences",
            DocumentDrop::ManySentences => "many_sentences",
            DocumentDrop::TooLong => "too_long",
            DocumentDrop::LowSimilarity => "low_assignment",
        }
    }
}

/// A page's sentences and pictures, ready to be scored and put together.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    text: String,
    sentences: Vec<Range<usize>>,
    pictures: Vec<PagePicture>,
    /// For each picture the sentence before which it stands on the page.
    places: Vec<usize>,
}

/// A part of an interleaved document.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// A run of sentences.
    Text(String),
    /// A picture, with its similarity to the sentence behind it where there is a scorer.
    Picture(PagePicture, Option<f64>),
}

impl Draft {
    /// The draft of a page and its pictures. The text is that of its main part: headings, paragraphs, captions.
    pub fn new(document: &Document, pictures: Vec<PagePicture>) -> Draft {
        let mut text = String::new();
        let mut offsets = Vec::with_capacity(pictures.len());
        let mut waiting = pictures.iter().peekable();
        for (at, node) in document.nodes.iter().enumerate() {
            while waiting.next_if(|page| page.node <= at).is_some() {
                offsets.push(text.len());
            }
            let words = node.text.as_deref().map(str::trim).unwrap_or_default();
            if node.role != Role::Boilerplate && !words.is_empty() {
                text.push_str(words);
                text.push('\n');
            }
        }
        let sentences = joined_sentence_ranges(&text);
        let places =
            offsets.into_iter().map(|offset| sentences.partition_point(|s| s.start < offset)).collect();
        Draft { text, sentences, pictures, places }
    }

    /// The sentences, without white space around them.
    pub fn sentences(&self) -> Vec<&str> {
        self.sentences.iter().map(|range| self.text[range.clone()].trim()).collect()
    }

    /// The pictures, in the order of the page.
    pub fn pictures(&self) -> &[PagePicture] {
        &self.pictures
    }

    /// Takes out pictures that are frequent across documents.
    pub fn drop_frequent(&mut self, frequent: &dyn Fn(&PagePicture) -> bool) -> Vec<DroppedPicture> {
        let keep: Vec<bool> = self.pictures.iter().map(|page| !frequent(page)).collect();
        self.retain(&keep, PictureDrop::Frequent)
    }

    /// Whether the text alone makes a document: worth asking before pictures are scored.
    ///
    /// # Errors
    /// Why not.
    pub fn check_text(&self, config: &InterleavedConfig) -> Result<(), DocumentDrop> {
        if self.sentences.len() < config.min_sentences {
            Err(DocumentDrop::FewSentences)
        } else if self.sentences.len() > config.max_sentences {
            Err(DocumentDrop::ManySentences)
        } else if config.max_characters.is_some_and(|most| self.text.chars().count() > most) {
            Err(DocumentDrop::TooLong)
        } else {
            Ok(())
        }
    }

    /// Whether there are enough pictures, and not too many.
    ///
    /// # Errors
    /// Why not.
    pub fn check_pictures(&self, config: &InterleavedConfig) -> Result<(), DocumentDrop> {
        if self.pictures.len() < config.min_images {
            Err(DocumentDrop::FewImages)
        } else if self.pictures.len() > config.max_images {
            Err(DocumentDrop::ManyImages)
        } else {
            Ok(())
        }
    }

    /// The document with every picture in its own place on the page.
    pub fn in_page_order(self) -> Vec<Part> {
        let similarities = vec![None; self.pictures.len()];
        self.parts(similarities)
    }

    /// The document with pictures before the sentences that they fit best: pictures that fit none are dropped, the
    /// others assigned so that the total similarity is the highest. `scores` has a row for each picture and a
    /// column for each sentence.
    ///
    /// # Errors
    /// Why no document is left.
    pub fn assigned(
        mut self,
        scores: &Matrix,
        config: &InterleavedConfig,
        dropped: &mut Vec<DroppedPicture>,
    ) -> Result<Vec<Part>, DocumentDrop> {
        let fits = |row: usize| scores.best(row).is_some_and(|(_, best)| best >= config.min_similarity);
        let keep: Vec<bool> = (0..self.pictures.len()).map(fits).collect();
        let rows: Vec<usize> = (0..keep.len()).filter(|&row| keep[row]).collect();
        dropped.extend(self.retain(&keep, PictureDrop::LowSimilarity));
        let scores = scores.select_rows(&rows);
        let mut assigned = assign(&scores);
        if config.surplus == Surplus::Best {
            for (row, column) in assigned.iter_mut().enumerate() {
                *column = column.or_else(|| scores.best(row).map(|(best, _)| best));
            }
        }
        let keep: Vec<bool> = assigned.iter().map(Option::is_some).collect();
        let values: Vec<(usize, f64)> =
            assigned.iter().enumerate().filter_map(|(r, c)| Some(((*c)?, scores.row(r)[(*c)?]))).collect();
        dropped.extend(self.retain(&keep, PictureDrop::Surplus));
        self.check_pictures(config)?;
        if values.iter().any(|(_, value)| *value < config.min_similarity) {
            return Err(DocumentDrop::LowSimilarity);
        }
        self.places = values.iter().map(|(sentence, _)| *sentence).collect();
        Ok(self.parts(values.into_iter().map(|(_, value)| Some(value)).collect()))
    }

    /// Drops the pictures whose probability, one for each, of being not safe for work is above `most`. One that is no
    /// number is above it.
    pub fn drop_nsfw(&mut self, probabilities: &[f64], most: f64) -> Vec<DroppedPicture> {
        let keep: Vec<bool> = probabilities.iter().map(|probability| *probability <= most).collect();
        self.retain(&keep, PictureDrop::Nsfw)
    }

    fn retain(&mut self, keep: &[bool], reason: PictureDrop) -> Vec<DroppedPicture> {
        let gone = self.pictures.iter().zip(keep).filter(|(_, keep)| !**keep);
        let dropped = gone.map(|(page, _)| (page.url.clone(), reason)).collect();
        let mut flags = keep.iter();
        self.places.retain(|_| flags.next().copied().unwrap_or(false));
        let mut flags = keep.iter();
        self.pictures.retain(|_| flags.next().copied().unwrap_or(false));
        dropped
    }

    fn parts(self, similarities: Vec<Option<f64>>) -> Vec<Part> {
        let mut placed: Vec<(usize, PagePicture, Option<f64>)> = self
            .places
            .iter()
            .zip(self.pictures)
            .zip(similarities)
            .map(|((at, page), s)| (*at, page, s))
            .collect();
        placed.sort_by_key(|(at, page, _)| (*at, page.node));
        let mut parts = Vec::new();
        let mut from = 0;
        for (at, page, similarity) in placed {
            push_text(&mut parts, &self.text, &self.sentences[from..at]);
            from = at;
            parts.push(Part::Picture(page, similarity));
        }
        push_text(&mut parts, &self.text, &self.sentences[from..]);
        parts
    }
}

fn push_text(parts: &mut Vec<Part>, text: &str, sentences: &[Range<usize>]) {
    if let (Some(first), Some(last)) = (sentences.first(), sentences.last()) {
        let run = text[first.start..last.end].trim();
        if !run.is_empty() {
            parts.push(Part::Text(run.to_owned()));
        }
    }
}

#[cfg(test)]
mod tests {
    use tsumugi_images::PHash;
    use tsumugi_record::{ImageSlot, Node};

    use super::*;

    fn words(text: &str) -> Node {
        Node { text: Some(text.into()), ..Default::default() }
    }

    fn image(url: &str) -> Node {
        Node { image: Some(ImageSlot { url: url.into(), ..Default::default() }), ..Default::default() }
    }

    fn find(url: &str) -> Option<Picture> {
        let key = url.parse().ok()?;
        Some(Picture {
            key,
            width: 200,
            height: 200,
            phash: PHash(0x1111_1111_1111 * key as u64 * key as u64),
        })
    }

    fn page() -> Document {
        let menu = Node { text: Some("メニュー".into()), role: Role::Boilerplate, image: None };
        Document {
            nodes: vec![
                menu,
                image("3"),
                words("見出し"),
                words("一つ目の文。二つ目の文。"),
                image("9"),
                words("＊＊＊"),
                words("三つ目の文。四つ目の文。"),
                image("14"),
            ],
            ..Default::default()
        }
    }

    fn show(parts: &[Part]) -> Vec<String> {
        let show = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Picture(page, similarity) => format!("[{}{}]", page.url, similarity.map_or("", |_| "!")),
        };
        parts.iter().map(show).collect()
    }

    #[test]
    fn pictures_keep_their_place_without_a_scorer() {
        let config = InterleavedConfig::default();
        let (pictures, dropped) = page_pictures(&page(), &find, &config);
        assert!(dropped.is_empty(), "{dropped:?}");
        let draft = Draft::new(&page(), pictures);
        assert_eq!(draft.sentences().len(), 5);
        assert_eq!(draft.check_text(&config), Err(DocumentDrop::FewSentences));
        let parts = draft.in_page_order();
        // The marks belong to the sentence before them, so the picture follows them.
        assert_eq!(
            show(&parts),
            ["[3]", "見出し\n一つ目の文。二つ目の文。\n＊＊＊", "[9]", "三つ目の文。四つ目の文。", "[14]"]
        );
    }

    #[test]
    fn pictures_go_to_the_sentences_they_fit() {
        let config = InterleavedConfig::default();
        let (pictures, _) = page_pictures(&page(), &find, &config);
        let draft = Draft::new(&page(), pictures);
        let scores = Matrix::new(
            3,
            5,
            vec![0.1, 0.9, 0.8, 0.1, 0.1, 0.1, 0.8, 0.1, 0.1, 0.1, 0.1, 0.1, 0.19, 0.1, 0.1],
        )
        .unwrap();
        let mut dropped = Vec::new();
        let parts = draft.assigned(&scores, &config, &mut dropped).unwrap();
        assert_eq!(dropped, [("14".to_owned(), PictureDrop::LowSimilarity)]);
        assert_eq!(
            show(&parts),
            ["見出し", "[9!]", "一つ目の文。", "[3!]", "二つ目の文。\n＊＊＊\n三つ目の文。四つ目の文。"]
        );
    }

    #[test]
    fn surplus_pictures_share_the_best_sentence_as_in_mmc4() {
        let document =
            Document { nodes: vec![words("文は一つ。"), image("3"), image("9")], ..Default::default() };
        let mut config = InterleavedConfig { surplus: Surplus::Best, min_images: 1, ..Default::default() };
        let (pictures, _) = page_pictures(&document, &find, &config);
        let draft = Draft::new(&document, pictures);
        let scores = Matrix::new(2, 1, vec![0.3, 0.4]).unwrap();
        let mut dropped = Vec::new();
        let parts = draft.clone().assigned(&scores, &config, &mut dropped).unwrap();
        assert_eq!(show(&parts), ["[3!]", "[9!]", "文は一つ。"]);
        config.surplus = Surplus::Drop;
        let parts = draft.assigned(&scores, &config, &mut dropped).unwrap();
        assert_eq!(show(&parts), ["[9!]", "文は一つ。"]);
        assert_eq!(dropped, [("3".to_owned(), PictureDrop::Surplus)]);
    }
}
