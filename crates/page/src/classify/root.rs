//! The element that holds the main text.

use super::PARAGRAPH;
use super::names::claim;
use super::outline::Outline;
use crate::blocks::{Block, Content};
use crate::dom::Dom;
use crate::tag::Tag;

/// An element that claims the main text must hold so many characters of clean text,
const CLAIM_CHARS: u32 = 200;
/// and this share of the page's.
const CLAIM_SHARE: f64 = 0.3;
/// Blocks score for so many elements above them.
const LEVELS: usize = 12;

/// Its place in the outline; `None` if no element stands out: then the whole page is the root.
pub(super) fn find(dom: &Dom<'_>, blocks: &[Block], clean: &[bool], outline: &mut Outline) -> Option<usize> {
    let mut total = 0;
    for (at, block) in blocks.iter().enumerate().filter(|(at, _)| clean.get(*at) == Some(&true)) {
        let Content::Text(text) = &block.content else { continue };
        let container = outline.containers[at];
        total += block.chars;
        outline.items[container].clean += block.chars;
        let paragraph = block.chars >= PARAGRAPH && !outline.items[container].tag.is_heading();
        if paragraph {
            score(outline, container, points(text, block.chars));
        }
    }
    outline.sum(|above, item| above.clean += item.clean);
    by_claim(dom, outline, total).or_else(|| by_score(outline))
}

/// The paragraph's parent gets all points, its grandparent half, further ones less: Readability's rule.
fn score(outline: &mut Outline, container: usize, points: f64) {
    let mut place = container;
    for level in 0..LEVELS {
        let item = &mut outline.items[place];
        item.score += match level {
            0 if holds_blocks(item.tag) => points,
            0 => 0.0,
            1 => points,
            2 => points / 2.0,
            _ => points / (level as f64 * 3.0),
        };
        if item.parent == place {
            break;
        }
        place = item.parent;
    }
}

fn holds_blocks(tag: Tag) -> bool {
    matches!(tag, Tag::Div | Tag::Section | Tag::Article | Tag::Main | Tag::Td | Tag::Body)
}

fn points(text: &str, chars: u32) -> f64 {
    let commas = text.chars().filter(|c| matches!(c, ',' | '、' | '，' | '。')).count() as f64;
    1.0 + commas + (f64::from(chars) / 100.0).min(3.0)
}

fn by_claim(dom: &Dom<'_>, outline: &Outline, total: u32) -> Option<usize> {
    let mut best: Option<(u32, u32, usize)> = None;
    for (place, item) in outline.items.iter().enumerate() {
        if item.clean < CLAIM_CHARS || f64::from(item.clean) < CLAIM_SHARE * f64::from(total) {
            continue;
        }
        let claim = claim(dom, item.id);
        if claim > 0 && best.is_none_or(|(most, chars, _)| (claim, item.clean) > (most, chars)) {
            best = Some((claim, item.clean, place));
        }
    }
    best.map(|(_, _, place)| place)
}

fn by_score(outline: &Outline) -> Option<usize> {
    let mut best = (0.0, None);
    for (place, item) in outline.items.iter().enumerate() {
        if !(holds_blocks(item.tag) || matches!(item.tag, Tag::Center | Tag::Blockquote)) {
            continue;
        }
        let score = item.score * (1.0 - f64::from(item.linked) / f64::from(item.chars.max(1)));
        if score > best.0 {
            best = (score, Some(place));
        }
    }
    best.1.map(|place| widen(outline, place))
}

/// Climbs while the parent holds much more clean text: the content is then spread over several siblings.
fn widen(outline: &Outline, from: usize) -> usize {
    let mut root = from;
    loop {
        let here = &outline.items[root];
        let above = &outline.items[here.parent];
        let most = matches!(above.tag, Tag::Html | Tag::Other);
        if here.parent == root || most || f64::from(above.clean) < 1.4 * f64::from(here.clean) {
            return root;
        }
        root = here.parent;
    }
}
