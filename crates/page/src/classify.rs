//! Which blocks are main text and which are boilerplate.
//!
//! First elements are marked that by their tag, role or name are seldom content. Then the element that holds the
//! main text is chosen: one that says so (`articleBody`, `<article>`, `<main>`, well-known class names) if it
//! holds enough text, else the one with the best score, where paragraphs score for their parents. Blocks outside
//! of it, marked blocks, and blocks that are mostly links are boilerplate.

mod names;
mod root;

use tsumugi_record::Role;

use crate::blocks::{Block, Content};
use crate::dom::{Dom, Id, NONE, ROOT};
use crate::slot::ancestors;
use crate::tag::Tag;

/// A block with a larger share of its characters in links is a list of links.
const LINK_DENSITY: f64 = 0.5;
/// A block of links with more characters than this is text nevertheless if less than 80 % is linked.
const LONG_LINKED: u32 = 200;

/// What is known of each element, by its id.
pub(super) struct Marks {
    /// Boilerplate by tag, role or name, its own or an ancestor's.
    unlikely: Vec<bool>,
}

impl Marks {
    fn new(dom: &Dom) -> Self {
        let mut unlikely = vec![false; dom.nodes.len()];
        // Document order, so that a parent is marked before its children.
        for id in dom.walk(ROOT) {
            let parent = dom.parent(id);
            let above = unlikely.get(parent as usize).copied().unwrap_or(false);
            if let Some(mark) = unlikely.get_mut(id as usize) {
                *mark = above || names::is_unlikely(dom, id);
            }
        }
        Self { unlikely }
    }

    pub(super) fn is_unlikely(&self, id: Id) -> bool {
        self.unlikely.get(id as usize).copied().unwrap_or(false)
    }
}

/// The role of each block.
pub(crate) fn classify(dom: &Dom, blocks: &[Block]) -> Vec<Role> {
    let marks = Marks::new(dom);
    let clean: Vec<bool> = blocks.iter().map(|block| is_clean(&marks, block)).collect();
    let root = root::find(dom, blocks, &clean);
    let inside: Vec<bool> = blocks
        .iter()
        .map(|block| {
            block.container == root || root == NONE || ancestors(dom, block.container).any(|up| up == root)
        })
        .collect();
    let mut roles: Vec<Role> = blocks
        .iter()
        .enumerate()
        .map(|(at, block)| if inside[at] && clean[at] { role(dom, block) } else { Role::Boilerplate })
        .collect();
    drop_empty_sections(dom, blocks, &mut roles);
    roles
}

fn role(dom: &Dom, block: &Block) -> Role {
    let tags = std::iter::once(block.container).chain(ancestors(dom, block.container)).take(3);
    for tag in tags.map(|id| dom.tag(id)) {
        if tag.is_heading() {
            return Role::Heading;
        }
        if matches!(tag, Tag::Figcaption | Tag::Caption) {
            return Role::Caption;
        }
    }
    Role::Main
}

fn is_clean(marks: &Marks, block: &Block) -> bool {
    if marks.is_unlikely(block.container) {
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

/// A heading with no text before the next heading of its rank belongs to what was left out below it.
fn drop_empty_sections(dom: &Dom, blocks: &[Block], roles: &mut [Role]) {
    let mut has_text = false;
    for (block, role) in blocks.iter().zip(roles.iter_mut()).rev() {
        match role {
            Role::Heading if !has_text && rank(dom, block) > 1 => *role = Role::Boilerplate,
            Role::Heading => has_text = true,
            Role::Main | Role::Caption => has_text = true,
            Role::Boilerplate => {}
        }
    }
}

fn rank(dom: &Dom, block: &Block) -> u32 {
    let mut tags =
        std::iter::once(block.container).chain(ancestors(dom, block.container)).map(|id| dom.tag(id));
    match tags.find(|tag| tag.is_heading()) {
        Some(Tag::H1) => 1,
        _ => 2,
    }
}
