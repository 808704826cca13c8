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

mod error;
pub mod filter;
pub mod language;
pub mod minhash;
pub mod ngram;
pub mod normalize;
pub mod paragraphs;
pub mod pii;
mod profile;
pub mod sentence;
mod words;

pub use error::Error;
pub use filter::{Decision, FilterChain, FilterConfig, Reason};
pub use language::{Evidence, Language, LanguageConfig, LanguageIdentifier};
pub use minhash::{MinHash, MinHashConfig, exact_hash};
pub use normalize::{Modification, collapse_space, majority_punctuation, nfkc};
pub use pii::{mask_pii, mask_pii_strict};
pub use profile::Profile;
pub use sentence::{joined_sentence_ranges, joined_sentences, sentence_ranges, sentences};
pub use words::WordList;
