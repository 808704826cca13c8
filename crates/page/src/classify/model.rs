//! The fitted model: from features to a page's type and to the probability of each text block to be main text.
//!
//! Four files hold what was fitted: what words of names say, trees for the type of the page, trees for the blocks
//! (`first`), and trees that see also what the first ones say of the blocks around (`second`).

use std::sync::LazyLock;

use tsumugi_record::PageType;

use super::features::{self, Around, Running, Said};
use super::forest::{Forest, Matrix, logistic};
use super::names::Words;
use super::outline::Outline;
use super::page_features::{self, PageFeatures};
use crate::dom::Dom;

/// Names of the columns that the second trees see beside those of the first.
pub(super) const SECOND: &[&str] = &[
    "p",
    "p_previous",
    "p_next",
    "p_1",
    "p_2",
    "p_3",
    "p_region",
    "p_inner",
    "p_outer",
    "p_near",
    "p_far",
    "p_page",
    "p_section",
    "p_share",
];
/// Blocks on each side whose probabilities are averaged.
const NEAR: usize = 2;
const FAR: usize = 8;

static MODEL: LazyLock<Option<Model>> = LazyLock::new(|| {
    Model::read([
        include_str!("model/words.tsv"),
        include_str!("model/types.txt"),
        include_str!("model/first.txt"),
        include_str!("model/second.txt"),
    ])
});

/// By how much the logits of each type's blocks shrink, in the order of [`PageType::ALL`]. The blocks of a page are right
/// or wrong together, most of all where the question is whether a set of cards belongs to the text. Chosen by
/// cross-validation; `fit_main_text.py` has the same numbers.
const SHRINK: [f32; 7] = [1.0, 1.0, 1.0, 0.4, 0.5, 1.0, 0.4];

/// What was fitted.
#[derive(Debug, Clone)]
pub(super) struct Model {
    pub(super) words: Words,
    types: Forest,
    first: Forest,
    second: Forest,
}

/// What the model says of a page.
#[derive(Debug, Clone)]
pub(super) struct Opinion {
    pub(super) page_type: PageType,
    /// The probability of each row to be main text.
    pub(super) rows: Vec<f32>,
}

/// The place of a column of the blocks' matrix.
fn column(name: &str) -> Option<usize> {
    let types = PageType::ALL.iter().map(|kind| kind.as_str());
    let mut names = features::NAMES.iter().chain(page_features::NAMES).copied().chain(types);
    let mut names = names.by_ref().chain(SECOND.iter().copied());
    names.position(|known| known == name)
}

/// The place of a column of the page's matrix: its features, and `words_TYPE` for what the words say of a type.
fn page_column(name: &str) -> Option<usize> {
    if let Some(kind) = name.strip_prefix("words_") {
        let place = PageType::ALL.iter().position(|known| known.as_str() == kind)?;
        return Some(page_features::NAMES.len() + place);
    }
    page_features::NAMES.iter().position(|known| *known == name)
}

