//! Lines of a CDX index: CDXJ (a JSON object after key and time) and the older form in columns.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};

/// A capture as an index describes it. Fields that the index lacks are `None`.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Capture<'a> {
    pub(super) url: Option<Cow<'a, str>>,
    pub(super) mime: Option<Cow<'a, str>>,
    pub(super) mime_detected: Option<Cow<'a, str>>,
    pub(super) status: Option<u16>,
    pub(super) languages: Option<Cow<'a, str>>,
    pub(super) charset: Option<Cow<'a, str>>,
    pub(super) filename: Option<Cow<'a, str>>,
    pub(super) offset: Option<u64>,
    pub(super) length: Option<u64>,
}

/// The key of a line: the text before the first space.
pub(super) fn key(line: &str) -> &str {
    line.split(' ').next().unwrap_or_default()
}

/// The columns of a CDX file without a header line: the eleven usual ones.
const USUAL: &str = "N b a m s k r M S V g";

/// The columns of a CDX file, by the letters of its header line (` CDX N b a m s k r M S V g`).
#[derive(Debug, Clone)]
pub(super) struct Columns {
    letters: Vec<char>,
    separator: char,
}

impl Default for Columns {
    fn default() -> Self {
        Self { letters: letters(USUAL, ' '), separator: ' ' }
    }
}

fn letters(text: &str, separator: char) -> Vec<char> {
    text.split(separator).filter_map(|word| word.chars().next()).collect()
}

impl Columns {
    /// The columns that a header line names. Its first character is the separator.
    pub(super) fn of_first_line(line: &str) -> Option<Self> {
        let separator = line.chars().next()?;
        let rest = line.get(separator.len_utf8()..)?.strip_prefix("CDX")?.strip_prefix(separator)?;
        Some(Self { letters: letters(rest.trim_end(), separator), separator })
    }

    /// Parses a line, CDXJ or in columns.
    pub(super) fn parse<'a>(&self, line: &'a str) -> Result<Capture<'a>, String> {
        let mut words = line.splitn(3, ' ');
        if let (Some(_), Some(_), Some(json)) = (words.next(), words.next(), words.next())
            && json.starts_with('{')
        {
            return serde_json::from_str(json).map_err(|error| error.to_string());
        }
        self.parse_columns(line)
    }

    fn parse_columns<'a>(&self, line: &'a str) -> Result<Capture<'a>, String> {
        let words: Vec<&str> = line.split(self.separator).collect();
        if words.len() != self.letters.len() {
            return Err(format!(
                "it has {} columns instead of {}, and is not CDXJ",
                words.len(),
                self.letters.len()
            ));
        }
        let mut capture = Capture::default();
        for (letter, word) in self.letters.iter().zip(words) {
            if word == "-" {
                continue;
            }
            let number =
                || word.parse::<u64>().map_err(|_| format!("{word:?} in column {letter} is not a number"));
            match letter {
                'a' => capture.url = Some(word.into()),
                'm' => capture.mime = Some(word.into()),
                's' => capture.status = word.parse().ok(),
                'S' => capture.length = Some(number()?),
                'V' => capture.offset = Some(number()?),
                'g' => capture.filename = Some(word.into()),
                _ => {}
            }
        }
        Ok(capture)
    }
}

impl<'de> Deserialize<'de> for Capture<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Fields)
    }
}

/// Deserializes the fields of a CDXJ object. Some writers write numbers as text.
struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = Capture<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut capture = Capture::default();
        while let Some(Text(name)) = map.next_key::<Text<'de>>()? {
            let slot = match name.as_ref() {
                "url" => &mut capture.url,
                "mime" => &mut capture.mime,
                "mime-detected" => &mut capture.mime_detected,
                "languages" => &mut capture.languages,
                "charset" => &mut capture.charset,
                "filename" => &mut capture.filename,
                "status" => {
                    capture.status = map.next_value::<Text<'de>>()?.0.parse().ok();
                    continue;
                }
                "offset" | "length" => {
                    let value = map.next_value::<Text<'de>>()?.0;
                    let number = value
                        .parse()
                        .map_err(|_| A::Error::custom(format!("{name} {value:?} is not a number")))?;
                    *(if name == "offset" { &mut capture.offset } else { &mut capture.length }) =
                        Some(number);
                    continue;
                }
                _ => {
                    map.next_value::<serde::de::IgnoredAny>()?;
                    continue;
                }
            };
            *slot = Some(map.next_value::<Text<'de>>()?.0).filter(|text| !text.is_empty());
        }
        Ok(capture)
    }
}

/// Text, borrowed if it has no escapes. Numbers become their digits, `null` becomes empty.
struct Text<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text or a number")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Text(Cow::Owned(text.to_owned())))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Text(Cow::Owned(number.to_string())))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Text(Cow::Borrowed("")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_cdxj_of_different_writers() {
        let columns = Columns::default();
        let line = r#"jp,example)/ 20241201000000 {"url": "http://example.jp/", "mime": "text/html", "mime-detected": "application/xhtml+xml", "status": "200", "digest": "A", "length": "123", "offset": "456", "filename": "crawl-data/a.warc.gz", "charset": "UTF-8", "languages": "jpn,eng", "x": {"y": []}}"#;
        let capture = columns.parse(line).unwrap();
        assert_eq!(key(line), "jp,example)/");
        assert_eq!((capture.offset, capture.length, capture.status), (Some(456), Some(123), Some(200)));
        assert_eq!(capture.languages.as_deref(), Some("jpn,eng"));
        assert!(matches!(capture.filename, Some(Cow::Borrowed("crawl-data/a.warc.gz"))));
        let numbers =
            r#"a)/ 2024 {"status": 404, "length": 7, "offset": 0, "filename": "\u3042.warc", "mime": null}"#;
        let capture = columns.parse(numbers).unwrap();
        assert_eq!((capture.offset, capture.length, capture.status), (Some(0), Some(7), Some(404)));
        assert_eq!((capture.filename.as_deref(), capture.mime), (Some("あ.warc"), None));
    }

    #[test]
    fn reads_columns_with_and_without_names() {
        let line = "jp,example)/ 20240101000000 http://example.jp/ text/html 200 AAAA - - 321 654 a.warc.gz";
        let capture = Columns::default().parse(line).unwrap();
        assert_eq!((capture.offset, capture.length), (Some(654), Some(321)));
        let columns = Columns::of_first_line(" CDX A b a m s k r V g").unwrap();
        let capture =
            columns.parse("example.jp/ 2024 http://example.jp/ text/html - AAAA - 9 a.arc.gz").unwrap();
        assert_eq!((capture.offset, capture.length, capture.status), (Some(9), None, None));
        assert_eq!(capture.filename.as_deref(), Some("a.arc.gz"));
    }

    #[test]
    fn refuses_malformed_lines() {
        let columns = Columns::default();
        for line in [
            "",
            "jp)/ 2024",
            "jp)/ 2024 {",
            r#"jp)/ 2024 {"offset": "x"}"#,
            r#"jp)/ 2024 {"offset": [1]}"#,
            "{}",
        ] {
            assert!(columns.parse(line).is_err(), "{line}");
        }
    }
}
