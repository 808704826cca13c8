//! What the head of a page and its HTTP headers say: languages, opt-out, limits.

use tsumugi_page::{PageConfig, PageHeaders, Signal, parse, parse_with};

#[test]
fn finds_the_language() {
    for (html, expected) in [
        ("<html lang=ja>", Some("ja")),
        ("<html lang='' xml:lang=ja>", Some("ja")),
        ("<html lang=' ' xml:lang='ja_JP'>", Some("ja-jp")),
        ("<html lang=en xml:lang=ja>", Some("en")),
        ("<html lang=''><meta http-equiv=content-language content=ja>", Some("ja")),
        ("<html lang=''>", None),
    ] {
        let page = parse(html.as_bytes(), &PageHeaders::default(), "");
        assert_eq!(page.language.best(), expected, "{html}");
    }
}

#[test]
fn finds_opt_out_wherever_it_stands() {
    for (html, page, images) in [
        ("<meta name=robots content='noai noimageai'>", true, true),
        ("<meta http-equiv=X-Robots-Tag content=noai>", true, true),
        ("<meta name=generator http-equiv='x-robots-tag' content=noimageai>", false, true),
        ("<meta name='Tsumugi/1.0' content=noai>", true, true),
        ("<meta name=googlebot content=noai>", false, false),
        ("<meta name=robots content='noindex,nofollow'>", true, true),
        ("<meta name=robots content=none>", true, true),
        ("<meta name=robots content=NOML>", true, true),
        ("<meta name=robots content='index, follow, max-image-preview:none'>", false, false),
        ("<meta name=googlebot content=noindex>", false, false),
        ("<meta name=tsumugi content=noimageindex>", false, true),
        ("<meta name=content-signal content='ai-train=no'>", true, true),
        ("<meta http-equiv=Content-Usage content='train-ai=n'>", true, true),
        ("<meta http-equiv=Content-Usage content='search=n'>", false, false),
        ("<meta name=tdm-reservation content=1>", true, true),
        ("<p>text</p><meta name=ROBOTS content=NOAI>", true, true),
        ("<template><meta name=robots content=noai></template>", false, false),
    ] {
        let found = parse(html.as_bytes(), &PageHeaders::default(), "").opt_out;
        assert_eq!((found.page, found.images), (page, images), "{html}");
    }
}

#[test]
fn any_header_that_reserves_counts() {
    let values = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>();
    for (tdm, robots, page, images) in [
        (values(&["0", "1"]), values(&[]), true, true),
        (values(&["0"]), values(&["nofollow", "Tsumugi/0.1: noimageai"]), false, true),
        (values(&[]), values(&["noindex"]), true, true),
        (values(&["0", "0"]), values(&["OtherBot/2: noai"]), false, false),
    ] {
        let headers = PageHeaders { robots: &robots, tdm_reservation: &tdm, ..PageHeaders::default() };
        let found = parse(b"<p><img src=a.png>", &headers, "http://a.test/");
        assert_eq!((found.opt_out.page, found.opt_out.images), (page, images), "{tdm:?} {robots:?}");
        assert_eq!(found.nodes[0].image.as_ref().map(|image| image.opt_out), Some(images));
    }
}

#[test]
fn obeys_the_signals_of_the_settings() {
    let html = "<meta name=robots content='noindex, noimageai'><p><img src=a.png>";
    for (obeyed, page, images) in
        [(vec![], false, false), (vec![Signal::Noimageai], false, true), (vec![Signal::Noindex], true, true)]
    {
        let mut config = PageConfig::default();
        config.opt_out = obeyed;
        let found = parse_with(&config, html.as_bytes(), &PageHeaders::default(), "").opt_out;
        assert_eq!((found.page, found.images), (page, images));
        assert_eq!(found.signals, ["meta robots: noindex", "meta robots: noimageai"]);
    }
    let usage = ["search=y".to_owned(), "train-ai=n".to_owned()];
    let headers = PageHeaders { content_usage: &usage, ..PageHeaders::default() };
    assert!(
        parse(html.as_bytes(), &headers, "").opt_out.signals.contains(&"header: content-usage".to_owned())
    );
}

/// Whatever is left out is said.
#[test]
fn says_that_a_limit_was_reached() {
    let mut config = PageConfig::default();
    config.max_bytes = 100;
    let read = |html: &str| parse_with(&config, html.as_bytes(), &PageHeaders::default(), "http://a.test/");
    assert!(read(&"<p>x".repeat(100)).limited);
    assert!(!read("<p>x").limited);
    let base = format!("<base href='http://a.test/{}/'>", "long/".repeat(1_500));
    let html = base + &"<img src=x.png>".repeat(2_000);
    let page = parse(html.as_bytes(), &PageHeaders::default(), "");
    assert!(page.limited && page.nodes.len() < 2_000);
}
