//! Parts of an archive, local or remote: a few ranges out of gigabytes.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::{ControlFlow, Range};

use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use tokio::sync::mpsc;

use crate::address::Address;
use crate::block_on::block_on;
use crate::client::{Object, Remote};
use crate::config::RemoteConfig;
use crate::download::Download;
use crate::error::{Error, RemoteError, RemoteFault};
use crate::stream::{Task, stopped};
use crate::version::Version;

/// Iterator over ranges of one object with their bytes, in the order of the request. A few are fetched ahead.
#[derive(Debug)]
pub struct Parts(Source);

#[derive(Debug)]
enum Source {
    File {
        file: File,
        length: u64,
        address: String,
        ranges: VecDeque<Range<u64>>,
    },
    Remote {
        parts: mpsc::Receiver<Result<(Range<u64>, Bytes), RemoteError>>,
        address: Address,
        /// Ranges still to come.
        left: usize,
        _task: Task,
    },
}

impl Iterator for Parts {
    type Item = Result<(Range<u64>, Bytes), Error>;

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            Source::File { file, length, address, ranges } => {
                let range = ranges.pop_front()?;
                Some(part_of_file(file, *length, address, range))
            }
            Source::Remote { left: 0, .. } => None,
            Source::Remote { parts, address, left, .. } => {
                let part = block_on(parts.recv()).unwrap_or_else(|| Err(stopped(address)));
                *left = if part.is_ok() { *left - 1 } else { 0 };
                Some(part.map_err(Error::from))
            }
        }
    }
}

fn part_of_file(
    file: &mut File,
    length: u64,
    address: &str,
    range: Range<u64>,
) -> Result<(Range<u64>, Bytes), Error> {
    if range.end > length {
        return Err(out_of_range(address, &range, length).into());
    }
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(range.start))
        .and_then(|_| file.take(range.end - range.start).read_to_end(&mut bytes))
        .map_err(|source| Error::Read { address: address.to_owned(), source })?;
    if (bytes.len() as u64) < range.end - range.start {
        return Err(out_of_range(address, &range, range.start + bytes.len() as u64).into());
    }
    Ok((range, bytes.into()))
}

fn out_of_range(address: &str, range: &Range<u64>, length: u64) -> RemoteError {
    RemoteError::new(address, RemoteFault::OutOfRange { start: range.start, end: range.end, length })
}

impl Remote {
    /// Reads ranges of one object. They must be sorted and must not overlap; each is held in memory.
    ///
    /// All ranges come from one version of the object. If the server ignores ranges, the object is read once from
    /// start to end.
    ///
    /// # Errors
    /// [`Error::Open`] or [`Error::Remote`] if the object cannot be opened. The iterator returns later errors.
    pub fn parts(&self, address: &Address, ranges: Vec<Range<u64>>) -> Result<Parts, Error> {
        self.parts_of_version(address, ranges, None)
    }

    /// Reads ranges as [`Remote::parts`] does, and refuses any other version of the object than `version`.
    ///
    /// # Errors
    /// As [`Remote::parts`].
    pub fn parts_of_version(
        &self,
        address: &Address,
        ranges: Vec<Range<u64>>,
        version: Option<Version>,
    ) -> Result<Parts, Error> {
        if let Address::File(path) = address {
            let open = || {
                let file = File::open(path)?;
                let length = file.metadata()?.len();
                Ok((file, length))
            };
            let (file, length) = open().map_err(|source| Error::Open { path: path.clone(), source })?;
            return Ok(Parts(Source::File {
                file,
                length,
                address: address.to_string(),
                ranges: ranges.into(),
            }));
        }
        let object = self.object(address)?;
        let (left, (send, parts)) = (ranges.len(), mpsc::channel(1));
        let task = self.task(fetch(object, self.0.config.clone(), ranges, version, send));
        Ok(Parts(Source::Remote { parts, address: address.clone(), left, _task: task }))
    }
}

type Sender = mpsc::Sender<Result<(Range<u64>, Bytes), RemoteError>>;

