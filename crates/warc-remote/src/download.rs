//! Downloads one range of an object, over as many connections as it takes.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;
use object_store::{GetOptions, GetRange, GetResult, ObjectStore};

use crate::client::Object;
use crate::config::RemoteConfig;
use crate::error::{RemoteError, RemoteFault};
use crate::service::{Answer, Seen};
use crate::version::Version;

/// Longest wait that a server may request.
const LONGEST_ASKED: Duration = Duration::from_secs(600);
/// New bytes that count as progress. Without this limit, connections that break after a few bytes each would be
/// retried forever.
const PROGRESS: u64 = 64 << 10;

/// A download, which knows its position and continues there on a new connection.
#[derive(Debug)]
pub(crate) struct Download {
    object: Object,
    config: RemoteConfig,
    /// Next byte to read.
    position: u64,
    /// Byte after the last one to read; `None` for the end of the object.
    end: Option<u64>,
    /// Whether the caller gave `end`, rather than the server.
    bounded: bool,
    /// The version being read.
    version: Option<Version>,
    /// Whether the server supports ranges, as far as is known.
    ranges: bool,
    /// Fail if it does not.
    ranges_only: bool,
    /// Failures since the last progress, and the position of that.
    failures: u32,
    progress: u64,
}

/// A failure of one request, with the wait that the server requested.
struct Failure {
    fault: RemoteFault,
    wait: Option<Duration>,
}

impl From<RemoteFault> for Failure {
    fn from(fault: RemoteFault) -> Self {
        Self { fault, wait: None }
    }
}

/// The body of an answer, and the number of bytes to skip in it.
struct Body {
    stream: BoxStream<'static, object_store::Result<Bytes>>,
    skip: u64,
}

impl Download {
    pub(crate) fn new(object: Object, config: RemoteConfig, start: u64, end: Option<u64>) -> Self {
        let (bounded, failures, progress) = (end.is_some(), 0, start);
        Self {
            object,
            config,
            position: start,
            end,
            bounded,
            version: None,
            ranges: true,
            ranges_only: false,
            failures,
            progress,
        }
    }

    /// Restricts the download to this version.
    pub(crate) fn of_version(mut self, version: Option<Version>) -> Self {
        self.version = version;
        self
    }

    /// Makes the download fail with [`RemoteFault::RangesIgnored`] if the server sends the whole object instead.
    pub(crate) fn by_ranges_only(mut self) -> Self {
        self.ranges_only = true;
        self
    }

    /// The address of the object for messages.
    pub(crate) fn address(&self) -> &str {
        &self.object.address
    }

    /// Requests the version of the object, without its bytes.
    pub(crate) async fn stat(mut self) -> Result<Version, RemoteError> {
        let mut head = true;
        loop {
            match self.ask(None, head).await {
                Ok((result, answer)) => return Ok(Version::of(&result.meta, !answer.unknown_length)),
                // Some servers and most signed URLs allow only GET; the body of the answer is dropped.
                Err(Failure {
                    fault: RemoteFault::Refused { .. } | RemoteFault::Status { status: 405 | 501 | 400, .. },
                    ..
                }) if head => {
                    head = false;
                }
                Err(failure) => self.recover(failure).await?,
            }
        }
    }

    /// Downloads and passes each piece to `take` until that breaks. Calls `opened` with the version first.
    pub(crate) async fn run<F, T>(
        &mut self,
        mut opened: impl FnMut(&Version) -> ControlFlow<()>,
        mut take: F,
    ) -> Result<(), RemoteError>
    where
        F: FnMut(Bytes) -> T,
        T: Future<Output = ControlFlow<()>>,
    {
        let mut announced = false;
        loop {
            let mut body = match self.request().await {
                Ok(body) => body,
                Err(failure) => {
                    self.recover(failure).await?;
                    continue;
                }
            };
            if let Some(version) = self.version.as_ref().filter(|_| !announced) {
                announced = true;
                if opened(version).is_break() {
                    return Ok(());
                }
            }
            let failure = loop {
                if self.end.is_some_and(|end| self.position >= end) {
                    return Ok(());
                }
                let piece = match self.next_piece(&mut body).await {
                    Ok(Some(piece)) => piece,
                    Ok(None) => match self.end {
                        Some(_) => break RemoteFault::Cut(None),
                        None => return Ok(()),
                    },
                    Err(fault) => break fault,
                };
                if take(piece).await.is_break() {
                    return Ok(());
                }
            };
            self.recover(failure.into()).await?;
        }
    }

    /// The next bytes after the skipped ones.
    async fn next_piece(&mut self, body: &mut Body) -> Result<Option<Bytes>, RemoteFault> {
        loop {
            let idle = self.config.idle();
            let mut piece = match tokio::time::timeout(idle, body.stream.next()).await {
                Err(_) => return Err(RemoteFault::TimedOut(idle)),
                Ok(None) => return Ok(None),
                Ok(Some(Ok(piece))) => piece,
                Ok(Some(Err(error))) => return Err(RemoteFault::Cut(Some(Arc::new(error)))),
            };
            let skipped = (piece.len() as u64).min(body.skip);
            body.skip -= skipped;
            drop(piece.split_to(usize::try_from(skipped).unwrap_or(usize::MAX)));
            if let Some(end) = self.end {
                piece.truncate(usize::try_from(end.saturating_sub(self.position)).unwrap_or(usize::MAX));
            }
            if piece.is_empty() {
                continue;
            }
            self.position += piece.len() as u64;
            if self.position - self.progress >= PROGRESS {
                (self.progress, self.failures) = (self.position, 0);
            }
            return Ok(Some(piece));
        }
    }

