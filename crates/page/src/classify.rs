//! Which blocks are main text and which are boilerplate.
//!
//! A fitted model gives each text block a probability; the blocks are chosen whose expected F1 is best
//! ([`model::choose`]). Images follow the text around them.

mod alike;
mod around;
mod features;
pub mod fitting;
mod forest;
mod images;
mod labels;
mod measure;
mod model;
pub(crate) mod names;
mod outline;
mod page_features;
mod second;
mod wording;

use std::collections::HashSet;

use memchr::memmem;
use tsumugi_record::{PageType, Role};

use crate::blocks::{Block, Content};
use crate::dom::Dom;
use crate::tag::Tag;
use alike::Alike;
use features::Said;
use model::Model;
use outline::{Outline, PARAGRAPH, Row};

/// Width from which a text may be one that the page's description repeats.
const DESCRIBED: u32 = 24;
/// Characters of a description that a text must hold to be the one described.
const BEGINNING: usize = 24;

/// Bytes by which texts are told apart.
const HASHED: usize = 256;

/// What is said of a page's blocks.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Classified {
    /// The role of each block.
    pub(crate) roles: Vec<Role>,
    pub(crate) page_type: Option<PageType>,
    /// The F1 that the choice of main text is expected to have.
    pub(crate) confidence: Option<f32>,
}

/// The role of each block, and the type of the page.
pub(crate) fn classify(dom: &Dom<'_>, blocks: &[Block], title: Option<&str>) -> Classified {
    let Some(model) = Model::get().filter(|_| !blocks.is_empty()) else {
        return Classified { roles: vec![Role::Main; blocks.len()], ..Classified::default() };
    };
    let outline = Outline::new(dom, blocks, &model.words);
    let opinion = model.judge(dom, blocks, &outline, title.unwrap_or_default());
    let (chosen, confidence) = model::choose(&outline, &opinion.rows);
    let slots = blocks.iter().filter_map(|block| match &block.content {
        Content::Image(slot) => slot.caption.as_deref(),
        Content::Text(_) => None,
    });
    let captions: HashSet<&str> = slots.collect();
    let mut roles = vec![Role::Boilerplate; blocks.len()];
    for (row, _) in outline.rows.iter().zip(&chosen).filter(|(_, chosen)| **chosen) {
        roles[row.block] = role(&outline, row, &captions, blocks);
    }
    drop_labels(blocks, &outline, &mut roles);
    let is_caption = |row: &Row| match &blocks[row.block].content {
        Content::Text(text) => captions.contains(text.as_str()),
        Content::Image(_) => false,
    };
    let is_caption: Vec<bool> = outline.rows.iter().map(is_caption).collect();
    images::follow(&outline, blocks, &is_caption, &mut roles);
    keep_captions(blocks, &mut roles);
    let has_text = !outline.rows.is_empty();
    Classified {
        roles,
        page_type: has_text.then_some(opinion.page_type),
        confidence: has_text.then_some(confidence),
    }
}

/// What the texts of the rows say beside their measures.
fn said(dom: &Dom<'_>, blocks: &[Block], outline: &Outline, title: &str) -> Vec<Said> {
    let repeated = Alike::new(outline, |row| hash(text(blocks, row)));
    let descriptions: Vec<Described<'_>> =
        page_features::descriptions(dom).into_iter().map(Described::new).collect();
    let facts = outline.rows.iter().enumerate().map(|(at, row)| {
        let text = text(blocks, row);
        let in_title = match text {
            _ if text == title => 2,
            // Short words stand in a title by chance.
            _ if row.measure.width >= 6 && row.measure.width <= 200 && holds(title, text) => 1,
            _ => 0,
        };
        Said {
            is_date: labels::is_date(text),
            is_caption: is_caption(outline, row.place),
            is_described: row.measure.width >= DESCRIBED && is_described(text, &descriptions),
            is_hidden: blocks[row.block].hidden,
            times: repeated.kind(at).count,
            in_title,
        }
    });
    facts.collect()
}

