//! The element that holds the main text.

use super::names::claim;
use super::stats::Stats;
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
/// Blocks score for so many elements above them.
const LEVELS: usize = 12;

/// Clean text below an element, and its score.
#[derive(Debug, Default, Clone, Copy)]
struct Below {
    clean: u32,
    score: f64,
}

/// `NONE` if no element stands out: then the whole page is the root.
pub(super) fn find(dom: &Dom, blocks: &[Block], clean: &[bool], stats: &Stats) -> Id {
    let mut below = vec![Below::default(); dom.nodes.len()];
    let mut total = 0;
    for (block, _) in blocks.iter().zip(clean).filter(|(_, clean)| **clean) {
        let Content::Text(text) = &block.content else { continue };
        total += block.chars;
        let paragraph = block.chars >= PARAGRAPH && !dom.tag(block.container).is_heading();
        let points = if paragraph { points(text, block.chars) } else { 0.0 };
        let chain = std::iter::once(block.container).chain(ancestors(dom, block.container));
        for (level, id) in chain.enumerate() {
            let Some(entry) = below.get_mut(id as usize) else { continue };
            entry.clean += block.chars;
            // The paragraph's parent gets all, its grandparent half, further ones less: Readability's rule.
            entry.score += match level {
                0 if holds_blocks(dom.tag(id)) => points,
                0 => 0.0,
                1 => points,
                2 => points / 2.0,
                _ if level < LEVELS => points / (level as f64 * 3.0),
                _ => 0.0,
            };
        }
    }
    by_claim(dom, &below, total).unwrap_or_else(|| by_score(dom, &below, stats))
}

fn holds_blocks(tag: Tag) -> bool {
    matches!(tag, Tag::Div | Tag::Section | Tag::Article | Tag::Main | Tag::Td | Tag::Body)
}

fn points(text: &str, chars: u32) -> f64 {
    let commas = text.chars().filter(|c| matches!(c, ',' | '、' | '，' | '。')).count() as f64;
    1.0 + commas + (f64::from(chars) / 100.0).min(3.0)
}

fn by_claim(dom: &Dom, below: &[Below], total: u32) -> Option<Id> {
    let mut best: Option<(u32, u32, Id)> = None;
    for id in dom.walk(ROOT) {
        let Some(Below { clean, .. }) = below.get(id as usize).copied() else { continue };
        if clean < CLAIM_CHARS || f64::from(clean) < CLAIM_SHARE * f64::from(total) {
            continue;
        }
        let claim = claim(dom, id);
        if claim > 0 && best.is_none_or(|(most, chars, _)| (claim, clean) > (most, chars)) {
            best = Some((claim, clean, id));
        }
    }
    best.map(|(_, _, id)| id)
}

fn by_score(dom: &Dom, below: &[Below], stats: &Stats) -> Id {
    let mut best = (0.0, NONE);
    for id in dom.walk(ROOT) {
        let Some(entry) = below.get(id as usize).filter(|entry| entry.score > 0.0) else { continue };
        if !(holds_blocks(dom.tag(id)) || matches!(dom.tag(id), Tag::Center | Tag::Blockquote)) {
            continue;
        }
        let all = stats.of(id);
        let score = entry.score * (1.0 - f64::from(all.linked) / f64::from(all.chars.max(1)));
        if score > best.0 {
            best = (score, id);
        }
    }
    widen(dom, below, best.1)
}

/// Climbs while the parent holds much more clean text: the content is then spread over several siblings.
fn widen(dom: &Dom, below: &[Below], from: Id) -> Id {
    let mut root = from;
    while root != NONE {
        let parent = dom.parent(root);
        if parent == NONE || matches!(dom.tag(parent), Tag::Html | Tag::Other) {
            break;
        }
        let (Some(here), Some(above)) = (below.get(root as usize), below.get(parent as usize)) else { break };
        if f64::from(above.clean) < 1.4 * f64::from(here.clean) {
            break;
        }
        root = parent;
    }
    root
}
