//! A stand-in for a real API: a loopback server that speaks the OpenAI protocol and answers by fixed rules.
//!
//! It lets the demo run from end to end without a key, a download or a model. **It is not a language model**: conversations
//! are rearranged captions, judgements are counts of shared characters. So that no such text is taken for more than it is,
//! every reply bears the model name [`MODEL`], and with it the column `generator.model` of every row made from one.
//!
//! ```
//! use tsumugi_demo::{MODEL, StandIn};
//!
//! let server = StandIn::start()?;
//! assert!(server.base_url().starts_with("http://127.0.0.1:"));
//! assert_eq!(MODEL, "tsumugi-stand-in");
//! # Ok::<(), tsumugi_demo::Error>(())
//! ```

mod caption;
mod judge;
mod reply;
mod seen;
mod server;

pub use server::StandIn;

/// The model name of every reply.
pub const MODEL: &str = "tsumugi-stand-in";
