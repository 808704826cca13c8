//! Prices by model, as data.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::{Error, Usage};

/// Tokens assumed for one image where neither the price table nor the configuration says otherwise: OpenAI's 85 + 170 a tile
/// for 4 tiles.
pub(crate) const DEFAULT_IMAGE_TOKENS: u64 = 765;

/// A price table: TOML with one `[models."NAME"]` table a model, fields `input`, `output` (USD for a million tokens), `batch`,
/// `image_tokens`, `source` and `checked`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Prices {
    /// Entries by model name; see [`of_model`] for how one is found.
    pub models: BTreeMap<String, Price>,
}

/// The price of one model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// USD per million prompt tokens.
    pub input: f64,
    /// USD per million completion tokens.
    pub output: f64,
    /// Price of a request in a batch as a fraction of that of a single request (OpenAI: 0.5). Default: 1.
    #[serde(default = "whole")]
    pub batch: f64,
    /// Maximum number of prompt tokens of an image; [`crate::ClientConfig::image_tokens`] takes precedence.
    #[serde(default)]
    pub image_tokens: Option<u64>,
    /// Where the price was read.
    #[serde(default)]
    pub source: String,
    /// The day on which it was read.
    #[serde(default)]
    pub checked: String,
}

fn whole() -> f64 {
    1.0
}

impl Default for Price {
    /// Free of charge.
    fn default() -> Self {
        Self {
            input: 0.0,
            output: 0.0,
            batch: whole(),
            image_tokens: None,
            source: String::new(),
            checked: String::new(),
        }
    }
}

impl Price {
    /// USD for this usage.
    #[must_use]
    pub fn cost(&self, usage: Usage) -> f64 {
        (usage.prompt_tokens as f64 * self.input + usage.completion_tokens as f64 * self.output) / 1e6
    }
}

impl Prices {
    /// The table that comes with the crate, `prices.toml`. Each row says where and when its price was read.
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
        let prices: Self =
            toml::from_str(text).map_err(|e| Error::config_caused("invalid price table", e))?;
        for (name, price) in &prices.models {
            let sound = |number: f64| number >= 0.0 && number.is_finite();
            if !(sound(price.input) && sound(price.output) && sound(price.batch)) {
                return Err(Error::config(format!(
                    "the price of {name} is negative, infinite or not a number"
                )));
            }
        }
        Ok(prices)
    }

    /// Reads a table from a file.
    ///
    /// # Errors
    /// [`Error::Config`] with the path.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let place = format!("cannot use the price table {}", path.display());
        let text = std::fs::read_to_string(path).map_err(|e| Error::config_caused(place.as_str(), e))?;
        Self::from_toml(&text).map_err(|e| Error::config_caused(place.as_str(), e))
    }

    /// The price of a model; `None` where the table does not know it.
    #[must_use]
    pub fn find(&self, model: &str) -> Option<&Price> {
        of_model(&self.models, model)
    }
}

/// The entry of a model: that of its own name, or else that of the name of which it is a dated snapshot (`gpt-4o-2024-08-06`
/// of `gpt-4o`). Other names that merely begin alike (`gpt-4o-audio-preview`) are other models.
#[must_use]
pub fn of_model<'a, T>(entries: &'a BTreeMap<String, T>, model: &str) -> Option<&'a T> {
    let dated = |rest: &str| {
        rest.strip_prefix('-').is_some_and(|date| {
            date.len() >= 4
                && date.starts_with(|c: char| c.is_ascii_digit())
                && date.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-')
        })
    };
    entries.get(model).or_else(|| {
        entries
            .iter()
            .find(|(name, _)| model.strip_prefix(name.as_str()).is_some_and(dated))
            .map(|(_, entry)| entry)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The messages of an error and its causes as one text.
    fn all(error: &Error) -> String {
        crate::error::tests::messages(error).join(": ")
    }

    #[test]
    fn snapshots_have_the_price_of_their_model_and_others_none() {
        let prices = Prices::builtin();
        assert_eq!(prices.find("gpt-4o-mini-2024-07-18").unwrap().input, 0.15);
        assert_eq!(prices.find("gpt-4o-2024-05-13").unwrap().output, 15.0);
        for other in
            ["another", "gpt-4o-audio-preview", "gpt-4o-mini-2024-07-18-custom", "gpt-4o-", "openai/gpt-4o"]
        {
            assert!(prices.find(other).is_none(), "{other}");
        }
        let cost = prices
            .find("gpt-4o")
            .unwrap()
            .cost(Usage { prompt_tokens: 1_000_000, completion_tokens: 100_000 });
        assert!((cost - 3.5).abs() < 1e-12);
    }

    #[test]
    fn each_row_names_its_source_and_day() {
        for (name, price) in Prices::builtin().models {
            assert!(!price.source.is_empty() && price.checked.len() == 10, "{name}");
        }
    }

    #[test]
    fn bad_tables_say_where() {
        assert!(all(&Prices::from_toml("[models.x]\ninput = 1\nouput = 2").unwrap_err()).contains("ouput"));
        // Half a price is none: what is missing must not count as free.
        assert!(all(&Prices::from_toml("[models.x]\ninput = 1").unwrap_err()).contains("output"));
        for number in ["-1", "inf", "nan"] {
            assert!(Prices::from_toml(&format!("[models.x]\ninput = {number}\noutput = 2")).is_err());
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("own.toml");
        std::fs::write(&path, "[models.x]\ninput = inf\noutput = 2").unwrap();
        let error = all(&Prices::load(&path).unwrap_err());
        assert!(error.contains("own.toml") && error.contains("price of x"), "{error}");
    }
}
