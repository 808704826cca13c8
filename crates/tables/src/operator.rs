//! The operators as data: which columns they read, how they run here, and their SQL text.

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::columns::Columns;
use crate::rows::{self, Samples};

/// A global operator over a table: it says which rows stay, named by their id column.
///
/// ```
/// use tsumugi_tables::{Column, Columns, Dialect, Operator};
///
/// let operator = Operator::DropFrequent { id: "id".into(), key: vec!["alt".into()], count: 2 };
/// let table = Columns::new()
///     .with("id", Column::Int(vec![1, 2, 3]))
///     .with("alt", Column::Text(vec!["logo".into(), "a cat".into(), "logo".into()]));
/// assert_eq!(operator.keep(&table)?, [false, true, false]);
/// assert_eq!(
///     operator.sql("pairs", Dialect::DuckDb)?,
///     "SELECT t.id FROM pairs t JOIN (SELECT alt FROM pairs GROUP BY alt HAVING count(*) < 2) f ON t.alt = f.alt"
/// );
/// # Ok::<(), tsumugi_tables::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "operator", rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Operator {
    /// Rows go whose key stands `count` times or more.
    DropFrequent {
        /// Column that names a row.
        id: String,
        /// Key columns.
        key: Vec<String>,
        /// The count from which a key is too frequent.
        count: u64,
    },
    /// Rows go whose key occurs `count` times or more in their sample (see [`rows::drop_frequent_in_samples`]).
    DropFrequentInSamples {
        /// Column that names a row.
        id: String,
        /// Column whose order is the order of drawing, made by [`rows::draw`]. Rows with equal values are one occurrence.
        draw: String,
        /// Key columns.
        key: Vec<String>,
        /// Columns within which samples are drawn (the crawl year).
        group: Vec<String>,
        /// Occurrences in a sample.
        block: u64,
        /// The count from which a key is too frequent.
        count: u64,
    },
    /// Of each key only the row smallest in `order` stays. The order columns should tell the rows of a key apart.
    KeepFirst {
        /// Column that names a row.
        id: String,
        /// Key columns.
        key: Vec<String>,
        /// Order columns, smallest first.
        order: Vec<String>,
    },
    /// Rows go that share a band key with a row of smaller id.
    NearDuplicates {
        /// Column that names and orders the rows.
        id: String,
        /// Column with the list of band keys.
        bands: String,
    },
    /// Rows go whose combined score is among the lowest (see [`rows::drop_lowest`]).
    DropLowest {
        /// Column that names a row.
        id: String,
        /// Column with the list of scores, one of each scorer.
        scores: String,
        /// Number of scorers.
        scorers: usize,
        /// The share of rows below the limit, 0 to 1.
        share: f64,
    },
}

/// Which SQL the text is for; they differ in how a list is unfolded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Dialect {
    /// DuckDB (and PostgreSQL).
    DuckDb,
    /// Apache Spark SQL.
    Spark,
}

