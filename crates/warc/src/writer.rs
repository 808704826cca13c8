//! Writes records plain, as a gzip member each or as a zstd frame each, with digests.

use std::io::Write;

use ::digest::Digest as _;

use crate::deflate::Deflater;
use crate::digest::sha1_base32;
use crate::error::Error;
use crate::head::RecordType;
use crate::http::HttpMessage;
use crate::location::Location;
use crate::record::Record;

/// Compression of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Compression {
    /// None.
    Plain,
    /// One gzip member per record, at a libdeflate level from 1 to 12.
    Gzip(u8),
    /// One zstd frame per record, at a level from 1 to 22.
    Zstd(u8),
}

impl Default for Compression {
    /// Gzip at level 6.
    fn default() -> Self {
        Self::Gzip(6)
    }
}

/// A record to be written.
///
/// The writer adds `Content-Length`, digests and, if missing, an id. The id is derived from the content, so that the same
/// record always has the same bytes.
#[derive(Debug, Clone)]
pub struct NewRecord<'a> {
    kind: RecordType,
    fields: Vec<(String, String)>,
    body: &'a [u8],
}

impl<'a> NewRecord<'a> {
    /// Creates a record of this type with an RFC 3339 date such as `2026-01-31T12:00:00Z`.
    #[must_use]
    pub fn new(kind: RecordType, date: &str) -> Self {
        Self { kind, fields: vec![("WARC-Date".into(), date.into())], body: &[] }
    }

    /// Creates a `warcinfo` record. `body` holds its lines, such as `software: ...`.
    #[must_use]
    pub fn warcinfo(date: &str, filename: &str, body: &'a [u8]) -> Self {
        Self::new(RecordType::Warcinfo, date)
            .field("WARC-Filename", filename)
            .field("Content-Type", "application/warc-fields")
            .body(body)
    }

    /// Creates a `response` record. `http` is the whole HTTP message.
    #[must_use]
    pub fn response(date: &str, uri: &str, http: &'a [u8]) -> Self {
        Self::new(RecordType::Response, date)
            .field("WARC-Target-URI", uri)
            .field("Content-Type", "application/http; msgtype=response")
            .body(http)
    }

    /// Creates a `request` record. `http` is the whole HTTP message.
    #[must_use]
    pub fn request(date: &str, uri: &str, http: &'a [u8]) -> Self {
        Self::new(RecordType::Request, date)
            .field("WARC-Target-URI", uri)
            .field("Content-Type", "application/http; msgtype=request")
            .body(http)
    }

    /// Creates a `resource` record.
    #[must_use]
    pub fn resource(date: &str, uri: &str, content_type: &str, body: &'a [u8]) -> Self {
        Self::new(RecordType::Resource, date)
            .field("WARC-Target-URI", uri)
            .field("Content-Type", content_type)
            .body(body)
    }

    /// Creates a `revisit` record, whose payload is that of the record from `refers_to_date`. `http` is the header of the
    /// message without its body; `payload_digest` is that of the earlier record.
    #[must_use]
    pub fn revisit(
        date: &str,
        uri: &str,
        refers_to_date: &str,
        payload_digest: &str,
        http: &'a [u8],
    ) -> Self {
        Self::new(RecordType::Revisit, date)
            .field("WARC-Target-URI", uri)
            .field("WARC-Profile", "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest")
            .field("WARC-Refers-To-Target-URI", uri)
            .field("WARC-Refers-To-Date", refers_to_date)
            .field("WARC-Payload-Digest", payload_digest)
            .field("Content-Type", "application/http; msgtype=response")
            .body(http)
    }

    /// Adds a header field.
    #[must_use]
    pub fn field(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.into(), value.into()));
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: &'a [u8]) -> Self {
        self.body = body;
        self
    }

    fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|(field, _)| field.eq_ignore_ascii_case(name))
    }

    fn head(&self) -> Result<Vec<u8>, Error> {
        let mut head = format!("WARC/1.1\r\nWARC-Type: {}\r\n", self.kind.name()).into_bytes();
        let mut field = |name: &str, value: &str| {
            for part in [name, ": ", value, "\r\n"] {
                head.extend_from_slice(part.as_bytes());
            }
        };
        for (name, value) in &self.fields {
            check_field(name, value)?;
            if !name.eq_ignore_ascii_case("Content-Length") {
                field(name, value);
            }
        }
        let block_digest = sha1_base32(self.body);
        if !self.has("WARC-Block-Digest") {
            field("WARC-Block-Digest", &block_digest);
        }
        if let Some(payload) = self.payload().filter(|_| !self.has("WARC-Payload-Digest")) {
            field("WARC-Payload-Digest", &sha1_base32(payload));
        }
        if !self.has("WARC-Record-ID") {
            field("WARC-Record-ID", &self.made_id(&block_digest));
        }
        field("Content-Length", &self.body.len().to_string());
        Ok(head)
    }

    /// The payload that has its own digest.
    fn payload(&self) -> Option<&'a [u8]> {
        match self.kind {
            RecordType::Response => HttpMessage::parse_response(self.body).map(|message| message.body()),
            RecordType::Request => HttpMessage::parse_request(self.body)
                .map(|message| message.body())
                .filter(|body| !body.is_empty()),
            _ => None,
        }
    }

    /// A UUID (version 8) derived from everything else in the record.
    fn made_id(&self, block_digest: &str) -> String {
        let mut hash = sha2::Sha256::new();
        hash.update(self.kind.name());
        for (name, value) in &self.fields {
            for part in [name, "\0", value, "\0"] {
                hash.update(part);
            }
        }
        hash.update(block_digest);
        let hash = hash.finalize();
        let mut id = [0_u8; 16];
        id.copy_from_slice(&hash[..16]);
        id[6] = id[6] & 0x0f | 0x80;
        id[8] = id[8] & 0x3f | 0x80;
        let hex = data_encoding::HEXLOWER.encode(&id);
        format!("<urn:uuid:{}-{}-{}-{}-{}>", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
    }
}

