//! Boosted trees whose levels each ask one question, so that a tree is a table of 2^depth values.
//!
//! All rows are taken through a level at once: a comparison of two columns of numbers, without branches.

/// Values by feature: a column holds the feature's value for each row. Behind these columns are features that all rows
/// share.
#[derive(Debug, Clone, Default)]
pub(super) struct Matrix {
    rows: usize,
    columns: usize,
    values: Vec<f32>,
    shared: Vec<f32>,
}

impl Matrix {
    pub(super) fn new(columns: usize, rows: usize) -> Self {
        Self { rows, columns, values: vec![0.0; columns * rows], shared: Vec::new() }
    }

    /// Adds features that all rows share.
    pub(super) fn share(&mut self, values: impl Iterator<Item = f32>) {
        self.shared.extend(values);
    }

    pub(super) fn set(&mut self, column: usize, row: usize, value: f32) {
        if let Some(place) = self.values.get_mut(column * self.rows + row) {
            *place = value;
        }
    }

    /// The value of a feature for a row.
    pub(super) fn get(&self, column: usize, row: usize) -> f32 {
        let value = match column.checked_sub(self.columns) {
            None => self.values.get(column * self.rows + row),
            Some(column) => self.shared.get(column),
        };
        value.copied().unwrap_or_default()
    }

    /// Adds what a feature answers to a question to the place of each row among the leaves.
    fn ask(&self, column: usize, threshold: f32, level: usize, places: &mut [u32]) {
        if let Some(column) = column.checked_sub(self.columns) {
            if self.shared.get(column).is_some_and(|value| *value > threshold) {
                places.iter_mut().for_each(|place| *place |= 1 << level);
            }
            return;
        }
        let values = self.values.get(column * self.rows..(column + 1) * self.rows).unwrap_or_default();
        for (place, value) in places.iter_mut().zip(values) {
            *place |= u32::from(*value > threshold) << level;
        }
    }
}

/// A tree: the questions of its levels, and for each output the values of its leaves.
#[derive(Debug, Clone)]
struct Tree {
    /// Column and threshold; the answer is yes above it.
    levels: Vec<(usize, f32)>,
    /// `outputs` values for each leaf.
    leaves: Vec<f32>,
}

/// The trees of a model.
#[derive(Debug, Clone)]
pub(super) struct Forest {
    outputs: usize,
    bias: Vec<f32>,
    trees: Vec<Tree>,
}

impl Forest {
    /// Reads a model as `fit_main_text.py` writes it: a line `outputs NUMBER`, a line `bias NUMBER...`, and for each tree
    /// a line `COLUMN:THRESHOLD ... | LEAF ...`. `column` gives the place of a column by its name.
    pub(super) fn read(text: &str, column: impl Fn(&str) -> Option<usize>) -> Option<Self> {
        let mut lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        let outputs = lines.next()?.strip_prefix("outputs ")?.parse().ok()?;
        let bias = numbers(lines.next()?.strip_prefix("bias ")?)?;
        let mut trees = Vec::new();
        for line in lines {
            let (levels, leaves) = line.split_once('|')?;
            let level = |level: &str| {
                let (name, threshold) = level.split_once(':')?;
                Some((column(name)?, threshold.parse().ok()?))
            };
            let levels: Vec<(usize, f32)> = levels.split_whitespace().map(level).collect::<Option<_>>()?;
            let leaves = numbers(leaves)?;
            if leaves.len() != outputs << levels.len() {
                return None;
            }
            trees.push(Tree { levels, leaves });
        }
        (bias.len() == outputs).then_some(Self { outputs, bias, trees })
    }

    /// The sums of the trees' values: one vector for each output with a value for each row.
    pub(super) fn run(&self, matrix: &Matrix) -> Vec<Vec<f32>> {
        let rows = matrix.rows;
        let mut sums: Vec<Vec<f32>> = self.bias.iter().map(|bias| vec![*bias; rows]).collect();
        let mut places = vec![0_u32; rows];
        for tree in &self.trees {
            places.fill(0);
            for (level, (column, threshold)) in tree.levels.iter().enumerate() {
                matrix.ask(*column, *threshold, level, &mut places);
            }
            for (output, sums) in sums.iter_mut().enumerate() {
                for (sum, place) in sums.iter_mut().zip(&places) {
                    *sum +=
                        tree.leaves.get(*place as usize * self.outputs + output).copied().unwrap_or_default();
                }
            }
        }
        sums
    }
}

fn numbers(text: &str) -> Option<Vec<f32>> {
    text.split_whitespace().map(|number| number.parse().ok()).collect()
}

/// From the sum of the trees to a probability.
pub(super) fn logistic(value: f32) -> f32 {
    1.0 / (1.0 + (-value).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn walks_through_trees() {
        let text = "# two trees\noutputs 1\nbias 0.5\na:1 b:2 c:4|0 1 10 11 0 0 0 0\na:3 c:3|0 0 100 200\n";
        let column = |name: &str| ["a", "b", "c"].iter().position(|known| *known == name);
        let forest = Forest::read(text, column).unwrap();
        let mut matrix = Matrix::new(2, 3);
        matrix.share([4.0].into_iter());
        for (row, (a, b)) in [(0.0, 0.0), (2.0, 2.0), (4.0, 3.0)].into_iter().enumerate() {
            matrix.set(0, row, a);
            matrix.set(1, row, b);
        }
        assert_eq!(forest.run(&matrix), [[100.5, 101.5, 211.5]]);
    }

    #[test]
    fn refuses_what_is_no_model() {
        let column = |name: &str| (name == "a").then_some(0);
        for text in [
            "",
            "outputs 1",
            "outputs 1\nbias 1 2\n",
            "outputs 1\nbias 1\na:1|1\n",
            "outputs 1\nbias 1\nb:1|1 2\n",
        ] {
            assert!(Forest::read(text, column).is_none(), "{text}");
        }
    }
}
