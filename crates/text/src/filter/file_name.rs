//! File names where words should be.

use std::sync::LazyLock;

use regex::Regex;
use serde::{Deserialize, Serialize};

use super::{Filter, Reason, Report, Text};

/// What is a file name, an address or a camera's number and no text (ours: the paper drops file names from alt texts
/// and does not say how).
pub const FILE_NAME: &str = concat!(
    r"(?i)^(.*[/\\])?\S+\.(jpe?g|jpe|jfif|png|apng|gif|webp|bmp|svg|tiff?|avif|heic|ico)([?#].*)?$",
    r"|^https?://\S+$|^(img|image|dsc[nf]?|pict?|photo|画像|写真|スクリーンショット)?[-_ .()\d]+$",
);

static PATTERN: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(FILE_NAME).ok());

/// Drops texts that are a file name (see [`FILE_NAME`]).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FileName {}

impl Filter for FileName {
    fn apply(&self, text: &Text<'_>, report: &mut Report) {
        if PATTERN.as_ref().is_some_and(|pattern| pattern.is_match(text.as_str().trim())) {
            report.drop(Reason::new("file_name"));
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
        assert_eq!(reason("A tower at night").as_deref(), Some("no_japanese_letter"));
        assert_eq!(reason("東京の夜").as_deref(), Some("num_letters<6"));
        assert_eq!(chain.modify("\u{3000}春の \n 空の色 ").as_deref(), Some("春の 空の色"));
    }
}
