//! An interleaved document from one page.

use std::ops::Range;

use tsumugi_record::{Document, Role};
use tsumugi_text::sentence::SentenceSplitter;

use crate::assignment::assign;
use crate::config::{InterleavedConfig, Surplus};
use crate::image::{ImageDrop, ImageFacts, distinct};
use crate::matrix::Matrix;

/// An image of a page that passed the image rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageImage {
    /// The facts about the image.
    pub facts: ImageFacts,
    /// Its URL.
    pub url: String,
    /// Index of its node in the document.
    pub node: usize,
}

/// The URL of an image that was dropped, with the reason.
pub type DroppedImage = (String, ImageDrop);

/// The images of a page that pass the image rules, without duplicates. Each counts as one occurrence when samples for
/// [`crate::FrequencyRules`] are drawn. `find` returns the image of a URL.
pub fn page_images(
    document: &Document,
    find: &dyn Fn(&str) -> Option<ImageFacts>,
    config: &InterleavedConfig,
) -> (Vec<PageImage>, Vec<DroppedImage>) {
    let (mut found, mut dropped) = (Vec::new(), Vec::new());
    for (at, node) in document.nodes.iter().enumerate() {
        let (Some(slot), Some(checked)) = (&node.image, config.images.check(node, find)) else { continue };
        match checked {
            Ok(facts) => found.push(PageImage { facts, url: slot.url.clone(), node: at }),
            Err(reason) => dropped.push((slot.url.clone(), reason)),
        }
    }
    let facts: Vec<ImageFacts> = found.iter().map(|image| image.facts).collect();
    let mut keep = distinct(&facts, config.phash_distance).into_iter();
    found.retain(|image| {
        let keep = keep.next().unwrap_or(false);
        if !keep {
            dropped.push((image.url.clone(), ImageDrop::DuplicateInDocument));
        }
        keep
    });
    (found, dropped)
}

/// Why a page does not become an interleaved document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum DocumentDrop {
    /// The page forbids its use.
    OptOut,
    /// Too few images are left.
    FewImages,
    /// Too many images are left.
    ManyImages,
    /// It has too few sentences.
    FewSentences,
    /// It has too many sentences.
    ManySentences,
    /// It has too many characters.
    TooLong,
    /// The similarity of an image to the sentence that it was assigned to is too low.
    LowSimilarity,
}

impl DocumentDrop {
    /// The reason as tables and funnels write it.
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

/// The sentences and images of a page, ready to be scored and combined.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    text: String,
    sentences: Vec<Range<usize>>,
    images: Vec<PageImage>,
    /// For each image the index of the sentence after it on the page.
    places: Vec<usize>,
}

/// A part of an interleaved document.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// A run of sentences.
    Text(String),
    /// An image, with its similarity to the sentence after it if there is a scorer.
    Image(PageImage, Option<f64>),
}

impl Draft {
    /// The draft of a page and its images. Its text is the main text of the page: headings, paragraphs and captions, split by
    /// the sentence rules of a language ([`tsumugi_text::LanguagePack::sentences`]).
    pub fn new(document: &Document, images: Vec<PageImage>, splitter: &SentenceSplitter) -> Draft {
        let mut text = String::new();
        let mut offsets = Vec::with_capacity(images.len());
        let mut waiting = images.iter().peekable();
        for (at, node) in document.nodes.iter().enumerate() {
            while waiting.next_if(|image| image.node <= at).is_some() {
                offsets.push(text.len());
            }
            let words = node.text.as_deref().map(str::trim).unwrap_or_default();
            if node.role != Role::Boilerplate && !words.is_empty() {
                text.push_str(words);
                text.push('\n');
            }
        }
        let sentences = splitter.joined_ranges(&text);
        let places =
            offsets.into_iter().map(|offset| sentences.partition_point(|s| s.start < offset)).collect();
        Draft { text, sentences, images, places }
    }

    /// The sentences, without white space around them.
    pub fn sentences(&self) -> Vec<&str> {
        self.sentences.iter().map(|range| self.text[range.clone()].trim()).collect()
    }

    /// The images, in the order of the page.
    pub fn images(&self) -> &[PageImage] {
        &self.images
    }

    /// Drops the images that are frequent across documents.
    pub fn drop_frequent(&mut self, frequent: &dyn Fn(&PageImage) -> bool) -> Vec<DroppedImage> {
        let keep: Vec<bool> = self.images.iter().map(|image| !frequent(image)).collect();
        self.retain(&keep, ImageDrop::Frequent)
    }

    /// Checks the limits of the text, which is cheap to do before images are scored.
    ///
    /// # Errors
    /// The limit that the text exceeds.
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

    /// Checks the number of images.
    ///
    /// # Errors
    /// The limit that it exceeds.
    pub fn check_images(&self, config: &InterleavedConfig) -> Result<(), DocumentDrop> {
        if self.images.len() < config.min_images {
            Err(DocumentDrop::FewImages)
        } else if self.images.len() > config.max_images {
            Err(DocumentDrop::ManyImages)
        } else {
            Ok(())
        }
    }

    /// The document with every image in its own place on the page.
    pub fn in_page_order(self) -> Vec<Part> {
        let similarities = vec![None; self.images.len()];
        self.parts(similarities)
    }

