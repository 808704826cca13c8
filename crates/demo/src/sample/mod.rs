//! The embedded sample: a site of our own in Japanese, English or Korean, so that everything can be tried and tested without a
//! download.
//!
//! The site of the invented town Tsumugi has pages in UTF-8 and old encodings and a few in other languages,
//! drawn images with true alternative texts, and one of everything that the steps are to drop: copies, opted-out
//! pages, adverts, broken images. Each call makes the same bytes; nothing is read from disk.
//!
//! ```
//! let site = tsumugi_demo::site(2, "ja")?;
//! assert!(site.iter().any(|file| file.url.ends_with("/001.html")));
//! # Ok::<(), tsumugi_demo::Error>(())
//! ```

mod archive;
mod benchmark;
mod canvas;
mod drawing;
mod markup;
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
