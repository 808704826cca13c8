//! Bodies of answers: reading within limits, content codings, and reading out what is not wanted.

use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use reqwest::Response;
use reqwest::header::{CONTENT_ENCODING, HeaderMap};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use super::answer::Refusal;
use super::resolve::refusal_in;

/// Size in bytes above which a body is large.
const LARGE: usize = 1 << 20;
/// Bytes of an unwanted body that are read so that its connection serves the next request. Opening another one costs
/// about as much.
const MAX_DRAINED: u64 = 64 << 10;
/// How long an unwanted body is read.
const DRAIN_TIME: Duration = Duration::from_secs(1);

/// How a body is read.
pub(super) struct Limits<'a> {
    pub(super) max_bytes: u64,
    /// Whether a longer body is truncated instead of refused.
    pub(super) truncate: bool,
    pub(super) large_bodies: &'a Arc<Semaphore>,
}

/// The time limit of a request, which does not run while the request waits for room.
pub(super) struct Clock(Instant);

impl Clock {
    pub(super) fn start(limit: Duration) -> Self {
        Self(Instant::now() + limit)
    }

    /// Runs one part of the request.
    pub(super) async fn limit<T>(&self, part: impl Future<Output = T>) -> Result<T, Refusal> {
        timeout_at(self.0, part).await.map_err(|_| Refusal::Timeout)
    }

    /// Stops while something is waited for.
    async fn stop<T>(&mut self, wait: impl Future<Output = T>) -> T {
        let began = Instant::now();
        let done = wait.await;
        self.0 += began.elapsed();
        done
    }
}

/// Reads a body. A large one takes a permit, and waits for it as long as it takes.
pub(super) async fn read(
    mut response: Response,
    limits: &Limits<'_>,
    clock: &mut Clock,
    permit: &mut Option<Arc<OwnedSemaphorePermit>>,
) -> Result<Bytes, Refusal> {
    let codings = Codings::of(response.headers())?;
    if response.content_length().unwrap_or(0) > limits.max_bytes && !limits.truncate {
        return Err(Refusal::TooManyBytes);
    }
    let mut body = BytesMut::new();
    loop {
        match clock.limit(response.chunk()).await? {
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => break,
            Err(error) => return Err(failure(&error, Refusal::Cut)),
        }
        if body.len() > LARGE && permit.is_none() {
            let waiting = limits.large_bodies.clone().acquire_owned();
            *permit = clock.stop(waiting).await.ok().map(Arc::new);
        }
        if body.len() as u64 > limits.max_bytes {
            if !limits.truncate {
                return Err(Refusal::TooManyBytes);
            }
            body.truncate(limits.max_bytes as usize);
            break;
        }
    }
    codings.decode(body.freeze(), limits)
}

/// Reads an unwanted body to its end if it is short, so that the connection serves the next request.
pub(super) async fn drain(mut response: Response) {
    if response.content_length().is_some_and(|length| length > MAX_DRAINED) {
        return;
    }
    let clock = Clock::start(DRAIN_TIME);
    let mut read = 0;
    while read <= MAX_DRAINED {
        match clock.limit(response.chunk()).await {
            Ok(Ok(Some(chunk))) => read += chunk.len() as u64,
            _ => break,
        }
    }
}