fn check_field(name: &str, value: &str) -> Result<(), Error> {
    let refuse = |reason| Err(Error::Header { name: name.into(), reason });
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':') {
        return refuse("the name must be visible ASCII without a colon");
    }
    if value.contains(['\r', '\n']) {
        return refuse("the value must not have line ends");
    }
    Ok(())
}

/// Writes an archive.
///
/// ```
/// use tsumugi_warc::{ArchiveReader, ArchiveWriter, NewRecord, Options, Compression};
///
/// let mut writer = ArchiveWriter::new(Vec::new(), Compression::Gzip(6));
/// let http = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nhello";
/// writer.write(&NewRecord::response("2026-01-31T12:00:00Z", "http://a.test/", http))?;
/// let bytes = writer.finish()?;
///
/// let mut reader = ArchiveReader::from_reader(&bytes[..], Options::default());
/// let record = reader.next().transpose()?.expect("the record just written");
/// assert_eq!(record.payload(&Default::default()).bytes(), b"hello");
/// # Ok::<(), tsumugi_warc::Error>(())
/// ```
#[derive(Debug)]
pub struct ArchiveWriter<W> {
    sink: W,
    compression: Compression,
    deflater: Option<Deflater>,
    offset: u64,
    block: Vec<u8>,
    compressed: Vec<u8>,
}

impl<W: Write> ArchiveWriter<W> {
    /// Creates a writer at the start of an archive.
    #[must_use]
    pub fn new(sink: W, compression: Compression) -> Self {
        Self { sink, compression, deflater: None, offset: 0, block: Vec::new(), compressed: Vec::new() }
    }

    /// Writes a record and returns its location.
    ///
    /// # Errors
    /// [`Error::Header`] if a header field would break the record, [`Error::Write`] if the sink fails.
    pub fn write(&mut self, record: &NewRecord<'_>) -> Result<Location, Error> {
        let head = record.head()?;
        self.emit(&head, record.body)
    }

    /// Copies a record that was read, with its header fields unchanged except `Content-Length`, which is that of the body.
    ///
    /// # Errors
    /// As [`ArchiveWriter::write`].
    pub fn copy(&mut self, record: &Record<'_>) -> Result<Location, Error> {
        let version = record.head().version();
        let warc = version.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("WARC/"));
        let mut head = if warc { version.as_bytes().to_vec() } else { b"WARC/1.1".to_vec() };
        head.extend_from_slice(b"\r\n");
        for (name, value) in record.head().iter() {
            if !name.eq_ignore_ascii_case(b"Content-Length") {
                for part in [name, b": ", value, b"\r\n"] {
                    head.extend_from_slice(part);
                }
            }
        }
        head.extend_from_slice(format!("Content-Length: {}\r\n", record.body().len()).as_bytes());
        self.emit(&head, record.body())
    }

    fn emit(&mut self, head: &[u8], body: &[u8]) -> Result<Location, Error> {
        self.block.clear();
        for part in [head, b"\r\n", body, b"\r\n\r\n"] {
            self.block.extend_from_slice(part);
        }
        let failed = |offset| move |source| Error::Write { offset, source };
        let bytes: &[u8] = match self.compression {
            Compression::Plain => &self.block,
            Compression::Gzip(level) => {
                self.compressed.clear();
                if self.deflater.is_none() {
                    self.deflater = Deflater::new(i32::from(level.clamp(1, 12)));
                }
                match &mut self.deflater {
                    Some(deflater) => deflater.gzip(&self.block, &mut self.compressed),
                    None => return Err(failed(self.offset)(std::io::ErrorKind::OutOfMemory.into())),
                }
                &self.compressed
            }
            Compression::Zstd(level) => {
                self.compressed =
                    zstd::bulk::compress(&self.block, i32::from(level)).map_err(failed(self.offset))?;
                &self.compressed
            }
        };
        self.sink.write_all(bytes).map_err(failed(self.offset))?;
        let location = Location { offset: self.offset, length: Some(bytes.len() as u64), within: 0 };
        self.offset += bytes.len() as u64;
        Ok(location)
    }

    /// Flushes and returns the sink.
    ///
    /// # Errors
    /// [`Error::Write`] if the sink fails.
    pub fn finish(mut self) -> Result<W, Error> {
        let offset = self.offset;
        self.sink.flush().map_err(|source| Error::Write { offset, source })?;
        Ok(self.sink)
    }
}
