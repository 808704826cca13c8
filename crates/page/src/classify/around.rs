//! The elements around each element that features are drawn from, told in one pass from the top down.

use super::outline::{Item, Outline};

/// The places around the rows of an element.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Around {
    /// The three smallest groups: elements with more than one block, each with half as many again as the last.
    pub(super) groups: [usize; 3],
    /// The largest element that holds at most four fifths of the page's text.
    pub(super) region: usize,
    /// Of the smallest and the largest set of three and more elements alike, the element that the row is in.
    pub(super) inner: Option<usize>,
    pub(super) outer: Option<usize>,
    /// Whether it is in the smallest elements that hold half and four fifths of the paragraphs.
    pub(super) in_half: bool,
    pub(super) in_most: bool,
    /// Levels up to an element that four fifths of the paragraphs stand in.
    pub(super) out: u32,
}

/// What is around each element of the outline.
pub(super) fn all(outline: &Outline) -> Vec<Around> {
    let items = &outline.items;
    let Some(page) = items.first() else { return Vec::new() };
    let (half, most) = (core(outline, 0.5), core(outline, 0.8));
    let part = 0.8 * f64::from(page.width);
    let paragraphs = 0.8 * f64::from(page.paragraphs);
    let mut arounds: Vec<Around> = Vec::with_capacity(items.len());
    // The nearest element above with more blocks; its own place where there is none.
    let mut wider: Vec<usize> = Vec::with_capacity(items.len());
    for (place, item) in items.iter().enumerate() {
        let is_top = item.parent == place;
        let above = if is_top { Around::default() } else { arounds[item.parent] };
        let more = if items[item.parent].blocks > item.blocks {
            item.parent
        } else {
            wider.get(item.parent).copied().unwrap_or(place)
        };
        wider.push(if is_top || items[more].blocks <= item.blocks { place } else { more });
        let is_set = item.alike >= 3;
        arounds.push(Around {
            groups: groups(items, &wider, place),
            region: if !is_top && f64::from(items[item.parent].width) <= part { above.region } else { place },
            inner: if is_set { Some(place) } else { above.inner },
            outer: above.outer.or(is_set.then_some(place)),
            in_half: above.in_half || place == half,
            in_most: above.in_most || place == most,
            out: if f64::from(item.paragraphs) < paragraphs { above.out + 1 } else { 0 },
        });
    }
    arounds
}

fn groups(items: &[Item], wider: &[usize], place: usize) -> [usize; 3] {
    let (mut at, mut least) = (place, 1);
    [(); 3].map(|()| {
        while items[at].blocks <= least && wider[at] != at {
            at = wider[at];
        }
        if items[at].blocks <= least {
            return 0;
        }
        least = items[at].blocks + items[at].blocks / 2;
        at
    })
}

/// The smallest element that holds this share of the paragraphs.
fn core(outline: &Outline, part: f64) -> usize {
    let least = f64::from(outline.items[0].paragraphs) * part;
    let holds = |item: &Item| item.paragraphs > 0 && f64::from(item.paragraphs) >= least;
    // Elements come after those above them, and no two apart hold more than half; of equal ones the last is the inner.
    outline.items.iter().rposition(holds).unwrap_or(0)
}
