//! The few calls of libdeflate: decompress a whole gzip member, compress one, CRC-32.
//!
//! libdeflate is about 1.4 times as fast as streaming decoders because it never stops in the middle. Its safe wrapper
//! crate does not report the number of input bytes of a member, which an archive reader needs.
#![expect(unsafe_code, reason = "libdeflate is a C library; every call is in this module")]

use std::ptr::NonNull;

use libdeflate_sys as sys;

/// Outcome of decompressing one member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decompressed {
    /// The member is complete and its checksum correct. Holds the number of input bytes.
    Done(usize),
    /// Not a complete, valid member (the input may also end too early).
    Bad,
    /// The output did not fit.
    Space,
}

/// Container around a deflate stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Container {
    Gzip,
    Zlib,
    Raw,
}

/// A libdeflate decompressor.
#[derive(Debug)]
pub(crate) struct Inflater(NonNull<sys::libdeflate_decompressor>);

// SAFETY: the decompressor is plain memory without thread-local state, owned by this value alone.
unsafe impl Send for Inflater {}

impl Inflater {
    /// Returns `None` if memory is short.
    pub(crate) fn new() -> Option<Self> {
        // SAFETY: no precondition; a null result is turned into `None`.
        NonNull::new(unsafe { sys::libdeflate_alloc_decompressor() }).map(Self)
    }

    /// Decompresses the first member of `input` and appends it to `out`, within the spare capacity of `out`. Leaves `out`
    /// unchanged unless the result is [`Decompressed::Done`].
    pub(crate) fn decompress(
        &mut self,
        container: Container,
        input: &[u8],
        out: &mut Vec<u8>,
    ) -> Decompressed {
        let call = match container {
            Container::Gzip => sys::libdeflate_gzip_decompress_ex,
            Container::Zlib => sys::libdeflate_zlib_decompress_ex,
            Container::Raw => sys::libdeflate_deflate_decompress_ex,
        };
        let spare = out.spare_capacity_mut();
        let (mut read, mut written) = (0_usize, 0_usize);
        // SAFETY: the decompressor lives; `input` and `spare` are valid for the lengths given and do not
        // overlap (one is a shared, the other an exclusive borrow); both counters outlive the call.
        let result = unsafe {
            call(
                self.0.as_ptr(),
                input.as_ptr().cast(),
                input.len(),
                spare.as_mut_ptr().cast(),
                spare.len(),
                &raw mut read,
                &raw mut written,
            )
        };
        match result {
            sys::libdeflate_result_LIBDEFLATE_SUCCESS => {
                let len = out.len() + written;
                // SAFETY: on success exactly `written` bytes of the spare capacity were initialised.
                unsafe { out.set_len(len) };
                Decompressed::Done(read)
            }
            sys::libdeflate_result_LIBDEFLATE_INSUFFICIENT_SPACE => Decompressed::Space,
            _ => Decompressed::Bad,
        }
    }
}

impl Drop for Inflater {
    fn drop(&mut self) {
        // SAFETY: made by `libdeflate_alloc_decompressor`, freed once.
        unsafe { sys::libdeflate_free_decompressor(self.0.as_ptr()) }
    }
}

/// A libdeflate compressor.
#[derive(Debug)]
pub(crate) struct Deflater(NonNull<sys::libdeflate_compressor>);

// SAFETY: as for `Inflater`.
unsafe impl Send for Deflater {}

impl Deflater {
    /// `level` is 1 (fast) to 12 (small). Returns `None` if it is out of range or memory is short.
    pub(crate) fn new(level: i32) -> Option<Self> {
        // SAFETY: no precondition; a null result is turned into `None`.
        NonNull::new(unsafe { sys::libdeflate_alloc_compressor(level) }).map(Self)
    }

    /// Appends `data` to `out` as one gzip member.
    pub(crate) fn gzip(&mut self, data: &[u8], out: &mut Vec<u8>) {
        // SAFETY: the compressor lives.
        let bound = unsafe { sys::libdeflate_gzip_compress_bound(self.0.as_ptr(), data.len()) };
        out.reserve(bound);
        let spare = out.spare_capacity_mut();
        // SAFETY: both buffers are valid for the lengths given and do not overlap.
        let written = unsafe {
            sys::libdeflate_gzip_compress(
                self.0.as_ptr(),
                data.as_ptr().cast(),
                data.len(),
                spare.as_mut_ptr().cast(),
                spare.len(),
            )
        };
        debug_assert!(written > 0, "the bound is large enough by libdeflate's contract");
        let len = out.len() + written;
        // SAFETY: `written` bytes of the spare capacity were initialised.
        unsafe { out.set_len(len) };
    }
}

impl Drop for Deflater {
    fn drop(&mut self) {
        // SAFETY: made by `libdeflate_alloc_compressor`, freed once.
        unsafe { sys::libdeflate_free_compressor(self.0.as_ptr()) }
    }
}

/// CRC-32 of `data`, continuing from `crc` (0 at the start).
pub(crate) fn crc32(crc: u32, data: &[u8]) -> u32 {
    // SAFETY: `data` is valid for its length. The pointer of an empty slice is non-null, so the C function does not
    // mistake it for a request for the initial value.
    unsafe { sys::libdeflate_crc32(crc, data.as_ptr().cast(), data.len()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compresses_and_decompresses_one_member_after_another() {
        let mut compressed = Vec::new();
        let mut deflater = Deflater::new(6).unwrap();
        deflater.gzip(b"first", &mut compressed);
        let end = compressed.len();
        deflater.gzip(b"second", &mut compressed);
        let mut inflater = Inflater::new().unwrap();
        let mut out = Vec::with_capacity(64);
        assert_eq!(inflater.decompress(Container::Gzip, &compressed, &mut out), Decompressed::Done(end));
        assert_eq!(out, b"first");
        let mut small = Vec::new();
        assert_eq!(inflater.decompress(Container::Gzip, &compressed, &mut small), Decompressed::Space);
        assert_eq!(inflater.decompress(Container::Gzip, &compressed[..5], &mut out), Decompressed::Bad);
        assert_eq!(out, b"first");
        assert_eq!(crc32(0, b"123456789"), 0xCBF4_3926);
        assert_eq!(crc32(crc32(0, b"1234"), b"56789"), 0xCBF4_3926);
    }
}
