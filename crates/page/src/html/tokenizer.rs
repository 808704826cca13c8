//! From source to tokens.

use memchr::{memchr, memchr2};

use super::builder::Builder;
use super::reference;
use super::token::{Content, End, Start};
use crate::dom::{Attribute, Dom, Span};
use crate::html::attribute::Attr;
use crate::tag::Tag;

/// Reads the whole source.
pub(super) fn run(html: &str) -> Builder<'_> {
    let mut tokenizer = Tokenizer { source: html.as_bytes(), at: 0, builder: Builder::new(html) };
    tokenizer.run();
    tokenizer.builder.finish();
    tokenizer.builder
}

/// Attributes of an element up to which those without a name of their own are kept.
const MOST_KEPT: usize = 40;

/// Which attributes of a tag are kept.
#[derive(Debug, Clone, Copy)]
struct Kept {
    /// Where those of this tag begin in the tree's list.
    first: usize,
    /// Whether also those are kept that may hold the address of an image.
    of_image: bool,
}

struct Tokenizer<'a> {
    source: &'a [u8],
    at: usize,
    builder: Builder<'a>,
}

impl Tokenizer<'_> {
    fn run(&mut self) {
        while self.at < self.source.len() {
            self.text();
            if self.at < self.source.len() {
                self.markup();
            }
        }
    }

    fn byte(&self, at: usize) -> u8 {
        self.source.get(at).copied().unwrap_or(0)
    }

    /// Text up to the next markup.
    fn text(&mut self) {
        let start = self.at;
        let mut references = false;
        let mut here = start;
        let end = loop {
            let rest = self.source.get(here..).unwrap_or_default();
            let found = if references { memchr(b'<', rest) } else { memchr2(b'<', b'&', rest) };
            let Some(found) = found else { break self.source.len() };
            let at = here + found;
            if self.source[at] == b'&' {
                references = true;
            } else if self.byte(at + 1).is_ascii_alphabetic()
                || matches!(self.byte(at + 1), b'!' | b'?')
                || (self.byte(at + 1) == b'/' && at + 2 < self.source.len())
            {
                break at;
            }
            here = at + 1;
        };
        self.at = end;
        self.emit(start, end, references);
    }

    fn emit(&mut self, start: usize, end: usize, references: bool) {
        if start < end {
            let span = span(&mut self.builder.dom, start, end, references, false);
            self.builder.text(span);
        }
    }

    /// A tag, comment or declaration. `self.at` is at its `<`.
    fn markup(&mut self) {
        let at = self.at;
        if !self.source[at..].starts_with(b"</>") {
            // A newline behind a comment is no longer the first thing in its `<pre>`.
            self.builder.skip_newline = false;
        }
        match self.byte(at + 1) {
            b'/' => match self.byte(at + 2) {
                b'>' => self.at = at + 3,
                letter if letter.is_ascii_alphabetic() => {
                    self.at = at + 2;
                    self.end_tag();
                }
                _ => self.skip_past(at + 2, b">"),
            },
            b'!' => self.declaration(),
            b'?' => self.skip_past(at + 1, b">"),
            _ => {
                self.at = at + 1;
                self.start_tag();
            }
        }
    }

    /// Goes behind the next `what`; tells the builder that a comment was there.
    fn skip_past(&mut self, from: usize, what: &[u8]) {
        let rest = self.source.get(from..).unwrap_or_default();
        let found = memchr::memmem::find(rest, what);
        self.at = found.map_or(self.source.len(), |found| from + found + what.len());
    }

    fn declaration(&mut self) {
        let rest = &self.source[self.at + 2..];
        if rest.starts_with(b"--") {
            self.comment();
        } else if rest.len() >= 7 && rest[..7].eq_ignore_ascii_case(b"doctype") {
            let start = self.at + 9;
            self.skip_past(start, b">");
            let closed = self.source[..self.at].ends_with(b">");
            let end = self.at - usize::from(closed && self.at > start);
            self.builder.doctype(&self.source[start..end.max(start)], closed);
        } else if rest.starts_with(b"[CDATA[") && self.builder.takes_cdata() {
            let start = self.at + 9;
            self.skip_past(start, b"]]>");
            let closed = self.source[start..self.at].ends_with(b"]]>");
            self.emit(start, self.at - if closed { 3 } else { 0 }, false);
        } else {
            self.skip_past(self.at + 2, b">");
        }
    }

    /// A comment ends at `-->` or `--!>`; `<!-->` and `<!--->` are whole comments.
    fn comment(&mut self) {
        let start = self.at + 4;
        for short in [&b">"[..], b"->"] {
            if self.source[start..].starts_with(short) {
                self.at = start + short.len();
                return;
            }
        }
        let mut here = start;
        self.at = self.source.len();
        while let Some(found) = memchr::memmem::find(&self.source[here..], b"--") {
            let mut end = here + found + 2;
            while self.byte(end) == b'-' {
                end += 1;
            }
            if self.byte(end) == b'>' || (self.byte(end) == b'!' && self.byte(end + 1) == b'>') {
                self.at = end + 1 + usize::from(self.byte(end) == b'!');
                return;
            }
            here = end;
        }
    }

    /// `self.at` is at the first letter of the name, here and in [`Self::end_tag`].
    fn start_tag(&mut self) {
        let name = self.name();
        let tag = Tag::from_name(&self.source[name.0..name.1]);
        let first = self.builder.dom.attributes.len();
        let start = self.at;
        let kept = Kept { first, of_image: matches!(tag, Tag::Img | Tag::Source) };
        let Some(self_closing) = self.attributes(Some(kept)) else {
            // A tag that the page's end cuts off does not count, nor does what stands in it.
            self.at = self.source.len();
            return;
        };
        let count = self.builder.dom.attributes.len() - first;
        let content = self.builder.start(Start {
            tag,
            name: Span::of_source(name.0, name.1),
            first: first as u32,
            count: count as u8,
            raw: Span::of_source(start, self.at),
            self_closing,
        });
        match content {
            None => {}
            Some(Content::Plain) => {
                let start = std::mem::replace(&mut self.at, self.source.len());
                self.emit(start, self.source.len(), false);
            }
            Some(content) => self.raw(content, name),
        }
    }

    fn end_tag(&mut self) {
        let name = self.name();
        if self.attributes(None).is_none() {
            self.at = self.source.len();
        } else {
            let tag = Tag::from_name(&self.source[name.0..name.1]);
            self.builder.end(End { tag, name: Span::of_source(name.0, name.1) });
        }
    }

    fn name(&mut self) -> (usize, usize) {
        let start = self.at;
        let rest = &self.source[start..];
        let length = rest.iter().position(|byte| is_space(*byte) || matches!(byte, b'/' | b'>'));
        self.at = start + length.unwrap_or(rest.len());
        (start, self.at)
    }

    /// Reads a tag's attributes and its `>`. Keeps those that `kept` asks for. Gives whether the tag closes itself; nothing if
    /// the page ends before the tag does.
    fn attributes(&mut self, kept: Option<Kept>) -> Option<bool> {
        loop {
            let mut byte = self.byte(self.at);
            while is_space(byte) {
                self.at += 1;
                byte = self.byte(self.at);
            }
            match byte {
                b'>' => {
                    self.at += 1;
                    return Some(false);
                }
                b'/' if self.byte(self.at + 1) == b'>' => {
                    self.at += 2;
                    return Some(true);
                }
                b'/' => self.at += 1,
                _ if self.at >= self.source.len() => return None,
                _ => self.attribute(kept)?,
            }
        }
    }

    fn attribute(&mut self, kept: Option<Kept>) -> Option<()> {
        let start = self.at;
        // An equals sign at the beginning belongs to the name.
        self.at += 1;
        let name_end = loop {
            let byte = *self.source.get(self.at)?;
            if is_space(byte) || matches!(byte, b'=' | b'/' | b'>') {
                break self.at;
            }
            self.at += 1;
        };
        self.skip_spaces();
        let value = if self.byte(self.at) == b'=' {
            self.at += 1;
            self.skip_spaces();
            self.value()?
        } else {
            (name_end, name_end)
        };
        let Some(Kept { first, of_image }) = kept else { return Some(()) };
        let mut name = Attr::from_name(&self.source[start..name_end]);
        if name.is_none() && of_image {
            name = Attr::of_image(&self.source[start..name_end], &self.source[value.0..value.1]);
        }
        if let Some(name) = name {
            let dom = &mut self.builder.dom;
            let before = &dom.attributes[first..];
            // The first of equal names counts. Those without names of their own may all count, up to a limit.
            let is_full = match name {
                Attr::Lazy | Attr::Other | Attr::Spare => before.len() >= MOST_KEPT,
                _ => before.iter().any(|attribute| attribute.name == name),
            };
            if !is_full {
                let references = memchr(b'&', &self.source[value.0..value.1]).is_some();
                let value = span(dom, value.0, value.1, references, true);
                dom.attributes.push(Attribute { name, value });
            }
        }
        Some(())
    }

    /// Where the value stands that begins here.
    fn value(&mut self) -> Option<(usize, usize)> {
        match self.byte(self.at) {
            quote @ (b'"' | b'\'') => {
                let start = self.at + 1;
                let end = start + memchr(quote, &self.source[start..])?;
                self.at = end + 1;
                Some((start, end))
            }
            _ => {
                let start = self.at;
                while !is_space(*self.source.get(self.at)?) && self.source[self.at] != b'>' {
                    self.at += 1;
                }
                Some((start, self.at))
            }
        }
    }

    fn skip_spaces(&mut self) {
        while is_space(self.byte(self.at)) {
            self.at += 1;
        }
    }

    /// Text up to the end tag of the element with the name at `name`.
    fn raw(&mut self, content: Content, name: (usize, usize)) {
        let start = self.at;
        let end = if content == Content::Script { self.script_end() } else { self.raw_end(start, name) };
        self.at = end;
        // Nobody reads scripts and styles.
        let name = &self.source[name.0..name.1];
        if !name.eq_ignore_ascii_case(b"script") && !name.eq_ignore_ascii_case(b"style") {
            let references =
                content == Content::Escapable && memchr(b'&', &self.source[start..end]).is_some();
            self.emit(start, end, references);
        }
    }

    /// The place of the end tag that closes a raw text.
    fn raw_end(&self, from: usize, name: (usize, usize)) -> usize {
        let name = &self.source[name.0..name.1];
        let mut here = from;
        while let Some(found) = memchr(b'<', &self.source[here..]) {
            let at = here + found;
            if self.closes(at, name) {
                return at;
            }
            here = at + 1;
        }
        self.source.len()
    }

    /// Whether `</name` and what may follow a name stand at `at`.
    fn closes(&self, at: usize, name: &[u8]) -> bool {
        self.byte(at + 1) == b'/' && self.names(at + 2, name)
    }

    /// Whether `name` and what may follow a name stand at `at`.
    fn names(&self, at: usize, name: &[u8]) -> bool {
        let end = at + name.len();
        self.source.get(at..end).is_some_and(|found| found.eq_ignore_ascii_case(name))
            && self.source.get(end).is_some_and(|byte| is_space(*byte) || matches!(byte, b'/' | b'>'))
    }

    /// The place of the end tag that closes a script. Behind `<!--` a `<script` hides the next `</script`, until
    /// `-->`.
    fn script_end(&self) -> usize {
        let (mut escaped, mut hidden) = (false, false);
        let mut here = self.at;
        loop {
            let rest = &self.source[here..];
            let found = if escaped { memchr2(b'<', b'-', rest) } else { memchr(b'<', rest) };
            let Some(found) = found else { return self.source.len() };
            let at = here + found;
            here = at + 1;
            if self.source[at] == b'-' {
                if self.source[at..].starts_with(b"-->") {
                    (escaped, hidden) = (false, false);
                }
            } else if self.closes(at, b"script") {
                if !hidden {
                    return at;
                }
                hidden = false;
            } else if escaped && self.names(at + 1, b"script") {
                hidden = true;
            } else if !escaped && self.source[at..].starts_with(b"<!--") {
                // The dashes may be those of an end: `<!-->`.
                escaped = true;
                here = at + 2;
            }
        }
    }
}

/// A piece of the source, character references resolved.
fn span(dom: &mut Dom<'_>, start: usize, end: usize, references: bool, in_attribute: bool) -> Span {
    let zero = memchr(0, &dom.source().as_bytes()[start..end]).is_some();
    if !references && !zero {
        return Span::of_source(start, end);
    }
    dom.rewrite(|source, out| {
        let text = source.get(start..end).unwrap_or_default();
        if zero {
            // Browsers drop zeros of texts and show a replacement in attributes.
            let text = text.replace('\0', if in_attribute { "\u{fffd}" } else { "" });
            reference::decode(&text, in_attribute, out);
        } else {
            reference::decode(text, in_attribute, out);
        }
    })
}

/// HTML's white space.
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\x0c' | b'\r')
}
