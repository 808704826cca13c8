//! Language identification and quality filters for Japanese (and other) text.
//!
//! Everything here takes `&str` and gives decisions with a reason; the crate knows no HTML, no image and no record.
//!
//! ```
//! use tsumugi_text::LanguageIdentifier;
//!
//! let language = LanguageIdentifier::default().identify("春はあけぼの。やうやう白くなりゆく山ぎは。");
//! assert_eq!(language.code, "ja");
//! ```

#![forbid(unsafe_code)]

pub mod language;
pub mod sentence;

pub use language::{Evidence, Language, LanguageConfig, LanguageIdentifier};
pub use sentence::{joined_sentence_ranges, joined_sentences, sentence_ranges, sentences};
