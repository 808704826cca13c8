//! Boosted trees whose levels each ask one question, so that a tree is a table of 2^depth values.
//!
//! Several rows are taken through a tree at once: each level is a comparison of their values, without branches.

/// Rows that are taken through a tree at once.
const LANES: usize = 8;

/// Values by feature: a column holds the feature's value for each row. Behind these columns are features that all rows
/// share.
#[derive(Debug, Clone, Default)]
pub(super) struct Matrix {
    rows: usize,
    /// Rows with those that fill the last [`LANES`].
    stride: usize,
    columns: usize,
    values: Vec<f32>,
    shared: Vec<f32>,
}

impl Matrix {
    pub(super) fn new(columns: usize, rows: usize) -> Self {
        let stride = rows.next_multiple_of(LANES);
        Self { rows, stride, columns, values: vec![0.0; columns * stride], shared: Vec::new() }
    }

    /// Adds features that all rows share.
    pub(super) fn share(&mut self, values: impl Iterator<Item = f32>) {
        self.shared.extend(values);
    }

    pub(super) fn set(&mut self, column: usize, row: usize, value: f32) {
        if let Some(place) = self.values.get_mut(column * self.stride + row) {
            *place = value;
        }
    }

    /// The value of a feature for a row.
    pub(super) fn get(&self, column: usize, row: usize) -> f32 {
        let value = match column.checked_sub(self.columns) {
            None => self.values.get(column * self.stride + row),
            Some(column) => self.shared.get(column),
        };
        value.copied().unwrap_or_default()
    }

    /// The values of a feature, [`LANES`] rows at a time; none if all rows share them.
    fn lanes(&self, column: usize) -> Option<&[[f32; LANES]]> {
        let values = self.values.get(column * self.stride..(column + 1) * self.stride)?;
        Some(values.as_chunks().0)
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
    /// Where the sum of each output begins.
    bias: Vec<f32>,
    trees: Vec<Tree>,
}

impl Forest {
    /// Reads a model as `fit_main_text.py` writes it: a line `outputs NUMBER`, a line `bias NUMBER...`, and for each tree
    /// a line `COLUMN:THRESHOLD ... | LEAF ...`. `column` gives the place of a column by its name.
    pub(super) fn read(text: &str, column: impl Fn(&str) -> Option<usize>) -> Option<Self> {
        let mut lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        let outputs: usize = lines.next()?.strip_prefix("outputs ")?.parse().ok()?;
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
        (bias.len() == outputs).then_some(Self { bias, trees })
    }

    /// The sums of the trees' values: one vector for each output with a value for each row.
    pub(super) fn run(&self, matrix: &Matrix) -> Vec<Vec<f32>> {
        let mut sums: Vec<Vec<f32>> = self.bias.iter().map(|bias| vec![*bias; matrix.stride]).collect();
        let mut asked = Vec::new();
        for tree in &self.trees {
            // What all rows answer alike is known before any is looked at.
            let mut known = 0_u32;
            asked.clear();
            for (level, (column, threshold)) in tree.levels.iter().enumerate() {
                match matrix.lanes(*column) {
                    Some(lanes) => asked.push((lanes, *threshold, level)),
                    None => known |= u32::from(matrix.get(*column, 0) > *threshold) << level,
                }
            }
            for at in 0..matrix.stride / LANES {
                let mut places = [known; LANES];
                for (lanes, threshold, level) in &asked {
                    for (place, value) in places.iter_mut().zip(&lanes[at]) {
                        *place |= u32::from(value > threshold) << level;
                    }
                }
                tree.add(at * LANES, &places, &mut sums);
            }
        }
        sums.iter_mut().for_each(|sums| sums.truncate(matrix.rows));
        sums
    }
}

impl Tree {
    /// Adds the values of the leaves at `places` to those of the rows from `start` on.
    fn add(&self, start: usize, places: &[u32; LANES], sums: &mut [Vec<f32>]) {
        let outputs = sums.len();
        for (output, sums) in sums.iter_mut().enumerate() {
            let Some(sums) = sums.get_mut(start..start + LANES) else { continue };
            for (sum, place) in sums.iter_mut().zip(places) {
                *sum += self.leaves[*place as usize * outputs + output];
            }
        }
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
