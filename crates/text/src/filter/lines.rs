//! Rules about lines.

use serde::{Deserialize, Serialize};

use super::rule::{Filter, Report, Text, float, share};

/// Bounds the share of line feeds that follow `...` or `…` (HojiChar).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EllipsisLines {
    /// Greatest share, 0 to 1 (0.7: HojiChar; Gopher: 0.3).
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

/// Bounds the share of lines with only a few letters, such as menus and breadcrumbs (HojiChar).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ShortLines {
    /// Greatest share, 0 to 1 (0.5: HojiChar).
    pub max: f64,
    /// Number of code points up to which a line is short (10: HojiChar).
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

/// Bounds line feeds and emoji in short texts such as alt texts, as WAON does.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LineBreaks {
    /// Greatest number of line feeds (5: ours).
    pub max_newlines: usize,
    /// Greatest number of emoji (5: ours).
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
