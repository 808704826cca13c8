//! Where Japanese (and other) sentences end.
//!
//! A boundary stands after
//! - a run of 。！？!? and the like, or a full stop that belongs to no number, address or abbreviation,
//! - an ellipsis, a musical note or star, an emoji, a mark such as （笑）, or a face mark,
//! - every line break,
//!
//! but not inside brackets or quotes that close again on the same line, and not before a particle that goes on with
//! the sentence (おいしい！と評判). Trailing white space belongs to the sentence before it, so the sentences joined
//! together are the text.
//!
//! Where rules of others are followed (the particles, `No.411`) they are those of bunkai 1.5; face marks, brackets
//! and unfinished quotes are treated more closely than there.

mod face;

use std::ops::Range;

use crate::language::{Script, script_of};

/// The sentences of `text`, in order; joined together they are `text` again.
///
/// ```
/// use tsumugi_text::sentences;
///
/// let found = sentences("「暑いね。」と母が言った。私は黙った(^_^;)\nNo.1の店？");
/// assert_eq!(found, ["「暑いね。」と母が言った。", "私は黙った(^_^;)\n", "No.1の店？"]);
/// ```
#[must_use]
pub fn sentences(text: &str) -> Vec<&str> {
    sentence_ranges(text).into_iter().map(|range| &text[range]).collect()
}

/// The byte ranges of the sentences of `text`, in order and without gaps.
#[must_use]
pub fn sentence_ranges(text: &str) -> Vec<Range<usize>> {
    let content = first_content(text, 0);
    let mut splitter = Splitter { text, bytes: text.as_bytes(), start: 0, content, ranges: Vec::new() };
    splitter.run();
    splitter.ranges
}

/// [`sentences`] with each piece that has no digit, Latin letter or Japanese character joined to the one before it,
/// as the paper's interleaved documents have it; a first piece without any is joined to the next.
#[must_use]
pub fn joined_sentences(text: &str) -> Vec<&str> {
    joined_sentence_ranges(text).into_iter().map(|range| &text[range]).collect()
}

/// The byte ranges of [`joined_sentences`].
#[must_use]
pub fn joined_sentence_ranges(text: &str) -> Vec<Range<usize>> {
    let mut joined: Vec<Range<usize>> = Vec::new();
    let mut before_is_bare = false;
    for range in sentence_ranges(text) {
        let bare = !text[range.clone()].chars().any(says_something);
        match joined.last_mut() {
            Some(last) if bare || before_is_bare => {
                last.end = range.end;
                before_is_bare &= bare;
            }
            _ => {
                before_is_bare = bare;
                joined.push(range);
            }
        }
    }
    joined
}

/// A digit, a Latin letter or a Japanese character (full and half width).
fn says_something(c: char) -> bool {
    c.is_ascii_digit()
        || matches!(c, '０'..='９')
        || matches!(script_of(c), Script::Latin | Script::Hiragana | Script::Katakana | Script::Han)
}

/// Bytes after an opening bracket within which it must close to shield what it holds.
const BRACKET_REACH: usize = 600;

struct Splitter<'a> {
    text: &'a str,
    bytes: &'a [u8],
    start: usize,
    /// Where the sentence has its first character that is no white space.
    content: usize,
    ranges: Vec<Range<usize>>,
}

/// Index of the first character from `from` on that is no white space.
fn first_content(text: &str, from: usize) -> usize {
    text.len() - text[from..].trim_start().len()
}

