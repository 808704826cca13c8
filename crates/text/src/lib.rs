//! Language identification and quality filters for Japanese (and other) text.
//!
//! Everything here takes `&str` and gives decisions with a reason; the crate knows no HTML, no image and no record.
//! A [`FilterChain`] puts texts through the filters of a [`Profile`]; [`sentences`], [`MinHash`], [`mask_pii_strict`]
//! and the normalisations are useful alone, and so is [`mecab`], a reader of MeCab's compiled
//! dictionaries. Word lists and models come from files that the user brings.
//!
//! Features, off by default: `fasttext` (classifiers of fastText), `tokenizers` (tokenizer files for
//! [`filter::Perplexity`]).
//!
//! ```
//! use tsumugi_text::LanguageIdentifier;
//!
//! let language = LanguageIdentifier::default().identify("春はあけぼの。やうやう白くなりゆく山ぎは。");
//! assert_eq!(language.code, "ja");
//! ```

// The one exception is the memory map of dictionary files, in `mecab::map`.
#![deny(unsafe_code)]

mod error;
pub mod filter;
mod kenlm;
pub mod language;
pub mod mecab;
pub mod minhash;
pub mod ngram;
pub mod normalize;
pub mod paragraphs;
pub mod pii;
mod profile;
pub mod sentence;
mod tokens;
mod words;

pub use error::Error;
pub use filter::{Decision, FILE_NAME, FilterChain, FilterConfig, Reason};
pub use kenlm::{LanguageModel, Score};
pub use language::{Evidence, Language, LanguageConfig, LanguageIdentifier};
pub use minhash::{MinHash, MinHashConfig, exact_hash};
pub use normalize::{
    Modification, collapse_space, majority_punctuation, nfkc, normalize_ccnet, normalize_neologd,
};
pub use pii::{mask_pii, mask_pii_strict};
pub use profile::Profile;
pub use sentence::{joined_sentence_ranges, joined_sentences, sentence_ranges, sentences};
pub use words::{Matching, WordList};
