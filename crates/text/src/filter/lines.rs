//! Rules over lines.

use serde::{Deserialize, Serialize};

use super::rule::{Filter, Report, Text, float, share};

/// Share of line feeds right after `...` or `…` (HojiChar).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EllipsisLines {
    /// Largest share (HojiChar: .7; Gopher: .3).
    pub max: f64,
}

impl Default for EllipsisLines {
    fn default() -> Self {
        Self { max: 0.7 }
    }
}

impl Filter for EllipsisLines {
    fn apply(&self, text: &Text<'_>, report: &mut Report) {
        let text = text.as_str();
        let count = text.matches("...\n").count() + text.matches("…\n").count();
        let feeds = text.bytes().filter(|b| *b == b'\n').count().max(1);
        report.at_most("ellipsis_line_fraction", share(count, feeds), self.max);
    }
}

/// Share of lines of a few letters (menus, breadcrumbs; HojiChar).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ShortLines {
    /// Largest share (HojiChar: .5).
    pub max: f64,
    /// Letters up to which a line is short (HojiChar: 10).
    pub letters: usize,
}

impl Default for ShortLines {
    fn default() -> Self {
        Self { max: 0.5, letters: 10 }
    }
}

impl Filter for ShortLines {
    fn apply(&self, text: &Text<'_>, report: &mut Report) {
        let (mut short, mut lines) = (0, 0);
        for line in text.as_str().split('\n') {
            lines += 1;
            short += usize::from(line.chars().nth(self.letters).is_none());
        }
        report.at_most("short_line_fraction", share(short, lines), self.max);
    }
}

/// Bounds for short texts such as alt texts: line feeds, emoji and runs of one character (as WAON bounds them; the
/// figures are this project's).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LineBreaks {
    /// Most line feeds.
    pub max_newlines: usize,
    /// Most emoji.
    pub max_emoji: usize,
}

impl Default for LineBreaks {
    fn default() -> Self {
        Self { max_newlines: 5, max_emoji: 5 }
    }
}

impl Filter for LineBreaks {
    fn apply(&self, text: &Text<'_>, report: &mut Report) {
        let newlines = text.as_str().bytes().filter(|b| *b == b'\n').count();
        let emoji = text.as_str().chars().filter(|c| matches!(c, '\u{1F300}'..='\u{1FAFF}')).count();
        report.at_most("num_newlines", float(newlines), float(self.max_newlines));
        report.at_most("num_emoji", float(emoji), float(self.max_emoji));
    }
}
