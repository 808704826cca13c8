//! The lab's text filter.

use serde::{Deserialize, Serialize};
use tsumugi::text::filter::{Filter, FilterRegistry, Report, Text};
use tsumugi::text::{Error, FilterChain, Profile};

/// Drops texts that repeat a word too often.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Stutter {
    /// Largest fraction, 0 to 1, of words that equal the word before.
    max_fraction: f64,
}

impl Default for Stutter {
    fn default() -> Self {
        Self { max_fraction: 0.2 }
    }
}

impl Filter for Stutter {
    fn apply(&self, text: &Text<'_>, report: &mut Report) {
        let words: Vec<&str> = text.as_str().split_whitespace().collect();
        let repeated = words.windows(2).filter(|pair| pair[0] == pair[1]).count();
        report.at_most("stutter", repeated as f64 / words.len().max(1) as f64, self.max_fraction);
    }
}

const PROFILE: &str = r#"
name = "lab"
pack = "en"

[[filter]]
type = "stutter"
max_fraction = 0.3
"#;

/// The filters of the lab's profile.
///
/// # Errors
/// Where the profile names an unknown filter.
pub fn filters() -> Result<FilterChain, Error> {
    let mut registry = FilterRegistry::default();
    registry.register::<Stutter>("stutter");
    FilterChain::with_registry(&Profile::parse("lab", PROFILE)?, None, &registry)
}
