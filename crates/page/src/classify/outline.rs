//! The elements that hold blocks, without the rest of the tree.

use super::measure::Measure;
use super::names::{Names, Parts, Words, mix};
use crate::blocks::{Block, Content};
use crate::caption;
use crate::dom::{Dom, Id, NONE};
use crate::tag::Tag;

/// Width from which a text with few links is a paragraph.
pub(super) const PARAGRAPH: u32 = 50;
/// An element with more than this share of the page's unlinked text is not a part of the page but its wrapper: what its
/// names say of parts does not count.
const PART: f64 = 0.5;

/// A text block with its measures.
#[derive(Debug, Clone)]
pub(super) struct Row {
    /// Index of the block.
    pub(super) block: usize,
    /// Place of its container in the outline.
    pub(super) place: usize,
    pub(super) measure: Measure,
    /// Width in links.
    pub(super) linked: u32,
    /// Rank of the heading it stands in; 0 if in none.
    pub(super) heading: u8,
}

impl Row {
    pub(super) fn unlinked(&self) -> u32 {
        self.measure.width.saturating_sub(self.linked)
    }

    /// Whether it is a paragraph: long, with few links, and no heading.
    pub(super) fn is_paragraph(&self) -> bool {
        self.heading == 0
            && self.measure.width >= PARAGRAPH
            && f64::from(self.linked) < 0.3 * f64::from(self.measure.width)
    }
}

/// An element that holds blocks, itself or further down.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) id: Id,
    pub(super) tag: Tag,
    /// Place of the element above in the outline; its own place at the top.
    pub(super) parent: usize,
    pub(super) depth: u32,
    /// The kinds of parts that it is or is in.
    pub(super) parts: Parts,
    /// First and last row below.
    pub(super) first: usize,
    pub(super) last: usize,
    /// Text blocks, their width, the width in links and in paragraphs; images.
    pub(super) blocks: u32,
    pub(super) width: u32,
    pub(super) linked: u32,
    pub(super) paragraphs: u32,
    pub(super) images: u32,
    /// Elements of the same tag and class beside it, itself included.
    pub(super) alike: u32,
    /// Numbers that elements with the same tags, and with the same tags and classes, from the top down share.
    pub(super) tag_path: u64,
    pub(super) style_path: u64,
    /// Evidence of its own names against and for main text, and of all names from the top down to it.
    pub(super) against: f32,
    pub(super) pro: f32,
    pub(super) path: Evidence,
    /// Whether it says that it holds a caption.
    pub(super) is_caption: bool,
}

/// What the names from the top of the page down to an element say together.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Evidence {
    /// The strongest single evidence against and for main text.
    pub(super) against: f32,
    pub(super) pro: f32,
    pub(super) sum: f32,
}

impl Item {
    pub(super) fn unlinked(&self) -> u32 {
        self.width.saturating_sub(self.linked)
    }

    pub(super) fn link_density(&self) -> f32 {
        self.linked as f32 / self.width.max(1) as f32
    }
}

/// The elements in document order, each after the one above it, and the text blocks.
#[derive(Debug)]
pub(super) struct Outline {
    pub(super) items: Vec<Item>,
    pub(super) rows: Vec<Row>,
    /// For each block the place of its container.
    pub(super) containers: Vec<usize>,
    /// The known words of all names, with the places of their elements.
    pub(super) words: Vec<(usize, u16)>,
}

impl Outline {
    pub(super) fn new(dom: &Dom<'_>, blocks: &[Block], words: &Words) -> Self {
        let mut outline = Self::places(dom, blocks, words);
        outline.measure(blocks);
        outline.total();
        outline.count_alike();
        outline.weigh(words);
        outline
    }

    /// The elements above the blocks.
    fn places(dom: &Dom<'_>, blocks: &[Block], words: &Words) -> Self {
        const UNKNOWN: u32 = u32::MAX;
        let mut outline =
            Self { items: Vec::new(), rows: Vec::new(), containers: Vec::new(), words: Vec::new() };
        let mut places = vec![UNKNOWN; dom.nodes.len()];
        let mut chain = Vec::new();
        let mut last = (NONE, 0);
        for block in blocks {
            if block.container != last.0 || outline.items.is_empty() {
                chain.clear();
                let start = if block.container == NONE { 0 } else { block.container };
                let mut above = None;
                for id in std::iter::once(start).chain(dom.ancestors(start)) {
                    above = places.get(id as usize).filter(|place| **place != UNKNOWN);
                    if above.is_some() {
                        break;
                    }
                    chain.push(id);
                }
                let mut above = above.map(|place| *place as usize);
                for id in chain.drain(..).rev() {
                    let place = outline.items.len();
                    if let Some(known) = places.get_mut(id as usize) {
                        *known = place as u32;
                    }
                    outline.add(dom, id, above.unwrap_or(place), words);
                    above = Some(place);
                }
                last = (block.container, above.unwrap_or(0));
            }
            outline.containers.push(last.1);
        }
        outline
    }

