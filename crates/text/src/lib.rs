//! Languages as data, language identification, and quality filters for text.
//!
//! A [`LanguagePack`] holds what belongs to one language: its letters, sentence rules, phrases, prompts and profiles. A
//! [`FilterChain`] applies the filters of a [`Profile`] to texts and gives a reason for each text that it drops; a
//! [`FilterRegistry`] adds filters of your own. [`SentenceSplitter`], [`MinHash`], [`mask_pii_strict`] and the normalisations
//! are useful alone, and so is [`mecab`], a reader of MeCab's compiled dictionaries. The crate knows nothing of HTML, images or tables. Word lists and models come from files of the user.
//!
//! Features, off by default: `fasttext` (classifiers of fastText), `tokenizers` (tokenizer files for
//! [`filter::Perplexity`]), `schema` (JSON schemas of the settings).
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
pub mod pack;
pub mod paragraphs;
pub mod pii;
mod profile;
pub mod sentence;
mod tokens;
mod words;

pub use error::Error;
pub use filter::{Decision, FilterChain, FilterRegistry, Reason};
pub use kenlm::{LanguageModel, Score};
pub use language::{Evidence, Language, LanguageConfig, LanguageIdentifier};
pub use minhash::{MinHash, MinHashConfig, exact_hash};
pub use normalize::{
    Modification, collapse_space, majority_punctuation, nfkc, normalize_ccnet, normalize_neologd,
};
pub use pack::LanguagePack;
pub use pii::{mask_pii, mask_pii_strict};
pub use profile::Profile;
pub use sentence::SentenceSplitter;
pub use words::{Matching, WordList};
