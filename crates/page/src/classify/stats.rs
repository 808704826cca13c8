//! How much text is below each element.

use crate::blocks::{Block, Content};
use crate::dom::{Dom, Id};
use crate::slot::ancestors;

/// Text below an element.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Below {
    pub(super) blocks: u32,
    pub(super) chars: u32,
    pub(super) linked: u32,
}

impl Below {
    pub(super) fn unlinked(&self) -> u32 {
        self.chars.saturating_sub(self.linked)
    }
}

/// Text below each element of a page, by id.
#[derive(Debug)]
pub(super) struct Stats {
    below: Vec<Below>,
    page: Below,
}

impl Stats {
    pub(super) fn of_all(dom: &Dom, blocks: &[Block]) -> Self {
        let mut below = vec![Below::default(); dom.nodes.len()];
        let mut page = Below::default();
        for block in blocks {
            let (chars, linked) = match block.content {
                Content::Text(_) => (block.chars, block.linked),
                Content::Image(_) => (0, 0),
            };
            let add = |entry: &mut Below| {
                entry.blocks += 1;
                entry.chars += chars;
                entry.linked += linked;
            };
            add(&mut page);
            for id in std::iter::once(block.container).chain(ancestors(dom, block.container)) {
                if let Some(entry) = below.get_mut(id as usize) {
                    add(entry);
                }
            }
        }
        Self { below, page }
    }

    pub(super) fn of(&self, id: Id) -> Below {
        self.below.get(id as usize).copied().unwrap_or_default()
    }

    pub(super) fn page(&self) -> Below {
        self.page
    }
}
