//! Decodes, inspects, hashes and resamples images from the web within limits, with exactly the pixels and hashes that the
//! Python tools (Pillow, ImageHash) produce.
//!
//! ```
//! use tsumugi_images::{Limits, decode_rgb, inspect, resize, Filter};
//!
//! // A bitmap of two pixels, blue and white.
//! let bytes = b"BM\x3e\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x02\0\0\0\x01\0\0\0\x01\0\x18\0\0\0\0\0\x08\0\0\0\
//!     \0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\0\0\xff\xff\xff\0\0";
//! let facts = inspect(bytes, &Limits::default())?;
//! assert_eq!((facts.width, facts.height, facts.colours), (2, 1, 2));
//! assert_eq!(facts.phash.to_string().len(), 16);
//!
//! let rgb = decode_rgb(bytes, &Limits::default())?;
//! assert_eq!(rgb.data, [0, 0, 255, 255, 255, 255]);
//! let square = resize(&rgb, 384, 384, Filter::Bicubic)?;
//! assert_eq!(square.data.len(), 384 * 384 * 3);
//! # Ok::<(), tsumugi_images::Error>(())
//! ```
//!
//! With the feature `http`, the module `fetch` downloads images.
//!
//! Formats: JPEG (including CMYK and progressive), PNG, GIF, WebP and BMP. SVG, AVIF, HEIF, TIFF and icons are recognised
//! and refused by name, so that they can be counted. Of an animated image, the first frame is used. Files that break their
//! format's rules in ways that browsers pass over are [`repaired`] first.
//!
//! The EXIF orientation is a fact that [`inspect`] gives beside size and hash, which are those of the stored pixels.
//! [`decode_upright`] turns the pixels as viewers do.
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod address;
mod dct;
mod decode;
mod error;
#[cfg(feature = "http")]
pub mod fetch;
mod format;
mod inspect;
mod luma;
mod matching;
mod phash;
mod repair;
mod resize;
mod rgb;

pub use address::{canonical_url, decode_data_url, is_data_url, mirror_paths, resolve_url};
pub use decode::{Limits, decode_rgb, decode_upright};
pub use error::{Error, Result};
pub use format::Format;
pub use inspect::{Inspection, content_id, inspect};
pub use matching::{match_key, match_keys};
pub use phash::PHash;
pub use repair::repaired;
pub use resize::{Filter, resize, resize_channels};
pub use rgb::Rgb;

/// The README's example, compiled and run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
