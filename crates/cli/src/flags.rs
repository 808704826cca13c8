//! Command-line arguments for a step, made from its settings, and the way back from arguments to settings.

use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches};
use serde_json::{Number, Value};

use crate::schema::{Field, Kind};

/// Heading of the flags that all steps have.
pub(crate) const COMMON: &str = "Common options";

/// The argument of a setting. `single` says that a list takes one value each time its flag is given, which leaves the
/// values that follow to the positional arguments.
pub(crate) fn argument(field: &Field, single: bool) -> Arg {
    let mut arg = Arg::new(field.id());
    if !field.positional {
        arg = arg.long(field.switch());
    }
    let (short, long) = help(field);
    arg = arg.help(short).long_help(long);
    if let Some(variable) = &field.env {
        arg = arg.env(variable.clone()).hide_env_values(true);
    }
    if field.kind == Kind::Switch {
        return arg.action(ArgAction::SetTrue);
    }
    arg = arg.value_name(field.placeholder());
    let (kind, list) = match &field.kind {
        Kind::List(items) => (items.as_ref(), true),
        kind => (kind, false),
    };
    arg = match kind {
        Kind::Integer | Kind::Number => arg.allow_negative_numbers(true),
        Kind::Choice(words) => {
            let values = words.iter().map(|(word, meaning)| {
                let value = PossibleValue::new(word.clone());
                match meaning {
                    Some(meaning) => value.help(one_line(meaning)),
                    None => value,
                }
            });
            let mut values: Vec<PossibleValue> = values.collect();
            if unsets(field) {
                values.push(PossibleValue::new("none"));
            }
            arg.value_parser(PossibleValuesParser::new(values))
        }
        _ => arg,
    };
    if list {
        arg = arg.action(ArgAction::Append);
        if matches!(kind, Kind::Choice(_)) {
            arg = arg.value_delimiter(',');
        }
        return if single && !field.positional { arg } else { arg.num_args(1..) };
    }
    if let Some(value) = &field.bare {
        arg = arg.num_args(0..=1).default_missing_value(value.clone());
    }
    arg.action(ArgAction::Set)
}

/// The value that the command line or the environment gives a setting, if either does.
///
/// # Errors
/// A message where the value is not of the setting's kind.
pub(crate) fn given(field: &Field, matches: &ArgMatches) -> Result<Option<Value>, String> {
    let source = matches.value_source(&field.id());
    if !matches!(source, Some(ValueSource::CommandLine | ValueSource::EnvVariable)) {
        return Ok(None);
    }
    if field.kind == Kind::Switch {
        let switched = || field.fixed.clone().unwrap_or(Value::Bool(field.default != Value::Bool(true)));
        return Ok(matches.get_flag(&field.id()).then(switched));
    }
    let words = matches.get_many::<String>(&field.id()).into_iter().flatten();
    let read = |kind: &Kind, word: &str| {
        if unsets(field) && word == "none" {
            return Ok(Value::Null);
        }
        value(kind, word).map_err(|expected| {
            format!("invalid value '{word}' for '{}': it takes {expected}", field.shown())
        })
    };
    match &field.kind {
        Kind::List(items) => {
            let values: Result<Vec<Value>, String> = words.map(|word| read(items, word)).collect();
            values.map(|values| Some(Value::Array(values)))
        }
        kind => words.last().map(|word| read(kind, word)).transpose(),
    }
}

/// The word `none` unsets a setting that has a default and can do without a value.
fn unsets(field: &Field) -> bool {
    field.nullable && !field.default.is_null()
}

/// A word as a value of this kind; else what it should have been.
fn value(kind: &Kind, word: &str) -> Result<Value, &'static str> {
    match kind {
        Kind::Integer => {
            let number =
                word.parse::<u64>().map(Number::from).or_else(|_| word.parse::<i64>().map(Number::from));
            number.map(Value::Number).map_err(|_| "a whole number")
        }
        Kind::Number => {
            let number = word.parse::<f64>().ok().and_then(Number::from_f64);
            number.map(Value::Number).ok_or("a number")
        }
        Kind::Switch => word.parse().map(Value::Bool).map_err(|_| "true or false"),
        Kind::Scalar => Ok(scalar(word)),
        Kind::Text | Kind::Choice(_) | Kind::List(_) => Ok(Value::String(word.to_owned())),
    }
}

/// What TOML makes of a word: a number, a switch, a list, a table; else the word itself.
pub(crate) fn scalar(word: &str) -> Value {
    let document = toml::from_str::<toml::Table>(&format!("value = {word}\n"));
    let value = document.ok().and_then(|mut table| table.remove("value"));
    value.map_or_else(|| Value::String(word.to_owned()), crate::settings::from_toml)
}

/// A setting's help: its first paragraph with its default, and all of it.
fn help(field: &Field) -> (String, String) {
    let mut notes = Vec::new();
    if field.required {
        notes.push("required".to_owned());
    } else if let Some(default) = shown_default(field) {
        notes.push(format!("default: {default}"));
    }
    let notes = notes.iter().map(|note| format!(" [{note}]")).collect::<String>();
    let mut paragraphs = field.help.split("\n\n").map(one_line);
    let first = paragraphs.next().unwrap_or_default();
    let rest: String = paragraphs.map(|paragraph| format!("\n\n{paragraph}")).collect();
    (format!("{}{notes}", first.trim_end_matches('.')), format!("{first}{notes}{rest}"))
}

fn shown_default(field: &Field) -> Option<String> {
    let plain = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match &field.default {
        Value::Null | Value::Bool(_) | Value::Object(_) => None,
        Value::String(text) if text.is_empty() => None,
        Value::Array(values) if values.is_empty() => None,
        Value::Array(values) => Some(values.iter().map(plain).collect::<Vec<_>>().join(",")),
        other => Some(plain(other)),
    }
}

/// Text of several lines as one.
pub(crate) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
