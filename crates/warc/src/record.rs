//! A record: header, location, body and payload.

use std::borrow::Cow;

use crate::body::{BodyReader, Stream};
use crate::digest::streamed::{self, Given};
use crate::digest::{Digest, DigestCheck};
use crate::head::{Head, Length, RecordType};
use crate::http::HttpMessage;
use crate::location::Location;
use crate::mime::{self, MediaType};
use crate::payload::{Payload, PayloadFault, PayloadLimits, PayloadReader};

/// A record, borrowed from the reader until the next one is read.
#[derive(Debug)]
pub struct Record<'a> {
    head: &'a Head,
    location: Location,
    complete: bool,
    body: Option<&'a [u8]>,
    stream: Option<Stream<'a>>,
    /// Whether the form is still that of the archive's start.
    pub(crate) as_begun: bool,
}

impl<'a> Record<'a> {
    pub(crate) fn new(head: &'a Head, location: Location, complete: bool, body: Option<&'a [u8]>) -> Self {
        Self { head, location, complete, body, stream: None, as_begun: true }
    }

    pub(crate) fn streamed(head: &'a Head, location: Location, stream: Stream<'a>) -> Self {
        Self { head, location, complete: true, body: None, stream: Some(stream), as_begun: true }
    }

    /// The header block. Records of ARC files have the fields that a WARC record would have.
    #[must_use]
    pub fn head(&self) -> &'a Head {
        self.head
    }

    /// The value of the first header field with this name, in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<Cow<'a, str>> {
        self.head.get(name)
    }

    /// The type of the record.
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

    /// `WARC-Record-ID` as written, including angle brackets.
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

    /// Whether the body is complete. If not, a fault with the reason follows.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// Whether the body is larger than [`Options::buffer_limit`](crate::Options::buffer_limit) and must be read as a
    /// stream. [`Record::body`] is empty then.
    #[must_use]
    pub fn is_streamed(&self) -> bool {
        self.body.is_none()
    }

    /// The body, including protocol headers.
    #[must_use]
    pub fn body(&self) -> &'a [u8] {
        self.body.unwrap_or_default()
    }

    /// Converts the record into a reader of its body, of any size.
    #[must_use]
    pub fn into_reader(self) -> BodyReader<'a> {
        BodyReader::new(self.body.unwrap_or_default(), self.stream)
    }

    /// The HTTP message in the body of a response, request or revisit record, if there is one.
    #[must_use]
    pub fn http(&self) -> Option<HttpMessage<'a>> {
        self.message_kind().and_then(|kind| HttpMessage::of(kind, self.body()))
    }

    /// The record type by which the body is parsed as an HTTP message.
    fn message_kind(&self) -> Option<RecordType> {
        match self.kind() {
            kind @ (RecordType::Response | RecordType::Revisit | RecordType::Request) => Some(kind),
            // A record without a known type whose Content-Type says that its body is a message.
            RecordType::Unknown => {
                let content_type = self.head.bytes("Content-Type")?.to_ascii_lowercase();
                let request = memchr::memmem::find(&content_type, b"msgtype=request").is_some();
                let kind = if request { RecordType::Request } else { RecordType::Response };
                content_type.starts_with(b"application/http").then_some(kind)
            }
            _ => None,
        }
    }

    /// The payload: the body of the HTTP message with transfer and content codings removed, or for other records the body
    /// itself.
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

    /// The type that the HTTP header declares for the payload, or for records without HTTP the record's own header. `None`
    /// where there is none, or none that can be parsed.
    #[must_use]
    pub fn declared_type(&self) -> Option<MediaType> {
        match self.http() {
            Some(message) => MediaType::from_headers(message.headers_named("Content-Type")),
            None => MediaType::from_headers(self.header("Content-Type")),
        }
    }

    /// The type that the crawler found for the payload by its content (`WARC-Identified-Payload-Type`).
    #[must_use]
    pub fn identified_type(&self) -> Option<MediaType> {
        MediaType::from_headers(self.header("WARC-Identified-Payload-Type"))
    }

    /// The type of the payload, as browsers compute it: what is declared, or where that says nothing, what `payload` (its
    /// first bytes are enough) and the crawler's tool say. Feeds and XHTML are told from other HTML and XML.
    #[must_use]
    pub fn payload_type(&self, payload: &[u8]) -> MediaType {
        mime::computed(self.declared_type(), self.identified_type(), payload)
    }

    /// Converts the record into a reader of its payload, of any size and in bounded memory.
    ///
    /// # Errors
    /// Errors of the source.
    pub fn into_payload_reader(self, limits: &PayloadLimits) -> std::io::Result<PayloadReader<'a>> {
        let kind = self.message_kind();
        PayloadReader::new(kind, self.into_reader(), limits)
    }

    /// Checks `WARC-Block-Digest` against the body, and `WARC-Payload-Digest` against the payload as transferred (HTTP
    /// body) or, if that mismatches, with its transfer coding removed. For a streamed body, use
    /// [`Record::into_digest_check`].
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

    /// Checks digests like [`Record::check_digests`] for a body of any size, in bounded memory. Reads the body to its end.
    ///
    /// # Errors
    /// Errors of the source.
    pub fn into_digest_check(self) -> std::io::Result<DigestCheck> {
        let Length::Bytes(length) = self.head.length() else { return Ok(self.check_digests()) };
        if !self.is_streamed() {
            return Ok(self.check_digests());
        }
        let field = |name| self.head.bytes(name).map(Digest::parse);
        let given = Given {
            block: field("WARC-Block-Digest"),
            // The payload of a revisit record is that of the record it refers to.
            payload: field("WARC-Payload-Digest").filter(|_| self.kind() != RecordType::Revisit),
            kind: self.message_kind(),
            length,
        };
        streamed::check(given, self.into_reader())
    }
}
