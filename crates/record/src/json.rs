//! Rows of JSON files, as other tools and people write them.

use std::fs;
use std::path::Path;

use serde::de::{DeserializeOwned, IgnoredAny};

use crate::Error;

const BOM: &[u8] = b"\xef\xbb\xbf";
/// How often the search for the end of a value may run to the end of the file, which makes it quadratic.
const MAX_UNCLOSED: usize = 64;
/// How many beginnings of values are remembered.
const MAX_BEGINNINGS: usize = 16;

/// A JSON file with one row in each line, or with an array of rows.
///
/// A row that is not valid JSON does not hide the others: the next row is found behind it. A byte order mark is skipped, and
/// UTF-16 files with such a mark are converted.
///
/// ```
/// use tsumugi_record::JsonFile;
///
/// let file = JsonFile::from_bytes(b"[{\"n\": 1},\n {\"n\": NaN},\n {\"n\": 3}]".to_vec());
/// let rows: Vec<Result<serde_json::Value, _>> = file.rows().iter().map(|row| row.read()).collect();
/// assert_eq!(rows.len(), 3);
/// assert_eq!(rows[1].as_ref().unwrap_err().line, 2);
/// assert_eq!(rows[2].as_ref().unwrap()["n"], 3);
/// ```
#[derive(Debug, Clone)]
pub struct JsonFile {
    text: Vec<u8>,
}

/// The text of one row of a [`JsonFile`], which need not be valid JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JsonRow<'a> {
    /// Line on which it begins, from 1.
    pub line: u64,
    /// Its bytes.
    pub text: &'a [u8],
}

/// Why a row cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct JsonFault {
    /// Line of the fault, from 1.
    pub line: u64,
    /// `invalid_json`, or `wrong_type` for a value that is missing or not of the expected type.
    pub reason: &'static str,
    /// The parser's error.
    pub source: serde_json::Error,
}

impl JsonFile {
    /// Reads a file.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        Ok(Self::from_bytes(fs::read(path).map_err(Error::io("read", path))?))
    }

    /// Takes the bytes of a file.
    #[must_use]
    pub fn from_bytes(mut bytes: Vec<u8>) -> Self {
        let unit: Option<fn([u8; 2]) -> u16> = match bytes[..] {
            [0xff, 0xfe, ..] => Some(u16::from_le_bytes),
            [0xfe, 0xff, ..] => Some(u16::from_be_bytes),
            _ => None,
        };
        if let Some(unit) = unit {
            bytes = from_utf16(&bytes[2..], unit);
        }
        if bytes.starts_with(BOM) {
            bytes.drain(..BOM.len());
        }
        Self { text: bytes }
    }

    /// The rows, in order.
    #[must_use]
    pub fn rows(&self) -> Vec<JsonRow<'_>> {
        let first = self.text.iter().position(|byte| !byte.is_ascii_whitespace());
        let Some(first) = first else { return Vec::new() };
        let line = self.text[first..].split(|&byte| byte == b'\n').next().unwrap_or_default();
        // A value that goes on after its line is no row of JSON lines.
        let goes_on = || serde_json::from_slice::<IgnoredAny>(line).is_err_and(|error| error.is_eof());
        if self.text[first] == b'[' || (self.text[first] == b'{' && goes_on()) {
            Scanner::new(&self.text).rows()
        } else {
            lines(&self.text)
        }
    }
}

impl JsonRow<'_> {
    /// Reads the row as a type.
    ///
    /// # Errors
    /// [`JsonFault`] with the line.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, JsonFault> {
        serde_json::from_slice(self.text).map_err(|source| JsonFault {
            line: self.line + (source.line() as u64).saturating_sub(1),
            reason: if source.is_data() { "wrong_type" } else { "invalid_json" },
            source,
        })
    }
}

/// UTF-16 as UTF-8. An unpaired surrogate becomes a byte that is not valid UTF-8, so that its row is refused.
fn from_utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Vec<u8> {
    let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    let mut text = Vec::with_capacity(bytes.len());
    for found in char::decode_utf16(units) {
        match found {
            Ok(character) => text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
            Err(_) => text.push(0xff),
        }
    }
    text
}

fn lines<'a>(text: &'a [u8]) -> Vec<JsonRow<'a>> {
    // Files that were joined have byte order marks in the middle.
    let trimmed = |text: &'a [u8]| text.strip_prefix(BOM).unwrap_or(text).trim_ascii();
    let lines = text.split(|&byte| byte == b'\n').zip(1..);
    let rows = lines.map(|(text, line)| JsonRow { line, text: trimmed(text) });
    rows.filter(|row| !row.text.is_empty()).collect()
}

/// Finds the values of arrays and of a sequence of values by their brackets.
struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
    line: u64,
    counted: usize,
    in_array: bool,
    /// The beginnings of values that were closed, each up to its first key.
    beginnings: Vec<&'a [u8]>,
    unclosed: usize,
}

