//! Images over HTTP, from URLs that strangers wrote.
//!
//! A [`Fetcher`] fetches one URL per call and is shared by thousands of tasks. It obeys `robots.txt` (RFC 9309) with its
//! `Crawl-delay`, and files in which a site reserves its content; it opens few connections per host, waits as long as a
//! host requests, and connects to no address of a private network, even if a redirect or a name leads there. Its caller
//! sees the headers of an answer before the body is read, and may refuse it.
//!
//! ```no_run
//! use tsumugi_images::fetch::{Fetcher, HttpConfig};
//!
//! # async fn example() -> Result<(), tsumugi_images::fetch::SetupError> {
//! let config = HttpConfig { contact: "mailto:crawler@example.jp".into(), ..HttpConfig::default() };
//! let fetcher = Fetcher::new(config)?;
//! let answer = fetcher.fetch("https://example.jp/sakura.jpg", &|_headers| None).await;
//! match answer.body {
//!     Ok(bytes) => println!("{} bytes of {}", bytes.len(), answer.url),
//!     Err(refusal) => println!("{}: {}", answer.url, refusal.reason()),
//! }
//! # Ok(())
//! # }
//! ```

mod answer;
mod body;
mod config;
mod fetcher;
mod hosts;
mod pace;
mod public;
mod resolve;
mod site;

pub use answer::{Answer, Refusal};
pub use config::HttpConfig;
pub use fetcher::{Fetcher, SetupError};
pub use public::is_public;
pub use reqwest::header::HeaderMap;
pub use resolve::{Lookup, SystemLookup};
pub use tsumugi_robots::Signal;
