//! The elements that hold blocks, without the rest of the tree.

use std::collections::HashMap;

use crate::blocks::{Block, Content};
use crate::dom::{Dom, Id, NONE};
use crate::tag::Tag;

/// An element that holds blocks, itself or further down.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) id: Id,
    pub(super) tag: Tag,
    /// Place of the element above in the outline; its own place at the top.
    pub(super) parent: usize,
    /// Blocks, characters and characters in links below.
    pub(super) blocks: u32,
    pub(super) chars: u32,
    pub(super) linked: u32,
    /// Boilerplate by tag, role or name, its own or of an element above.
    pub(super) unlikely: bool,
    /// Characters of clean text below, and the score of the paragraphs there.
    pub(super) clean: u32,
    pub(super) score: f64,
}

impl Item {
    pub(super) fn unlinked(&self) -> u32 {
        self.chars.saturating_sub(self.linked)
    }
}

/// The elements in document order: each after the one above it.
#[derive(Debug)]
pub(super) struct Outline {
    pub(super) items: Vec<Item>,
    /// For each block the place of its container.
    pub(super) containers: Vec<usize>,
}

impl Outline {
    pub(super) fn new(dom: &Dom<'_>, blocks: &[Block]) -> Self {
        let mut items: Vec<Item> = Vec::new();
        let mut places: HashMap<Id, usize> = HashMap::new();
        let mut containers = Vec::with_capacity(blocks.len());
        let mut chain = Vec::new();
        let mut last = (NONE, 0);
        for block in blocks {
            if block.container != last.0 || items.is_empty() {
                chain.clear();
                let start = if block.container == NONE { 0 } else { block.container };
                let mut above = None;
                for id in std::iter::once(start).chain(dom.ancestors(start)) {
                    above = places.get(&id).copied();
                    if above.is_some() {
                        break;
                    }
                    chain.push(id);
                }
                for id in chain.drain(..).rev() {
                    let place = items.len();
                    places.insert(id, place);
                    items.push(Item {
                        id,
                        tag: dom.tag(id),
                        parent: above.unwrap_or(place),
                        blocks: 0,
                        chars: 0,
                        linked: 0,
                        unlikely: false,
                        clean: 0,
                        score: 0.0,
                    });
                    above = Some(place);
                }
                last = (block.container, above.unwrap_or(0));
            }
            containers.push(last.1);
            let item = &mut items[last.1];
            item.blocks += 1;
            if matches!(block.content, Content::Text(_)) {
                item.chars += block.chars;
                item.linked += block.linked;
            }
        }
        let mut outline = Self { items, containers };
        outline.sum(|above, item| {
            above.blocks += item.blocks;
            above.chars += item.chars;
            above.linked += item.linked;
        });
        outline
    }

    /// Adds to each element what `add` takes from those directly in it, the innermost first.
    pub(super) fn sum(&mut self, add: impl Fn(&mut Item, &Item)) {
        for place in (1..self.items.len()).rev() {
            let (above, below) = self.items.split_at_mut(place);
            if let Some(item) = below.first()
                && let Some(parent) = above.get_mut(item.parent)
            {
                add(parent, item);
            }
        }
    }

    /// An element's place and those of the elements above it.
    pub(super) fn chain(&self, place: usize) -> impl Iterator<Item = usize> + '_ {
        std::iter::successors(Some(place), |place| {
            self.items.get(*place).map(|item| item.parent).filter(|parent| parent != place)
        })
    }
}