impl<'a> Scanner<'a> {
    fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0, line: 1, counted: 0, in_array: false, beginnings: Vec::new(), unclosed: 0 }
    }

    fn rows(mut self) -> Vec<JsonRow<'a>> {
        let mut rows = Vec::new();
        while let Some(&byte) = self.text.get(self.at) {
            match byte {
                b',' => self.at += 1,
                _ if byte.is_ascii_whitespace() => self.at += 1,
                b'[' if !self.in_array => {
                    self.in_array = true;
                    self.at += 1;
                }
                b']' if self.in_array => {
                    self.in_array = false;
                    self.at += 1;
                }
                _ => rows.push(self.value()),
            }
        }
        if self.in_array {
            // The array is not closed, so the file was cut: an empty row says so.
            rows.push(JsonRow { line: self.line_of(self.text.len()), text: b"" });
        }
        rows
    }

    fn value(&mut self) -> JsonRow<'a> {
        let start = self.at;
        let rest = &self.text[start..];
        let length = match rest[0] {
            b'{' | b'[' => match closed(rest) {
                Some(length) => {
                    self.remember(&rest[..length]);
                    length
                }
                None => self.skip_to_next(start),
            },
            b'"' => string(rest, 1),
            // A bare word, or something that is not JSON.
            _ => 1 + rest[1..].iter().position(|byte| b",]\n".contains(byte)).unwrap_or(rest.len() - 1),
        };
        self.at = start + length;
        JsonRow { line: self.line_of(start), text: rest[..length].trim_ascii() }
    }

    /// Remembers how a value begins.
    fn remember(&mut self, value: &'a [u8]) {
        let new = beginning(value).filter(|new| !self.beginnings.contains(new));
        self.beginnings.extend(new.filter(|_| self.beginnings.len() < MAX_BEGINNINGS));
    }

    /// Length of a value that is never closed: up to the next value that begins as others do, or a line as this one does.
    fn skip_to_next(&mut self, start: usize) -> usize {
        let rest = &self.text[start..];
        self.unclosed += 1;
        if self.unclosed > MAX_UNCLOSED {
            return rest.len();
        }
        let own = beginning(rest).filter(|_| self.beginnings.is_empty());
        let as_others =
            self.beginnings.iter().copied().chain(own).filter_map(|wanted| find(&rest[1..], wanted));
        let line = self.text[..start].iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        let indent = Some(&self.text[line..start]).filter(|before| before.trim_ascii().is_empty());
        let as_line = indent.and_then(|indent| {
            let wanted = [b"\n", indent, &rest[..1]].concat();
            find(&rest[1..], &wanted).map(|at| at + 1 + indent.len())
        });
        as_others.chain(as_line).min().map_or(rest.len(), |at| at + 1)
    }

    fn line_of(&mut self, at: usize) -> u64 {
        self.line += self.text[self.counted..at].iter().filter(|&&byte| byte == b'\n').count() as u64;
        self.counted = at;
        self.line
    }
}

/// Where bytes stand in a text first.
fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}

/// Length of an object or array up to its last bracket; nothing where that is missing or another one stands in its place.
fn closed(text: &[u8]) -> Option<usize> {
    let mut open = Vec::new();
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => {
                at = string(text, at + 1);
                continue;
            }
            b'{' => open.push(b'}'),
            b'[' => open.push(b']'),
            b'}' | b']' if open.pop() != Some(*byte) => return None,
            _ => {}
        }
        at += 1;
        if open.is_empty() {
            return Some(at);
        }
    }
    None
}

/// Place behind a string whose content begins at `at`. A line break ends a string too: JSON has none in strings, so its closing
/// quote is missing.
fn string(text: &[u8], mut at: usize) -> usize {
    while let Some(byte) = text.get(at) {
        match byte {
            b'\\' if text.get(at + 1) != Some(&b'\n') => at += 2,
            b'"' | b'\n' => return at + 1,
            _ => at += 1,
        }
    }
    text.len()
}