impl Operator {
    /// The columns that the operator reads, besides the one that names a row where only SQL needs it.
    #[must_use]
    pub fn columns(&self) -> Vec<&str> {
        fn of<'a>(names: impl IntoIterator<Item = &'a String>) -> Vec<&'a str> {
            names.into_iter().map(String::as_str).collect()
        }
        match self {
            Self::DropFrequent { key, .. } => of(key),
            Self::DropFrequentInSamples { draw, key, group, .. } => of(key.iter().chain(group).chain([draw])),
            Self::KeepFirst { key, order, .. } => of(key.iter().chain(order)),
            Self::NearDuplicates { id, bands } => vec![id, bands],
            Self::DropLowest { scores, .. } => vec![scores],
        }
    }

    /// Which rows of `table` stay.
    ///
    /// # Errors
    /// A column that is missing, of another type or of another length.
    pub fn keep(&self, table: &Columns) -> Result<Vec<bool>, Error> {
        match self {
            Self::DropFrequent { key, count, .. } => {
                Ok(rows::drop_frequent(&table.ranks(key)?, usize::try_from(*count).unwrap_or(usize::MAX)))
            }
            Self::DropFrequentInSamples { draw, key, group, block, count, .. } => {
                let samples = Samples {
                    block: usize::try_from(*block).unwrap_or(usize::MAX),
                    count: usize::try_from(*count).unwrap_or(usize::MAX),
                };
                rows::drop_frequent_in_samples(
                    &table.ranks(key)?,
                    &table.ranks(group)?,
                    &table.ranks(std::slice::from_ref(draw))?,
                    &samples,
                )
            }
            Self::KeepFirst { key, order, .. } => rows::keep_first(&table.ranks(key)?, &table.ranks(order)?),
            Self::NearDuplicates { id, bands } => {
                rows::near_duplicates(&table.ranks(std::slice::from_ref(id))?, table.lists(bands)?)
            }
            Self::DropLowest { scores, scorers, share, .. } => {
                let rows = table.scores(scores)?;
                let column = |scorer: usize| {
                    let value = |row: &Vec<f64>| row.get(scorer).copied().unwrap_or(f64::NAN);
                    rows.iter().map(value).collect::<Vec<f64>>()
                };
                rows::drop_lowest(&(0..*scorers).map(column).collect::<Vec<_>>(), *share)
            }
        }
    }

    /// A `SELECT` of the ids that stay of `table`, with the meaning of [`Operator::keep`].
    ///
    /// # Errors
    /// [`Error::Name`] if a table or column name could not stand in SQL as it is.
    pub fn sql(&self, table: &str, dialect: Dialect) -> Result<String, Error> {
        let table = name(table)?;
        match self {
            Self::DropFrequent { id, key, count } => {
                let (id, keys, on) = (name(id)?, list(key)?, equal_names(key)?);
                Ok(format!(
                    "SELECT t.{id} FROM {table} t JOIN (SELECT {keys} FROM {table} GROUP BY {keys} \
                     HAVING count(*) < {count}) f ON {on}"
                ))
            }
            Self::DropFrequentInSamples { id, draw, key, group, block, count } => {
                let (id, draw, keys, groups) = (name(id)?, name(draw)?, list(key)?, list(group)?);
                let on = equal_names(group)?;
                let on_keys = equal_names(key)?;
                Ok(format!(
                    "WITH sampled AS (SELECT {id}, {groups}, {keys}, {draw}, floor((dense_rank() OVER (PARTITION BY {groups} \
                     ORDER BY {draw}) - 1) / {block}) AS sample FROM {table}), \
                     frequent AS (SELECT {groups}, {keys}, sample FROM sampled GROUP BY {groups}, {keys}, sample \
                     HAVING count(DISTINCT {draw}) >= {count}) \
                     SELECT t.{id} FROM sampled t LEFT JOIN frequent f ON {on} AND {on_keys} AND t.sample = f.sample \
                     WHERE f.sample IS NULL"
                ))
            }
            Self::KeepFirst { id, key, order } => {
                let (id, keys, orders) = (name(id)?, list(key)?, list(order)?);
                Ok(format!(
                    "SELECT {id} FROM (SELECT {id}, row_number() OVER (PARTITION BY {keys} ORDER BY {orders}) AS place \
                     FROM {table}) r WHERE place = 1"
                ))
            }
            Self::NearDuplicates { id, bands } => {
                let (id, bands) = (name(id)?, name(bands)?);
                let unfold = match dialect {
                    Dialect::DuckDb => "unnest",
                    Dialect::Spark => "explode",
                };
                Ok(format!(
                    "WITH band AS (SELECT {id}, {unfold}({bands}) AS band_key FROM {table}), \
                     first AS (SELECT band_key, min({id}) AS first_id FROM band GROUP BY band_key), \
                     near AS (SELECT DISTINCT band.{id} FROM band JOIN first ON band.band_key = first.band_key \
                     WHERE band.{id} > first.first_id) \
                     SELECT t.{id} FROM {table} t LEFT JOIN near ON t.{id} = near.{id} WHERE near.{id} IS NULL"
                ))
            }
            Self::DropLowest { id, scores, scorers, share } => {
                lowest_sql(table, name(id)?, name(scores)?, *scorers, *share, dialect)
            }
        }
    }
}

/// Weights each score by its median, sums them, and keeps what reaches the quantile.
fn lowest_sql(
    table: &str,
    id: &str,
    scores: &str,
    scorers: usize,
    share: f64,
    dialect: Dialect,
) -> Result<String, Error> {
    if !(0.0..=1.0).contains(&share) {
        return Err(Error::Quantile { q: share });
    }
    // DuckDB counts the elements of a list from 1, Spark from 0.
    let first = usize::from(dialect == Dialect::DuckDb);
    let (mut medians, mut terms) = (Vec::new(), Vec::new());
    for at in 0..scorers {
        let element = format!("{scores}[{}]", at + first);
        medians.push(format!("percentile_cont(0.5) WITHIN GROUP (ORDER BY {element}) AS m{at}"));
        terms.push(format!("t.{element} * (CASE WHEN m.m{at} > 0 THEN 1.0 / m.m{at} ELSE 1.0 END)"));
    }
    Ok(format!(
        "WITH m AS (SELECT {} FROM {table}), c AS (SELECT t.{id}, {} AS score FROM {table} t CROSS JOIN m), \
         l AS (SELECT percentile_cont({share}) WITHIN GROUP (ORDER BY score) AS score FROM c) \
         SELECT c.{id} FROM c CROSS JOIN l WHERE c.score >= l.score",
        medians.join(", "),
        terms.join(" + ")
    ))
}

