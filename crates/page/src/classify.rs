//! Which blocks are main text and which are boilerplate.
//!
//! First elements are marked that by their tag, role or name are seldom content. Then the element that holds the
//! main text is chosen: one that says so (`articleBody`, `<article>`, `<main>`, well-known class names) if it
//! holds enough text, else the one with the best score, where paragraphs score for their parents. Blocks outside
//! of it, marked blocks, and blocks that are mostly links are boilerplate.

mod labels;
pub(crate) mod names;
mod outline;
mod root;

use std::collections::{HashMap, HashSet};

use tsumugi_record::Role;

use crate::blocks::{Block, Content};
use crate::caption;
use crate::dom::Dom;
use crate::tag::Tag;
use names::Hint;
use outline::Outline;

/// A block with a larger share of its characters in links is a list of links.
const LINK_DENSITY: f64 = 0.5;
/// A block of links with more characters than this is text nevertheless if less than 80 % is linked.
const LONG_LINKED: u32 = 200;
/// An element that holds more than this share of the page's unlinked text is content whatever its name: names
/// like `has-sidebar` or `with-comments` stand on wrappers of the whole page.
const TOO_MUCH: f64 = 0.4;

/// Characters that make a paragraph: Readability's threshold of 25, which fits Japanese too.
const PARAGRAPH: u32 = 25;

/// Characters from which a repeated text is boilerplate.
const REPEATED: u32 = 20;

/// Share of the main text above which repeated texts belong to it.
const REFRAIN: f64 = 0.05;

/// The role of each block.
pub(crate) fn classify(dom: &Dom<'_>, blocks: &[Block]) -> Vec<Role> {
    if blocks.is_empty() {
        return Vec::new();
    }
    let mut outline = Outline::new(dom, blocks);
    mark_unlikely(dom, &mut outline);
    let clean: Vec<bool> =
        blocks.iter().zip(&outline.containers).map(|(block, at)| is_clean(&outline, block, *at)).collect();
    let root = root::find(dom, blocks, &clean, &mut outline);
    let inside = inside(&outline, root);
    let mut repeated = repeated(blocks);
    // A text made of the same pieces again and again, as questions to many people or a week's meals, is meant so.
    let (mut again, mut all) = (0, 0);
    for (at, block) in blocks.iter().enumerate() {
        if let Content::Text(text) = &block.content
            && inside[outline.containers[at]]
            && clean[at]
        {
            all += block.chars;
            again += if repeated.contains(text.as_str()) { block.chars } else { 0 };
        }
    }
    if f64::from(again) > REFRAIN * f64::from(all) {
        repeated.clear();
    }
    let mut roles: Vec<Role> = blocks
        .iter()
        .enumerate()
        .map(|(at, block)| {
            let container = outline.containers[at];
            let said_before =
                matches!(&block.content, Content::Text(text) if repeated.contains(text.as_str()));
            if inside[container] && clean[at] && !said_before {
                role(dom, &outline, container)
            } else {
                Role::Boilerplate
            }
        })
        .collect();
    drop_labels(blocks, &mut roles);
    drop_empty_sections(&outline, &mut roles);
    roles
}

/// For each element whether it is the root or in it.
fn inside(outline: &Outline, root: Option<usize>) -> Vec<bool> {
    let mut inside = vec![root.is_none(); outline.items.len()];
    for (place, item) in outline.items.iter().enumerate() {
        inside[place] = inside[place] || Some(place) == root || inside[item.parent];
    }
    inside
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

/// Marks each element that is boilerplate by tag, role or name, its own or that of an element above.
fn mark_unlikely(dom: &Dom<'_>, outline: &mut Outline) {
    let most = outline.items.first().map_or(0.0, |page| f64::from(page.unlinked()) * TOO_MUCH);
    for place in 0..outline.items.len() {
        let item = &outline.items[place];
        let unlinked = f64::from(item.unlinked());
        let mark = outline.items[item.parent].unlikely
            || match names::hint(dom, item.id) {
                Hint::Sure => unlinked <= most * 1.5,
                Hint::Likely => unlinked <= most,
                Hint::None => false,
            };
        outline.items[place].unlikely = mark;
    }
}

fn role(dom: &Dom<'_>, outline: &Outline, container: usize) -> Role {
    for place in outline.chain(container).take(3) {
        let item = &outline.items[place];
        if item.tag.is_heading() {
            return Role::Heading;
        }
        if names::is_caption(dom, item.id) || caption::is_title(dom, item.id) {
            return Role::Caption;
        }
    }
    Role::Main
}

fn is_clean(outline: &Outline, block: &Block, container: usize) -> bool {
    if block.hidden || outline.items[container].unlikely {
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

/// Labels of advertisements are boilerplate, and so are dates before the first paragraph.
fn drop_labels(blocks: &[Block], roles: &mut [Role]) {
    let mut begun = false;
    for (block, role) in blocks.iter().zip(roles.iter_mut()).filter(|(_, role)| **role == Role::Main) {
        let Content::Text(text) = &block.content else { continue };
        if labels::is_advertisement(text) || (!begun && labels::is_date(text)) {
            *role = Role::Boilerplate;
        }
        begun |= block.chars >= PARAGRAPH;
    }
}

/// A heading with no text before the end belongs to what was left out below it.
fn drop_empty_sections(outline: &Outline, roles: &mut [Role]) {
    let mut has_text = false;
    for (role, container) in roles.iter_mut().zip(&outline.containers).rev() {
        match role {
            Role::Heading if !has_text && !is_first_rank(outline, *container) => *role = Role::Boilerplate,
            Role::Heading | Role::Main | Role::Caption => has_text = true,
            Role::Boilerplate => {}
        }
    }
}

fn is_first_rank(outline: &Outline, container: usize) -> bool {
    let headings = outline.chain(container).map(|place| outline.items[place].tag);
    headings.into_iter().find(|tag| tag.is_heading()) == Some(Tag::H1)
}
