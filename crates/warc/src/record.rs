//! One record: header, place in the archive, body, payload.

use std::borrow::Cow;
use std::io::Read;

use crate::decoder::{BodyStep, DecoderCore};
use crate::digest::streamed::{self, Given};
use crate::digest::{Digest, DigestCheck};
use crate::head::{Head, Length, RecordType};
use crate::http::HttpMessage;
use crate::payload::{Payload, PayloadFault, PayloadLimits, PayloadReader};

/// Bytes read from the source at a time.
pub(crate) const CHUNK: usize = 1 << 20;

/// Where a record is in the archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Location {
    /// Offset in the file of the record, or of the compressed member in which it begins.
    pub offset: u64,
    /// Bytes of the file up to the end of the record or of its last member; `None` if not known yet.
    pub length: Option<u64>,
    /// Unpacked bytes of the member before the record; 0 where each record is a member of its own.
    pub within: u64,
}

/// A record, borrowed from the reader until the next one is asked for.
#[derive(Debug)]
pub struct Record<'a> {
    head: &'a Head,
    location: Location,
    complete: bool,
    body: Option<&'a [u8]>,
    rest: Option<Rest<'a>>,
    /// The archive is packed here as its beginning told.
    pub(crate) as_begun: bool,
}

/// What a body that comes in pieces needs to be read.
pub(crate) struct Rest<'a> {
    pub(crate) core: &'a mut DecoderCore,
    pub(crate) source: &'a mut dyn Read,
}

impl std::fmt::Debug for Rest<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Rest")
    }
}

impl<'a> Record<'a> {
    pub(crate) fn new(head: &'a Head, location: Location, complete: bool, body: Option<&'a [u8]>) -> Self {
        Self { head, location, complete, body, rest: None, as_begun: true }
    }

    pub(crate) fn streamed(head: &'a Head, location: Location, rest: Rest<'a>) -> Self {
        Self { head, location, complete: true, body: None, rest: Some(rest), as_begun: true }
    }

