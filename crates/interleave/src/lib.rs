//! Builders of image-text pairs and interleaved documents: the recipes of the paper as pure functions of one document and
//! the facts about its images.
//!
//! Rules that compare documents with each other (frequent images and texts, duplicates, the share of lowest similarity) need
//! only the keys in the results and are left to the caller.
//!
//! ```
//! use tsumugi_images::PHash;
//! use tsumugi_interleave::{ImageFacts, PairConfig, TextChecker, pair_candidates};
//! use tsumugi_record::{Document, ImageSlot, Node};
//!
//! let alt = Some("満開の桜と、その下を歩く人々".to_owned());
//! let image = ImageSlot { url: "http://example.jp/sakura.jpg".into(), alt, ..Default::default() };
//! let page = Document { nodes: vec![Node { image: Some(image), ..Default::default() }], ..Default::default() };
//!
//! let config = PairConfig::default();
//! let find = |_: &str| Some(ImageFacts { key: 0, width: 640, height: 480, phash: PHash(7) });
//! let found = pair_candidates(&page, &find, &config, &TextChecker::new(&config)?);
//! assert_eq!(found.candidates[0].text, "満開の桜と、その下を歩く人々");
//! # Ok::<(), tsumugi_interleave::Error>(())
//! ```
#![forbid(unsafe_code)]

mod assignment;
mod config;
mod document;
mod error;
mod image;
mod matrix;
mod pairs;
mod similarity;
mod text;
mod window;

pub use assignment::{assign, total};
pub use config::{
    FrequencyRules, ImageRules, InterleavedConfig, Long, PairConfig, Surplus, TextRules, TextSource,
};
pub use document::{DocumentDrop, Draft, DroppedImage, PageImage, Part, page_images};
pub use error::{Error, Result};
pub use image::{ImageDrop, ImageFacts, distinct};
pub use matrix::Matrix;
pub use pairs::{PairCandidate, PairCandidates, PairDrop, pair_candidates};
pub use similarity::{NsfwClassifier, Similarity};
pub use text::{TextChecker, TextDrop, tidy};
