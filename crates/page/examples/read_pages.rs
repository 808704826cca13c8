//! Reads all pages of an archive and counts what is in them: what `benches/peers/pages.sh` measures.
//!
//! ```sh
//! cargo run --release -p tsumugi-page --example read_pages -- text ARCHIVE    # all text and images
//! cargo run --release -p tsumugi-page --example read_pages -- main ARCHIVE    # main text told from boilerplate
//! cargo run --release -p tsumugi-page --example read_pages -- images ARCHIVE  # the images, a line each
//! cargo run --release -p tsumugi-page --example read_pages -- files FILE...   # main text of HTML files
//! ```

use std::io::Write;

use anyhow::{Context, Result, bail};
use tsumugi_page::{Page, PageConfig, PageHeaders, parse_with};
use tsumugi_warc::{ArchiveReader, RecordType};

#[derive(Default)]
struct Counts {
    pages: u64,
    characters: u64,
    main: u64,
    images: u64,
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (Some(mode), Some(archive)) = (arguments.next(), arguments.next()) else {
        bail!("usage: read_pages text|main|images ARCHIVE, or files FILE...");
    };
    if mode == "files" {
        return std::iter::once(archive).chain(arguments).try_for_each(|file| main_text(&file));
    }
    let mut config = PageConfig::default();
    config.tell_boilerplate = mode == "main";
    let mut reader = ArchiveReader::open(&archive).context("cannot open the archive")?;
    let mut counts = Counts::default();
    let mut out = std::io::stdout().lock();
    while let Some(record) = reader.next() {
        let Ok(record) = record else { continue };
        let Some(http) = record.http().filter(|_| record.kind() == RecordType::Response) else { continue };
        let Some(content_type) = http.header("Content-Type").filter(|kind| kind.contains("html")) else {
            continue;
        };
        let payload = record.payload(&Default::default());
        let headers = PageHeaders { content_type: Some(&content_type), ..PageHeaders::default() };
        let uri = record.uri().unwrap_or_default();
        let page = parse_with(&config, payload.bytes(), &headers, &uri);
        if mode == "images" {
            for image in page.nodes.iter().filter_map(|node| node.image.as_ref()) {
                writeln!(out, "{uri}\t{}", image.url.replace(char::is_whitespace, ""))?;
            }
        }
        counts.add(&page, mode == "main");
    }
    let Counts { pages, characters, main, images } = counts;
    writeln!(
        out,
        "{{\"pages\": {pages}, \"characters\": {characters}, \"main\": {main}, \"images\": {images}}}"
    )?;
    Ok(())
}

/// Prints a line with the file's name and the bytes of the text, and the text.
fn main_text(file: &str) -> Result<()> {
    let bytes = std::fs::read(file).with_context(|| file.to_owned())?;
    let text = parse_with(&PageConfig::default(), &bytes, &PageHeaders::default(), "").main_text();
    println!("{file}\t{}\n{text}", text.len());
    Ok(())
}

impl Counts {
    fn add(&mut self, page: &Page, main: bool) {
        self.pages += 1;
        for node in &page.nodes {
            self.characters += node.text.as_ref().map_or(0, |text| text.chars().count() as u64);
            self.images += u64::from(node.image.is_some());
        }
        if main {
            self.main += page.main_text().chars().count() as u64;
        }
    }
}
