//! Header blocks: a version line and named fields, lookups without copies.

use std::borrow::Cow;
use std::ops::Range;

/// Type of a record (`WARC-Type`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum RecordType {
    /// About the records that follow.
    Warcinfo,
    /// The answer of a server.
    Response,
    /// The request to a server.
    Request,
    /// A resource without protocol headers.
    Resource,
    /// About another record.
    Metadata,
    /// The content is that of an earlier record.
    Revisit,
    /// Another form of an earlier record (WET: plain text).
    Conversion,
    /// A further segment of an earlier record.
    Continuation,
    /// Any other type, or none.
    Unknown,
}

impl RecordType {
    /// The name as archives write it; `"unknown"` for [`RecordType::Unknown`].
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Warcinfo => "warcinfo",
            Self::Response => "response",
            Self::Request => "request",
            Self::Resource => "resource",
            Self::Metadata => "metadata",
            Self::Revisit => "revisit",
            Self::Conversion => "conversion",
            Self::Continuation => "continuation",
            Self::Unknown => "unknown",
        }
    }

    /// Parses the value of `WARC-Type`, in any case.
    #[must_use]
    pub fn from_name(name: &[u8]) -> Self {
        const ALL: [RecordType; 8] = [
            RecordType::Response,
            RecordType::Request,
            RecordType::Metadata,
            RecordType::Warcinfo,
            RecordType::Resource,
            RecordType::Revisit,
            RecordType::Conversion,
            RecordType::Continuation,
        ];
        ALL.into_iter()
            .find(|kind| kind.name().as_bytes().eq_ignore_ascii_case(name))
            .unwrap_or(Self::Unknown)
    }
}

/// The header block of a record as it was read, with folded lines joined.
#[derive(Debug, Default, Clone)]
pub struct Head {
    raw: Vec<u8>,
    version: Range<usize>,
    fields: Vec<Field>,
    malformed: bool,
}

#[derive(Debug, Clone)]
struct Field {
    name: Range<u32>,
    value: Range<u32>,
}

/// The value of `Content-Length`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Length {
    Missing,
    Invalid,
    Bytes(u64),
}

impl Head {
    /// Parses a header block including its version line, with or without the blank line at its end.
    pub(crate) fn parse(&mut self, block: &[u8]) {
        self.raw.clear();
        self.raw.extend_from_slice(block);
        self.fields.clear();
        self.malformed = false;
        let mut at = 0;
        let mut first = true;
        while at < self.raw.len() {
            let rest = &self.raw[at..];
            let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            let line = at..at + end;
            at += end + 1;
            if first {
                first = false;
                self.version = trim(&self.raw, line);
            } else {
                self.line(line);
            }
        }
    }

    fn line(&mut self, line: Range<usize>) {
        let folded = matches!(self.raw.get(line.start), Some(b' ' | b'\t'));
        if folded && !self.fields.is_empty() {
            self.unfold(line);
            return;
        }
        let trimmed = trim(&self.raw, line.clone());
        if trimmed.is_empty() {
            return;
        }
        let Some(colon) = memchr::memchr(b':', &self.raw[line.clone()]) else {
            self.malformed = true;
            return;
        };
        let name = trim(&self.raw, line.start..line.start + colon);
        let value = trim(&self.raw, line.start + colon + 1..line.end);
        if name.is_empty() {
            self.malformed = true;
            return;
        }
        self.fields.push(Field { name: narrow(name), value: narrow(value) });
    }

    /// Joins a continuation line to the value before it: the line break becomes spaces.
    fn unfold(&mut self, line: Range<usize>) {
        let more = trim(&self.raw, line);
        let Some(field) = self.fields.last_mut() else { return };
        if more.is_empty() {
            return;
        }
        let value = widen(&field.value);
        if value.is_empty() {
            field.value = narrow(more);
            return;
        }
        self.raw[value.end..more.start].fill(b' ');
        // Keep one space: move the continuation up.
        let len = more.len();
        self.raw.copy_within(more, value.end + 1);
        field.value = narrow(value.start..value.end + 1 + len);
    }

