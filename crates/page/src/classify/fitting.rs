//! What the script that fits the model needs to know of a page; no part of the interface.

use super::features::{self, Said};
use super::forest::Matrix;
use super::model::{SECOND, second};
use super::names::{self, Words};
use super::outline::Outline;
use super::page_features::{self, PageFeatures};
use super::said;
use crate::blocks::{Content, Segmenter};
use crate::charset::decode;
use crate::dom::ROOT;
use crate::slot::Base;

/// An element that holds text.
#[derive(Debug, Clone)]
pub struct Element {
    /// Index of the element above; its own at the top.
    pub parent: usize,
    /// Width of its text outside of links.
    pub unlinked: u32,
    /// The words of its names.
    pub words: Vec<String>,
}

/// A page as the model sees it.
#[derive(Debug, Clone)]
pub struct Features {
    /// Names of the columns of `rows`.
    pub columns: Vec<&'static str>,
    /// Text, place of its element and features of each text block.
    pub rows: Vec<(String, usize, Vec<f32>)>,
    /// The elements that hold text.
    pub elements: Vec<Element>,
    /// The words that the page says of itself.
    pub words: Vec<String>,
}

/// The features of a page's text blocks. `words` are the weights of words, a line each; with `first`, what the first
/// trees say of each block, the columns are those that the second trees see in addition.
#[must_use]
pub fn features(html: &[u8], words: &str, first: Option<&[f32]>) -> Option<Features> {
    let words = Words::read(words)?;
    let decoded = decode(html, None);
    let (dom, _) = crate::html::parse_telling(&decoded.text);
    let base = Base { url: None, charset: encoding_rs::UTF_8 };
    let blocks = Segmenter::new(&dom, &base).run(ROOT).blocks;
    if blocks.is_empty() {
        return None;
    }
    let outline = Outline::new(&dom, &blocks, &words);
    let title = crate::page::title(&dom);
    let said: Vec<Said> = said(&dom, &blocks, &outline, title.as_deref());
    let page = PageFeatures::new(&outline, said.iter().filter(|said| said.is_date).count());
    let (mut matrix, arounds) = features::matrix(&outline, &said, &page, 0);
    let mut columns = [features::NAMES, page_features::NAMES].concat();
    if let Some(first) = first.filter(|first| first.len() == outline.rows.len()) {
        matrix = Matrix::new(SECOND.len(), outline.rows.len());
        second(&outline, &arounds, first, &mut matrix, 0);
        columns = SECOND.to_vec();
    }
    let row = |at: usize| (0..columns.len()).map(|column| matrix.column(column)[at]).collect();
    let rows = outline.rows.iter().enumerate().filter_map(|(at, known)| match &blocks[known.block].content {
        Content::Text(text) => Some((text.clone(), known.place, row(at))),
        Content::Image(_) => None,
    });
    let own = |id| {
        let mut found = Vec::new();
        names::each_word(&dom, id, &mut |word| found.push(String::from_utf8_lossy(word).into_owned()));
        found
    };
    let elements = outline.items.iter().map(|item| Element {
        parent: item.parent,
        unlinked: item.unlinked(),
        words: own(item.id),
    });
    let mut page_words: Vec<String> = outline.items.iter().flat_map(|item| own(item.id)).collect();
    page_features::each_word(&dom, &mut |word| {
        page_words.push(String::from_utf8_lossy(&word[..word.len().min(16)]).into_owned());
    });
    page_words.sort_unstable();
    page_words.dedup();
    Some(Features {
        rows: rows.collect(),
        elements: elements.collect(),
        words: page_words,
        columns: columns.clone(),
    })
}