    /// Requests the bytes that are still missing.
    async fn request(&mut self) -> Result<Body, Failure> {
        let whole = self.position == 0 && !self.bounded;
        let (result, answer, ranged) = loop {
            let ranged = self.ranges && !whole;
            let range = match self.end {
                _ if !ranged => None,
                Some(end) => Some(GetRange::Bounded(self.position..end)),
                None => Some(GetRange::Offset(self.position)),
            };
            match self.ask(range, false).await {
                // Then request the whole object.
                Err(Failure { fault: RemoteFault::RangesIgnored, .. }) if !self.ranges_only => {}
                other => {
                    let (result, answer) = other?;
                    break (result, answer, ranged);
                }
            }
        };
        let now = Version::of(&result.meta, !answer.unknown_length);
        match &self.version {
            Some(version) => version.check(&now)?,
            None => self.version = Some(now.clone()),
        }
        if self.end.is_none() {
            self.end = now.length;
        }
        if let (Some(end), Some(length)) = (self.end, now.length)
            && end > length
        {
            return Err(RemoteFault::OutOfRange { start: self.position, end, length }.into());
        }
        let skip = if ranged { 0 } else { self.position };
        Ok(Body { stream: result.into_stream(), skip })
    }

    /// Sends one request. Notes whether the server ignores ranges.
    async fn ask(&mut self, range: Option<GetRange>, head: bool) -> Result<(GetResult, Answer), Failure> {
        let seen = Seen::default();
        let mut options = GetOptions { range: range.clone(), head, ..GetOptions::default() };
        options.extensions.insert(seen.clone());
        let idle = self.config.idle();
        let request = self.object.store.get_opts(&self.object.path, options);
        let result = match tokio::time::timeout(idle, request).await {
            Ok(result) => result,
            Err(_) => return Err(RemoteFault::TimedOut(idle).into()),
        };
        let answer = seen.answer();
        match result {
            Ok(result) => Ok((result, answer)),
            Err(error) => {
                if range.is_some() && answer.status == Some(200) {
                    self.ranges = false;
                    return Err(RemoteFault::RangesIgnored.into());
                }
                let wait = answer.retry_after;
                Err(Failure { fault: self.fault(error, answer), wait })
            }
        }
    }

    fn fault(&self, error: object_store::Error, answer: Answer) -> RemoteFault {
        let Answer { status, code, region, failure, timed_out, .. } = answer;
        if timed_out {
            return RemoteFault::TimedOut(self.config.idle());
        }
        if let Some(failure) = failure {
            return RemoteFault::Connection(failure);
        }
        match status {
            Some(404) => RemoteFault::NotFound,
            Some(301 | 307 | 400) if region.is_some() => RemoteFault::Region(region.unwrap_or_default()),
            Some(status @ (401 | 403)) => RemoteFault::Refused { status, code, signed: self.object.signed },
            Some(416) => {
                let length = self.version.as_ref().and_then(|version| version.length).unwrap_or_default();
                RemoteFault::OutOfRange { start: self.position, end: self.end.unwrap_or(u64::MAX), length }
            }
            Some(status) if !(200..300).contains(&status) => RemoteFault::Status { status, code },
            // These errors name the path and headers, never the URL.
            _ => RemoteFault::Store(Arc::new(error)),
        }
    }

    /// Waits before the next request, or gives up.
    async fn recover(&mut self, failure: Failure) -> Result<(), RemoteError> {
        let Failure { fault, wait } = failure;
        self.failures += 1;
        if !fault.is_transient() || self.failures >= self.config.attempts.max(1) {
            let error = RemoteError::new(&self.object.address, fault);
            return Err(error.at(self.position, self.failures));
        }
        let wait = wait.map_or(Duration::ZERO, |asked| asked.min(LONGEST_ASKED));
        tokio::time::sleep(wait.max(back_off(&self.config, self.failures))).await;
        Ok(())
    }
}

/// The wait doubles with each failure. Half of it is random, so that many readers do not return at the same time.
fn back_off(config: &RemoteConfig, failures: u32) -> Duration {
    let doubled = config.first_wait_ms.saturating_mul(1 << failures.saturating_sub(1).min(16));
    let wait = Duration::from_millis(doubled.min(config.longest_wait_ms));
    let random = (RandomState::new().build_hasher().finish() >> 11) as f64 / (1_u64 << 53) as f64;
    wait.mul_f64(0.5 + random / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_longer_each_time_up_to_the_limit() {
        let config = RemoteConfig::default();
        for (failures, longest) in [(1, 500), (2, 1000), (5, 8000), (30, 60_000), (u32::MAX, 60_000)] {
            let wait = back_off(&config, failures).as_millis();
            assert!((longest / 2..=longest).contains(&wait), "{failures}: {wait}");
        }
    }
}
