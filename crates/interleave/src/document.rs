//! An interleaved document from one page.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use tsumugi_record::{Document, Role};
use tsumugi_text::sentence::SentenceSplitter;

use crate::assignment::assign;
use crate::config::{InterleavedConfig, Surplus};
use crate::image::{ImageDrop, ImageFacts, distinct};
use crate::matrix::Matrix;
use crate::text::tidy;

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

/// The sentences and images of a page, ready to be scored and combined. The caption of an image is none of the sentences: it goes
/// where the image goes.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    pub(crate) text: String,
    pub(crate) sentences: Vec<Range<usize>>,
    pub(crate) images: Vec<PageImage>,
    /// For each image the index of the sentence after it on the page.
    pub(crate) places: Vec<usize>,
    /// For each image the node of its caption. Images of one figure share one.
    pub(crate) captions: Vec<Option<usize>>,
    /// The captions by node.
    pub(crate) caption_texts: BTreeMap<usize, String>,
    /// Where each block of text begins in `text`, and whether it is a heading.
    pub(crate) blocks: Vec<(usize, bool)>,
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
    /// The draft of a page and its images. Its text is the main text of the page: headings, paragraphs, and captions of what is no
    /// image, split by the sentence rules of a language ([`tsumugi_text::LanguagePack::sentences`]). The caption of an image that is
    /// not among `images` says nothing without it, so it is left out.
    pub fn new(document: &Document, images: Vec<PageImage>, splitter: &SentenceSplitter) -> Draft {
        let mut taken = BTreeMap::new();
        let mut captions = Vec::with_capacity(images.len());
        for (at, _) in document.nodes.iter().enumerate().filter(|(_, node)| node.image.is_some()) {
            let caption = caption_of(document, at);
            taken.extend(caption);
            if images.iter().any(|image| image.node == at) {
                captions.push(caption.map(|(node, _)| node));
            }
        }
        let mut text = String::new();
        let mut offsets = Vec::with_capacity(images.len());
        let mut blocks = Vec::new();
        let mut waiting = images.iter().peekable();
        for (at, node) in document.nodes.iter().enumerate() {
            while waiting.next_if(|image| image.node <= at).is_some() {
                offsets.push(text.len());
            }
            let words = node.text.as_deref().map(str::trim).unwrap_or_default();
            if node.role != Role::Boilerplate && !words.is_empty() && !taken.contains_key(&at) {
                blocks.push((text.len(), node.role == Role::Heading));
                text.push_str(words);
                text.push('\n');
            }
        }
        let sentences = splitter.joined_ranges(&text);
        let places =
            offsets.into_iter().map(|offset| sentences.partition_point(|s| s.start < offset)).collect();
        let caption_texts = taken.into_iter().map(|(node, words)| (node, words.to_owned())).collect();
        Draft { text, sentences, images, places, captions, caption_texts, blocks }
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

    /// The captions of its images, each once.
    pub(crate) fn own_captions(&self) -> BTreeSet<usize> {
        self.captions.iter().flatten().copied().collect()
    }

    /// Checks the limits of the text, which is cheap to do before images are scored. A caption counts as a sentence.
    ///
    /// # Errors
    /// The limit that the text exceeds.
    pub fn check_text(&self, config: &InterleavedConfig) -> Result<(), DocumentDrop> {
        let captions = self.own_captions();
        let sentences = self.sentences.len() + captions.len();
        let characters = || {
            let captions = captions.iter().filter_map(|node| self.caption_texts.get(node));
            captions.chain([&self.text]).map(|text| text.chars().count()).sum::<usize>()
        };
        if sentences < config.min_sentences {
            Err(DocumentDrop::FewSentences)
        } else if sentences > config.max_sentences {
            Err(DocumentDrop::ManySentences)
        } else if config.max_characters.is_some_and(|most| characters() > most) {
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
        self.captions.retain(|_| flags.next().copied().unwrap_or(false));
        let mut flags = keep.iter();
        self.images.retain(|_| flags.next().copied().unwrap_or(false));
        dropped
    }

    fn parts(self, similarities: Vec<Option<f64>>) -> Vec<Part> {
        let mut placed: Vec<(usize, PageImage, Option<usize>, Option<f64>)> = self
            .places
            .iter()
            .zip(self.images)
            .zip(self.captions)
            .zip(similarities)
            .map(|(((at, image), caption), similarity)| (*at, image, caption, similarity))
            .collect();
        placed.sort_by_key(|(at, image, ..)| (*at, image.node));
        // A caption follows the last of its images.
        let last: BTreeMap<usize, usize> = placed
            .iter()
            .enumerate()
            .filter_map(|(number, (_, _, caption, _))| Some(((*caption)?, number)))
            .collect();
        let mut parts = Vec::new();
        let mut from = 0;
        for (number, (at, image, caption, similarity)) in placed.into_iter().enumerate() {
            push_text(&mut parts, sentences_of(&self.text, &self.sentences[from..at]));
            from = at;
            parts.push(Part::Image(image, similarity));
            let caption = caption.filter(|node| last.get(node) == Some(&number));
            push_text(
                &mut parts,
                caption.and_then(|node| self.caption_texts.get(&node)).map_or("", |words| words),
            );
        }
        push_text(&mut parts, sentences_of(&self.text, &self.sentences[from..]));
        parts
    }
}

/// The node of the caption of an image, and its words: the nearest caption with the text that the image's slot names.
fn caption_of(document: &Document, image: usize) -> Option<(usize, &str)> {
    /// Nodes on each side that are looked at: a figure has few.
    const NEAR: usize = 4;
    let wanted = tidy(document.nodes[image].image.as_ref()?.caption.as_deref()?);
    let last = document.nodes.len().min(image + NEAR + 1);
    let mut near: Vec<usize> = (image.saturating_sub(NEAR)..last).collect();
    // Of two at one distance the one behind the image.
    near.sort_by_key(|at| (at.abs_diff(image), std::cmp::Reverse(*at)));
    near.into_iter().find_map(|at| {
        let words = document.nodes[at].text.as_deref()?.trim();
        (document.nodes[at].role == Role::Caption && !words.is_empty() && tidy(words) == wanted)
            .then_some((at, words))
    })
}

/// The text of a run of sentences.
fn sentences_of<'a>(text: &'a str, sentences: &[Range<usize>]) -> &'a str {
    match (sentences.first(), sentences.last()) {
        (Some(first), Some(last)) => text[first.start..last.end].trim(),
        _ => "",
    }
}

/// Adds text to the parts; after other text it begins a line.
fn push_text(parts: &mut Vec<Part>, text: &str) {
    match parts.last_mut() {
        _ if text.is_empty() => {}
        Some(Part::Text(before)) => {
            before.push('\n');
            before.push_str(text);
        }
        _ => parts.push(Part::Text(text.to_owned())),
    }
}

#[cfg(test)]
mod tests;
