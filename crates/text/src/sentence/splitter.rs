//! Finds the ends of sentences by the rules of a language.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::rules::{Class, FULL_WIDTH_OPEN, Rules, is_emoji};
use crate::language::{Script, is_full_width, prefix, script_of};

const VARIATION_SELECTOR: char = '\u{FE0F}';
const JOINER: char = '\u{200D}';
const IDEOGRAPHIC_COMMA: char = '\u{3001}';

/// Bytes after an opening bracket within which it must close to shield what it holds.
const BRACKET_REACH: usize = 600;

struct Splitter<'a> {
    rules: &'a Rules,
    text: &'a str,
    bytes: &'a [u8],
    start: usize,
    /// Where the sentence has its first character that is not white space.
    content: usize,
    ranges: Vec<Range<usize>>,
}

impl Rules {
    /// The byte ranges of the sentences of `text`.
    pub(super) fn split(&self, text: &str) -> Vec<Range<usize>> {
        let content = first_content(text, 0);
        let mut splitter =
            Splitter { rules: self, text, bytes: text.as_bytes(), start: 0, content, ranges: Vec::new() };
        splitter.run();
        splitter.ranges
    }
}

/// Index of the first character from `from` on that is not white space.
fn first_content(text: &str, from: usize) -> usize {
    text.len() - text[from..].trim_start().len()
}

impl<'a> Splitter<'a> {
    fn run(&mut self) {
        let mut at = 0;
        while let Some(c) = self.char_at(at) {
            at = match self.rules.class(c) {
                Class::Plain => at + c.len_utf8(),
                Class::Break => self.line_break(at),
                Class::Open => self.open(at, c),
                Class::Stop => self.stop(at),
                Class::Dot => self.dot(at, c),
                Class::Ellipsis => self.ellipsis(at),
                Class::Note => self.note(at, c),
            };
        }
        if self.start < self.text.len() {
            self.ranges.push(self.start..self.text.len());
        }
    }

    fn char_at(&self, at: usize) -> Option<char> {
        let byte = *self.bytes.get(at)?;
        if byte < 0x80 { Some(byte as char) } else { self.text.get(at..)?.chars().next() }
    }

