//! The fitted model: from features to a page's type and to the probability of each text block to be main text.
//!
//! Files in `model/` hold what was fitted: what words of names and of texts say, trees for the type of the page, trees for
//! the blocks (`first`), trees that see also what the first ones say of the blocks around (`second`), and by how much
//! their answers are drawn towards one half (`shrink`).

use std::sync::LazyLock;

use tsumugi_record::PageType;

use super::alike::Alike;
use super::around::{self, Around};
use super::features::{self, Known, Said};
use super::forest::{Forest, Matrix, logistic};
use super::names::Words;
use super::outline::Outline;
use super::page_features::{self, PageFeatures};
use super::second;
use super::wording;
use super::{said, text};
use crate::blocks::Block;
use crate::dom::Dom;

static MODEL: LazyLock<Option<Model>> = LazyLock::new(|| {
    let words = [include_str!("model/words.tsv"), include_str!("model/texts.tsv")];
    Some(Model {
        words: Words::read(words[0])?,
        texts: Words::read(words[1])?,
        types: Forest::read(include_str!("model/types.txt"), page_column)?,
        first: Forest::read(include_str!("model/first.txt"), column)?,
        second: Forest::read(include_str!("model/second.txt"), column)?,
        shrink: shrink(include_str!("model/shrink.txt"))?,
    })
});

/// What was fitted.
#[derive(Debug, Clone)]
pub(super) struct Model {
    pub(super) words: Words,
    texts: Words,
    types: Forest,
    first: Forest,
    second: Forest,
    /// By how much the logits of each type's blocks shrink, in the order of [`PageType::ALL`]. The blocks of a page are
    /// right or wrong together, most of all where the question is whether a set of cards belongs to the text.
    shrink: Vec<f32>,
}

/// What the model says of a page.
#[derive(Debug, Clone)]
pub(super) struct Opinion {
    pub(super) page_type: PageType,
    /// The probability of each row to be main text.
    pub(super) rows: Vec<f32>,
}

/// Columns of the matrix that differ from row to row: the features of blocks, then those of [`second::NAMES`].
const COLUMNS: usize = features::NAMES.len() + second::NAMES.len();

/// The place of a column of the blocks' matrix. Behind those that differ stand those of the page and the types'
/// probabilities.
fn column(name: &str) -> Option<usize> {
    let types = PageType::ALL.iter().map(|kind| kind.as_str());
    let mut own =
        features::NAMES.iter().chain(second::NAMES).chain(page_features::NAMES).copied().chain(types);
    own.position(|known| known == name)
}

/// The place of a column of the page's matrix: its features, and `words_TYPE` for what the words say of a type.
fn page_column(name: &str) -> Option<usize> {
    if let Some(kind) = name.strip_prefix("words_") {
        let place = PageType::ALL.iter().position(|known| known.as_str() == kind)?;
        return Some(page_features::NAMES.len() + place);
    }
    page_features::NAMES.iter().position(|known| *known == name)
}

/// Reads a line `TYPE NUMBER` for each type of page, in the order of [`PageType::ALL`].
fn shrink(text: &str) -> Option<Vec<f32>> {
    let mut lines = text.lines().filter(|line| !line.starts_with('#'));
    let number = |kind: &PageType| lines.next()?.strip_prefix(kind.as_str())?.trim().parse().ok();
    PageType::ALL.iter().map(number).collect()
}

/// What the trees for blocks are told of a page.
pub(super) struct Seen {
    pub(super) said: Vec<Said>,
    pub(super) arounds: Vec<Around>,
    pub(super) styles: Alike,
    pub(super) tags: Alike,
    pub(super) page: PageFeatures,
    pub(super) matrix: Matrix,
}

impl Seen {
    /// Computes all features but the types' probabilities and what the first trees say.
    pub(super) fn new(
        dom: &Dom<'_>,
        blocks: &[Block],
        outline: &Outline,
        title: &str,
        texts: &Words,
    ) -> Self {
        let said = said(dom, blocks, outline, title);
        let wordings = wording::all(outline, texts, |row| text(blocks, row));
        let mut seen = Self {
            arounds: around::all(outline),
            styles: Alike::by_style(outline),
            tags: Alike::by_tag(outline),
            page: PageFeatures::new(outline, said.iter().filter(|said| said.is_date).count()),
            matrix: Matrix::new(COLUMNS, outline.rows.len()),
            said,
        };
        let known = Known {
            outline,
            arounds: &seen.arounds,
            said: &seen.said,
            wordings: &wordings,
            styles: &seen.styles,
            tags: &seen.tags,
        };
        features::fill(&known, &mut seen.matrix);
        seen
    }

    /// Adds what the first trees say of the blocks around.
    pub(super) fn add_first(&mut self, outline: &Outline, first: &[f32]) {
        let alike = [&self.styles, &self.tags];
        second::fill(outline, &self.arounds, alike, first, &mut self.matrix, features::NAMES.len());
    }
}

impl Model {
    /// The model that was fitted; none if its files cannot be read, which a test rules out.
    pub(super) fn get() -> Option<&'static Self> {
        MODEL.as_ref()
    }

    /// The type of the page and the probabilities of its rows.
    pub(super) fn judge(&self, dom: &Dom<'_>, blocks: &[Block], outline: &Outline, title: &str) -> Opinion {
        let mut seen = Seen::new(dom, blocks, outline, title, &self.texts);
        let types = self.types(dom, outline, title, &seen.page);
        seen.matrix.share(seen.page.values.iter().chain(&types).copied());
        let first: Vec<f32> = self.first.run(&seen.matrix).into_iter().flatten().map(logistic).collect();
        seen.add_first(outline, &first);
        let best = (0..types.len()).max_by(|a, b| types[*a].total_cmp(&types[*b])).unwrap_or(0);
        let shrink: f32 =
            types.iter().zip(&self.shrink).map(|(probability, shrink)| probability * shrink).sum();
        let sums = self.second.run(&seen.matrix).into_iter().flatten();
        Opinion { page_type: PageType::ALL[best], rows: sums.map(|sum| logistic(sum * shrink)).collect() }
    }

    /// The probability of each type of page.
    fn types(&self, dom: &Dom<'_>, outline: &Outline, title: &str, page: &PageFeatures) -> Vec<f32> {
        let words = page_features::by_words(dom, outline, title, &self.words, PageType::ALL.len());
        let mut matrix = Matrix::new(0, 1);
        matrix.share(page.values.iter().chain(&words).copied());
        let sums: Vec<f32> = self.types.run(&matrix).into_iter().flatten().collect();
        let most = sums.iter().copied().fold(f32::MIN, f32::max);
        let powers: Vec<f32> = sums.iter().map(|sum| (sum - most).exp()).collect();
        let total: f32 = powers.iter().sum();
        powers.into_iter().map(|power| power / total).collect()
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

    #[test]
    fn reads_the_shrinking_of_each_type_in_order() {
        let text = "# comment\narticle 1\nforum 0.9\nproduct 0.8\ncollection 0.7\nlisting 0.6\ndocumentation 0.5\nservice 0.4\n";
        assert_eq!(shrink(text), Some(vec![1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4]));
        assert_eq!(shrink(&text.replace("forum", "product")), None);
        assert_eq!(shrink("article 1\n"), None);
    }
}
