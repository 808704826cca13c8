//! The embedded sample: a Japanese site of our own, so that everything can be tried and tested without a download.
//!
//! The site of the invented town Tsumugi has pages in UTF-8, Shift_JIS and EUC-JP and a few in other languages,
//! drawn pictures with true alternative texts, and one of everything that the steps are to drop: copies, opted-out
//! pages, adverts, broken pictures. Each call makes the same bytes; nothing is read from disk.
//!
//! ```
//! let site = tsumugi_demo::site(2)?;
//! assert!(site.iter().any(|file| file.url.ends_with("/001.html")));
//! # Ok::<(), tsumugi_demo::Error>(())
//! ```

mod archive;
mod benchmark;
mod canvas;
mod foreign;
mod markup;
mod picture;
mod prose;
mod random;
mod scene;
mod site;
mod subject;
mod things;

pub use archive::{PAGES, write_sample};
pub use benchmark::write_benchmark;
pub use site::{Resource, site};

#[cfg(test)]
mod tests;
