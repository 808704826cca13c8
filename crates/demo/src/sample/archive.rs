//! The site as a web archive.

use super::site::{Resource, site};
use crate::Error;
use flate2::write::GzEncoder;
use std::io::{self, Write};
use std::path::Path;
use tsumugi_record::write_atomic;
use tsumugi_warc::{ArchiveWriter, Compression, NewRecord};

/// How many pages the sample has.
pub const PAGES: usize = 60;

/// Writes the first `pages` pages ([`PAGES`] is the whole sample) of the site in a language (`ja`, `en` or `ko`) as
/// `.warc.gz`; the same bytes in every run.
/// The file appears under its name when it is complete.
///
/// # Errors
/// [`Error::Language`] for another language, and [`Error::Record`] if `path` cannot be written.
pub fn write_sample(path: &Path, pages: usize, language: &str) -> Result<(), Error> {
    let resources = site(pages, language)?;
    Ok(write_atomic(path, |file| write(file, &resources).map(drop).map_err(io::Error::other))?)
}

fn write<W: Write>(sink: W, resources: &[Resource]) -> Result<W, tsumugi_warc::Error> {
    let mut writer = ArchiveWriter::new(sink, Compression::default());
    let about = b"software: tsumugi\r\nformat: WARC File Format 1.1\r\ndescription: an invented site\r\n";
    writer.write(&NewRecord::warcinfo(&date(0), "sample.warc.gz", about))?;
    for (at, resource) in resources.iter().enumerate() {
        let date = date(at + 1);
        if resource.url.ends_with(".html") {
            writer.write(&NewRecord::request(&date, &resource.url, &request(resource)))?;
        }
        writer.write(&NewRecord::response(&date, &resource.url, &response(resource, at)))?;
    }
    writer.finish()
}

/// A request every two seconds on a day in May.
fn date(at: usize) -> String {
    let seconds = at * 2 % 86_400;
    format!("2022-05-14T{:02}:{:02}:{:02}Z", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

fn request(resource: &Resource) -> Vec<u8> {
    let (_, rest) = resource.url.split_once("//").unwrap_or_default();
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    format!("GET /{path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: tsumugi-sample\r\n\r\n").into_bytes()
}

/// The HTTP message; some bodies are compressed, some come in chunks.
fn response(resource: &Resource, at: usize) -> Vec<u8> {
    let phrase = if resource.status == 200 { "OK" } else { "Not Found" };
    let mut head = format!("HTTP/1.1 {} {phrase}\r\nServer: tsumugi-sample\r\n", resource.status);
    for (name, value) in &resource.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    let page = resource.url.ends_with(".html");
    let zipped = if page && at.is_multiple_of(3) { gzip(&resource.body) } else { None };
    let mut body = zipped.unwrap_or_else(|| resource.body.clone());
    if body != resource.body {
        head.push_str("Content-Encoding: gzip\r\n");
    }
    if page && at % 4 == 1 {
        head.push_str("Transfer-Encoding: chunked\r\n\r\n");
        body = chunked(&body);
    } else {
        head.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
    }
    [head.into_bytes(), body].concat()
}

fn gzip(body: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(body).ok()?;
    encoder.finish().ok()
}

fn chunked(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for chunk in body.chunks(1500) {
        out.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        out.extend_from_slice(chunk);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"0\r\n\r\n");
    out
}
