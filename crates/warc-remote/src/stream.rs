//! The bytes of a remote object as they arrive: for async callers, and as a blocking reader.

use std::io::Read;
use std::ops::ControlFlow;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;

use crate::address::Address;
use crate::block_on::block_on;
use crate::client::Remote;
use crate::download::Download;
use crate::error::{Error, RemoteError, RemoteFault};
use crate::version::Version;
use tsumugi_warc::Decoder;

/// Pieces that may wait to be read. A piece is what the connection delivers at a time, up to about 100 KiB, so a few
/// megabytes are read ahead while the archive is decompressed.
const PIECES: usize = 64;

/// Objects whose versions are requested concurrently.
const PARALLEL_VERSIONS: usize = 16;

/// The bytes of a remote object from start to end, over as many connections as it takes.
///
/// ```no_run
/// use tsumugi_warc_remote::{Address, Remote};
/// use tsumugi_warc::{Decoder, Event, Options};
///
/// # async fn read() -> Result<(), tsumugi_warc_remote::Error> {
/// let remote = Remote::new(Default::default())?;
/// let mut bytes = remote.stream(&Address::parse("https://example.test/a.warc.gz")?).await?;
/// let mut decoder = Decoder::new(Options::default());
/// loop {
///     match decoder.next_event()? {
///         Event::NeedInput => bytes.feed(&mut decoder).await?,
///         Event::Record(record) => println!("{:?}", record.uri()),
///         Event::Damage(fault) => eprintln!("{fault}"),
///         Event::End => return Ok(()),
///         _ => {}
///     }
/// }
/// # }
/// ```
#[derive(Debug)]
pub struct RemoteStream {
    pieces: mpsc::Receiver<Result<Bytes, RemoteError>>,
    version: Version,
    address: Address,
    offset: u64,
    ended: bool,
    _task: Task,
}

/// A task on the client's thread. It is aborted when dropped, and keeps the client alive until then.
#[derive(Debug)]
pub(crate) struct Task {
    task: Option<AbortHandle>,
    _remote: Remote,
}

impl Drop for Task {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

impl RemoteStream {
    /// The version that is being read.
    #[must_use]
    pub fn version(&self) -> &Version {
        &self.version
    }

    /// The next bytes; `None` at the end of the object. Can be awaited on any async runtime.
    ///
    /// # Errors
    /// [`Error::Remote`] if all attempts failed.
    pub async fn next_piece(&mut self) -> Result<Option<Bytes>, Error> {
        Ok(self.receive().await?)
    }

    async fn receive(&mut self) -> Result<Option<Bytes>, RemoteError> {
        if self.ended {
            return Ok(None);
        }
        // An empty piece marks the end of the object, so that a task that died is not mistaken for it.
        let piece = self.pieces.recv().await.unwrap_or_else(|| Err(stopped(&self.address)));
        self.ended = piece.as_ref().map_or(true, Bytes::is_empty);
        let piece = piece?;
        self.offset += piece.len() as u64;
        Ok(Some(piece).filter(|piece| !piece.is_empty()))
    }

    /// Feeds the next bytes to a decoder, or tells it that there are no more.
    ///
    /// # Errors
    /// As [`RemoteStream::next_piece`].
    pub async fn feed(&mut self, decoder: &mut Decoder) -> Result<(), Error> {
        if self.offset == 0
            && let Some(length) = self.version.length
        {
            decoder.set_total(length);
        }
        match self.next_piece().await? {
            Some(piece) => decoder.feed(&piece),
            None => decoder.finish(),
        }
        Ok(())
    }

    /// Converts the stream into a blocking reader.
    #[must_use]
    pub fn into_reader(self) -> RemoteReader {
        RemoteReader { stream: self, piece: Bytes::new() }
    }
}

/// A blocking reader of a remote object. The client's own thread reads ahead.
#[derive(Debug)]
pub struct RemoteReader {
    stream: RemoteStream,
    piece: Bytes,
}

impl RemoteReader {
    /// The version that is being read.
    #[must_use]
    pub fn version(&self) -> &Version {
        &self.stream.version
    }
}

impl Read for RemoteReader {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        while self.piece.is_empty() {
            match block_on(self.stream.receive())? {
                Some(piece) => self.piece = piece,
                None => return Ok(0),
            }
        }
        let len = buf.len().min(self.piece.len());
        buf[..len].copy_from_slice(&self.piece.split_to(len));
        Ok(len)
    }
}

