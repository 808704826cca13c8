//! The element that holds the main text.

use std::collections::HashMap;

use super::names::claim;
use crate::blocks::{Block, Content};
use crate::dom::{Dom, Id, NONE, ROOT};
use crate::slot::ancestors;
use crate::tag::Tag;

/// An element that claims the main text must hold so many characters of clean text,
const CLAIM_CHARS: u32 = 200;
/// and this share of the page's.
const CLAIM_SHARE: f64 = 0.3;
/// Characters that make a paragraph: Readability's threshold of 25, which fits Japanese too.
const PARAGRAPH: u32 = 25;

/// Clean text below an element.
#[derive(Debug, Default, Clone, Copy)]
struct Below {
    clean: u32,
    all: u32,
    linked: u32,
    score: f64,
}

/// `NONE` if no element stands out: then the whole page is the root.
pub(super) fn find(dom: &Dom, blocks: &[Block], clean: &[bool]) -> Id {
    let mut below: HashMap<Id, Below> = HashMap::new();
    let mut total = 0;
    for (block, clean) in blocks.iter().zip(clean) {
        let Content::Text(text) = &block.content else { continue };
        let chars = if *clean { block.chars } else { 0 };
        total += chars;
        let paragraph = *clean && block.chars >= PARAGRAPH && !dom.tag(block.container).is_heading();
        let points = if paragraph { points(text, block.chars) } else { 0.0 };
        let mut level = 0_u32;
        for id in std::iter::once(block.container).chain(ancestors(dom, block.container)) {
            let entry = below.entry(id).or_default();
            entry.clean += chars;
            entry.all += block.chars;
            entry.linked += block.linked;
            // The paragraph's parent gets all, its grandparent half, further ones less: Readability's rule.
            entry.score += match level {
                0 if holds_blocks(dom.tag(id)) => points,
                0 => 0.0,
                1 => points,
                2 => points / 2.0,
                _ => points / (f64::from(level) * 3.0),
            };
            level += 1;
        }
    }
    by_claim(dom, &below, total).unwrap_or_else(|| by_score(dom, &below))
}

fn holds_blocks(tag: Tag) -> bool {
    matches!(tag, Tag::Div | Tag::Section | Tag::Article | Tag::Main | Tag::Td | Tag::Body)
}

fn points(text: &str, chars: u32) -> f64 {
    let commas = text.chars().filter(|c| matches!(c, ',' | '、' | '，' | '。')).count() as f64;
    1.0 + commas + (f64::from(chars) / 100.0).min(3.0)
}

fn by_claim(dom: &Dom, below: &HashMap<Id, Below>, total: u32) -> Option<Id> {
    let mut best: Option<(u32, u32, Id)> = None;
    for id in dom.walk(ROOT) {
        let Some(stats) = below.get(&id) else { continue };
        if stats.clean < CLAIM_CHARS || f64::from(stats.clean) < CLAIM_SHARE * f64::from(total) {
            continue;
        }
        let claim = claim(dom, id);
        if claim > 0 && best.is_none_or(|(most, chars, _)| (claim, stats.clean) > (most, chars)) {
            best = Some((claim, stats.clean, id));
        }
    }
    best.map(|(_, _, id)| id)
}

fn by_score(dom: &Dom, below: &HashMap<Id, Below>) -> Id {
    let mut best = (0.0, NONE);
    for id in dom.walk(ROOT) {
        let Some(stats) = below.get(&id) else { continue };
        if !matches!(
            dom.tag(id),
            Tag::Div
                | Tag::Section
                | Tag::Article
                | Tag::Main
                | Tag::Td
                | Tag::Body
                | Tag::Center
                | Tag::Blockquote
        ) {
            continue;
        }
        let score = stats.score * (1.0 - f64::from(stats.linked) / f64::from(stats.all.max(1)));
        if score > best.0 {
            best = (score, id);
        }
    }
    widen(dom, below, best.1)
}

/// Climbs while the parent holds much more clean text: the content is then spread over several siblings.
fn widen(dom: &Dom, below: &HashMap<Id, Below>, from: Id) -> Id {
    let mut root = from;
    while root != NONE {
        let parent = dom.parent(root);
        if parent == NONE || matches!(dom.tag(parent), Tag::Html | Tag::Other) {
            break;
        }
        let (Some(here), Some(above)) = (below.get(&root), below.get(&parent)) else { break };
        if f64::from(above.clean) < 1.4 * f64::from(here.clean) {
            break;
        }
        root = parent;
    }
    root
}
