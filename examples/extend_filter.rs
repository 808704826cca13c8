//! Adds a text filter: `cargo run --example extend_filter -- "A text" "1 2 3 4 5"`.
//!
//! A filter notes statistics of a text and the reasons to drop it. Its settings are its fields, so a profile can name it in
//! TOML like every filter of the library once it is in the registry. This one finds lists of numbers, such as timetables.

use std::process::ExitCode;

use anyhow::Result;
use serde::{Deserialize, Serialize};
use tsumugi::text::filter::{Filter, FilterRegistry, Report, Resources, Text};
use tsumugi::text::{Error, FilterChain, Profile};

/// Drops texts in which too many words have digits.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Timetable {
    /// Greatest share, 0 to 1, of words with a digit.
    max_share: f64,
    /// Whether the words are separated by spaces; that of the language pack where absent.
    spaced: Option<bool>,
}

impl Default for Timetable {
    fn default() -> Self {
        Self { max_share: 0.5, spaced: None }
    }
}

impl Filter for Timetable {
    // Called once, before the first text. A filter may read word lists and models here too.
    fn load(&mut self, resources: &Resources<'_>) -> Result<Option<String>, Error> {
        self.spaced.get_or_insert(resources.pack.manifest().spaced);
        Ok(None)
    }

    fn apply(&self, text: &Text<'_>, report: &mut Report) {
        let has_digit = |word: &str| word.chars().any(char::is_numeric);
        let shares: Vec<bool> = if self.spaced == Some(true) {
            text.as_str().split_whitespace().map(has_digit).collect()
        } else {
            text.as_str().chars().filter(|c| !c.is_whitespace()).map(char::is_numeric).collect()
        };
        let digits = shares.iter().filter(|digit| **digit).count();
        let share = digits as f64 / shares.len().max(1) as f64;
        // Notes the statistic and, above the limit, the reason `digit_word_share>0.5`.
        report.at_most("digit_word_share", share, self.max_share);
    }
}

const PROFILE: &str = r#"
name = "prose"
pack = "en"

[[filter]]
type = "timetable"
max_share = 0.25

[[filter]]
type = "length"
min = 5
"#;

fn chain() -> Result<FilterChain, Error> {
    let mut registry = FilterRegistry::default();
    registry.register::<Timetable>("timetable");
    FilterChain::with_registry(&Profile::parse("prose", PROFILE)?, None, &registry)
}

fn main() -> ExitCode {
    let chain = match chain() {
        Ok(chain) => chain,
        Err(error) => {
            eprintln!("error: {:#}", anyhow::Error::from(error));
            return ExitCode::FAILURE;
        }
    };
    for text in std::env::args().skip(1) {
        let decision = chain.apply(&text);
        println!("{text}: {}", decision.reason().unwrap_or("kept"));
    }
    ExitCode::SUCCESS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_profile_finds_the_filter() -> Result<()> {
        let chain = chain()?;
        assert_eq!(chain.apply("Platform 3 08:15 09:15 10:15").reason(), Some("digit_word_share>0.25"));
        assert_eq!(chain.apply("No").reason(), Some("num_letters<5"));
        assert!(chain.apply("The train of 08:15 was late again.").keep);
        let unknown = FilterChain::new(&Profile::parse("prose", PROFILE)?, None).err();
        assert!(matches!(unknown, Some(Error::UnknownFilter { name, .. }) if name == "timetable"));
        Ok(())
    }
}
