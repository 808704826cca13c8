//! What the second trees are told of each block: what the first ones say of it and of the blocks around.

use super::alike::Alike;
use super::around::Around;
use super::features::{Running, sections};
use super::forest::Matrix;
use super::outline::Outline;

/// Names of the columns.
pub(super) const NAMES: &[&str] = &[
    "p",
    "p_previous",
    "p_next",
    "p_1",
    "p_2",
    "p_3",
    "p_region",
    "p_unit",
    "p_inner",
    "p_outer",
    "p_near",
    "p_far",
    "p_page",
    "p_section",
    "p_heading",
    "p_next_heading",
    "p_share",
    "p_before",
    "p_style",
    "p_tag",
];
/// Blocks on each side whose probabilities are averaged.
const NEAR: usize = 2;
const FAR: usize = 8;

/// Sets the columns of [`NAMES`] from `start` on. Means are weighted by the widths of the texts; -1 stands for what
/// is not there.
pub(super) fn fill(
    outline: &Outline,
    arounds: &[Around],
    alike: [&Alike; 2],
    first: &[f32],
    matrix: &mut Matrix,
    start: usize,
) {
    let rows = &outline.rows;
    let width = |at: usize| f64::from(rows[at].measure.width);
    let weighted = Running::new(first.iter().enumerate().map(|(at, p)| f64::from(*p) * width(at)));
    let widths = Running::new((0..rows.len()).map(width));
    let mean =
        |from: usize, to: usize| (weighted.between(from, to) / widths.between(from, to).max(1.0)) as f32;
    let of = |place: usize| {
        let item = &outline.items[place];
        mean(item.first, item.last + 1)
    };
    let above = |place: Option<usize>| place.map_or(-1.0, |place| of(outline.items[place].parent));
    let at_or = |at: Option<usize>| at.and_then(|at| first.get(at)).copied().unwrap_or(-1.0);
    let page = mean(0, rows.len());
    let total = weighted.between(0, rows.len()).max(1.0);
    let means = alike.map(|alike| alike.means(outline, first));
    for (at, (from, to)) in sections(rows).into_iter().enumerate() {
        let around = &arounds[rows[at].place];
        let values = [
            first[at],
            at_or(at.checked_sub(1)),
            at_or(Some(at + 1)),
            of(around.groups[0]),
            of(around.groups[1]),
            of(around.groups[2]),
            of(around.region),
            around.inner.map_or(-1.0, of),
            above(around.inner),
            above(around.outer),
            mean(at.saturating_sub(NEAR), at + NEAR + 1),
            mean(at.saturating_sub(FAR), at + FAR + 1),
            page,
            mean(from, to),
            at_or(Some(from).filter(|from| rows[*from].heading > 0)),
            at_or(Some(to)),
            (weighted.between(at, at + 1) / total) as f32,
            (weighted.between(0, at) / total) as f32,
            means[0][alike[0].of[at]],
            means[1][alike[1].of[at]],
        ];
        for (column, value) in values.into_iter().enumerate() {
            matrix.set(start + column, at, value);
        }
    }
}