/// A `SELECT` of the exact `q` quantile of a column, with the meaning of [`rows::quantile`].
///
/// # Errors
/// [`Error::Name`] or [`Error::Quantile`].
pub fn quantile_sql(table: &str, value: &str, q: f64) -> Result<String, Error> {
    if !(0.0..=1.0).contains(&q) {
        return Err(Error::Quantile { q });
    }
    Ok(format!("SELECT percentile_cont({q}) WITHIN GROUP (ORDER BY {}) FROM {}", name(value)?, name(table)?))
}

/// A `SELECT` of the pairs of ids with equal keys, with the meaning of [`rows::join`].
///
/// # Errors
/// [`Error::Name`] if a table or column name could not stand in SQL as it is.
pub fn join_sql(left: (&str, &str), right: (&str, &str), key: &str) -> Result<String, Error> {
    let (left_table, left_id, right_table, right_id) =
        (name(left.0)?, name(left.1)?, name(right.0)?, name(right.1)?);
    let key = name(key)?;
    Ok(format!(
        "SELECT l.{left_id} AS left_id, r.{right_id} AS right_id FROM {left_table} l JOIN {right_table} r ON l.{key} = r.{key} \
         ORDER BY left_id, right_id"
    ))
}

/// A `SELECT` of key, file and values with the meaning of `Lookup`: `wanted` has the columns `key` and `file`, `links` has `key`,
/// `target` and the `place` of the row, `contents` has `target` and the `values`.
///
/// # Errors
/// [`Error::Name`] if a table or column name could not stand in SQL as it is.
pub fn lookup_sql(
    [wanted, links, contents]: [&str; 3],
    key: &str,
    target: &str,
    values: &[&str],
) -> Result<String, Error> {
    let [wanted, links, contents, key, target] =
        [name(wanted)?, name(links)?, name(contents)?, name(key)?, name(target)?];
    let of = |table: &str| -> Result<String, Error> {
        let columns: Result<Vec<String>, Error> =
            values.iter().map(|value| Ok(format!("{table}.{}", name(value)?))).collect();
        Ok(columns?.join(", "))
    };
    let (of_content, of_link, order) = (of("c")?, of("l")?, of(contents)?);
    Ok(format!(
        "WITH content AS (SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY {target} ORDER BY {order}) AS nth \
         FROM {contents}) r WHERE nth = 1), \
         linked AS (SELECT * FROM (SELECT k.{key}, {of_content}, row_number() OVER (PARTITION BY k.{key} ORDER BY k.place) AS nth \
         FROM {links} k JOIN content c ON k.{target} = c.{target}) r WHERE nth = 1) \
         SELECT DISTINCT w.file, w.{key}, {of_link} FROM {wanted} w JOIN linked l ON w.{key} = l.{key}"
    ))
}

fn name(name: &str) -> Result<&str, Error> {
    let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && name.bytes().next().is_some_and(|b| !b.is_ascii_digit());
    if plain { Ok(name) } else { Err(Error::Name { name: name.to_owned() }) }
}

fn list(names: &[String]) -> Result<String, Error> {
    Ok(names.iter().map(|n| name(n)).collect::<Result<Vec<_>, _>>()?.join(", "))
}

fn equal_names(names: &[String]) -> Result<String, Error> {
    let parts =
        names.iter().map(|n| name(n).map(|n| format!("t.{n} = f.{n}"))).collect::<Result<Vec<_>, _>>()?;
    Ok(parts.join(" AND "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Column;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn keys_of_several_columns() {
        let table = Columns::new()
            .with("id", Column::Int(vec![1, 2, 3, 4]))
            .with("phash", Column::Text(["a", "a", "a", "b"].map(String::from).to_vec()))
            .with("alt", Column::Text(["x", "y", "x", "x"].map(String::from).to_vec()));
        let operator =
            Operator::KeepFirst { id: "id".into(), key: names(&["phash", "alt"]), order: names(&["id"]) };
        assert_eq!(operator.keep(&table).unwrap(), [true, true, false, true]);
    }

    #[test]
    fn mistakes_are_named() {
        let table = Columns::new().with("id", Column::Int(vec![1]));
        let operator = Operator::NearDuplicates { id: "id".into(), bands: "bands".into() };
        assert!(matches!(operator.keep(&table), Err(Error::NoColumn { name, .. }) if name == "bands"));
        let table = table.with("bands", Column::Int(vec![1]));
        assert!(matches!(operator.keep(&table), Err(Error::ColumnType { .. })));
        assert!(matches!(operator.sql("a; DROP", Dialect::Spark), Err(Error::Name { .. })));
    }

    #[test]
    fn dialects_unfold_lists_their_way() {
        let operator = Operator::NearDuplicates { id: "id".into(), bands: "bands".into() };
        assert!(operator.sql("documents", Dialect::DuckDb).unwrap().contains("unnest(bands)"));
        assert!(operator.sql("documents", Dialect::Spark).unwrap().contains("explode(bands)"));
    }
}
