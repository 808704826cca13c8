//! Builders of image-text pairs and interleaved documents: the recipes of the paper as pure functions over one
//! document and its inspected pictures. What compares documents with each other (frequent pictures and texts,
//! duplicates, the lowest share) needs only the keys that the results carry, and is left to the caller.
//!
//! ```
//! use tsumugi_images::PHash;
//! use tsumugi_interleave::{PairConfig, Picture, TextChecker, pair_candidates};
//! use tsumugi_record::{Document, ImageSlot, Node};
//!
//! let alt = Some("満開の桜と、その下を歩く人々".to_owned());
//! let image = ImageSlot { url: "http://example.jp/sakura.jpg".into(), alt, ..Default::default() };
//! let page = Document { nodes: vec![Node { image: Some(image), ..Default::default() }], ..Default::default() };
//!
//! let config = PairConfig::default();
//! let find = |_: &str| Some(Picture { key: 0, width: 640, height: 480, phash: PHash(7) });
//! let found = pair_candidates(&page, &find, &config, &TextChecker::new(&config.text)?);
//! assert_eq!(found.candidates[0].text, "満開の桜と、その下を歩く人々");
//! # Ok::<(), tsumugi_interleave::Error>(())
//! ```
#![forbid(unsafe_code)]

mod config;
mod document;
mod error;
mod lap;
mod matrix;
mod pairs;
mod picture;
mod similarity;
mod text;

pub use config::{FrequencyRules, ImageRules, InterleavedConfig, PairConfig, Surplus, TextRules, TextSource};
pub use document::{DocumentDrop, Draft, DroppedPicture, PagePicture, Part, page_pictures};
pub use error::{Error, Result};
pub use lap::{assign, total};
pub use matrix::Matrix;
pub use pairs::{PairCandidate, PairCandidates, PairDrop, pair_candidates};
pub use picture::{Picture, PictureDrop, distinct};
pub use similarity::{Judge, Similarity, combine};
pub use text::{TextChecker, TextDrop, tidy, without_figure_number};