/// The text of a row.
fn text<'b>(blocks: &'b [Block], row: &Row) -> &'b str {
    match &blocks[row.block].content {
        Content::Text(text) => text,
        Content::Image(_) => "",
    }
}

/// A number that tells texts apart, by their length and first bytes.
fn hash(text: &str) -> u64 {
    let start = &text.as_bytes()[..text.len().min(HASHED)];
    let chunks = start.chunks(8).map(|chunk| {
        let mut bytes = [0; 8];
        bytes[..chunk.len()].copy_from_slice(chunk);
        u64::from_le_bytes(bytes)
    });
    chunks.fold(text.len() as u64, names::mix)
}

/// Whether the page's description of itself holds a text, or begins as some of the text does.
fn is_described(text: &str, descriptions: &[Described<'_>]) -> bool {
    let says =
        |said: &Described<'_>| said.beginning.find(text.as_bytes()).is_some() || holds(said.whole, text);
    descriptions.iter().any(says)
}

/// Whether a short text holds another one. Most texts are looked for once, which is too seldom for a searcher.
fn holds(short: &str, text: &str) -> bool {
    let (short, text) = (short.as_bytes(), text.as_bytes());
    let Some(first) = text.first().filter(|_| text.len() <= short.len()) else { return false };
    memchr::memchr_iter(*first, &short[..=short.len() - text.len()]).any(|at| short[at..].starts_with(text))
}

/// A description of the page, ready to be looked for.
struct Described<'d> {
    whole: &'d str,
    beginning: memmem::Finder<'d>,
}

impl<'d> Described<'d> {
    fn new(whole: &'d str) -> Self {
        let end = whole.char_indices().nth(BEGINNING).map_or(whole.len(), |(at, _)| at);
        Self { whole, beginning: memmem::Finder::new(&whole[..end]) }
    }
}

fn is_caption(outline: &Outline, place: usize) -> bool {
    outline.chain(place).take(3).any(|place| outline.items[place].is_caption)
}

/// The role of a row of main text. A caption is one where an image has it, or its tag says so; shops name other texts so.
fn role(outline: &Outline, row: &Row, captions: &HashSet<&str>, blocks: &[Block]) -> Role {
    if row.heading > 0 {
        return Role::Heading;
    }
    let tagged = outline.chain(row.place).take(3).map(|place| outline.items[place].tag);
    let is_tagged = tagged.into_iter().any(|tag| matches!(tag, Tag::Figcaption | Tag::Caption));
    let is_known = || match &blocks[row.block].content {
        Content::Text(text) => captions.contains(text.as_str()),
        Content::Image(_) => false,
    };
    if is_caption(outline, row.place) && (is_tagged || is_known()) { Role::Caption } else { Role::Main }
}

/// The caption of an image of the main text belongs to it.
fn keep_captions(blocks: &[Block], roles: &mut [Role]) {
    let kept = blocks.iter().zip(&*roles).filter_map(|(block, role)| match &block.content {
        Content::Image(slot) if *role == Role::Main => slot.caption.as_deref(),
        _ => None,
    });
    let kept: HashSet<&str> = kept.collect();
    for (block, role) in blocks.iter().zip(roles) {
        let Content::Text(text) = &block.content else { continue };
        if *role == Role::Boilerplate && !block.hidden && kept.contains(text.as_str()) {
            *role = Role::Caption;
        }
    }
}

/// Labels of advertisements are boilerplate, and so are dates before the first paragraph.
fn drop_labels(blocks: &[Block], outline: &Outline, roles: &mut [Role]) {
    let mut begun = false;
    for row in &outline.rows {
        let Content::Text(text) = &blocks[row.block].content else { continue };
        let role = &mut roles[row.block];
        if *role != Role::Main {
            continue;
        }
        if labels::is_advertisement(text) || (!begun && labels::is_date(text)) {
            *role = Role::Boilerplate;
        }
        begun |= row.measure.width >= PARAGRAPH;
    }
}