    /// Adds an element and the known words of its names.
    fn add(&mut self, dom: &Dom<'_>, id: Id, parent: usize, words: &Words) {
        let (place, tag) = (self.items.len(), dom.tag(id));
        let names = Names::read(dom, id, tag, |word| {
            if let Some(word) = words.find(word) {
                self.words.push((place, word));
            }
        });
        let (tags, styles) =
            self.items.get(parent).map_or((0, 0), |above| (above.tag_path, above.style_path));
        self.items.push(Item {
            id,
            tag,
            parent,
            depth: 0,
            parts: names.parts,
            first: usize::MAX,
            last: 0,
            blocks: 0,
            width: 0,
            linked: 0,
            paragraphs: 0,
            images: 0,
            alike: 1,
            tag_path: mix(tags, tag as u64 + 1),
            style_path: mix(styles, names.style),
            against: 0.0,
            pro: 0.0,
            path: Evidence::default(),
            is_caption: names.is_caption || caption::is_title(dom, id),
        });
    }

    /// Measures the text blocks.
    fn measure(&mut self, blocks: &[Block]) {
        for (at, block) in blocks.iter().enumerate() {
            let place = self.containers[at];
            let Content::Text(text) = &block.content else {
                self.items[place].images += 1;
                continue;
            };
            let measure = Measure::of(text);
            let share = f64::from(block.linked) / f64::from(block.chars.max(1));
            let linked = (share * f64::from(measure.width)).round() as u32;
            let heading =
                self.chain(place).take(3).map(|place| rank(self.items[place].tag)).max().unwrap_or(0);
            let row = Row { block: at, place, measure, linked, heading };
            let item = &mut self.items[place];
            item.blocks += 1;
            item.width += measure.width;
            item.linked += linked;
            item.paragraphs += if row.is_paragraph() { measure.width } else { 0 };
            item.first = item.first.min(self.rows.len());
            item.last = item.last.max(self.rows.len());
            self.rows.push(row);
        }
    }

    /// Adds up what stands below each element.
    fn total(&mut self) {
        for place in (1..self.items.len()).rev() {
            let (above, below) = self.items.split_at_mut(place);
            let Some(item) = below.first() else { continue };
            let Some(parent) = above.get_mut(item.parent) else { continue };
            parent.blocks += item.blocks;
            parent.width += item.width;
            parent.linked += item.linked;
            parent.paragraphs += item.paragraphs;
            parent.images += item.images;
            parent.first = parent.first.min(item.first);
            parent.last = parent.last.max(item.last);
        }
        let most = self.items.first().map_or(0.0, |page| f64::from(page.unlinked()) * PART);
        for place in 0..self.items.len() {
            let item = &self.items[place];
            // A part that most of the page stands in is none.
            let own =
                if f64::from(item.unlinked()) > most { item.parts.without_boilerplate() } else { item.parts };
            let above = if item.parent == place { Parts::default() } else { self.items[item.parent].parts };
            let depth = if item.parent == place { 0 } else { self.items[item.parent].depth + 1 };
            let item = &mut self.items[place];
            item.parts = own.and(above);
            item.depth = depth;
        }
    }

    /// Counts the elements that have the same parent, tag and class.
    fn count_alike(&mut self) {
        let key = |(place, item): (usize, &Item)| (item.parent, item.style_path, place);
        let mut keys: Vec<(usize, u64, usize)> = self.items.iter().enumerate().map(key).collect();
        keys.sort_unstable();
        for group in keys.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
            for (_, _, place) in group {
                self.items[*place].alike = group.len() as u32;
            }
        }
    }

    /// Weighs the words of the elements' names. A word that marks most of the page in sum marks no part of it.
    fn weigh(&mut self, words: &Words) {
        let mut covered = vec![0_u32; words.len()];
        for (place, word) in &self.words {
            covered[usize::from(*word)] += self.items[*place].unlinked();
        }
        let most = self.items.first().map_or(0.0, |page| f64::from(page.unlinked()) * PART);
        for (place, word) in &self.words {
            let weight = words.weight(*word);
            let item = &mut self.items[*place];
            if weight > 0.0 {
                item.pro = item.pro.max(weight);
            } else if f64::from(covered[usize::from(*word)]) <= most {
                item.against = item.against.min(weight);
            }
        }
        for place in 0..self.items.len() {
            let item = &self.items[place];
            let above = if item.parent == place { Evidence::default() } else { self.items[item.parent].path };
            self.items[place].path = Evidence {
                against: above.against.min(item.against),
                pro: above.pro.max(item.pro),
                sum: above.sum + item.against + item.pro,
            };
        }
    }

    /// An element's place and those of the elements above it.
    pub(super) fn chain(&self, place: usize) -> impl Iterator<Item = usize> + '_ {
        std::iter::successors(Some(place), |place| {
            self.items.get(*place).map(|item| item.parent).filter(|parent| parent != place)
        })
    }
}

/// The rank of a heading; 0 for other elements.
pub(super) fn rank(tag: Tag) -> u8 {
    match tag {
        Tag::H1 => 1,
        Tag::H2 => 2,
        Tag::H3 => 3,
        Tag::H4 => 4,
        Tag::H5 => 5,
        Tag::H6 => 6,
        _ => 0,
    }
}