impl Remote {
    pub(crate) fn task<F>(&self, task: F) -> Task
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Task { task: self.spawn(task), _remote: self.clone() }
    }

    /// Opens an object and streams its bytes.
    ///
    /// # Errors
    /// [`Error::Remote`] if it cannot be opened.
    pub async fn stream(&self, address: &Address) -> Result<RemoteStream, Error> {
        self.stream_of_version(address, None).await
    }

    /// Opens an object for blocking reads.
    ///
    /// # Errors
    /// [`Error::Remote`] if it cannot be opened.
    pub fn reader(&self, address: &Address) -> Result<RemoteReader, Error> {
        Ok(block_on(self.stream(address))?.into_reader())
    }

    /// Requests the version of an object.
    ///
    /// # Errors
    /// [`Error::Remote`] if there is no answer.
    pub fn version(&self, address: &Address) -> Result<Version, Error> {
        let versions = self.versions(std::slice::from_ref(address))?;
        Ok(versions.into_iter().next().unwrap_or_default())
    }

    /// Requests the versions of objects, several at a time.
    ///
    /// # Errors
    /// The first [`Error::Remote`] of an object without an answer.
    pub fn versions(&self, addresses: &[Address]) -> Result<Vec<Version>, Error> {
        let Some(first) = addresses.first() else { return Ok(Vec::new()) };
        let config = &self.0.config;
        let downloads: Result<Vec<Download>, RemoteError> = addresses
            .iter()
            .map(|address| Ok(Download::new(self.object(address)?, config.clone(), 0, None)))
            .collect();
        let requests = futures::stream::iter(downloads?).map(Download::stat).buffered(PARALLEL_VERSIONS);
        let (send, receive) = oneshot::channel();
        let _task = self.task(async move {
            let _ = send.send(requests.try_collect().await);
        });
        Ok(block_on(receive).map_err(|_| stopped(first))??)
    }

    pub(crate) async fn stream_of_version(
        &self,
        address: &Address,
        version: Option<Version>,
    ) -> Result<RemoteStream, Error> {
        let (send, pieces) = mpsc::channel(PIECES);
        let (opened, first_version) = oneshot::channel();
        let download =
            Download::new(self.object(address)?, self.0.config.clone(), 0, None).of_version(version);
        let task = self.task(pump(download, opened, send));
        let version = first_version.await.map_err(|_| stopped(address))??;
        let (address, offset, ended) = (address.clone(), 0, false);
        Ok(RemoteStream { pieces, version, address, offset, ended, _task: task })
    }
}

/// The client's thread has ended, which would be a bug of this crate.
pub(crate) fn stopped(address: &Address) -> RemoteError {
    RemoteError::new(address, RemoteFault::Stopped)
}

async fn pump(
    mut download: Download,
    opened: oneshot::Sender<Result<Version, RemoteError>>,
    send: mpsc::Sender<Result<Bytes, RemoteError>>,
) {
    let mut opened = Some(opened);
    let result = download
        .run(
            |version| {
                if let Some(opened) = opened.take() {
                    let _ = opened.send(Ok(version.clone()));
                }
                ControlFlow::Continue(())
            },
            |piece| async {
                match send.send(Ok(piece)).await {
                    Ok(()) => ControlFlow::Continue(()),
                    Err(_) => ControlFlow::Break(()),
                }
            },
        )
        .await;
    match (result, opened.take()) {
        (Ok(()), _) => drop(send.send(Ok(Bytes::new())).await),
        (Err(error), Some(opened)) => drop(opened.send(Err(error))),
        (Err(error), None) => drop(send.send(Err(error)).await),
    }
}
