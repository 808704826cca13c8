//! Python's `json.dumps`, for the filter `tojson`.

use std::fmt::Write as _;

use minijinja::value::{Value, ValueKind};
use minijinja::{Error, ErrorKind};

/// How values are written.
pub(super) struct Style {
    ascii: bool,
    /// What each level is indented by; none for a single line.
    indent: Option<String>,
    between: String,
    colon: String,
    sorted: bool,
}

impl Style {
    /// `indent` is none, a number of spaces or a text; `separators` is none or a pair.
    pub(super) fn new(ascii: bool, indent: &Value, separators: &Value, sorted: bool) -> Result<Self, Error> {
        let indent = match indent.as_str() {
            Some(text) => Some(text.to_owned()),
            None if indent.is_none() || indent.is_undefined() => None,
            None => Some(" ".repeat(usize::try_from(indent.clone()).unwrap_or(0))),
        };
        let (mut between, mut colon) =
            (if indent.is_some() { "," } else { ", " }.to_owned(), ": ".to_owned());
        if !separators.is_none() && !separators.is_undefined() {
            (between, colon) =
                (separators.get_item_by_index(0)?.to_string(), separators.get_item_by_index(1)?.to_string());
        }
        Ok(Self { ascii, indent, between, colon, sorted })
    }
}

/// A value as JSON.
pub(super) fn dumps(value: &Value, style: &Style) -> Result<String, Error> {
    let mut out = String::new();
    write(value, style, 0, &mut out)?;
    Ok(out)
}

fn write(value: &Value, style: &Style, depth: usize, out: &mut String) -> Result<(), Error> {
    match value.kind() {
        ValueKind::None => out.push_str("null"),
        ValueKind::Bool => out.push_str(if value.is_true() { "true" } else { "false" }),
        ValueKind::Number => out.push_str(&value.to_string()),
        ValueKind::String => text(value.as_str().unwrap_or_default(), style.ascii, out),
        ValueKind::Seq | ValueKind::Iterable => {
            let items: Vec<Value> = value.try_iter()?.collect();
            list(&items, ['[', ']'], style, depth, out, |item, out| write(item, style, depth + 1, out))?;
        }
        ValueKind::Map => {
            let mut keys: Vec<Value> = value.try_iter()?.collect();
            if style.sorted {
                keys.sort();
            }
            list(&keys, ['{', '}'], style, depth, out, |key, out| {
                text(&name_of(key), style.ascii, out);
                out.push_str(&style.colon);
                write(&value.get_item(key)?, style, depth + 1, out)
            })?;
        }
        other => {
            return Err(Error::new(
                ErrorKind::InvalidOperation,
                format!("tojson: {other} is not serializable"),
            ));
        }
    }
    Ok(())
}

/// A key of a mapping, which JSON has only as text.
fn name_of(key: &Value) -> String {
    match key.kind() {
        ValueKind::None => "null".to_owned(),
        _ => key.to_string(),
    }
}

fn list(
    items: &[Value],
    [open, close]: [char; 2],
    style: &Style,
    depth: usize,
    out: &mut String,
    mut each: impl FnMut(&Value, &mut String) -> Result<(), Error>,
) -> Result<(), Error> {
    let line = |depth: usize, out: &mut String| {
        if let Some(indent) = &style.indent {
            out.push('\n');
            out.push_str(&indent.repeat(depth));
        }
    };
    out.push(open);
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push_str(&style.between);
        }
        line(depth + 1, out);
        each(item, out)?;
    }
    if !items.is_empty() {
        line(depth, out);
    }
    out.push(close);
    Ok(())
}

fn text(text: &str, ascii: bool, out: &mut String) {
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c if c < ' ' || (ascii && !(' '..='~').contains(&c)) => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    // Writing to a string cannot fail.
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
            c => out.push(c),
        }
    }
    out.push('"');
}
