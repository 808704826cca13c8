//! What can be wrong with a picture.

use crate::Format;

/// Why a picture could not be read.
///
/// Dirty input is data: [`Error::reason`] gives the one word under which the tables count it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There are no bytes.
    #[error("the file is empty")]
    Empty,
    /// More bytes than [`crate::Limits::max_bytes`].
    #[error("{bytes} bytes are more than the limit of {limit}; raise max_bytes to read it")]
    TooManyBytes {
        /// Size of the file.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// Larger than [`crate::Limits::max_pixels`] or [`crate::Limits::max_side`]; found before decoding.
    #[error(
        "{width}x{height} pixels are more than the limit (sides up to {max_side}, {max_pixels} in all); raise max_side or max_pixels to read it"
    )]
    TooManyPixels {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// Longest side allowed.
        max_side: u32,
        /// Pixels allowed.
        max_pixels: u64,
    },
    /// Not the start of any picture format that is known here.
    #[error("no known picture format (it starts with {start:?})")]
    UnknownFormat {
        /// The first bytes, escaped.
        start: String,
    },
    /// A format that is recognised and not decoded (SVG, AVIF, TIFF, ...).
    #[error("{} pictures are not decoded", format.as_str())]
    Unsupported {
        /// The format.
        format: Format,
    },
    /// The decoder gave up.
    #[error("broken {} file", format.as_str())]
    Decode {
        /// The format.
        format: Format,
        /// What the decoder says.
        #[source]
        source: image::ImageError,
    },
    /// The data ends before the picture does. Some decoders fill the rest with grey, others refuse the file.
    #[error("{} file that ends too early", format.as_str())]
    Truncated {
        /// The format.
        format: Format,
    },
    /// A picture of no pixels, or a buffer whose length does not fit its size.
    #[error("{width}x{height} pixels of {channels} bytes do not fit a buffer of {len} bytes")]
    Shape {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// Bytes a pixel.
        channels: usize,
        /// Bytes there are.
        len: usize,
    },
}

impl Error {
    /// One word for tables and funnels: `empty`, `too_many_bytes`, `too_many_pixels`, `not_an_image`, `svg`,
    /// `unsupported_format`, `broken`, `truncated`.
    pub fn reason(&self) -> &'static str {
        match self {
            Error::Truncated { .. } => "truncated",
            Error::Empty => "empty",
            Error::TooManyBytes { .. } => "too_many_bytes",
            Error::TooManyPixels { .. } => "too_many_pixels",
            Error::UnknownFormat { .. } => "not_an_image",
            Error::Unsupported { format: Format::Svg } => "svg",
            Error::Unsupported { .. } => "unsupported_format",
            Error::Decode { source: image::ImageError::Limits(_), .. } => "too_many_pixels",
            Error::Decode { .. } | Error::Shape { .. } => "broken",
        }
    }
}

/// Result of this crate.
pub type Result<T> = std::result::Result<T, Error>;