    /// The header block. Records of ARC files have the fields that a WARC record would have.
    #[must_use]
    pub fn head(&self) -> &'a Head {
        self.head
    }

    /// The first header field of this name, in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<Cow<'a, str>> {
        self.head.get(name)
    }

    /// The record's type.
    #[must_use]
    pub fn kind(&self) -> RecordType {
        self.head.kind()
    }

    /// `WARC-Target-URI` without angle brackets.
    #[must_use]
    pub fn uri(&self) -> Option<Cow<'a, str>> {
        self.head.bytes("WARC-Target-URI").map(|uri| {
            let inner = uri.strip_prefix(b"<").and_then(|uri| uri.strip_suffix(b">"));
            crate::head::text(inner.unwrap_or(uri))
        })
    }

    /// `WARC-Record-ID` as written, angle brackets included.
    #[must_use]
    pub fn id(&self) -> Option<Cow<'a, str>> {
        self.header("WARC-Record-ID")
    }

    /// `WARC-Date` as written.
    #[must_use]
    pub fn date(&self) -> Option<Cow<'a, str>> {
        self.header("WARC-Date")
    }

    /// Where the record is in the archive.
    #[must_use]
    pub fn location(&self) -> Location {
        self.location
    }

    /// Whether the whole body is there. If not, a fault follows that tells why.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// Whether the body is above [`Options::buffer_limit`](crate::Options::buffer_limit) and must be read in
    /// pieces; [`Record::body`] is empty then.
    #[must_use]
    pub fn is_streamed(&self) -> bool {
        self.body.is_none()
    }

    /// The body, protocol headers included.
    #[must_use]
    pub fn body(&self) -> &'a [u8] {
        self.body.unwrap_or_default()
    }

    /// The body as a reader, whatever its size.
    #[must_use]
    pub fn into_reader(self) -> BodyReader<'a> {
        BodyReader { whole: self.body.unwrap_or_default(), piece: 0..0, rest: self.rest }
    }

    /// The HTTP message in the body of a response, request or revisit record, if there is one.
    #[must_use]
    pub fn http(&self) -> Option<HttpMessage<'a>> {
        self.message_kind().and_then(|kind| HttpMessage::of(kind, self.body()))
    }

    /// The type of record by which the body is read as an HTTP message.
    fn message_kind(&self) -> Option<RecordType> {
        match self.kind() {
            kind @ (RecordType::Response | RecordType::Revisit | RecordType::Request) => Some(kind),
            // A record of no type or an unknown one, whose body is a message by its own account.
            RecordType::Unknown => {
                let content_type = self.head.bytes("Content-Type")?.to_ascii_lowercase();
                let request = memchr::memmem::find(&content_type, b"msgtype=request").is_some();
                let kind = if request { RecordType::Request } else { RecordType::Response };
                content_type.starts_with(b"application/http").then_some(kind)
            }
            _ => None,
        }
    }

    /// The payload: the body of the HTTP message with transfer and content codings taken off; for other
    /// records the body itself.
    #[must_use]
    pub fn payload(&self, limits: &PayloadLimits) -> Payload<'a> {
        if self.body.is_none() {
            return Payload::faulty(PayloadFault::TooLarge);
        }
        match self.http() {
            Some(message) => message.payload(limits),
            None => Payload::plain(self.body()),
        }
    }

    /// The payload as a reader, whatever its size: as [`Record::payload`], in bounded memory.
    ///
    /// # Errors
    /// Those of the source.
    pub fn into_payload_reader(self, limits: &PayloadLimits) -> std::io::Result<PayloadReader<'a>> {
        let kind = self.message_kind();
        PayloadReader::new(kind, self.into_reader(), limits)
    }

    /// Checks `WARC-Block-Digest` against the body, and `WARC-Payload-Digest` against the payload as it was
    /// transferred (HTTP body) or, failing that, with its transfer coding taken off. A body that comes in pieces is
    /// checked by [`Record::into_digest_check`].
    #[must_use]
    pub fn check_digests(&self) -> DigestCheck {
        let field = |name| self.head.bytes(name).map(Digest::parse);
        DigestCheck::of(
            field("WARC-Block-Digest"),
            field("WARC-Payload-Digest"),
            self.body.filter(|_| self.complete),
            self.http(),
            self.kind(),
        )
    }

    /// The same for a body of any size, in bounded memory: it is read to its end.
    ///
    /// # Errors
    /// Those of the source.
    pub fn into_digest_check(self) -> std::io::Result<DigestCheck> {
        let Length::Bytes(length) = self.head.length() else { return Ok(self.check_digests()) };
        if !self.is_streamed() {
            return Ok(self.check_digests());
        }
        let field = |name| self.head.bytes(name).map(Digest::parse);
        let given = Given {
            block: field("WARC-Block-Digest"),
            // The payload of a revisit record is that of the record it points to.
            payload: field("WARC-Payload-Digest").filter(|_| self.kind() != RecordType::Revisit),
            kind: self.message_kind(),
            length,
        };
        streamed::check(given, self.into_reader())
    }
}

/// Reads the body of one record.
#[derive(Debug)]
pub struct BodyReader<'a> {
    whole: &'a [u8],
    piece: std::ops::Range<usize>,
    rest: Option<Rest<'a>>,
}

impl Read for BodyReader<'_> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        if !self.whole.is_empty() {
            return self.whole.read(buf);
        }
        let Some(rest) = &mut self.rest else { return Ok(0) };
        while self.piece.is_empty() {
            match rest.core.body_step() {
                BodyStep::Body(range) => self.piece = range,
                BodyStep::End => return Ok(0),
                BodyStep::NeedInput => {
                    if rest.core.input.read_from(rest.source, CHUNK)? == 0 {
                        rest.core.input.finished = true;
                    }
                }
            }
        }
        let len = buf.len().min(self.piece.len());
        buf[..len].copy_from_slice(rest.core.bytes(self.piece.start..self.piece.start + len));
        self.piece.start += len;
        Ok(len)
    }
}