    /// The version line, such as `WARC/1.0`; for ARC the record line.
    #[must_use]
    pub fn version(&self) -> Cow<'_, str> {
        text(self.raw.get(self.version.clone()).unwrap_or_default())
    }

    /// The value of the first field with this name (in any case) as bytes, without surrounding white space.
    #[must_use]
    pub fn bytes(&self, name: &str) -> Option<&[u8]> {
        self.fields
            .iter()
            .find(|field| {
                field.name.len() == name.len()
                    && self.slice(&field.name).eq_ignore_ascii_case(name.as_bytes())
            })
            .map(|field| self.slice(&field.value))
    }

    /// The value of the first field with this name as text. Bytes that are not UTF-8 are read as Latin-1.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        self.bytes(name).map(text)
    }

    /// All fields in order, as names and values in bytes.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.fields.iter().map(|field| (self.slice(&field.name), self.slice(&field.value)))
    }

    fn slice(&self, range: &Range<u32>) -> &[u8] {
        self.raw.get(widen(range)).unwrap_or_default()
    }

    /// Whether lines were skipped because they are not header fields.
    pub(crate) fn is_malformed(&self) -> bool {
        self.malformed
    }

    /// The type of the record.
    #[must_use]
    pub fn kind(&self) -> RecordType {
        self.bytes("WARC-Type").map_or(RecordType::Unknown, RecordType::from_name)
    }

    /// The value of `Content-Length`. Contradicting values count as missing.
    pub(crate) fn length(&self) -> Length {
        let mut lengths = self.iter().filter(|(name, _)| name.eq_ignore_ascii_case(b"Content-Length"));
        let Some((_, value)) = lengths.next() else { return Length::Missing };
        let number = |value: &[u8]| std::str::from_utf8(value).ok().and_then(|value| value.parse().ok());
        match number(value) {
            Some(length) if lengths.all(|(_, other)| number(other) == Some(length)) => Length::Bytes(length),
            _ => Length::Invalid,
        }
    }

    /// Whether the version is known: WARC 0.17, 0.18, 1.0 or 1.1, or ARC.
    #[must_use]
    pub fn is_known_version(&self) -> bool {
        let version = self.raw.get(self.version.clone()).unwrap_or_default();
        let Some(number) = version.get(5..).filter(|_| version[..5].eq_ignore_ascii_case(b"WARC/")) else {
            return true;
        };
        [&b"0.17"[..], b"0.18", b"1.0", b"1.1"].contains(&number)
    }
}

fn narrow(range: Range<usize>) -> Range<u32> {
    range.start as u32..range.end as u32
}

fn widen(range: &Range<u32>) -> Range<usize> {
    range.start as usize..range.end as usize
}

fn trim(bytes: &[u8], range: Range<usize>) -> Range<usize> {
    let slice = bytes.get(range.clone()).unwrap_or_default();
    let end = range.start + slice.trim_ascii_end().len();
    let start = end - slice.trim_ascii().len();
    start..end
}

/// Decodes UTF-8, or Latin-1 if the bytes are not UTF-8.
pub(crate) fn text(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(bytes.iter().map(|byte| char::from(*byte)).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(block: &[u8]) -> Head {
        let mut head = Head::default();
        head.parse(block);
        head
    }

    #[test]
    fn reads_folded_lf_only_and_any_case() {
        let head =
            head(b"WARC/1.1\nwarc-TYPE:response\nX-Long: one\n  two\n\tthree\r\nContent-length:  12 \n\n");
        assert_eq!(head.version(), "WARC/1.1");
        assert_eq!(head.kind(), RecordType::Response);
        assert_eq!(head.get("x-long").unwrap(), "one two three");
        assert_eq!(head.length(), Length::Bytes(12));
        assert!(head.is_known_version());
        assert!(!head.is_malformed());
        assert_eq!(head.iter().count(), 3);
    }

    #[test]
    fn folds_a_value_that_begins_on_the_next_line() {
        let head = head(b"WARC/1.0\r\nWARC-Type:\r\n continuation\r\nbroken line\r\n");
        assert_eq!(head.kind(), RecordType::Continuation);
        assert!(head.is_malformed());
        assert_eq!(head.length(), Length::Missing);
    }

    #[test]
    fn takes_no_length_that_contradicts_itself() {
        let same = head(b"WARC/1.2\r\nContent-Length: 7\r\ncontent-length: 7\r\n");
        assert_eq!(same.length(), Length::Bytes(7));
        assert!(!same.is_known_version());
        let two = head(b"WARC/1.0\r\nContent-Length: 7\r\nContent-Length: 8\r\n");
        assert_eq!(two.length(), Length::Invalid);
    }

    #[test]
    fn reads_bytes_that_are_no_utf8_as_latin1() {
        let head = head(b"WARC/1.0\nA: caf\xe9\nContent-Length: -1");
        assert_eq!(head.get("a").unwrap(), "café");
        assert_eq!(head.bytes("A").unwrap(), b"caf\xe9");
        assert_eq!(head.length(), Length::Invalid);
    }
}
