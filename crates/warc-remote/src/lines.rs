//! Lines of plain or gzip text files of any size.

use std::io::{BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;

/// Bytes per read.
const BUFFER: usize = 256 << 10;

/// The bytes of a file, decompressed if they are gzip (one member or several).
pub(crate) fn decompressed(source: impl Read + Send + 'static) -> std::io::Result<Box<dyn BufRead + Send>> {
    let mut source = BufReader::with_capacity(BUFFER, source);
    Ok(if source.fill_buf()?.starts_with(&[0x1f, 0x8b]) {
        Box::new(BufReader::with_capacity(BUFFER, MultiGzDecoder::new(source)))
    } else {
        Box::new(source)
    })
}

/// Reads lines into one buffer, each up to a length limit.
pub(crate) struct Lines<R> {
    source: R,
    line: Vec<u8>,
    limit: usize,
}

impl<R: BufRead> Lines<R> {
    pub(crate) fn new(source: R, limit: usize) -> Self {
        Self { source, line: Vec::new(), limit }
    }

    /// The next line without its line end. A line above the limit is truncated.
    pub(crate) fn next_line(&mut self) -> std::io::Result<Option<&[u8]>> {
        self.line.clear();
        let mut any = false;
        loop {
            let bytes = self.source.fill_buf()?;
            if bytes.is_empty() {
                break;
            }
            any = true;
            let end = memchr::memchr(b'\n', bytes);
            let part = &bytes[..end.unwrap_or(bytes.len())];
            let room = self.limit.saturating_sub(self.line.len());
            self.line.extend_from_slice(&part[..part.len().min(room)]);
            let used = end.map_or(bytes.len(), |at| at + 1);
            self.source.consume(used);
            if end.is_some() {
                break;
            }
        }
        if self.line.last() == Some(&b'\r') {
            self.line.pop();
        }
        Ok(any.then_some(&self.line[..]))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn lines(bytes: &[u8], limit: usize) -> Vec<String> {
        let mut lines = Lines::new(decompressed(std::io::Cursor::new(bytes.to_vec())).unwrap(), limit);
        let mut found = Vec::new();
        while let Some(line) = lines.next_line().unwrap() {
            found.push(String::from_utf8_lossy(line).into_owned());
        }
        found
    }

    #[test]
    fn reads_plain_and_gzip_lines() {
        let text = b"one\r\n\ntwo\nlast";
        assert_eq!(lines(text, 100), ["one", "", "two", "last"]);
        assert_eq!(lines(text, 2), ["on", "", "tw", "la"]);
        let mut gzip = Vec::new();
        for part in [&text[..7], &text[7..]] {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(part).unwrap();
            gzip.extend(encoder.finish().unwrap());
        }
        assert_eq!(lines(&gzip, 100), ["one", "", "two", "last"]);
        assert!(lines(b"", 100).is_empty());
    }
}
