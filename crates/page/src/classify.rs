//! Which blocks are main text and which are boilerplate.
//!
//! First elements are marked that by their tag, role or name are seldom content. Then the element that holds the
//! main text is chosen: one that says so (`articleBody`, `<article>`, `<main>`, well-known class names) if it
//! holds enough text, else the one with the best score, where paragraphs score for their parents. Blocks outside
//! of it, marked blocks, and blocks that are mostly links are boilerplate.

pub(crate) mod names;
mod root;
mod stats;

use std::collections::{HashMap, HashSet};

use tsumugi_record::Role;

use crate::blocks::{Block, Content};
use crate::dom::{Dom, Id, NONE, ROOT};
use crate::slot::ancestors;
use crate::tag::Tag;
use names::Hint;
use stats::Stats;

/// A block with a larger share of its characters in links is a list of links.
const LINK_DENSITY: f64 = 0.5;
/// A block of links with more characters than this is text nevertheless if less than 80 % is linked.
const LONG_LINKED: u32 = 200;
/// An element that holds more than this share of the page's unlinked text is content whatever its name: names
/// like `has-sidebar` or `with-comments` stand on wrappers of the whole page.
const TOO_MUCH: f64 = 0.4;

/// Characters from which a repeated text is boilerplate.
const REPEATED: u32 = 20;

/// The role of each block.
pub(crate) fn classify(dom: &Dom, blocks: &[Block]) -> Vec<Role> {
    let stats = Stats::of_all(dom, blocks);
    let unlikely = mark_unlikely(dom, &stats);
    let clean: Vec<bool> = blocks.iter().map(|block| is_clean(&unlikely, block)).collect();
    let root = root::find(dom, blocks, &clean, &stats);
    let repeated = repeated(blocks);
    let mut roles: Vec<Role> = blocks
        .iter()
        .zip(&clean)
        .map(|(block, clean)| {
            let inside = root == NONE
                || block.container == root
                || ancestors(dom, block.container).any(|up| up == root);
            let said_before =
                matches!(&block.content, Content::Text(text) if repeated.contains(text.as_str()));
            if inside && *clean && !said_before { role(dom, block) } else { Role::Boilerplate }
        })
        .collect();
    drop_empty_sections(dom, blocks, &mut roles);
    roles
}

/// Texts that stand on the page three times or more: labels and galleries, not what an author wrote. Bare
/// addresses are counted with them. Short texts are left alone; tables repeat them.
fn repeated(blocks: &[Block]) -> HashSet<&str> {
    let mut seen: HashMap<&str, u32> = HashMap::new();
    for block in blocks {
        if let Content::Text(text) = &block.content {
            let address = text.starts_with("http") && !text.contains(char::is_whitespace);
            if block.chars >= REPEATED || address {
                *seen.entry(text).or_default() += if address { 3 } else { 1 };
            }
        }
    }
    seen.into_iter().filter(|(_, times)| *times >= 3).map(|(text, _)| text).collect()
}

/// For each element whether it is boilerplate by tag, role or name, its own or an ancestor's.
fn mark_unlikely(dom: &Dom, stats: &Stats) -> Vec<bool> {
    let most = f64::from(stats.page().unlinked()) * TOO_MUCH;
    let mut unlikely = vec![false; dom.nodes.len()];
    // Document order, so that a parent is marked before its children.
    for id in dom.walk(ROOT) {
        let above = unlikely.get(dom.parent(id) as usize).copied().unwrap_or(false);
        let own = || {
            // Most elements hold no text of their own; their names need not be read.
            stats.of(id).blocks > 0
                && match names::hint(dom, id) {
                    Hint::Sure => f64::from(stats.of(id).unlinked()) <= most * 1.5,
                    Hint::Likely => f64::from(stats.of(id).unlinked()) <= most,
                    Hint::None => false,
                }
        };
        let mark = above || own();
        if let Some(place) = unlikely.get_mut(id as usize) {
            *place = mark;
        }
    }
    unlikely
}

fn role(dom: &Dom, block: &Block) -> Role {
    for id in std::iter::once(block.container).chain(ancestors(dom, block.container)).take(3) {
        if dom.tag(id).is_heading() {
            return Role::Heading;
        }
        if names::is_caption(dom, id) {
            return Role::Caption;
        }
    }
    Role::Main
}

fn is_clean(unlikely: &[bool], block: &Block) -> bool {
    if unlikely.get(block.container as usize).copied().unwrap_or(false) {
        return false;
    }
    match block.content {
        Content::Image(_) => true,
        Content::Text(_) => {
            let share = f64::from(block.linked) / f64::from(block.chars.max(1));
            share <= LINK_DENSITY || (block.chars > LONG_LINKED && share < 0.8)
        }
    }
}

/// A heading with no text before the end belongs to what was left out below it.
fn drop_empty_sections(dom: &Dom, blocks: &[Block], roles: &mut [Role]) {
    let mut has_text = false;
    for (block, role) in blocks.iter().zip(roles.iter_mut()).rev() {
        match role {
            Role::Heading if !has_text && !is_first_rank(dom, block.container) => *role = Role::Boilerplate,
            Role::Heading | Role::Main | Role::Caption => has_text = true,
            Role::Boilerplate => {}
        }
    }
}

fn is_first_rank(dom: &Dom, id: Id) -> bool {
    std::iter::once(id).chain(ancestors(dom, id)).find(|up| dom.tag(*up).is_heading()).map(|up| dom.tag(up))
        == Some(Tag::H1)
}