async fn fetch(
    object: Object,
    config: RemoteConfig,
    ranges: Vec<Range<u64>>,
    mut version: Option<Version>,
    send: Sender,
) {
    let mut done = 0;
    while done < ranges.len() {
        // The first range determines the version; the others are fetched concurrently and must be of that version.
        let (end, several) =
            if version.is_none() { (done + 1, 1) } else { (ranges.len(), config.parallel_ranges.max(1)) };
        let fetches: Vec<_> = ranges[done..end]
            .iter()
            .map(|range| {
                let download = Download::new(object.clone(), config.clone(), range.start, Some(range.end))
                    .of_version(version.clone())
                    .by_ranges_only();
                fetch_one(download)
            })
            .collect();
        let mut fetches = futures::stream::iter(fetches).buffered(several);
        while let Some(fetched) = fetches.next().await {
            let part = match fetched {
                Ok((bytes, seen)) => {
                    version = version.or(seen);
                    Ok((ranges[done].clone(), bytes))
                }
                Err(error) if matches!(error.fault, RemoteFault::RangesIgnored) => {
                    drop(fetches);
                    let download = Download::new(object, config, 0, None).of_version(version);
                    return read_whole(download, &ranges[done..], &send).await;
                }
                Err(error) => Err(error),
            };
            done += 1;
            let failed = part.is_err();
            if send.send(part).await.is_err() || failed {
                return;
            }
        }
    }
}

async fn fetch_one(mut download: Download) -> Result<(Bytes, Option<Version>), RemoteError> {
    let (mut pieces, mut seen) = (Vec::new(), None);
    download
        .run(
            |version| {
                seen = Some(version.clone());
                ControlFlow::Continue(())
            },
            |piece| {
                pieces.push(piece);
                std::future::ready(ControlFlow::Continue(()))
            },
        )
        .await?;
    Ok((pieces.concat().into(), seen))
}

/// Reads the object from its start and cuts out the ranges.
async fn read_whole(mut download: Download, ranges: &[Range<u64>], send: &Sender) {
    let address = download.address().to_owned();
    let mut cutter = Cutter { ranges: ranges.iter().cloned().collect(), position: 0, part: BytesMut::new() };
    let mut length = None;
    let result = download
        .run(
            |version| {
                length = version.length;
                ControlFlow::Continue(())
            },
            |piece| {
                let parts = cutter.cut(piece);
                let over = cutter.ranges.is_empty();
                async move {
                    for part in parts {
                        if send.send(Ok(part)).await.is_err() {
                            return ControlFlow::Break(());
                        }
                    }
                    if over { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
                }
            },
        )
        .await;
    let missing = cutter.ranges.front();
    let error = match (result, missing) {
        (Err(error), _) => error,
        (Ok(()), Some(range)) => out_of_range(&address, range, length.unwrap_or(cutter.position)),
        (Ok(()), None) => return,
    };
    let _ = send.send(Err(error)).await;
}

/// Cuts ranges out of the bytes of an object, which arrive in order from its start.
struct Cutter {
    ranges: VecDeque<Range<u64>>,
    /// Bytes that have passed.
    position: u64,
    /// The bytes of the first range so far.
    part: BytesMut,
}

impl Cutter {
    /// Returns the ranges that end in this piece.
    fn cut(&mut self, piece: Bytes) -> Vec<(Range<u64>, Bytes)> {
        let mut parts = Vec::new();
        let end = self.position + piece.len() as u64;
        while let Some(range) = self.ranges.front() {
            let from = (range.start.max(self.position)).min(end) - self.position;
            let to = (range.end.max(self.position)).min(end) - self.position;
            let index = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
            self.part.extend_from_slice(&piece[index(from)..index(to)]);
            if range.end > end {
                break;
            }
            parts.extend(self.ranges.pop_front().map(|range| (range, self.part.split().freeze())));
        }
        self.position = end;
        parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_ranges_out_of_pieces_of_any_size() {
        let bytes: Vec<u8> = (0..100).collect();
        let ranges = [0..3, 3..4, 10..30, 99..100];
        for size in [1, 2, 7, 50, 100] {
            let mut cutter =
                Cutter { ranges: ranges.iter().cloned().collect(), position: 0, part: BytesMut::new() };
            let mut parts = Vec::new();
            for piece in bytes.chunks(size) {
                parts.extend(cutter.cut(Bytes::copy_from_slice(piece)));
            }
            assert_eq!(parts.len(), ranges.len());
            for (range, part) in parts {
                assert_eq!(part[..], bytes[range.start as usize..range.end as usize]);
            }
        }
    }
}
