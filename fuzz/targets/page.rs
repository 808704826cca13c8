//! Any bytes as a page: no panic, and no more text and images than the page can have.
//!
//! The first line of the input is the header `Content-Type`, the rest is the page.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tsumugi_page::{PageHeaders, parse};

fuzz_target!(|data: &[u8]| {
    let end = data.iter().position(|byte| *byte == b'\n').unwrap_or(0);
    let (header, bytes) = data.split_at(end);
    let content_type = std::str::from_utf8(header).ok();
    let robots = [String::from_utf8_lossy(header).into_owned()];
    let headers = PageHeaders { content_type, robots: &robots, tdm_reservation: &robots, ..PageHeaders::default() };
    let page = parse(bytes, &headers, "http://example.test/dir/page.html");
    let again = parse(bytes, &headers, "http://example.test/dir/page.html");
    assert_eq!(page, again);
    // A byte decodes to at most one character of at most three bytes; references do not grow.
    let text: usize = page.nodes.iter().filter_map(|node| node.text.as_ref()).map(String::len).sum();
    assert!(text <= 3 * bytes.len());
    assert!(page.nodes.len() <= bytes.len());
    assert!(page.main_text().len() <= text + page.nodes.len());
    for node in &page.nodes {
        assert!(node.text.is_some() != node.image.is_some());
    }
});
