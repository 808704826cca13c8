//! Models and datasets of the Hugging Face hub, with or without a network.
//!
//! A [`Hub`] finds repositories by `owner/name` or `owner/name@revision` and keeps their files in the cache that Python's
//! `huggingface_hub` keeps, so that what one has downloaded the other finds. Without a network, or with `HF_HUB_OFFLINE`, it
//! takes from the cache what is there as a whole. What a server refuses is said with what to do about it.
//!
//! It reads the variables that `huggingface_hub` reads: `HF_ENDPOINT`, `HF_HOME`, `HF_HUB_CACHE`, `HF_TOKEN`,
//! `HF_TOKEN_PATH`, `HF_HUB_OFFLINE`. Transfers are those of [`hf_hub`].
//!
//! ```
//! use tsumugi_hub::{Hub, Repository};
//!
//! let repository = Repository::model("llm-jp/llm-jp-3-vila-14b@v1.0")?;
//! assert_eq!((repository.name(), repository.revision()), ("llm-jp/llm-jp-3-vila-14b", "v1.0"));
//!
//! // Nothing is asked of a network here, and the cache is empty.
//! let cache = std::env::temp_dir().join("a-cache-that-is-not-there");
//! let hub = Hub::new("http://127.0.0.1:9", cache).with_offline(true);
//! let error = hub.model("llm-jp/llm-jp-3-vila-14b").unwrap_err();
//! assert!(error.to_string().contains("HF_HUB_OFFLINE"));
//! # Ok::<(), tsumugi_hub::Error>(())
//! ```
#![forbid(unsafe_code)]

mod cached;
mod download;
mod error;
mod files;
mod hub;
mod lfs;
mod place;
mod repository;

pub use error::Error;
pub use hub::Hub;
pub use lfs::{is_lfs_pointer, is_lfs_pointer_file};
pub use repository::Repository;

/// The README's example, compiled and run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
