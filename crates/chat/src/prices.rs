//! Prices by model, as data.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::{Error, Usage};

/// Tokens assumed for one image where no price entry says otherwise: OpenAI's 85 + 170 a tile for 4 tiles.
const DEFAULT_IMAGE_TOKENS: u64 = 765;

/// A price table: TOML with one `[models."NAME"]` table a model, fields `input`, `output` (USD for a million tokens), `image_tokens` and `batch`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prices {
    /// Entries by model name or by a name's beginning.
    pub models: BTreeMap<String, Price>,
}

/// The price of one model.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// USD for a million prompt tokens.
    pub input: f64,
    /// USD for a million completion tokens.
    pub output: f64,
    /// Most prompt tokens an image costs.
    #[serde(default = "default_image_tokens")]
    pub image_tokens: u64,
    /// What a request in a batch costs, as a part of its price alone (OpenAI: half).
    #[serde(default = "default_batch")]
    pub batch: f64,
}

fn default_batch() -> f64 {
    0.5
}

fn default_image_tokens() -> u64 {
    DEFAULT_IMAGE_TOKENS
}

impl Price {
    /// USD for this usage.
    #[must_use]
    pub fn cost(&self, usage: Usage) -> f64 {
        (usage.prompt_tokens as f64 * self.input + usage.completion_tokens as f64 * self.output) / 1e6
    }
}

impl Prices {
    /// The table that comes with the crate (`prices.toml`, which names its date).
    #[must_use]
    pub fn builtin() -> Self {
        // The file is part of the crate and a test parses it, so the fallback is never taken.
        Self::from_toml(include_str!("../prices.toml")).unwrap_or_default()
    }

    /// Reads a table.
    ///
    /// # Errors
    /// [`Error::Config`] with the place in the text.
    pub fn from_toml(text: &str) -> Result<Self, Error> {
        let prices: Self = toml::from_str(text)
            .map_err(|error| Error::Config { message: format!("the price table cannot be read: {error}") })?;
        for (name, price) in &prices.models {
            if !(price.input >= 0.0 && price.output >= 0.0 && price.batch >= 0.0) {
                return Err(Error::Config {
                    message: format!("the price of {name} is negative or not a number"),
                });
            }
        }
        Ok(prices)
    }

    /// Reads a table from a file.
    ///
    /// # Errors
    /// [`Error::Config`] with the path.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(path).map_err(|error| Error::Config {
            message: format!("the price table {}: {error}", path.display()),
        })?;
        Self::from_toml(&text)
    }

    /// The entry of that name, or else the longest one that the name begins with.
    #[must_use]
    pub fn find(&self, model: &str) -> Option<&Price> {
        self.models.get(model).or_else(|| {
            self.models
                .iter()
                .filter(|(name, _)| model.starts_with(name.as_str()))
                .max_by_key(|(name, _)| name.len())
                .map(|(_, price)| price)
        })
    }

    pub(crate) fn image_tokens(&self, model: &str) -> u64 {
        self.find(model).map_or(DEFAULT_IMAGE_TOKENS, |price| price.image_tokens)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_builtin_table_is_found_by_prefix() {
        let prices = Prices::builtin();
        assert_eq!(prices.find("gpt-4o-mini-2024-07-18").unwrap().input, 0.15);
        assert_eq!(prices.find("gpt-4o-2024-05-13").unwrap().output, 15.0);
        assert!(prices.find("another").is_none());
        let cost = prices
            .find("gpt-4o")
            .unwrap()
            .cost(Usage { prompt_tokens: 1_000_000, completion_tokens: 100_000 });
        assert!((cost - 3.5).abs() < 1e-12);
    }

    #[test]
    fn bad_tables_say_where() {
        assert!(
            Prices::from_toml("[models.x]\ninput = 1\nouput = 2").unwrap_err().to_string().contains("ouput")
        );
        assert!(Prices::from_toml("[models.x]\ninput = -1\noutput = 2").is_err());
    }
}
