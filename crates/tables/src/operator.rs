//! The operators as data: which columns they read, how they run here, and their SQL text.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::Error;
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
    /// Rows go whose key stands `count` times or more in their sample (see [`rows::drop_frequent_in_samples`]).
    DropFrequentInSamples {
        /// Column that names a row; its seeded hash gives the order of drawing.
        id: String,
        /// Key columns.
        key: Vec<String>,
        /// Columns within which samples are drawn (the crawl year).
        group: Vec<String>,
        /// Seed of the order.
        seed: u64,
        /// Rows in a sample.
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

/// A column without nulls.
#[derive(Clone, Debug, PartialEq)]
pub enum Column {
    /// 64-bit integers.
    Int(Vec<i64>),
    /// Strings, ordered by their UTF-8 bytes.
    Text(Vec<String>),
    /// Lists of integers (band keys).
    List(Vec<Vec<i64>>),
}

impl Column {
    const fn kind(&self) -> &'static str {
        match self {
            Self::Int(_) => "integers",
            Self::Text(_) => "text",
            Self::List(_) => "lists of integers",
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Int(values) => values.len(),
            Self::Text(values) => values.len(),
            Self::List(values) => values.len(),
        }
    }

    fn compare(&self, a: usize, b: usize) -> Ordering {
        match self {
            Self::Int(values) => values[a].cmp(&values[b]),
            Self::Text(values) => values[a].cmp(&values[b]),
            Self::List(values) => values[a].cmp(&values[b]),
        }
    }
}

/// The key columns of a table, by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Columns {
    columns: BTreeMap<String, Column>,
}

impl Columns {
    /// A table without columns.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The table with one more column (replacing one of the same name).
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, column: Column) -> Self {
        self.columns.insert(name.into(), column);
        self
    }

    fn get(&self, name: &str) -> Result<&Column, Error> {
        self.columns.get(name).ok_or_else(|| Error::NoColumn {
            name: name.to_owned(),
            have: self.columns.keys().cloned().collect::<Vec<_>>().join(", "),
        })
    }

    fn text(&self, name: &str) -> Result<Vec<String>, Error> {
        match self.get(name)? {
            Column::Int(values) => Ok(values.iter().map(ToString::to_string).collect()),
            Column::Text(values) => Ok(values.clone()),
            list @ Column::List(_) => Err(Error::ColumnType {
                name: name.to_owned(),
                expected: "text or integers",
                found: list.kind(),
            }),
        }
    }

    /// The rows of some columns as dense ranks in their joint order: equal rows get equal ranks.
    fn ranks(&self, names: &[String]) -> Result<Vec<usize>, Error> {
        let columns = names.iter().map(|name| self.get(name)).collect::<Result<Vec<_>, _>>()?;
        let rows = self.columns.values().next().map_or(0, Column::len);
        for (name, column) in names.iter().zip(&columns) {
            if column.len() != rows {
                let _ = name;
                return Err(Error::Length { name: "a key column", expected: rows, found: column.len() });
            }
        }
        let compare = |a: usize, b: usize| {
            columns.iter().map(|column| column.compare(a, b)).find(|o| o.is_ne()).unwrap_or(Ordering::Equal)
        };
        let mut order: Vec<usize> = (0..rows).collect();
        order.par_sort_unstable_by(|&a, &b| compare(a, b).then(a.cmp(&b)));
        let mut ranks = vec![0; rows];
        let mut rank = 0;
        for pair in order.windows(2) {
            rank += usize::from(compare(pair[0], pair[1]).is_ne());
            ranks[pair[1]] = rank;
        }
        Ok(ranks)
    }
}

impl Operator {
    /// Which rows of `table` stay.
    ///
    /// # Errors
    /// A column that is missing, of another type or of another length.
    pub fn keep(&self, table: &Columns) -> Result<Vec<bool>, Error> {
        match self {
            Self::DropFrequent { key, count, .. } => {
                Ok(rows::drop_frequent(&table.ranks(key)?, usize::try_from(*count).unwrap_or(usize::MAX)))
            }
            Self::DropFrequentInSamples { id, key, group, seed, block, count } => {
                let samples = Samples {
                    seed: *seed,
                    block: usize::try_from(*block).unwrap_or(usize::MAX),
                    count: usize::try_from(*count).unwrap_or(usize::MAX),
                };
                rows::drop_frequent_in_samples(
                    &table.ranks(key)?,
                    &table.ranks(group)?,
                    &table.text(id)?,
                    &samples,
                )
            }
            Self::KeepFirst { key, order, .. } => rows::keep_first(&table.ranks(key)?, &table.ranks(order)?),
            Self::NearDuplicates { id, bands } => match table.get(bands)? {
                Column::List(keys) => rows::near_duplicates(&table.ranks(std::slice::from_ref(id))?, keys),
                other => Err(Error::ColumnType {
                    name: bands.clone(),
                    expected: "lists of integers",
                    found: other.kind(),
                }),
            },
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
                let (id, keys, on) = (name(id)?, list(key)?, equal(key)?);
                Ok(format!(
                    "SELECT t.{id} FROM {table} t JOIN (SELECT {keys} FROM {table} GROUP BY {keys} \
                     HAVING count(*) < {count}) f ON {on}"
                ))
            }
            Self::DropFrequentInSamples { id, key, group, seed, block, count } => {
                let (id, keys, groups) = (name(id)?, list(key)?, list(group)?);
                Ok(format!(
                    "SELECT {id} FROM (SELECT {id}, count(*) OVER (PARTITION BY {groups}, sample, {keys}) AS occurrences \
                     FROM (SELECT {id}, {groups}, {keys}, floor((row_number() OVER (PARTITION BY {groups} \
                     ORDER BY md5(concat('{seed}:', CAST({id} AS STRING))), {id}) - 1) / {block}) AS sample \
                     FROM {table}) s) c WHERE occurrences < {count}"
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
        }
    }
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

fn name(name: &str) -> Result<&str, Error> {
    let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && name.bytes().next().is_some_and(|b| !b.is_ascii_digit());
    if plain { Ok(name) } else { Err(Error::Name { name: name.to_owned() }) }
}

fn list(names: &[String]) -> Result<String, Error> {
    Ok(names.iter().map(|n| name(n)).collect::<Result<Vec<_>, _>>()?.join(", "))
}

fn equal(names: &[String]) -> Result<String, Error> {
    let parts =
        names.iter().map(|n| name(n).map(|n| format!("t.{n} = f.{n}"))).collect::<Result<Vec<_>, _>>()?;
    Ok(parts.join(" AND "))
}

#[cfg(test)]
mod tests {
    use super::*;

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
