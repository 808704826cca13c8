//! What the script that fits the model needs to know of a page; no part of the interface.

use tsumugi_record::PageType;

use super::model::{Model, Seen};
use super::names::{self, Names, Words};
use super::outline::{Outline, Row};
use super::{features as block_features, page_features, second, text};
use crate::blocks::{Block, Segmenter};
use crate::charset::decode;
use crate::dom::{Dom, ROOT};
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

/// A text block.
#[derive(Debug, Clone)]
pub struct Text {
    /// The text.
    pub text: String,
    /// Index of its element.
    pub place: usize,
    /// Its first words.
    pub words: Vec<String>,
    /// Rank of the heading that it is; 0 if it is none.
    pub heading: u8,
}

/// A page as the model sees it.
#[derive(Debug, Clone)]
pub struct Features {
    /// Names of the columns of `rows`: the block's features, those that the second trees see in addition, the page's.
    pub columns: Vec<&'static str>,
    /// Features of each text block.
    pub rows: Vec<Vec<f32>>,
    /// The text blocks.
    pub texts: Vec<Text>,
    /// The elements that hold text.
    pub elements: Vec<Element>,
    /// The words that the page says of itself.
    pub words: Vec<String>,
}

/// What words of names and of texts say.
#[derive(Debug, Clone)]
pub struct Tables {
    names: Words,
    texts: Words,
}

impl Tables {
    /// Reads the two tables as the model's files have them; `None` if a line is not a word with numbers.
    #[must_use]
    pub fn read(names: &str, texts: &str) -> Option<Self> {
        Some(Self { names: Words::read(names)?, texts: Words::read(texts)? })
    }
}

/// Calls `take` with the tree, the blocks and the title of a page; `None` if it has no text.
fn read<T>(html: &[u8], take: impl FnOnce(&Dom<'_>, &[Block], &str) -> T) -> Option<T> {
    let decoded = decode(html, None);
    let (dom, _) = crate::html::parse_telling(&decoded.text);
    let base = Base { url: None, charset: encoding_rs::UTF_8 };
    let blocks = Segmenter::new(&dom, &base).run(ROOT).blocks;
    let title = crate::page::title(&dom).unwrap_or_default();
    (!blocks.is_empty()).then(|| take(&dom, &blocks, &title))
}

/// The features of a page's text blocks. With `first`, what the first trees say of each block, those of the second trees
/// are set as well.
#[must_use]
pub fn features(html: &[u8], tables: &Tables, first: Option<&[f32]>) -> Option<Features> {
    read(html, |dom, blocks, title| of_page(dom, blocks, title, tables, first))
}

fn of_page(dom: &Dom<'_>, blocks: &[Block], title: &str, tables: &Tables, first: Option<&[f32]>) -> Features {
    let outline = Outline::new(dom, blocks, &tables.names);
    let mut seen = Seen::new(dom, blocks, &outline, title, &tables.texts);
    seen.matrix.share(seen.page.values.iter().copied());
    if let Some(first) = first.filter(|first| first.len() == outline.rows.len()) {
        seen.add_first(&outline, first);
    }
    let columns = [block_features::NAMES, second::NAMES, page_features::NAMES].concat();
    let values = |row: usize| (0..columns.len()).map(|column| seen.matrix.get(column, row)).collect();
    let texts = outline.rows.iter().map(|row: &Row| {
        let text = text(blocks, row);
        let mut words = Vec::new();
        names::each_text_word(text, |word| words.push(string(word)));
        Text { text: text.to_owned(), place: row.place, words, heading: row.heading }
    });
    let own = |id, tag| {
        let mut found = Vec::new();
        Names::read(dom, id, tag, |word| found.push(string(word)));
        found
    };
    let elements = outline.items.iter().map(|item| Element {
        parent: item.parent,
        unlinked: item.unlinked(),
        words: own(item.id, item.tag),
    });
    let elements: Vec<Element> = elements.collect();
    let mut words: Vec<String> = elements.iter().flat_map(|element| element.words.clone()).collect();
    page_features::each_word(dom, title, &mut |word| words.push(string(word)));
    words.sort_unstable();
    words.dedup();
    Features {
        rows: (0..outline.rows.len()).map(values).collect(),
        texts: texts.collect(),
        elements,
        words,
        columns: columns.clone(),
    }
}

fn string(word: &[u8]) -> String {
    String::from_utf8_lossy(word).into_owned()
}

/// What the fitted model says of a page: its type, and for each text block the probability to be main text.
#[must_use]
pub fn opinion(html: &[u8]) -> Option<(PageType, Vec<f32>)> {
    let model = Model::get()?;
    read(html, |dom, blocks, title| {
        let outline = Outline::new(dom, blocks, &model.words);
        let opinion = model.judge(dom, blocks, &outline, title);
        (opinion.page_type, opinion.rows)
    })
}
