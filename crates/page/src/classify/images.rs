//! Which images belong to the main text.

use tsumugi_record::Role;

use super::names::Parts;
use super::outline::Outline;
use crate::blocks::{Block, Content};

/// Parts whose images are none of the page's content.
const BOILERPLATE: [Parts; 4] = [Parts::NAVIGATION, Parts::HEADER, Parts::FOOTER, Parts::ASIDE];

/// Gives each image that is shown the role of the text around it: it belongs to the main text if most of the text in
/// the nearest element above it that holds text does. One before the first and after the last main text is boilerplate
/// if it stands in a part that is named so. One with a caption between paragraphs of main text illustrates them.
///
/// Captions say nothing of it, since each stands with its image: whether text is main text is told by sentences, which
/// captions often are not.
pub(super) fn follow(outline: &Outline, blocks: &[Block], captions: &[bool], roles: &mut [Role]) {
    let mut main = vec![0_u32; outline.items.len()];
    let mut width = vec![0_u32; outline.items.len()];
    for (row, _) in outline.rows.iter().zip(captions).filter(|(_, is_caption)| !**is_caption) {
        width[row.place] += row.measure.width;
        if roles[row.block] != Role::Boilerplate {
            main[row.place] += row.measure.width;
        }
    }
    for place in (1..outline.items.len()).rev() {
        let parent = outline.items[place].parent;
        main[parent] += main[place];
        width[parent] += width[place];
    }
    let total = main.first().copied().unwrap_or_default();
    let is_text = |role: &Role| *role != Role::Boilerplate;
    let first = roles.iter().position(is_text);
    let last = roles.iter().rposition(is_text);
    for (at, block) in blocks.iter().enumerate() {
        let Content::Image(slot) = &block.content else { continue };
        if block.hidden {
            continue;
        }
        let place = outline.containers[at];
        let parts = outline.items[place].parts;
        let outside = first.is_none_or(|first| at < first) || last.is_none_or(|last| at > last);
        // Names of figures are often those of boilerplate, since their texts are hardly ever sentences.
        let captioned = slot.caption.is_some();
        let named = BOILERPLATE.into_iter().any(|part| parts.has(part))
            || (!captioned && outline.items[place].path.sum < -1.5);
        let around = outline.chain(place).find(|place| width[*place] > 0);
        let share = around.map_or(0.0, |place| f64::from(main[place]) / f64::from(width[place]));
        let holds_most = around.is_some_and(|place| f64::from(main[place]) > 0.5 * f64::from(total));
        let illustrates = captioned && !outside && !named;
        let belongs = share >= 0.5 || illustrates || (holds_most && !outside);
        // A page without main text may be one of images.
        if (total == 0 || belongs) && !(outside && named) {
            roles[at] = Role::Main;
        }
    }
}