    fn rest(&self, at: usize) -> &'a str {
        self.text.get(at..).unwrap_or_default()
    }

    fn before(&self, at: usize) -> Option<char> {
        self.text.get(self.start..at)?.chars().next_back()
    }

    /// The sentence so far without leading white space, if it is only a few characters long.
    fn head(&self, at: usize) -> Option<&'a str> {
        let head = &self.text[self.content.min(at)..at];
        (head.len() <= 9).then_some(head)
    }

    /// The last few characters of the sentence so far.
    fn tail(&self, at: usize) -> &'a str {
        let mut from = at.saturating_sub(12).max(self.start);
        while !self.text.is_char_boundary(from) {
            from += 1;
        }
        &self.text[from..at]
    }

    /// Whether the sentence has nothing but white space before `at`.
    fn is_empty(&self, at: usize) -> bool {
        self.content >= at
    }

    /// Ends the sentence at `end` and returns where to read on.
    fn cut(&mut self, end: usize) -> usize {
        if end > self.start {
            self.ranges.push(self.start..end);
            self.start = end;
            self.content = first_content(self.text, end);
        }
        end
    }

    /// A line break with the white space around it ends the sentence; leading white space of a text stays with it.
    fn line_break(&mut self, at: usize) -> usize {
        let end = skip_space(self.text, at);
        if self.is_empty(at) && self.ranges.is_empty() {
            return end;
        }
        self.cut(end)
    }

    fn face_mark(&self, at: usize) -> Option<usize> {
        self.rules.own.faces.as_ref()?.face_mark(self.text, at)
    }

    fn decorated_face(&self, at: usize) -> Option<usize> {
        self.rules.own.faces.as_ref()?.decorated_face(self.text, at)
    }

    /// A bracket: a face mark, a word of feeling, or a shield over what it holds.
    fn open(&mut self, at: usize, c: char) -> usize {
        if matches!(c, '(' | FULL_WIDTH_OPEN) {
            if let Some(end) = self.face_mark(at) {
                return self.after_mark(end);
            }
            if let Some(end) = self.rules.emotion_word(self.rest(at)).map(|len| at + len) {
                return self.after_mark(end);
            }
        }
        match self.close(at, c) {
            Some(end) => self.after_bracket(end),
            None => at + c.len_utf8(),
        }
    }

    /// Where the bracket opened at `at` is closed on its line, with all brackets inside it.
    fn close(&self, at: usize, open: char) -> Option<usize> {
        let mut expected = vec![self.rules.closing(open)?];
        let window = prefix(self.rest(at + open.len_utf8()), BRACKET_REACH);
        for (offset, c) in window.char_indices() {
            if c == '\n' {
                return None;
            }
            if expected.last() == Some(&c) {
                expected.pop();
                if expected.is_empty() {
                    return Some(at + open.len_utf8() + offset + c.len_utf8());
                }
            } else if let Some(close) = self.rules.closing(c) {
                expected.push(close);
            }
        }
        None
    }

    /// After a bracket that held a whole sentence a new one begins, if another quote follows; else the text goes on.
    fn after_bracket(&mut self, end: usize) -> usize {
        let inside_ends =
            self.text[..end].chars().rev().nth(1).is_some_and(|c| self.rules.class(c) == Class::Stop);
        let next = self.char_at(skip_space(self.text, end));
        if inside_ends && next.is_some_and(|c| self.rules.own.opening_quotes.contains(c)) {
            return self.cut(skip_space(self.text, end));
        }
        end
    }

    /// A terminator with its run and the closing marks after it.
    fn stop(&mut self, at: usize) -> usize {
        let end = self.end_of_run(at);
        self.end_unless_continued(end)
    }

    /// Extends a terminator over the terminators, ellipses and symbols that follow it.
    fn end_of_run(&self, at: usize) -> usize {
        let middle_dot = self.rules.own.middle_dot;
        let is_middle_dot = |c: Option<char>| c.is_some() && c == middle_dot;
        let mut end = at;
        while let Some(c) = self.char_at(end) {
            let next = || self.char_at(end + c.len_utf8());
            let goes_on = match self.rules.class(c) {
                Class::Stop | Class::Ellipsis | Class::Note => true,
                Class::Dot => end == at || !next().is_some_and(|n| n.is_ascii_alphanumeric()),
                _ if is_middle_dot(Some(c)) => is_middle_dot(next()) || is_middle_dot(self.before(end)),
                _ => matches!(c, VARIATION_SELECTOR | JOINER) || self.rules.own.run_marks.contains(c),
            };
            if !goes_on {
                break;
            }
            end += c.len_utf8();
        }
        end
    }

    fn end_unless_continued(&mut self, end: usize) -> usize {
        let mut end = end;
        // A face mark right after belongs to the sentence.
        if let Some(face) = self.decorated_face(end) {
            return self.after_mark(face);
        }
        if let Some(len) = self.rules.emotion_word(self.rest(end)) {
            end += len;
            if self.char_at(end).is_some_and(|c| self.rules.class(c) == Class::Stop) {
                end = self.end_of_run(end);
            }
        }
        // A closing quote whose opening one was not seen as a pair.
        while let Some(c) = self.char_at(end).filter(|c| self.rules.own.closing_marks.contains(*c)) {
            end += c.len_utf8();
        }
        let space = skip_space(self.text, end);
        if self.rules.continues(self.rest(space)) { end } else { self.cut(space) }
    }

    /// A full stop ends a sentence only where it can belong to nothing else.
    fn dot(&mut self, at: usize, c: char) -> usize {
        let after = at + c.len_utf8();
        let next = self.char_at(after);
        if next == Some(c) {
            return self.dots(at, c);
        }
        let (Some(before), next) = (self.before(at), next) else { return after };
        let number =
            |c: char| c.is_ascii_alphanumeric() || is_full_width(c) || self.rules.own.numerals.contains(c);
        if next.is_some_and(|next| number(before) && number(next)) {
            return after;
        }
        // No.411, Vol.3, and list numbers at the start of a line (1. Summary).
        let head = self.head(at);
        let list_number = head.is_some_and(|head| !head.is_empty() && head.chars().all(char::is_numeric));
        if list_number
            || (self.rules.is_abbreviation(self.tail(at))
                && next.is_some_and(|c| !c.is_whitespace() || c == ' '))
        {
            return after;
        }
        // Names of files and paths (.gitignore, index.html) and domain names go on without a space.
        if c == '.'
            && next.is_some_and(|c| {
                c.is_ascii_graphic() && !matches!(c, '(' | '"' | '\'' | ')' | '*' | '!' | '?')
            })
        {
            return after;
        }
        self.stop(at)
    }

    /// Three or more full stops are an ellipsis, two a slip of the finger; both end a sentence.
    fn dots(&mut self, at: usize, c: char) -> usize {
        let run = self.rest(at).len() - self.rest(at).trim_start_matches(c).len();
        let end = at + run;
        let at_start = self.is_empty(at);
        if at_start
            || self
                .char_at(end)
                .is_some_and(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | IDEOGRAPHIC_COMMA | ','))
        {
            return end;
        }
        self.stop(at)
    }

    /// An ellipsis ends a sentence, except at its start or before a comma or particle.
    fn ellipsis(&mut self, at: usize) -> usize {
        let end = self.end_of_run(at);
        if self.is_empty(at) {
            return end;
        }
        self.end_unless_continued(end)
    }

    /// Notes, stars and emoji end a sentence where text stands before them.
    fn note(&mut self, at: usize, c: char) -> usize {
        if let Some(end) = self.decorated_face(at) {
            return self.after_mark(end);
        }
        let end = self.end_of_run(at);
        let said =
            self.before(at).is_some_and(|c| says_something(c) || self.rules.own.note_marks.contains(c));
        // In lists and ratings (★★★☆☆ 4.0) the symbols are part of the text.
        let rating = !is_emoji(c)
            && self.char_at(end).is_some_and(|c| c.is_numeric() || self.rules.own.rating_marks.contains(c));
        if !said || rating { end.max(at + c.len_utf8()) } else { self.end_unless_continued(end) }
    }

    /// After a face mark or word of feeling the sentence is over, punctuation and further marks included.
    fn after_mark(&mut self, end: usize) -> usize {
        let mut end = end;
        loop {
            let next = self.char_at(end);
            let further = match next {
                Some(c) if matches!(self.rules.class(c), Class::Stop | Class::Ellipsis | Class::Note) => {
                    self.end_of_run(end)
                }
                Some('(' | FULL_WIDTH_OPEN) => self
                    .face_mark(end)
                    .or_else(|| self.rules.emotion_word(self.rest(end)).map(|len| end + len))
                    .unwrap_or(end),
                Some(' ') => self.decorated_face(end).unwrap_or(end),
                _ => end,
            };
            if further == end {
                break;
            }
            end = further;
        }
        if self.is_empty(end) {
            return end;
        }
        let space = skip_space(self.text, end);
        let rest = self.rest(space);
        if self.rules.continues(rest) || rest.starts_with(|c| self.rules.own.mark_followers.contains(c)) {
            end
        } else {
            self.cut(space)
        }
    }
}

/// The end of the white space at `at`, line breaks included.
fn skip_space(text: &str, at: usize) -> usize {
    let rest = &text[at..];
    at + rest.len() - rest.trim_start().len()
}

/// Whether a character is a letter or decimal digit, of any script.
pub(super) fn says_something(c: char) -> bool {
    static DIGIT: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^\d$").ok());
    if c.is_ascii() {
        return c.is_ascii_alphanumeric();
    }
    let is_digit = |c: char| DIGIT.as_ref().is_some_and(|digit| digit.is_match(c.encode_utf8(&mut [0; 4])));
    script_of(c) != Script::None || c.is_numeric() && is_digit(c)
}
