//! Pictures over HTTP, from addresses that strangers wrote.
//!
//! A [`Fetcher`] asks for one address at a time and is shared by thousands of tasks. It keeps to `robots.txt`
//! (RFC 9309), holds few connections to a host, waits as long as a host asks it to, and connects to no address of a
//! private network, also where a redirect or a name leads there. Its caller sees the head of an answer before the body
//! is read, and may refuse it.
//!
//! ```no_run
//! use tsumugi_images::fetch::{Fetcher, HttpConfig};
//!
//! # async fn example() -> Result<(), tsumugi_images::fetch::SetupError> {
//! let config = HttpConfig { contact: "mailto:crawler@example.jp".into(), ..HttpConfig::default() };
//! let fetcher = Fetcher::new(config)?;
//! let answer = fetcher.fetch("https://example.jp/sakura.jpg", &|_head| None).await;
//! match answer.body {
//!     Ok(bytes) => println!("{} bytes of {}", bytes.len(), answer.url),
//!     Err(refusal) => println!("{}: {}", answer.url, refusal.reason()),
//! }
//! # Ok(())
//! # }
//! ```

mod answer;
mod config;
mod fetcher;
mod hosts;
mod public;
mod resolve;
mod robots;

pub use answer::{Answer, Refusal};
pub use config::HttpConfig;
pub use fetcher::{Fetcher, SetupError};
pub use public::is_public;
pub use reqwest::header::HeaderMap;
pub use resolve::{Lookup, SystemLookup};