/// The text of an object up to the end of its first key.
fn beginning(text: &[u8]) -> Option<&[u8]> {
    let key = text.iter().skip(1).position(|byte| !byte.is_ascii_whitespace())? + 1;
    (text[0] == b'{' && text[key] == b'"').then(|| &text[..string(text, key + 1)])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn read(bytes: impl Into<Vec<u8>>) -> Vec<Result<Value, u64>> {
        let file = JsonFile::from_bytes(bytes.into());
        file.rows().iter().map(|row| row.read().map_err(|fault| fault.line)).collect()
    }

    fn row() -> impl Strategy<Value = Value> {
        let text = prop_oneof![any::<String>(), r#"[\[\]{}",:\\ \n猫]{0,12}"#];
        (text.clone(), prop::collection::vec(text, 0..3), any::<Option<i32>>())
            .prop_map(|(id, turns, n)| json!({"id": id, "turns": turns.iter().map(|t| json!({"from": "a", "value": t})).collect::<Vec<_>>(), "n": n}))
    }

    /// Writes rows in one of the forms that tools write.
    fn written(rows: &[String], form: usize) -> String {
        match form {
            0 => format!("[{}]", rows.join(", ")),
            1 => format!("[\n{}\n]\n", rows.join(",\n")),
            2 => format!("{}\n", rows.join("\n")),
            _ => format!("\r\n{}\r\n", rows.join("\r\n\r\n")),
        }
    }

    proptest! {
        #[test]
        fn rows_of_any_form_are_found(rows in prop::collection::vec(row(), 0..6), form in 0usize..4, mark: bool) {
            let texts: Vec<String> = rows.iter().map(Value::to_string).collect();
            let mut bytes = if mark { BOM.to_vec() } else { Vec::new() };
            bytes.extend(written(&texts, form).into_bytes());
            let found: Vec<Value> = read(bytes).into_iter().map(Result::unwrap).collect();
            prop_assert_eq!(found, rows.clone());
            let pretty: Vec<Value> = read(serde_json::to_string_pretty(&rows).unwrap()).into_iter().map(Result::unwrap).collect();
            prop_assert_eq!(pretty, rows.clone());
            let objects: String = rows.iter().map(|row| format!("{row:#}\n")).collect();
            let sequence: Vec<Value> = read(objects).into_iter().map(Result::unwrap).collect();
            prop_assert_eq!(sequence, rows);
        }

        #[test]
        fn a_broken_row_hides_no_other(rows in prop::collection::vec(row(), 1..6), at in 0usize..6, form in 0usize..3, broken in prop::sample::select(vec![
            r#"{"id": "x", "#, r#"{"id": "x"#, r#"{"id": NaN}"#, r#"{"id": "\ud83d"}"#, r#"{"id": "x", "turns": [}"#, "nonsense", "7", r#"{"id": "x"}}"#,
        ])) {
            // On a single line a quote that is never closed turns what is text into names, and the other way round.
            prop_assume!(form > 0 || broken != r#"{"id": "x"#);
            let at = at.min(rows.len());
            let mut texts: Vec<String> = rows.iter().map(Value::to_string).collect();
            texts.insert(at, broken.to_owned());
            let found = read(written(&texts, form));
            let kept: Vec<Value> = found.iter().filter_map(|row| row.clone().ok()).filter(Value::is_object).collect();
            let lost = rows.iter().filter(|row| !kept.contains(row)).count();
            prop_assert_eq!(lost, 0, "{:?}", found);
            prop_assert!(found.len() > rows.len());
        }

        #[test]
        fn no_bytes_end_the_reading(bytes in prop::collection::vec(prop_oneof![Just(b'{'), Just(b'['), Just(b']'), Just(b'}'), Just(b'"'), Just(b'\\'), Just(b'\n'), Just(b','), any::<u8>()], 0..60)) {
            let lines = bytes.iter().filter(|&&byte| byte == b'\n').count() as u64 + 1;
            for row in JsonFile::from_bytes(bytes).rows() {
                prop_assert!(row.line >= 1 && row.line <= lines);
                let _ = row.read::<Value>();
            }
        }
    }

    #[test]
    fn faults_name_their_line() {
        let lines = "{\"a\": 1}\n\n{\"a\": \n{\"a\": 2}\n";
        assert_eq!(read(lines), [Ok(json!({"a": 1})), Err(3), Ok(json!({"a": 2}))]);
        let array = "[\n{\n \"a\": 1\n},\n{\n \"a\": NaN\n},\n 3]";
        assert_eq!(read(array), [Ok(json!({"a": 1})), Err(6), Ok(json!(3))]);
        assert_eq!(read("[{\"a\": 1}, {\"a\": 2}"), [Ok(json!({"a": 1})), Ok(json!({"a": 2})), Err(1)]);
        assert_eq!(read(""), []);
        assert_eq!(read(" \n[]\n"), []);
    }

    #[test]
    fn files_of_windows_are_read() {
        let text = "[{\"a\": \"猫😀\"}]";
        for (mark, bytes) in
            [([0xff, 0xfe], u16::to_le_bytes as fn(u16) -> [u8; 2]), ([0xfe, 0xff], u16::to_be_bytes)]
        {
            let file: Vec<u8> = mark.into_iter().chain(text.encode_utf16().flat_map(bytes)).collect();
            assert_eq!(read(file), [Ok(json!({"a": "猫😀"}))]);
        }
    }

    #[test]
    fn reasons_tell_broken_text_from_wrong_values() {
        #[derive(Debug, serde::Deserialize)]
        struct Row {
            #[allow(dead_code, reason = "only its type matters")]
            a: String,
        }
        let reason =
            |text: &str| JsonFile::from_bytes(text.into()).rows()[0].read::<Row>().unwrap_err().reason;
        for text in ["{\"a\": 1}", "{\"b\": \"x\"}", "3", "null"] {
            assert_eq!(reason(&format!("{text}\n")), "wrong_type", "{text}");
        }
        for text in ["{\"a\": NaN}", "{\"a\": \"\\ud800\"}", "{\"a\"", "{\"a\": \"x\"} {"] {
            assert_eq!(reason(&format!("{text}\n")), "invalid_json", "{text}");
        }
    }
}
