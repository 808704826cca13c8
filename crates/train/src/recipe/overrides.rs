//! `key=value` overrides of a recipe.

use toml::{Table, Value};

use crate::{Error, Result};

/// Applies `key=value` overrides to a recipe's table.
///
/// A key is a path with dots. An entry of a list is named by its index, or by its `name` if it has one:
/// `stages.align.optimizer.lr=1e-3`, `stages.0.data.0.path=pairs`, `seed=7`. The value is read as TOML or, if that fails,
/// taken as a string. Missing tables are created.
///
/// # Errors
/// [`Error::Recipe`] if an override has no `=`, or a path leads through a value that is not a table.
pub fn apply_overrides(table: &mut Table, overrides: &[String]) -> Result<()> {
    for text in overrides {
        let (key, value) = text
            .split_once('=')
            .ok_or_else(|| Error::recipe(format!("override \"{text}\": expected key=value")))?;
        let path: Vec<&str> = key.trim().split('.').collect();
        set(table, &path, parse(value))
            .map_err(|reason| Error::recipe(format!("override \"{text}\": {reason}")))?;
    }
    Ok(())
}

fn parse(text: &str) -> Value {
    let document: std::result::Result<Table, _> = toml::from_str(&format!("value = {text}"));
    document.ok().and_then(|mut t| t.remove("value")).unwrap_or_else(|| Value::String(text.to_owned()))
}

fn set(table: &mut Table, path: &[&str], value: Value) -> std::result::Result<(), String> {
    let Some((&first, rest)) = path.split_first() else { return Err("the key is empty".into()) };
    if first.is_empty() {
        return Err("the key has an empty component".into());
    }
    if rest.is_empty() {
        table.insert(first.to_owned(), value);
        return Ok(());
    }
    match table.entry(first).or_insert_with(|| Value::Table(Table::new())) {
        Value::Table(inner) => set(inner, rest, value),
        Value::Array(list) => set_in_list(first, list, rest, value),
        _ => Err(format!("{first} is not a table")),
    }
}

fn set_in_list(
    key: &str,
    list: &mut [Value],
    path: &[&str],
    value: Value,
) -> std::result::Result<(), String> {
    let Some((&which, rest)) = path.split_first() else { return Err("the key is empty".into()) };
    let named = |v: &Value| v.get("name").and_then(Value::as_str) == Some(which);
    let length = list.len();
    let found = match which.parse::<usize>() {
        Ok(number) => list.get_mut(number),
        Err(_) => list.iter_mut().find(|v| named(v)),
    };
    let Some(entry) = found else { return Err(format!("{key} has no entry {which} (of {length})")) };
    match (entry, rest) {
        (entry, []) => *entry = value,
        (Value::Table(inner), rest) => return set(inner, rest, value),
        _ => return Err(format!("{key}.{which} is not a table")),
    }
    Ok(())
}