impl<'a> Splitter<'a> {
    fn run(&mut self) {
        let mut at = 0;
        while let Some(c) = self.char_at(at) {
            at = match classify(c) {
                Class::Plain => at + c.len_utf8(),
                Class::Break => self.line_break(at),
                Class::Open => self.open(at, c),
                Class::Stop => self.stop(at),
                Class::Dot => self.dot(at, c),
                Class::Emotion => self.emotion(at),
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

    /// A bracket: a face mark, a mark such as （笑）, or a shield over what it holds.
    fn open(&mut self, at: usize, c: char) -> usize {
        if matches!(c, '(' | '（') {
            if let Some(end) = face::face_mark(self.text, at) {
                return self.after_mark(end);
            }
            if let Some(end) = emotion_word(self.rest(at)).map(|len| at + len) {
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
        let mut expected = vec![closing(open)?];
        let window = crate::language::prefix(self.rest(at + open.len_utf8()), BRACKET_REACH);
        for (offset, c) in window.char_indices() {
            if c == '\n' {
                return None;
            }
            if expected.last() == Some(&c) {
                expected.pop();
                if expected.is_empty() {
                    return Some(at + open.len_utf8() + offset + c.len_utf8());
                }
            } else if let Some(close) = closing(c) {
                expected.push(close);
            }
        }
        None
    }

    /// After a bracket that held a whole sentence a new one begins, if another quote follows; else the text goes on.
    fn after_bracket(&mut self, end: usize) -> usize {
        let inside_ends = self.text[..end].chars().rev().nth(1).is_some_and(|c| classify(c) == Class::Stop);
        let next = self.char_at(skip_space(self.text, end));
        if inside_ends && next.is_some_and(|c| matches!(c, '「' | '『' | '“')) {
            return self.cut(skip_inline_space(self.text, end));
        }
        end
    }

    /// 。！？ and their runs, with closing marks after them.
    fn stop(&mut self, at: usize) -> usize {
        let end = self.end_of_run(at);
        self.end_unless_continued(end)
    }

    /// Extends a terminator over the terminators, ellipses and symbols that follow it.
    fn end_of_run(&self, at: usize) -> usize {
        let mut end = at;
        while let Some(c) = self.char_at(end) {
            match classify(c) {
                Class::Stop | Class::Emotion | Class::Note => end += c.len_utf8(),
                Class::Dot
                    if end == at || !self.char_at(end + 1).is_some_and(|n| n.is_ascii_alphanumeric()) =>
                {
                    end += c.len_utf8();
                }
                _ if matches!(c, '\u{FE0F}' | '\u{200D}' | '〜' | 'ｗ')
                    || (c == '・' && self.rest(end).starts_with("・・")) =>
                {
                    end += c.len_utf8();
                }
                _ if c == '・' && self.before(end) == Some('・') => end += c.len_utf8(),
                _ => break,
            }
        }
        end
    }

    fn end_unless_continued(&mut self, end: usize) -> usize {
        let mut end = end;
        // A face mark right after belongs to the sentence.
        if let Some(face) = face::start_of_face(self.text, end) {
            return self.after_mark(face);
        }
        if let Some(len) = emotion_word(self.rest(end)) {
            end += len;
            if self.char_at(end).is_some_and(|c| matches!(classify(c), Class::Stop)) {
                end = self.end_of_run(end);
            }
        }
        // A closing quote whose opening one was not seen as a pair.
        while let Some(c) = self.char_at(end).filter(|c| matches!(c, '」' | '』' | '）' | ')' | '”' | '】'))
        {
            end += c.len_utf8();
        }
        let space = skip_inline_space(self.text, end);
        if continues(self.rest(space)) { end } else { self.cut(space) }
    }

    /// A full stop ends a sentence only where it can belong to nothing else.
    fn dot(&mut self, at: usize, c: char) -> usize {
        let after = at + c.len_utf8();
        let next = self.char_at(after);
        if next == Some(c) {
            return self.dots(at, c);
        }
        let (Some(before), next) = (self.before(at), next) else { return after };
        let joins =
            |c: char| c.is_ascii_alphanumeric() || matches!(c, '０'..='９' | 'ａ'..='ｚ' | 'Ａ'..='Ｚ');
        let number = |c: char| joins(c) || "〇一二三四五六七八九十百千万億兆京".contains(c);
        if next.is_some_and(|next| number(before) && number(next)) {
            return after;
        }
        // No.411, Vol.3, and list numbers at the start of a line (1. 概要).
        let head = self.head(at);
        let list_number = head.is_some_and(|head| !head.is_empty() && head.chars().all(char::is_numeric));
        if list_number
            || (abbreviation(self.tail(at)) && next.is_some_and(|c| !c.is_whitespace() || c == ' '))
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
            || self.char_at(end).is_some_and(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '、' | ','))
        {
            return end;
        }
        self.stop(at)
    }

    /// … and ‥ end a sentence, except at its start or before a comma or particle.
    fn emotion(&mut self, at: usize) -> usize {
        let end = self.end_of_run(at);
        if self.is_empty(at) {
            return end;
        }
        self.end_unless_continued(end)
    }

    /// ♪, ★, ☆ and emoji end a sentence where Japanese text stands before them.
    fn note(&mut self, at: usize, c: char) -> usize {
        if let Some(end) = face::decorated_face(self.text, at) {
            return self.after_mark(end);
        }
        let end = self.end_of_run(at);
        let said = self
            .before(at)
            .is_some_and(|c| says_something(c) || matches!(c, 'ー' | '～' | '〜' | ')' | '）' | '」'));
        // In lists (★★★☆☆ 4.0, ☆印) the symbols are part of the text.
        let rating = !is_emoji(c)
            && self.char_at(end).is_some_and(|c| c.is_numeric() || matches!(c, '印' | '、' | '。'));
        if !said || rating { end.max(at + c.len_utf8()) } else { self.end_unless_continued(end) }
    }

    /// After a face mark or （笑） the sentence is over, punctuation and further marks included.
    fn after_mark(&mut self, end: usize) -> usize {
        let mut end = end;
        loop {
            let next = self.char_at(end);
            let further = match next {
                Some(c) if matches!(classify(c), Class::Stop | Class::Emotion | Class::Note) => {
                    self.end_of_run(end)
                }
                Some('(' | '（') => face::face_mark(self.text, end)
                    .or_else(|| emotion_word(self.rest(end)).map(|l| end + l))
                    .unwrap_or(end),
                Some(' ') => face::start_of_face(self.text, end).unwrap_or(end),
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
        let space = skip_inline_space(self.text, end);
        let rest = self.rest(space);
        if continues(rest) || rest.starts_with(['、', '，', ',', '」', '』']) {
            end
        } else {
            self.cut(space)
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Plain,
    /// Line feeds and carriage returns.
    Break,
    /// Opening brackets and quotes.
    Open,
    /// 。！？
    Stop,
    /// . and ．
    Dot,
    /// … ‥
    Emotion,
    /// ♪ ★ ☆ and emoji.
    Note,
}

fn classify(c: char) -> Class {
    match c {
        '\n' | '\r' | '\u{2028}' | '\u{2029}' => Class::Break,
        '「' | '『' | '（' | '(' | '【' | '［' | '〔' | '〈' | '《' | '“' => Class::Open,
        '。' | '！' | '？' | '!' | '?' | '‼' | '⁇' | '⁈' | '⁉' | '｡' => Class::Stop,
        '.' | '．' => Class::Dot,
        '…' | '‥' => Class::Emotion,
        '♪' | '♫' | '★' | '☆' => Class::Note,
        c if c >= '\u{2600}' && is_emoji(c) => Class::Note,
        _ => Class::Plain,
    }
}

fn is_emoji(c: char) -> bool {
    matches!(c, '\u{1F300}'..='\u{1FAFF}' | '❤' | '♡' | '♥' | '☺' | '☹' | '✨' | '❗' | '❓' | '❕' | '❔')
}

fn closing(open: char) -> Option<char> {
    Some(match open {
        '「' => '」',
        '『' => '』',
        '（' => '）',
        '(' => ')',
        '【' => '】',
        '［' => '］',
        '〔' => '〕',
        '〈' => '〉',
        '《' => '》',
        '“' => '”',
        _ => return None,
    })
}

/// Length of a mark of feeling such as （笑） or (汗) at the start of `text`.
fn emotion_word(text: &str) -> Option<usize> {
    const WORDS: [&str; 26] = [
        "笑", "泣", "汗", "涙", "怒", "嬉", "爆", "驚", "喜", "悲", "謎", "恥", "焦", "苦", "照", "憂",
        "笑い", "わら", "泣き", "怒り", "照れ", "爆笑", "苦笑", "滝汗", "核爆", "大笑",
    ];
    // The longest word and its brackets; looking for the closing one farther would be quadratic.
    let text = crate::language::prefix(text, 18);
    let inside = text.strip_prefix(['(', '（'])?;
    let (word, _) = inside.split_once([')', '）'])?;
    WORDS.contains(&word).then(|| {
        text.len() - inside.len() + word.len() + inside[word.len()..].chars().next().map_or(0, char::len_utf8)
    })
}

/// Words that end with a full stop and do not end a sentence.
fn abbreviation(head: &str) -> bool {
    const WORDS: [&str; 16] = [
        "no", "ｎｏ", "vol", "ver", "vs", "mr", "mrs", "ms", "dr", "st", "fig", "eq", "etc", "e.g", "i.e",
        "cf",
    ];
    let word = head
        .rsplit(|c: char| {
            !(c.is_alphanumeric() || c == '.') || !matches!(script_of(c), Script::Latin | Script::None)
        })
        .next();
    word.is_some_and(|word| WORDS.contains(&word.to_lowercase().as_str()))
}

/// Whether what follows a terminator goes on with the sentence: a particle of quotation or a comma.
fn continues(rest: &str) -> bool {
    // With each beginning, the words that begin like it and open a sentence of their own.
    const PARTICLES: [(&str, &[&str]); 12] = [
        ("って", &["ってか", "ってゆうか", "っていうか"]),
        ("という", &[]),
        (
            "と",
            &[
                "とて",
                "とに",
                "ところ",
                "とり",
                "とき",
                "とく",
                "ともか",
                "とっ",
                "とん",
                "とお",
                "とう",
                "とも",
                "となり",
                "どう",
            ],
        ),
        ("の", &["のん", "のち", "のど", "のぼ", "のり"]),
        ("に", &["にも", "にん", "にお", "にほ", "にぎ", "にく", "にこ", "にわ", "にし"]),
        ("て", &["てっ", "てん", "てい", "てき", "てる", "ても", "てづ", "てが"]),
        ("など", &[]),
        ("くらいの", &[]),
        ("くらいです", &[]),
        ("くらいでし", &[]),
        ("もあり", &[]),
        ("ほどでし", &[]),
    ];
    if rest.starts_with(['、', '，']) {
        return true;
    }
    PARTICLES.iter().any(|(particle, words)| {
        rest.starts_with(particle) && !words.iter().any(|word| rest.starts_with(word))
    })
}

/// The end of the white space at `at`, line breaks included.
fn skip_space(text: &str, at: usize) -> usize {
    let rest = &text[at..];
    at + rest.len() - rest.trim_start().len()
}

/// The end of the white space at `at`; with a line break in it, the end of all white space.
fn skip_inline_space(text: &str, at: usize) -> usize {
    skip_space(text, at)
}

#[cfg(test)]
mod tests;