impl Model {
    /// The model that was fitted; none if its files cannot be read, which a test rules out.
    pub(super) fn get() -> Option<&'static Self> {
        MODEL.as_ref()
    }

    fn read([words, types, first, second]: [&str; 4]) -> Option<Self> {
        Some(Self {
            words: Words::read(words)?,
            types: Forest::read(types, page_column)?,
            first: Forest::read(first, column)?,
            second: Forest::read(second, column)?,
        })
    }

    /// The type of the page and the probabilities of its rows.
    pub(super) fn judge(&self, dom: &Dom<'_>, outline: &Outline, said: &[Said]) -> Opinion {
        let page = PageFeatures::new(outline, said.iter().filter(|said| said.is_date).count());
        let types = self.types(dom, outline, &page);
        let extra = types.len() + SECOND.len();
        let (mut matrix, arounds) = features::matrix(outline, said, &page, extra);
        let start = features::NAMES.len() + page_features::NAMES.len();
        for (kind, probability) in types.iter().enumerate() {
            for row in 0..matrix.rows() {
                matrix.set(start + kind, row, *probability);
            }
        }
        let first = probabilities(&self.first, &matrix);
        second(outline, &arounds, &first, &mut matrix, start + types.len());
        let best = (0..types.len()).max_by(|a, b| types[*a].total_cmp(&types[*b])).unwrap_or(0);
        let shrink: f32 = types.iter().zip(SHRINK).map(|(probability, shrink)| probability * shrink).sum();
        let sums = self.second.run(&matrix).into_iter().flatten();
        Opinion { page_type: PageType::ALL[best], rows: sums.map(|sum| logistic(sum * shrink)).collect() }
    }

    /// The probability of each type of page.
    fn types(&self, dom: &Dom<'_>, outline: &Outline, page: &PageFeatures) -> Vec<f32> {
        let words = page_features::by_words(dom, outline, &self.words, PageType::ALL.len());
        let mut matrix = Matrix::new(page.values.len() + words.len(), 1);
        for (column, value) in page.values.iter().chain(&words).enumerate() {
            matrix.set(column, 0, *value);
        }
        let sums: Vec<f32> = self.types.run(&matrix).into_iter().flatten().collect();
        let most = sums.iter().copied().fold(f32::MIN, f32::max);
        let powers: Vec<f32> = sums.iter().map(|sum| (sum - most).exp()).collect();
        let total: f32 = powers.iter().sum();
        powers.into_iter().map(|power| power / total).collect()
    }
}

fn probabilities(forest: &Forest, matrix: &Matrix) -> Vec<f32> {
    forest.run(matrix).into_iter().flatten().map(logistic).collect()
}

/// Sets the columns of [`SECOND`] from `start` on: what the first trees say of the blocks around.
pub(super) fn second(
    outline: &Outline,
    arounds: &[Around],
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
    let page = mean(0, rows.len());
    let total = weighted.between(0, rows.len()).max(1.0);
    let mut section = 0;
    let ends: Vec<usize> = (0..rows.len()).filter(|at| rows[*at].heading > 0).chain([rows.len()]).collect();
    let mut next = ends.iter().copied().peekable();
    for (at, around) in arounds.iter().enumerate() {
        if rows[at].heading > 0 {
            section = at;
        }
        while next.next_if(|end| *end <= at).is_some() {}
        let end = next.peek().copied().unwrap_or(rows.len());
        let values = [
            first[at],
            at.checked_sub(1).map_or(-1.0, |at| first[at]),
            first.get(at + 1).copied().unwrap_or(-1.0),
            of(around.groups[0]),
            of(around.groups[1]),
            of(around.groups[2]),
            of(around.region),
            above(around.inner),
            above(around.outer),
            mean(at.saturating_sub(NEAR), at + NEAR + 1),
            mean(at.saturating_sub(FAR), at + FAR + 1),
            page,
            mean(section, end),
            (weighted.between(at, at + 1) / total) as f32,
        ];
        for (column, value) in values.into_iter().enumerate() {
            matrix.set(start + column, at, value);
        }
    }
}

/// The rows whose choice gives the best F1 that can be expected, and that F1. For probabilities `p` and widths `w`
/// the expected F1 of a choice is about `2 Σ chosen pw / (Σ chosen w + Σ all pw)`; it is best for all rows above some
/// probability.
pub(super) fn choose(outline: &Outline, probabilities: &[f32]) -> (Vec<bool>, f32) {
    let width = |at: usize| f64::from(outline.rows[at].measure.width);
    let wanted: f64 = probabilities.iter().enumerate().map(|(at, p)| f64::from(*p) * width(at)).sum();
    let mut order: Vec<usize> = (0..probabilities.len()).collect();
    order.sort_by(|a, b| probabilities[*b].total_cmp(&probabilities[*a]));
    let (mut hits, mut taken, mut best, mut count) = (0.0, 0.0, 0.0, 0);
    for (number, at) in order.iter().enumerate() {
        hits += f64::from(probabilities[*at]) * width(*at);
        taken += width(*at);
        let expected = 2.0 * hits / (taken + wanted);
        if expected > best {
            (best, count) = (expected, number + 1);
        }
    }
    let mut chosen = vec![false; probabilities.len()];
    for at in &order[..count] {
        chosen[*at] = true;
    }
    (chosen, best as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fitted_model_can_be_read() {
        assert!(Model::get().is_some());
    }
}
