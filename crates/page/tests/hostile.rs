//! Pages made to cost memory: what comes out stays within a small multiple of what went in.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use tsumugi_page::{Page, PageHeaders, parse};

/// Bytes of texts, addresses and descriptions.
fn size(page: &Page) -> usize {
    let node = |node: &tsumugi_record::Node| {
        let text = node.text.as_ref().map_or(0, String::len);
        let image = node.image.as_ref().map_or(0, |image| {
            let more = [&image.alt, &image.caption, &image.link_text];
            image.url.len() + more.into_iter().flatten().map(String::len).sum::<usize>()
        });
        text + image
    };
    page.nodes.iter().map(node).sum::<usize>() + page.title.as_ref().map_or(0, String::len)
}

fn check(name: &str, html: &str) -> Page {
    let page = parse(html.as_bytes(), &PageHeaders::default(), "http://example.test/dir/");
    let size = size(&page);
    assert!(size <= 6 * html.len() + (5 << 20), "{name}: {size} bytes out of {}", html.len());
    page
}

#[test]
fn bounds_what_comes_out() {
    let long = "long/".repeat(1_600);
    let images = "<img src=x.png>".repeat(200_000);
    check("a long base", &format!("<base href='http://a.test/{long}'>{images}"));
    check("a long link text", &format!("<a href=x>{}{images}", "text ".repeat(3_000)));
    check("a long caption", &format!("<figure><figcaption>{}</figcaption>{images}", "text ".repeat(3_000)));
    check("figures in figures", &format!("{}{images}", "<figure><p class=caption>x</p>".repeat(500)));
    check("many figures", &"<figure><img src=x><figcaption>x".repeat(50_000));
    check("a long data address", &format!("<img src='data:image/png;base64,{}'>", "A".repeat(8 << 20)));
    check("a large alt", &format!("<img src=x alt='{}'>", "&amp;".repeat(2 << 20)));
    check("references", &"&nGt;&#x3042;&amp".repeat(300_000));
    check("titles", &"<h1></h1><title></title><p>x</p>".repeat(50_000));
    check(
        "class names",
        &format!("<div class='{}'>{}", "nav ".repeat(500_000), "<p class='a-b c_d'>x".repeat(100_000)),
    );
    check("styles", &"<p style='color:red;display: none'>x".repeat(100_000));
    check("a table", &format!("<table>{}", "<tr><td>x<td>y".repeat(200_000)));
    check("source sets", &format!("<img srcset='{}'>", "a.png 1x,".repeat(500_000)));
    check("line breaks", &"<br>".repeat(1_000_000));
    check("sidebars", &"<div class=sidebar>x</div>".repeat(32_000));
    check(
        "objects in cells",
        &("<table><tr>".to_owned()
            + &"<td><object></td>".repeat(60_000)
            + &"<b><span><div></b></div>".repeat(60_000)),
    );
    check("adoption in the depth", &("<div>".repeat(600) + &"<b><div>x</b>".repeat(100_000)));
    check("metas", &"<meta name=robots content='noai, noimageai'>".repeat(50_000));
}

/// An attribute of 50 MB: the page is read up to its limit, and what stands before is kept.
#[test]
fn reads_a_huge_attribute() {
    let page = check("an attribute", &format!("<p>日本語の文章です。<p title='{}'>x", "a".repeat(50 << 20)));
    assert_eq!(page.nodes[0].text.as_deref(), Some("日本語の文章です。"));
    assert_eq!(page.nodes.len(), 1);
}

#[test]
fn reads_the_text_in_the_depth() {
    let html = "<div>".repeat(100_000) + "日本語の文章です。" + &"</div>".repeat(100_000) + "<p>そのあと";
    let page = check("depth", &html);
    let texts: Vec<_> = page.nodes.iter().filter_map(|node| node.text.as_deref()).collect();
    assert_eq!(texts, ["日本語の文章です。", "そのあと"]);
}

/// The seeds of the fuzz target, with what it asserts of any page.
#[test]
fn reads_the_seeds_of_the_fuzzer() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/seeds/page");
    let mut seeds = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let data = std::fs::read(&path).unwrap();
        let end = data.iter().position(|byte| *byte == b'\n').unwrap();
        let (header, bytes) = data.split_at(end);
        let content_type = std::str::from_utf8(header).ok();
        let robots = [String::from_utf8_lossy(header).into_owned()];
        let headers = PageHeaders { content_type, robots: &robots, ..PageHeaders::default() };
        let page = parse(bytes, &headers, "http://example.test/dir/page.html");
        let text: usize = page.nodes.iter().filter_map(|node| node.text.as_ref()).map(String::len).sum();
        assert!(text <= 3 * bytes.len() && page.nodes.len() <= bytes.len(), "{}", path.display());
        assert!(!page.nodes.is_empty(), "{}", path.display());
        seeds += 1;
    }
    assert!(seeds >= 19);
}