    /// The document with every image before the sentence that it is assigned to. Images whose similarity to every sentence
    /// is too low are dropped; the others are assigned so that the sum of similarities is the highest. `scores` has a row for
    /// each image and a column for each sentence.
    ///
    /// # Errors
    /// The reason why no document is left.
    pub fn assigned(
        mut self,
        scores: &Matrix,
        config: &InterleavedConfig,
        dropped: &mut Vec<DroppedImage>,
    ) -> Result<Vec<Part>, DocumentDrop> {
        let fits = |row: usize| scores.best(row).is_some_and(|(_, best)| best >= config.min_similarity);
        let keep: Vec<bool> = (0..self.images.len()).map(fits).collect();
        let rows: Vec<usize> = (0..keep.len()).filter(|&row| keep[row]).collect();
        dropped.extend(self.retain(&keep, ImageDrop::LowSimilarity));
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
        dropped.extend(self.retain(&keep, ImageDrop::Surplus));
        self.check_images(config)?;
        if values.iter().any(|(_, value)| *value < config.min_similarity) {
            return Err(DocumentDrop::LowSimilarity);
        }
        self.places = values.iter().map(|(sentence, _)| *sentence).collect();
        Ok(self.parts(values.into_iter().map(|(_, value)| Some(value)).collect()))
    }

    /// Drops the images with a probability above `most` of being not safe for work; `probabilities` has one for each image.
    /// NaN counts as unsafe.
    pub fn drop_nsfw(&mut self, probabilities: &[f64], most: f64) -> Vec<DroppedImage> {
        let keep: Vec<bool> = probabilities.iter().map(|probability| *probability <= most).collect();
        self.retain(&keep, ImageDrop::Nsfw)
    }

    fn retain(&mut self, keep: &[bool], reason: ImageDrop) -> Vec<DroppedImage> {
        let gone = self.images.iter().zip(keep).filter(|(_, keep)| !**keep);
        let dropped = gone.map(|(image, _)| (image.url.clone(), reason)).collect();
        let mut flags = keep.iter();
        self.places.retain(|_| flags.next().copied().unwrap_or(false));
        let mut flags = keep.iter();
        self.images.retain(|_| flags.next().copied().unwrap_or(false));
        dropped
    }

    fn parts(self, similarities: Vec<Option<f64>>) -> Vec<Part> {
        let mut placed: Vec<(usize, PageImage, Option<f64>)> = self
            .places
            .iter()
            .zip(self.images)
            .zip(similarities)
            .map(|((at, image), similarity)| (*at, image, similarity))
            .collect();
        placed.sort_by_key(|(at, image, _)| (*at, image.node));
        let mut parts = Vec::new();
        let mut from = 0;
        for (at, image, similarity) in placed {
            push_text(&mut parts, &self.text, &self.sentences[from..at]);
            from = at;
            parts.push(Part::Image(image, similarity));
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

    fn find(url: &str) -> Option<ImageFacts> {
        let key = url.parse().ok()?;
        Some(ImageFacts {
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

    fn draft(document: &Document, images: Vec<PageImage>) -> Draft {
        let pack = tsumugi_text::LanguagePack::embedded("ja").unwrap();
        Draft::new(document, images, pack.sentences())
    }

    fn show(parts: &[Part]) -> Vec<String> {
        let show = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Image(image, similarity) => format!("[{}{}]", image.url, similarity.map_or("", |_| "!")),
        };
        parts.iter().map(show).collect()
    }

    #[test]
    fn images_keep_their_place_without_a_scorer() {
        let config = InterleavedConfig::default();
        let (images, dropped) = page_images(&page(), &find, &config);
        assert!(dropped.is_empty(), "{dropped:?}");
        let draft = draft(&page(), images);
        assert_eq!(draft.sentences().len(), 5);
        assert_eq!(draft.check_text(&config), Err(DocumentDrop::FewSentences));
        let parts = draft.in_page_order();
        // The marks belong to the sentence before them, so the image follows them.
        assert_eq!(
            show(&parts),
            ["[3]", "見出し\n一つ目の文。二つ目の文。\n＊＊＊", "[9]", "三つ目の文。四つ目の文。", "[14]"]
        );
    }

    #[test]
    fn images_go_to_the_sentences_they_fit() {
        let config = InterleavedConfig::default();
        let (images, _) = page_images(&page(), &find, &config);
        let draft = draft(&page(), images);
        let scores = Matrix::new(
            3,
            5,
            vec![0.1, 0.9, 0.8, 0.1, 0.1, 0.1, 0.8, 0.1, 0.1, 0.1, 0.1, 0.1, 0.19, 0.1, 0.1],
        )
        .unwrap();
        let mut dropped = Vec::new();
        let parts = draft.assigned(&scores, &config, &mut dropped).unwrap();
        assert_eq!(dropped, [("14".to_owned(), ImageDrop::LowSimilarity)]);
        assert_eq!(
            show(&parts),
            ["見出し", "[9!]", "一つ目の文。", "[3!]", "二つ目の文。\n＊＊＊\n三つ目の文。四つ目の文。"]
        );
    }

    #[test]
    fn surplus_images_share_the_best_sentence_as_in_mmc4() {
        let document =
            Document { nodes: vec![words("文は一つ。"), image("3"), image("9")], ..Default::default() };
        let mut config = InterleavedConfig { surplus: Surplus::Best, min_images: 1, ..Default::default() };
        let (images, _) = page_images(&document, &find, &config);
        let draft = draft(&document, images);
        let scores = Matrix::new(2, 1, vec![0.3, 0.4]).unwrap();
        let mut dropped = Vec::new();
        let parts = draft.clone().assigned(&scores, &config, &mut dropped).unwrap();
        assert_eq!(show(&parts), ["[3!]", "[9!]", "文は一つ。"]);
        config.surplus = Surplus::Drop;
        let parts = draft.assigned(&scores, &config, &mut dropped).unwrap();
        assert_eq!(show(&parts), ["[9!]", "文は一つ。"]);
        assert_eq!(dropped, [("3".to_owned(), ImageDrop::Surplus)]);
    }
}
