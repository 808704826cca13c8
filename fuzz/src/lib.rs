//! Shared by several targets: the events of an archive, pulled and pushed.

use tsumugi_warc::{ArchiveReader, Decoder, Error, Event, Options, PayloadLimits, Record};

/// Events of reading an archive, one line each.
pub type Events = Vec<String>;

fn record(record: &Record<'_>) -> String {
    let limits = PayloadLimits::default().with_bytes(1 << 20);
    let _ = (record.uri(), record.id(), record.date(), record.check_digests());
    let (payload, place) = (record.payload(&limits), record.location());
    assert!(payload.bytes().len() <= record.body().len().max(1 << 20));
    format!("{:?} at {}+{}, complete {}", record.kind(), place.offset, place.within, record.is_complete())
}

fn body(events: &mut Events, bytes: &[u8]) {
    events.push(format!("{} bytes: {}", bytes.len(), tsumugi_warc::sha1_base32(bytes)));
}

/// Reads with [`ArchiveReader`].
pub fn pull(bytes: &[u8], options: &Options) -> Events {
    let mut reader = ArchiveReader::from_reader(bytes, options.clone());
    let mut events = Vec::new();
    while let Some(item) = reader.next() {
        match item {
            Ok(found) => {
                events.push(record(&found));
                let mut whole = Vec::new();
                if let Err(error) = std::io::Read::read_to_end(&mut found.into_reader(), &mut whole) {
                    events.push(error.to_string());
                }
                body(&mut events, &whole);
            }
            Err(error) => events.push(error.to_string()),
        }
    }
    events
}

/// Feeds a [`Decoder`] with pieces of this many bytes.
pub fn push(bytes: &[u8], piece: usize, options: &Options) -> Events {
    let mut pieces = bytes.chunks(piece);
    let mut decoder = Decoder::new(options.clone());
    let mut events = Vec::new();
    let mut streamed: Option<Vec<u8>> = None;
    loop {
        match decoder.next_event() {
            Ok(Event::NeedInput) => match pieces.next() {
                Some(piece) => decoder.feed(piece),
                None => decoder.finish(),
            },
            Ok(Event::Record(found)) => {
                events.push(record(&found));
                if found.is_streamed() {
                    streamed = Some(Vec::new());
                } else {
                    body(&mut events, found.body());
                }
            }
            Ok(Event::Body(bytes)) => {
                if let Some(streamed) = &mut streamed {
                    streamed.extend_from_slice(bytes);
                }
            }
            Ok(Event::BodyEnd) => body(&mut events, &streamed.take().unwrap_or_default()),
            Ok(Event::Damage(fault)) => events.push(Error::from(fault).to_string()),
            Ok(Event::End) => return events,
            Ok(_) => {}
            Err(error) => {
                events.push(error.to_string());
                return events;
            }
        }
    }
}

/// Reads in all ways and compares the events.
pub fn compare(bytes: &[u8], piece: usize) {
    for options in [Options::default(), Options::default().with_buffer_limit(300)] {
        let pulled = pull(bytes, &options);
        assert_eq!(pulled, push(bytes, piece, &options), "in pieces of {piece}, {options:?}");
    }
}
