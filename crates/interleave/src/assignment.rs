//! Linear assignment: each image to a text of its own, so that the sum of scores is the highest possible.
//!
//! The method is Jonker and Volgenant's in the form for rectangular matrices: rows enter one by one, each by the
//! shortest augmenting path over reduced costs (Dijkstra's search with a dense frontier), and dual prices keep the
//! reduced costs from falling below zero. The optimum is exact; the time grows as rows squared times columns in
//! the worst case and far less as a rule.

use crate::matrix::Matrix;

const NONE: usize = usize::MAX;

/// For each row its column in an assignment of the highest total score, or `None` for rows left over where there
/// are more rows than columns. No column is assigned twice, and the smaller side is assigned in full.
///
/// ```
/// use tsumugi_interleave::{Matrix, assign};
/// // The first row would rather have column 0, but the second can use nothing else.
/// let scores = Matrix::new(2, 2, vec![0.9, 0.8, 0.7, 0.1])?;
/// assert_eq!(assign(&scores), [Some(1), Some(0)]);
/// # Ok::<(), tsumugi_interleave::Error>(())
/// ```
pub fn assign(scores: &Matrix) -> Vec<Option<usize>> {
    let (wide, transposed) = scores.wide();
    let mut search = Search::new(&wide);
    for row in 0..wide.rows() {
        search.enter(row);
    }
    let assigned = if transposed { &search.row_of } else { &search.column_of };
    assigned.iter().map(|&other| (other != NONE).then_some(other)).collect()
}

/// The sum of the scores of an assignment.
pub fn total(scores: &Matrix, assignment: &[Option<usize>]) -> f64 {
    let pairs = assignment.iter().enumerate().filter_map(|(row, column)| Some((row, (*column)?)));
    pairs.map(|(row, column)| scores.row(row)[column]).sum()
}

struct Search<'a> {
    scores: &'a Matrix,
    /// Dual prices.
    row_price: Vec<f64>,
    column_price: Vec<f64>,
    column_of: Vec<usize>,
    row_of: Vec<usize>,
    /// Length of the shortest path to each column, and the row it comes from.
    distance: Vec<f64>,
    from_row: Vec<usize>,
    /// Columns that the search has not reached for good; the others follow in the order they were reached.
    columns: Vec<usize>,
}

impl<'a> Search<'a> {
    fn new(scores: &'a Matrix) -> Search<'a> {
        let (rows, columns) = (scores.rows(), scores.columns());
        Search {
            scores,
            row_price: vec![0.0; rows],
            column_price: vec![0.0; columns],
            column_of: vec![NONE; rows],
            row_of: vec![NONE; columns],
            distance: vec![0.0; columns],
            from_row: vec![NONE; columns],
            columns: (0..columns).collect(),
        }
    }

    /// Gives `row` a column, moving others where that pays.
    fn enter(&mut self, row: usize) {
        self.distance.fill(f64::INFINITY);
        let mut open = self.columns.len();
        let mut at = row;
        let mut reached = 0.0;
        let sink = loop {
            let place = self.relax(at, reached, open);
            let column = self.columns[place];
            reached = self.distance[column];
            open -= 1;
            self.columns.swap(place, open);
            if self.row_of[column] == NONE {
                break column;
            }
            at = self.row_of[column];
        };
        self.update_prices(row, reached, open);
        self.augment(row, sink);
    }

    /// Takes the steps from row `at` to the open columns; the place of the nearest open column.
    fn relax(&mut self, at: usize, reached: f64, open: usize) -> usize {
        let scores = self.scores.row(at);
        // Costs are negated scores.
        let base = reached - self.row_price[at];
        let (mut nearest, mut place) = (f64::INFINITY, 0);
        for (k, &column) in self.columns[..open].iter().enumerate() {
            let through = base - scores[column] - self.column_price[column];
            let mut distance = self.distance[column];
            if through < distance {
                distance = through;
                self.distance[column] = through;
                self.from_row[column] = at;
            }
            // Of equally near columns a free one ends the search.
            if distance < nearest || (distance == nearest && self.row_of[column] == NONE) {
                (nearest, place) = (distance, k);
            }
        }
        place
    }

    fn update_prices(&mut self, row: usize, reached: f64, open: usize) {
        self.row_price[row] += reached;
        for &column in &self.columns[open..] {
            let ahead = reached - self.distance[column];
            if self.row_of[column] != NONE {
                self.row_price[self.row_of[column]] += ahead;
            }
            self.column_price[column] -= ahead;
        }
    }

    fn augment(&mut self, row: usize, sink: usize) {
        let mut column = sink;
        loop {
            let from = self.from_row[column];
            self.row_of[column] = from;
            std::mem::swap(&mut self.column_of[from], &mut column);
            if from == row {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The best total over all ways, for small matrices.
    fn brute_force(scores: &Matrix) -> f64 {
        fn go(scores: &Matrix, row: usize, used: &mut Vec<bool>, left_over: usize) -> f64 {
            if row == scores.rows() {
                return 0.0;
            }
            let mut best = f64::NEG_INFINITY;
            for column in 0..scores.columns() {
                if !used[column] {
                    used[column] = true;
                    best = best.max(scores.row(row)[column] + go(scores, row + 1, used, left_over));
                    used[column] = false;
                }
            }
            if left_over > 0 {
                best = best.max(go(scores, row + 1, used, left_over - 1));
            }
            best
        }
        let left_over = scores.rows().saturating_sub(scores.columns());
        go(scores, 0, &mut vec![false; scores.columns()], left_over)
    }

    proptest! {
        #[test]
        fn is_the_optimum(rows in 1usize..6, columns in 1usize..6, seed in prop::collection::vec(-3i32..4, 36)) {
            let values = seed[..rows * columns].iter().map(|v| f64::from(*v) / 3.0).collect();
            let scores = Matrix::new(rows, columns, values).unwrap();
            let assignment = assign(&scores);
            let mut used: Vec<usize> = assignment.iter().flatten().copied().collect();
            used.sort_unstable();
            used.dedup();
            prop_assert_eq!(used.len(), rows.min(columns));
            prop_assert!((total(&scores, &assignment) - brute_force(&scores)).abs() < 1e-9);
        }
    }

    #[test]
    fn nothing_is_assigned_to_nothing() {
        assert!(assign(&Matrix::new(0, 3, vec![]).unwrap()).is_empty());
        assert_eq!(assign(&Matrix::new(2, 0, vec![]).unwrap()), [None, None]);
    }
}
