//! Several operators, one after another.

use crate::columns::Columns;
use crate::{Error, Operator};

/// Applies operators in their order, each to the rows that those before it keep. For each row the number of the operator
/// that drops it, or none where it stays.
///
/// ```
/// use tsumugi_tables::{Column, Columns, Operator, verdicts};
///
/// let table = Columns::new()
///     .with("row", Column::Int(vec![0, 1, 2, 3]))
///     .with("text", Column::Text(["logo", "logo", "cat", "cat"].map(String::from).to_vec()))
///     .with("image", Column::Int(vec![1, 2, 3, 3]));
/// let key = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
/// let frequent = Operator::DropFrequent { id: "row".into(), key: key(&["image"]), count: 3 };
/// let first = Operator::KeepFirst { id: "row".into(), key: key(&["text"]), order: key(&["row"]) };
/// assert_eq!(verdicts(&table, &[frequent, first])?, [None, Some(1), None, Some(1)]);
/// # Ok::<(), tsumugi_tables::Error>(())
/// ```
///
/// # Errors
/// As [`Operator::keep`].
pub fn verdicts(table: &Columns, operators: &[Operator]) -> Result<Vec<Option<usize>>, Error> {
    // A file without rows says nothing about its columns.
    if table.rows() == 0 {
        return Ok(Vec::new());
    }
    let mut verdicts = vec![None; table.rows()];
    let mut staying: Vec<usize> = (0..table.rows()).collect();
    for (number, operator) in operators.iter().enumerate() {
        let keep = if staying.len() == verdicts.len() {
            operator.keep(table)?
        } else {
            let stays: Vec<bool> = verdicts.iter().map(Option::is_none).collect();
            operator.keep(&table.filter(&stays))?
        };
        for (&row, _) in staying.iter().zip(&keep).filter(|(_, keep)| !**keep) {
            verdicts[row] = Some(number);
        }
        staying.retain(|&row| verdicts[row].is_none());
    }
    Ok(verdicts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_without_rows_has_no_verdicts() {
        let operator =
            Operator::KeepFirst { id: "id".into(), key: vec!["text".into()], order: vec!["id".into()] };
        assert!(verdicts(&Columns::new(), &[operator]).unwrap().is_empty());
    }
}
