//! Errors of reading images.

use crate::Format;

/// Why an image cannot be read.
///
/// Dirty input is data: [`Error::reason`] returns the word under which the tables count it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There are no bytes.
    #[error("the file is empty")]
    Empty,
    /// More bytes than [`crate::Limits::max_bytes`].
    #[error("the file has {bytes} bytes, more than the limit of {limit}; raise max_bytes to read it")]
    TooManyBytes {
        /// Size of the file.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// Larger than [`crate::Limits::max_pixels`] or [`crate::Limits::max_side`]; detected before decoding.
    #[error(
        "the image has {width}x{height} pixels, more than the limit (sides up to {max_side}, {max_pixels} in total); raise max_side or max_pixels to read it"
    )]
    TooManyPixels {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// Longest side allowed.
        max_side: u32,
        /// Number of pixels allowed.
        max_pixels: u64,
    },
    /// The first bytes are those of no known image format.
    #[error("the image format is unknown (the file starts with {start:?})")]
    UnknownFormat {
        /// The first bytes, escaped.
        start: String,
    },
    /// A format that is recognised but not decoded (SVG, AVIF, TIFF, ...).
    #[error("{} images are not decoded", format.as_str())]
    Unsupported {
        /// The format.
        format: Format,
    },
    /// The decoder failed.
    #[error("the {} file is damaged", format.as_str())]
    Decode {
        /// The format.
        format: Format,
        /// The decoder's reason.
        source: image::ImageError,
    },
    /// The data ends before the image does. Some decoders fill the rest with grey, others refuse the file.
    #[error("the {} file is truncated", format.as_str())]
    Truncated {
        /// The format.
        format: Format,
    },
    /// An image without pixels, or a buffer whose length does not match its size.
    #[error("{width}x{height} pixels of {channels} bytes do not match a buffer of {len} bytes")]
    Shape {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// Bytes per pixel.
        channels: usize,
        /// Length of the buffer in bytes.
        len: usize,
    },
}

impl Error {
    /// One word for tables and funnels: `empty`, `too_many_bytes`, `too_many_pixels`, `not_an_image`, `broken`, `truncated`; or
    /// the name of a format that is not decoded: `svg`, `avif`, `heif`, `tiff`, `ico`.
    pub fn reason(&self) -> &'static str {
        match self {
            Error::Truncated { .. } => "truncated",
            Error::Empty => "empty",
            Error::TooManyBytes { .. } => "too_many_bytes",
            Error::TooManyPixels { .. } => "too_many_pixels",
            Error::UnknownFormat { .. } => "not_an_image",
            Error::Unsupported { format } => format.as_str(),
            Error::Decode { source: image::ImageError::Limits(_), .. } => "too_many_pixels",
            Error::Decode { .. } | Error::Shape { .. } => "broken",
        }
    }
}

/// Result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;

    #[test]
    fn shows_each_cause_once() {
        let cause = image::ImageError::IoError(std::io::Error::other("the cause"));
        let shown = cause.to_string();
        let damaged = Error::Decode { format: Format::Png, source: cause };
        assert!(!damaged.to_string().contains(&shown));
        assert_eq!(damaged.source().map(ToString::to_string), Some(shown));
        for alone in [
            Error::Empty,
            Error::TooManyBytes { bytes: 2, limit: 1 },
            Error::TooManyPixels { width: 2, height: 2, max_side: 1, max_pixels: 1 },
            Error::UnknownFormat { start: "x".into() },
            Error::Unsupported { format: Format::Svg },
            Error::Truncated { format: Format::Jpeg },
            Error::Shape { width: 1, height: 1, channels: 3, len: 1 },
        ] {
            assert!(alone.source().is_none(), "{alone}");
        }
    }
}