/// The refusal that an error of the HTTP client stands for.
pub(super) fn failure(error: &reqwest::Error, otherwise: Refusal) -> Refusal {
    refusal_in(error).unwrap_or(if error.is_timeout() { Refusal::Timeout } else { otherwise })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Coding {
    Gzip,
    Deflate,
}

/// The content codings of a body. None is asked for, but some servers send them anyway.
#[derive(Debug, PartialEq, Eq)]
struct Codings(Vec<Coding>);

impl Codings {
    /// Reads `Content-Encoding`. Like browsers, it ignores what names no coding, such as `none`, `utf-8` or `binary`.
    fn of(headers: &HeaderMap) -> Result<Self, Refusal> {
        let mut codings = Vec::new();
        for value in headers.get_all(CONTENT_ENCODING) {
            for name in String::from_utf8_lossy(value.as_bytes()).split(',') {
                match name.trim().trim_matches('"').to_ascii_lowercase().as_str() {
                    "gzip" | "x-gzip" => codings.push(Coding::Gzip),
                    "deflate" => codings.push(Coding::Deflate),
                    "br" | "zstd" | "compress" | "x-compress" | "dcb" | "dcz" => {
                        return Err(Refusal::Encoded);
                    }
                    _ => {}
                }
            }
        }
        Ok(Self(codings))
    }

    /// Decompresses a body, within the same limits.
    fn decode(&self, mut body: Bytes, limits: &Limits<'_>) -> Result<Bytes, Refusal> {
        for coding in self.0.iter().rev() {
            let (decompressed, is_whole) = decompress(&body, *coding, limits.max_bytes);
            match decompressed.len() as u64 > limits.max_bytes {
                true if limits.truncate => body = decompressed.slice(..limits.max_bytes as usize),
                true => return Err(Refusal::TooManyBytes),
                false if is_whole || limits.truncate => body = decompressed,
                false => return Err(Refusal::Encoded),
            }
        }
        Ok(body)
    }
}

/// Decompresses at most one byte more than `max_bytes`, and says whether the data was sound.
fn decompress(compressed: &[u8], coding: Coding, max_bytes: u64) -> (Bytes, bool) {
    let read = |reader: &mut dyn Read| {
        let mut decompressed = Vec::new();
        let is_whole = reader.take(max_bytes.saturating_add(1)).read_to_end(&mut decompressed).is_ok();
        (Bytes::from(decompressed), is_whole)
    };
    match coding {
        Coding::Gzip => read(&mut MultiGzDecoder::new(compressed)),
        // By the standard it is zlib's format; some servers leave out its head.
        Coding::Deflate => {
            let found = read(&mut ZlibDecoder::new(compressed));
            if found.1 { found } else { read(&mut DeflateDecoder::new(compressed)) }
        }
    }
}

/// The text of a file that may be stored as gzip without a header that says so.
pub(super) fn decompressed_file(bytes: Bytes, max_bytes: usize) -> Bytes {
    if bytes.starts_with(&[0x1f, 0x8b]) {
        decompress(&bytes, Coding::Gzip, max_bytes as u64).0
    } else {
        bytes
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn headers(values: &[&str]) -> HeaderMap {
        values.iter().map(|value| (CONTENT_ENCODING, value.parse().unwrap())).collect()
    }

    #[test]
    fn what_names_no_coding_is_none() {
        let decodable = [Coding::Gzip, Coding::Deflate];
        for (values, expected) in [
            (&[][..], Ok(&[][..])),
            (&["none"], Ok(&[])),
            (&["identity"], Ok(&[])),
            (&[""], Ok(&[])),
            (&["utf-8"], Ok(&[])),
            (&["binary, 8bit"], Ok(&[])),
            (&["UNKNOWN"], Ok(&[])),
            (&["image/jpeg"], Ok(&[])),
            (&["GZip"], Ok(&decodable[..1])),
            (&["x-gzip, identity"], Ok(&decodable[..1])),
            (&["\"gzip\"", "deflate"], Ok(&decodable)),
            (&["br"], Err(Refusal::Encoded)),
            (&["none, zstd"], Err(Refusal::Encoded)),
        ] {
            let found = Codings::of(&headers(values)).map(|codings| codings.0);
            assert_eq!(found, expected.map(<[Coding]>::to_vec), "{values:?}");
        }
    }

    #[test]
    fn decompresses_within_limits() {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        gzip.write_all(&[b'x'; 1000]).unwrap();
        let gzip = Bytes::from(gzip.finish().unwrap());
        let mut raw = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
        raw.write_all(b"image").unwrap();
        let raw = Bytes::from(raw.finish().unwrap());
        let large_bodies = Arc::new(Semaphore::new(1));
        let decode = |coding, body: &Bytes, max_bytes, truncate| {
            let limits = Limits { max_bytes, truncate, large_bodies: &large_bodies };
            Codings(vec![coding]).decode(body.clone(), &limits).map(|body| body.len())
        };
        assert_eq!(decode(Coding::Gzip, &gzip, 1000, false), Ok(1000));
        assert_eq!(decode(Coding::Gzip, &gzip, 999, false), Err(Refusal::TooManyBytes));
        assert_eq!(decode(Coding::Gzip, &gzip, 999, true), Ok(999));
        assert_eq!(decode(Coding::Gzip, &gzip.slice(..15), 1000, false), Err(Refusal::Encoded));
        assert_eq!(decode(Coding::Gzip, &Bytes::from_static(b"xxxx"), 1000, false), Err(Refusal::Encoded));
        assert_eq!(decode(Coding::Deflate, &raw, 1000, false), Ok(5));
        assert_eq!(decompressed_file(gzip, 500), vec![b'x'; 501]);
        assert_eq!(decompressed_file(Bytes::from_static(b"User-agent: *"), 500), "User-agent: *");
    }
}
