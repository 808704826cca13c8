//! The rules of a language's sentences, read from `sentences.toml` of its pack.

use serde::{Deserialize, Serialize};

use crate::language::{Script, prefix, script_of};

/// Where sentences of one language end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SentenceRules {
    /// Characters that end a sentence wherever they stand, such as the exclamation mark.
    pub stops: String,
    /// Full stops, which may belong to a number, an address or an abbreviation.
    pub dots: String,
    /// Ellipses, which end a sentence except at its start.
    pub ellipses: String,
    /// Notes and stars, which end a sentence after a letter; emoji always count among them.
    pub notes: String,
    /// The dot that makes an ellipsis when repeated.
    pub middle_dot: Option<char>,
    /// Commas: after a terminator the sentence goes on.
    pub commas: String,
    /// Characters that belong to a run of terminators.
    pub run_marks: String,
    /// Characters beside letters and digits after which a note or star ends a sentence.
    pub note_marks: String,
    /// Characters beside digits before which a note or star is part of a list or rating.
    pub rating_marks: String,
    /// Characters after a face or a word of feeling that go on with the sentence.
    pub mark_followers: String,
    /// Opening and closing brackets and quotation marks; they shield what they hold.
    pub brackets: Vec<(char, char)>,
    /// Opening quotation marks that begin a new sentence after a bracket that held a whole one.
    pub opening_quotes: String,
    /// Closing marks that belong to the sentence before them.
    pub closing_marks: String,
    /// Numerals beside digits: a full stop between two of them belongs to a number.
    pub numerals: String,
    /// Words of feeling that stand in brackets at the end of a sentence.
    pub emotion_words: Vec<String>,
    /// Words that end with a full stop and do not end a sentence, in lower case and without it.
    pub abbreviations: Vec<String>,
    /// Words that go on with a sentence after its terminator.
    pub continuations: Vec<Continuation>,
    /// How face marks are recognised; absent where the language has none.
    pub faces: Option<FaceRules>,
}

/// A word that goes on with a sentence after its terminator, such as a particle of quotation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Continuation {
    /// The word.
    pub word: String,
    /// Words that begin like it and open a sentence of their own.
    #[serde(default)]
    pub except: Vec<String>,
}

/// Characters of face marks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaceRules {
    /// Characters that stand in faces and hardly ever elsewhere in brackets.
    pub strong: String,
    /// Other characters inside a face, beside punctuation, symbols, Greek and Cyrillic.
    pub parts: String,
    /// Eyes.
    pub eyes: String,
    /// Mouths.
    pub mouths: String,
    /// Arms and ornaments before and after a face.
    pub arms: String,
    /// Characters that may follow a face once.
    pub hands: String,
    /// Characters that close a face instead of a bracket.
    pub salutes: String,
    /// Characters that may stand before a face, beside arms.
    pub ornaments: String,
    /// Faces that the other rules do not recognise.
    pub whole: Vec<String>,
}

/// What a character is to the splitter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Class {
    Plain,
    /// Line feeds and carriage returns.
    Break,
    /// Opening brackets and quotation marks.
    Open,
    /// Terminators that always count.
    Stop,
    /// Full stops.
    Dot,
    Ellipsis,
    /// Notes, stars and emoji.
    Note,
}

/// [`SentenceRules`] with the class of each character of the Basic Multilingual Plane, which the splitter looks up for every
/// character of a text.
#[derive(Debug)]
pub(super) struct Rules {
    pub(super) own: SentenceRules,
    classes: Box<[Class]>,
}

impl Rules {
    pub(super) fn new(own: SentenceRules) -> Self {
        let mut classes = vec![Class::Plain; 0x1_0000].into_boxed_slice();
        let mut set = |characters: &mut dyn Iterator<Item = char>, class| {
            for c in characters {
                if let Some(slot) = classes.get_mut(c as usize) {
                    *slot = class;
                }
            }
        };
        set(&mut ('\u{2600}'..='\u{FFFF}').filter(|c| is_emoji(*c)), Class::Note);
        set(&mut own.notes.chars(), Class::Note);
        set(&mut own.ellipses.chars(), Class::Ellipsis);
        set(&mut own.dots.chars(), Class::Dot);
        set(&mut own.stops.chars(), Class::Stop);
        set(&mut own.brackets.iter().map(|(open, _)| *open), Class::Open);
        set(&mut ['\n', '\r', '\u{2028}', '\u{2029}'].into_iter(), Class::Break);
        Self { own, classes }
    }

    pub(super) fn class(&self, c: char) -> Class {
        match self.classes.get(c as usize) {
            Some(class) => *class,
            None if is_emoji(c) => Class::Note,
            None => Class::Plain,
        }
    }

    /// The bracket that closes `open`.
    pub(super) fn closing(&self, open: char) -> Option<char> {
        self.own.brackets.iter().find(|(have, _)| *have == open).map(|(_, close)| *close)
    }

    /// Length of a word of feeling in brackets at the start of `text`.
    pub(super) fn emotion_word(&self, text: &str) -> Option<usize> {
        // The longest word and its brackets; looking for the closing one farther would be quadratic.
        let text = prefix(text, 18);
        let inside = text.strip_prefix(['(', FULL_WIDTH_OPEN])?;
        let (word, rest) = inside.split_once([')', FULL_WIDTH_CLOSE])?;
        self.own.emotion_words.iter().any(|own| own == word).then(|| text.len() - rest.len())
    }

    /// Whether `head` ends with a word whose full stop does not end a sentence.
    pub(super) fn is_abbreviation(&self, head: &str) -> bool {
        let separates = |c: char| {
            !(c.is_alphanumeric() || c == '.') || !matches!(script_of(c), Script::Latin | Script::None)
        };
        let word = head.rsplit(separates).next().unwrap_or_default().to_lowercase();
        self.own.abbreviations.contains(&word)
    }

    /// Whether what follows a terminator goes on with the sentence: a comma or a word such as a particle of quotation.
    pub(super) fn continues(&self, rest: &str) -> bool {
        if rest.starts_with(|c| self.own.commas.contains(c)) {
            return true;
        }
        self.own.continuations.iter().any(|continuation| {
            rest.starts_with(&continuation.word)
                && !continuation.except.iter().any(|word| rest.starts_with(word.as_str()))
        })
    }
}

pub(super) const FULL_WIDTH_OPEN: char = '\u{FF08}';
pub(super) const FULL_WIDTH_CLOSE: char = '\u{FF09}';

/// Emoji, and the older symbols that are used like them.
pub(super) fn is_emoji(c: char) -> bool {
    matches!(c, '\u{1F300}'..='\u{1FAFF}' | '❤' | '♡' | '♥' | '☺' | '☹' | '✨' | '❗' | '❓' | '❕' | '❔')
}
