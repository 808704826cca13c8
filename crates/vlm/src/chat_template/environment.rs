//! The environment that transformers renders chat templates in.

use std::fmt::Write as _;

use minijinja::value::{Kwargs, Rest, Value, ValueKind};
use minijinja::{Environment, Error, ErrorKind, Output, State, escape_formatter};
use minijinja_contrib::pycompat;

use super::{generation, json};

type Outcome<T> = std::result::Result<T, Error>;

/// What a template gave to `raise_exception`.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Raised(String);

/// An environment without templates.
pub(super) fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_trim_blocks(true);
    environment.set_lstrip_blocks(true);
    environment.set_unknown_method_callback(method);
    environment.set_formatter(print);
    environment.add_filter("tojson", to_json);
    environment.add_filter(generation::FILTER, |text: String| generation::mark(&text));
    environment.add_function("raise_exception", |message: String| -> Outcome<Value> {
        let error = Error::new(ErrorKind::InvalidOperation, "the template raised an exception");
        Err(error.with_source(Raised(message)))
    });
    environment.add_function("strftime_now", strftime_now);
    // In Python texts and mappings have a length and items, too.
    environment.add_test("sequence", |value: &Value| {
        matches!(value.kind(), ValueKind::Seq | ValueKind::Map | ValueKind::String)
    });
    environment
}

/// The error of a template that failed: its own message if it raised an exception.
pub(super) fn failure(error: Error) -> crate::Error {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    while let Some(inner) = cause {
        if let Some(Raised(message)) = inner.downcast_ref() {
            return crate::Error::Refused { message: message.clone() };
        }
        cause = inner.source();
    }
    error.into()
}

/// Prints values as Python does where Rust differs.
fn print(out: &mut Output, state: &State, value: &Value) -> Outcome<()> {
    match value.kind() {
        ValueKind::Bool => Ok(out.write_str(if value.is_true() { "True" } else { "False" })?),
        ValueKind::None => Ok(out.write_str("None")?),
        _ => escape_formatter(out, state, value),
    }
}

/// The local time in a format of Python's `strftime`.
fn strftime_now(format: &str) -> Outcome<String> {
    let mut text = String::new();
    match write!(text, "{}", chrono::Local::now().format(format)) {
        Ok(()) => Ok(text),
        Err(_) => {
            Err(Error::new(ErrorKind::InvalidOperation, format!("strftime_now: invalid format {format}")))
        }
    }
}

/// `json.dumps` with the defaults of transformers: all letters as they are, keys in their order.
fn to_json(value: &Value, positional: Rest<Value>, named: Kwargs) -> Outcome<String> {
    let mut positional = positional.0.into_iter();
    let mut argument = |name: &str| -> Outcome<Value> {
        match positional.next() {
            Some(value) => Ok(value),
            None => Ok(named.get::<Option<Value>>(name)?.unwrap_or_default()),
        }
    };
    let ascii = argument("ensure_ascii")?.is_true();
    let indent = argument("indent")?;
    let separators = argument("separators")?;
    let sorted = argument("sort_keys")?.is_true();
    named.assert_all_used()?;
    json::dumps(value, &json::Style::new(ascii, &indent, &separators, sorted)?)
}

/// Python's methods: those of minijinja-contrib, and further ones of strings.
fn method(state: &State, value: &Value, name: &str, arguments: &[Value]) -> Outcome<Value> {
    if let (Some(text), [argument]) = (value.as_str(), arguments)
        && let Some(argument) = argument.as_str()
    {
        let triple = |found: Option<(&str, &str)>, whole: [&str; 3]| match found {
            Some((before, after)) => Value::from_iter([before, argument, after]),
            None => Value::from_iter(whole),
        };
        match name {
            "removeprefix" => return Ok(text.strip_prefix(argument).unwrap_or(text).into()),
            "removesuffix" => return Ok(text.strip_suffix(argument).unwrap_or(text).into()),
            "partition" => return Ok(triple(text.split_once(argument), [text, "", ""])),
            "rpartition" => return Ok(triple(text.rsplit_once(argument), ["", "", text])),
            _ => {}
        }
    }
    if let (Some(text), "rsplit", [separator, most]) = (value.as_str(), name, arguments)
        && let (Some(separator), Ok(most)) = (separator.as_str(), usize::try_from(most.clone()))
    {
        let mut pieces: Vec<&str> = text.rsplitn(most + 1, separator).collect();
        pieces.reverse();
        return Ok(Value::from_iter(pieces));
    }
    pycompat::unknown_method_callback(state, value, name, arguments)
}
