//! Conversations out of a caption.

use regex::Regex;

use crate::language::{Language, fill};

/// What a caption tells.
#[derive(Debug)]
pub(super) struct About {
    language: &'static Language,
    phrase: String,
    colour: Option<&'static str>,
    number: Option<String>,
}

impl About {
    pub(super) fn new(language: &'static Language, caption: &str) -> Self {
        let words = &language.stand_in;
        let phrase = caption.trim().trim_end_matches(|c| words.terminators.contains(c)).to_owned();
        let phrase = if phrase.is_empty() { words.empty.clone() } else { phrase };
        // The colour named first, since it mostly belongs to the thing named first.
        let colour = words
            .colours
            .iter()
            .filter_map(|[word, alone]| phrase.find(word.as_str()).map(|at| (at, alone.as_str())))
            .min_by_key(|(at, _)| *at)
            .map(|(_, alone)| alone);
        let pattern = Regex::new(&words.number).ok();
        let number = pattern.and_then(|pattern| Some(pattern.find(&phrase)?.as_str().to_owned()));
        Self { language, phrase, colour, number }
    }

    fn fill(&self, template: &str) -> String {
        let number = self.number.as_deref().unwrap_or_default();
        let colour = self.colour.unwrap_or_default();
        fill(template, &[("phrase", &self.phrase), ("colour", colour), ("number", number)])
    }

    fn turn(&self, [question, answer]: &[String; 2]) -> (String, String) {
        (question.clone(), self.fill(answer))
    }

    /// The caption as a sentence.
    fn sentence(&self) -> String {
        let words = &self.language.stand_in;
        if self.phrase.ends_with(|c| words.exclamations.contains(c)) {
            return self.phrase.clone();
        }
        let verbal = words.verbal_endings.iter().any(|end| self.phrase.ends_with(end.as_str()));
        self.fill(if verbal { &words.verbal } else { &words.nominal })
    }

    /// Deterministic choice by the caption's own characters.
    fn choose<'a>(&self, of: &'a [String; 3]) -> &'a str {
        let sum: usize = self.phrase.chars().map(|c| c as usize).sum();
        &of[sum % of.len()]
    }

    pub(super) fn conversation(&self) -> Vec<(String, String)> {
        let words = &self.language.stand_in;
        let mut turns = vec![(self.choose(&words.describe).to_owned(), self.sentence())];
        if self.colour.is_some() {
            turns.push(self.turn(&words.colour));
        }
        if self.number.is_some() {
            turns.push(self.turn(&words.count));
        }
        if turns.len() == 1 {
            turns.push(self.turn(&words.title));
        }
        turns
    }

    pub(super) fn detail(&self) -> String {
        let words = &self.language.stand_in;
        let mut text = format!("{}{}", words.detail_start, self.sentence());
        if self.colour.is_some() {
            text.push_str(&self.fill(&words.detail_colour));
        }
        if self.number.is_some() {
            text.push_str(&self.fill(&words.detail_count));
        }
        text.push_str(&words.detail_end);
        text
    }

    pub(super) fn reasoning(&self) -> Vec<(String, String)> {
        let words = &self.language.stand_in;
        let light = words.lights.iter().find(|[word, _]| self.phrase.contains(word.as_str()));
        vec![match light {
            Some([_, reason]) => (words.light.clone(), reason.clone()),
            None => self.turn(&words.meaning),
        }]
    }
}
