//! File names and placeholders where words should be.

use regex::Regex;
use serde::{Deserialize, Serialize};

use super::rule::{Filter, Reason, Report, Resources, Text};
use crate::error::Error;

/// Drops texts that are a file name, an address or a camera's number (see [`Captions::file_name_pattern`](crate::pack::Captions::file_name_pattern)).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FileName {
    /// Whether texts that stand for any image, such as "no image available", are dropped too (no: the paper has no such
    /// rule).
    pub placeholders: bool,
    #[serde(skip)]
    loaded: Option<(Regex, Regex)>,
}

impl Filter for FileName {
    fn load(&mut self, resources: &Resources<'_>) -> Result<Option<String>, Error> {
        let captions = resources.pack.captions();
        let compile = |field, pattern: String| {
            Regex::new(&pattern).map_err(|source| Error::Pattern { field, source: Box::new(source) })
        };
        let file_name = compile("image_words", captions.file_name_pattern())?;
        self.loaded = Some((file_name, compile("placeholder_patterns", captions.placeholder_pattern())?));
        Ok(None)
    }

    fn apply(&self, text: &Text<'_>, report: &mut Report) {
        let Some((file_name, placeholder)) = &self.loaded else { return };
        let text = text.as_str().trim();
        if file_name.is_match(text) {
            report.drop(Reason::new("file_name"));
        } else if self.placeholders && placeholder.is_match(text) {
            report.drop(Reason::new("placeholder"));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{FilterChain, Profile};

    #[test]
    fn the_rules_of_pairs() {
        let chain = FilterChain::new(&Profile::named("paper-pairs").unwrap(), None).unwrap();
        let reason = |text: &str| chain.apply(text).reason().map(str::to_owned);
        assert_eq!(reason("東京タワーの夜景"), None);
        assert_eq!(reason("images/桜2019.PNG").as_deref(), Some("file_name"));
        assert_eq!(reason(" 写真 (2)").as_deref(), Some("file_name"));
        assert_eq!(reason("A tower at night").as_deref(), Some("no_letter_of_language"));
        assert_eq!(reason("東京の夜").as_deref(), Some("num_letters<6"));
        assert_eq!(chain.modify("\u{3000}春の \n 空の色 ").as_deref(), Some("春の 空の色"));
    }

    #[test]
    fn pairs_of_other_languages() {
        let reason = |profile: &str, text: &str| {
            let chain = FilterChain::new(&Profile::named(profile).unwrap(), None).unwrap();
            chain.apply(text).reason().map(str::to_owned)
        };
        assert_eq!(reason("ko-pairs", "서울의 밤거리 풍경"), None);
        assert_eq!(reason("ko-pairs", "본문 이미지").as_deref(), Some("placeholder"));
        assert_eq!(reason("ko-pairs", "Seoul at night").as_deref(), Some("no_letter_of_language"));
        assert_eq!(reason("en-pairs", "A tower at night"), None);
        assert_eq!(reason("en-pairs", "No image available").as_deref(), Some("placeholder"));
        assert_eq!(reason("zh-pairs", "夜晚的东京塔"), None);
        assert_eq!(reason("zh-pairs", "微信图片_2024").as_deref(), Some("file_name"));
    }
}
