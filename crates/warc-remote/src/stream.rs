//! The bytes of a remote object as they come: for async callers, and as a blocking reader.

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
use crate::error::Error;
use crate::error::{RemoteError, RemoteFault};
use crate::version::Version;
use tsumugi_warc::Decoder;

/// Pieces that may wait to be read. A piece is what the connection brings at a time, up to some 100 KiB: a few
/// megabytes are read ahead while the archive is unpacked.
const PIECES: usize = 64;

/// Objects that are asked for their version at a time.
const PARALLEL_VERSIONS: usize = 16;

/// The bytes of a remote object, from one end to the other, over as many connections as it takes.
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

/// A task on the client's thread: it ends when nobody wants its results any more, and keeps the client until then.
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
    /// What the server says of the version that is read.
    #[must_use]
    pub fn version(&self) -> &Version {
        &self.version
    }

    /// The next bytes; `None` at the end of the object. Can be awaited on any async runtime.
    ///
    /// # Errors
    /// [`Error::Remote`] where reading failed for good, after all attempts.
    pub async fn next_piece(&mut self) -> Result<Option<Bytes>, Error> {
        Ok(self.receive().await?)
    }

    async fn receive(&mut self) -> Result<Option<Bytes>, RemoteError> {
        if self.ended {
            return Ok(None);
        }
        // The end is told by a piece without bytes: a task that is gone must not look like it.
        let piece = self.pieces.recv().await.unwrap_or_else(|| Err(stopped(&self.address)));
        self.ended = piece.as_ref().map_or(true, Bytes::is_empty);
        let piece = piece?;
        self.offset += piece.len() as u64;
        Ok(Some(piece).filter(|piece| !piece.is_empty()))
    }

    /// Feeds a decoder with the next bytes, or tells it that there are no more.
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

    /// The same as a blocking reader.
    #[must_use]
    pub fn into_reader(self) -> RemoteReader {
        RemoteReader { stream: self, piece: Bytes::new() }
    }
}

/// A blocking reader of a remote object. Bytes come ahead of being read, on the client's own thread.
#[derive(Debug)]
pub struct RemoteReader {
    stream: RemoteStream,
    piece: Bytes,
}

impl RemoteReader {
    /// What the server says of the version that is read.
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
    /// [`Error::Remote`] where it cannot be opened.
    pub async fn stream(&self, address: &Address) -> Result<RemoteStream, Error> {
        self.stream_of_version(address, None).await
    }

    /// Opens an object for blocking reads.
    ///
    /// # Errors
    /// [`Error::Remote`] where it cannot be opened.
    pub fn reader(&self, address: &Address) -> Result<RemoteReader, Error> {
        Ok(block_on(self.stream(address))?.into_reader())
    }

    /// Asks for what identifies an object.
    ///
    /// # Errors
    /// [`Error::Remote`] where there is no answer.
    pub fn version(&self, address: &Address) -> Result<Version, Error> {
        let versions = self.versions(std::slice::from_ref(address))?;
        Ok(versions.into_iter().next().unwrap_or_default())
    }

    /// Asks for what identifies objects, several at a time.
    ///
    /// # Errors
    /// The first [`Error::Remote`] of an object that gives no answer.
    pub fn versions(&self, addresses: &[Address]) -> Result<Vec<Version>, Error> {
        let Some(first) = addresses.first() else { return Ok(Vec::new()) };
        let options = &self.0.options;
        let downloads: Result<Vec<Download>, RemoteError> = addresses
            .iter()
            .map(|address| Ok(Download::new(self.object(address)?, options.clone(), 0, None)))
            .collect();
        let asked = futures::stream::iter(downloads?).map(Download::stat).buffered(PARALLEL_VERSIONS);
        let (tell, told) = oneshot::channel();
        let _task = self.task(async move {
            let _ = tell.send(asked.try_collect().await);
        });
        Ok(block_on(told).map_err(|_| stopped(first))??)
    }

    pub(crate) async fn stream_of_version(
        &self,
        address: &Address,
        version: Option<Version>,
    ) -> Result<RemoteStream, Error> {
        let (send, pieces) = mpsc::channel(PIECES);
        let (tell, told) = oneshot::channel();
        let download =
            Download::new(self.object(address)?, self.0.options.clone(), 0, None).of_version(version);
        let task = self.task(pump(download, tell, send));
        let version = told.await.map_err(|_| stopped(address))??;
        let (address, offset, ended) = (address.clone(), 0, false);
        Ok(RemoteStream { pieces, version, address, offset, ended, _task: task })
    }
}

/// The thread of the client is gone: a fault of this crate, if ever.
pub(crate) fn stopped(address: &Address) -> RemoteError {
    RemoteError::new(address, RemoteFault::Setup("the client's thread has ended".into()))
}

async fn pump(
    mut download: Download,
    tell: oneshot::Sender<Result<Version, RemoteError>>,
    send: mpsc::Sender<Result<Bytes, RemoteError>>,
) {
    let mut tell = Some(tell);
    let result = download
        .run(
            |version| {
                if let Some(tell) = tell.take() {
                    let _ = tell.send(Ok(version.clone()));
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
    match (result, tell.take()) {
        (Ok(()), _) => drop(send.send(Ok(Bytes::new())).await),
        (Err(error), Some(tell)) => drop(tell.send(Err(error))),
        (Err(error), None) => drop(send.send(Err(error)).await),
    }
}
