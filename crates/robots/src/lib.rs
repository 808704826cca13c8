//! What servers ask of automated clients: `robots.txt` by RFC 9309, `Retry-After`, and opt-out from machine learning.
//!
//! - [`Robots`] reads a `robots.txt` for one program, with `Crawl-delay`, `Content-Signal` and `Content-Usage`. The file
//!   `/ai.txt` has the same format.
//! - [`TdmRep`] reads `/.well-known/tdmrep.json`.
//! - [`OptOut`] collects what a page or an answer declares: `X-Robots-Tag`, `<meta name="robots">`, `tdm-reservation`,
//!   `Content-Signal` and `Content-Usage`. A [`Signal`] names each way, so that a program can choose which ones it obeys.
//! - [`requested_wait`] reads `Retry-After`.
//!
//! The crate does no input or output; a client passes it what it has fetched.
//!
//! ```
//! use tsumugi_robots::{Robots, Signal};
//!
//! let file = b"User-agent: *\nDisallow: /private/\nAllow: /private/logo.png$\nContent-Signal: search=yes, ai-train=no\n";
//! let robots = Robots::parse(file, "tsumugi");
//! assert!(!robots.is_allowed("https://a.test/private/a.png"));
//! assert!(robots.is_allowed("https://a.test/private/logo.png"));
//! assert!(robots.forbids_training(Signal::ContentSignal, "https://a.test/private/logo.png"));
//! ```
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod lines;
mod opt_out;
mod pattern;
mod retry_after;
mod robots;
mod signal;
mod tdmrep;

pub use opt_out::{OptOut, is_same_agent};
pub use pattern::comparable_path;
pub use retry_after::{duration, requested_wait, retry_after};
pub use robots::{MAX_ROBOTS_TXT, Robots};
pub use signal::Signal;
pub use tdmrep::{Error, TdmRep};

/// The README's example, compiled and run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
