//! Whole pages, parsed again.

use crate::parse::{Element, all, parse};
use tsumugi_report::{
    Block, Card, Cards, Cell, Chart, Column, Error, Facts, Funnel, Image, Layout, Page, Section, Series,
    Stage, Table,
};

const HOSTILE: &str =
    "</script></style></title><script>alert(1)</script>\" onload='x' & <img src=x onerror=alert(1)> -->";

/// A PNG of one pixel.
const PNG: [u8; 67] = [
    0x89, b'P', b'N', b'G', 13, 10, 26, 10, 0, 0, 0, 13, b'I', b'H', b'D', b'R', 0, 0, 0, 1, 0, 0, 0, 1, 8,
    0, 0, 0, 0, 0x3a, 0x7e, 0x9b, 0x55, 0, 0, 0, 10, b'I', b'D', b'A', b'T', 0x78, 0x9c, 0x63, 0x60, 0, 0, 0,
    2, 0, 1, 0x48, 0xaf, 0xa4, 0x71, 0, 0, 0, 0, b'I', b'E', b'N', b'D', 0xae, 0x42, 0x60, 0x82,
];

fn image() -> Image {
    Image::new(&PNG, HOSTILE).unwrap()
}

/// A page that has the hostile text in every place that takes text.
fn hostile() -> Page {
    let h = || HOSTILE.to_owned();
    let column = Column::text(h()).unit(h()).filter().language(h());
    let table = Table::new([column, Column::number(h()), Column::image(h())])
        .caption(h())
        .with((Cell::from(h()).hover(h()), 1.5, image()))
        .with((Cell::link(h(), "https://a.example/?<\">"), f64::NAN, Image::missing(h())));
    let card = Card::new().image(image()).fact(h(), h()).fact(h(), 3).language(h()).with(h());
    let cards = Cards::new().layout(Layout::Rows).sort_by(h()).filter_by(h()).with(card.clone()).with(card);
    let line = Chart::line(h())
        .x(h())
        .y(h())
        .unit(h())
        .with(Series::new(h(), [(1.0, 2.0)]))
        .with(Series::new(h(), []));
    let bar = Chart::bar(h()).unit(h()).with(tsumugi_report::Bar::new(h(), 3.0).part(h(), 2.0));
    let interval = Chart::interval(h()).unit(h()).zero().with(h(), 1.0, (0.5, 2.0));
    let radar = Chart::radar(h(), [h(), h(), h()]).with(h(), [1.0, 2.0, 3.0]).with(h(), [1.0]);
    let funnel = Funnel::new().with(Stage::new(h(), 4, 2).unit(h()).dropped(h(), 2));
    let charts = [Block::from(line), bar.into(), interval.into(), radar.into()];
    Page::new(h())
        .lead(h())
        .language(h())
        .with(Block::note(h()))
        .with(Section::new(h()).with(table).with(cards).with(funnel))
        .with(Section::new(h()).with(Block::grid(charts)).with(Facts::new().with(h(), h())))
        .with(Section::new(h()).with(Block::preformatted(h())).with(Block::details(h(), [h()])).with(image()))
}

#[test]
fn hostile_text_stays_text() {
    let html = hostile().render().unwrap();
    let elements = parse(&html);
    assert_eq!(all(&elements, "script").count(), 1, "only the script of the page itself");
    assert!(elements.iter().all(|e| e.attributes.iter().all(|(name, _)| !name.starts_with("on"))));
    assert!(
        all(&elements, "img").all(|img| img.get("src").is_some_and(|src| src.starts_with("data:image/")))
    );
    let expected = ["h1", "h2", "td", "dd", "pre", "figcaption", "summary", "text"];
    for name in expected {
        assert!(all(&elements, name).any(|e| !e.text.is_empty()), "{name}");
    }
    assert_eq!(all(&elements, "h1").next().unwrap().text, HOSTILE);
    assert_eq!(all(&elements, "img").next().unwrap().get("alt"), Some(HOSTILE));
    assert_eq!(all(&elements, "title").next().unwrap().text, HOSTILE);
    assert!(
        all(&elements, "title")
            .any(|e| e.text.starts_with(HOSTILE) && e.text.ends_with("(x 1)") || e.text == HOSTILE)
    );
}

#[test]
fn a_page_has_what_readers_and_screen_readers_need() {
    let section = |name: &str| Section::new(name).with(Section::new("inner").with("text"));
    let page = Page::new("Run").language("ko").refresh(30).with(section("Data")).with(section("Data"));
    let html = page.render().unwrap();
    assert!(html.starts_with("<!doctype html>"));
    let elements = parse(&html);
    let one = |name: &str| -> Element {
        let found: Vec<&Element> = all(&elements, name).collect();
        assert_eq!(found.len(), 1, "{name}");
        found[0].clone()
    };
    assert_eq!(one("html").get("lang"), Some("ko"));
    assert_eq!(one("h1").text, "Run");
    one("main");
    let anchors: Vec<&str> = all(&elements, "a").filter_map(|a| a.get("href")).collect();
    assert_eq!(anchors, ["#data", "#data-2"]);
    for anchor in anchors {
        assert_eq!(elements.iter().filter(|e| e.get("id") == Some(&anchor[1..])).count(), 1);
    }
    let headings: Vec<&str> =
        elements.iter().filter(|e| matches!(e.name.as_str(), "h2" | "h3")).map(|e| e.name.as_str()).collect();
    assert_eq!(headings, ["h2", "h3", "h2", "h3"]);
    assert!(
        all(&elements, "meta")
            .any(|m| m.get("http-equiv") == Some("refresh") && m.get("content") == Some("30"))
    );
    assert!(all(&elements, "meta").any(|m| m.get("name") == Some("viewport")));
    // Nothing is loaded from elsewhere.
    assert!(
        all(&elements, "link").next().is_none() && all(&elements, "script").all(|s| s.get("src").is_none())
    );
    assert!(!html.contains("@import") && !html.contains("url("));
}

#[test]
fn blocks_stand_in_the_order_given() {
    let section = Section::new("s").with("second").with("third").with_first(Block::note("first"));
    let elements = parse(&Page::new("t").with("before").with(section).with("after").render().unwrap());
    let texts: Vec<&str> = all(&elements, "p").map(|p| p.text.as_str()).collect();
    assert_eq!(texts, ["before", "first", "second", "third", "after"]);
}

#[test]
fn tables_say_how_they_are_sorted() {
    let mut table = Table::new([
        Column::text("reason").filter(),
        Column::number("rows").unit("documents"),
        Column::number("share").decimals(1),
        Column::image("image"),
    ]);
    table.push(("too_small", 1_234_567_u64, 12.34, image()));
    table.push(("svg", None::<u64>, f64::NAN, Cell::empty()));
    table.push((Some("broken"), -5, 1e-9, Cell::images([image(), image()])));
    let html = Page::new("t").with(table).render().unwrap();
    let elements = parse(&html);
    let heads: Vec<Option<&str>> = all(&elements, "th").map(|th| th.get("data-sort")).collect();
    assert_eq!(heads, [Some("text"), Some("number"), Some("number"), None]);
    assert_eq!(all(&elements, "th").nth(1).unwrap().text, "rows documents");
    let cells: Vec<(&str, Option<&str>)> =
        all(&elements, "td").map(|td| (td.text.trim(), td.get("data-value"))).collect();
    assert_eq!(cells[1], ("1,234,567", Some("1234567")));
    assert_eq!(cells[2], ("12.3", Some("12.34")));
    assert_eq!(cells[5], ("", None));
    assert_eq!(cells[6], ("NaN", None));
    assert_eq!(cells[9], ("-5", Some("-5")));
    assert_eq!(cells[10].1.unwrap().parse::<f64>().unwrap(), 1e-9);
    assert!(all(&elements, "td").nth(1).unwrap().has_class("number"));
    assert_eq!(all(&elements, "img").count(), 3);
    let filter = all(&elements, "select").next().unwrap();
    assert_eq!((filter.get("class"), filter.get("data-column")), (Some("filter"), Some("0")));
    // Controls that need the script are hidden until it runs.
    assert!(elements.iter().filter(|e| e.has_class("tools")).all(|e| e.get("hidden").is_some()));
}

#[test]
fn large_tables_and_many_cards_can_be_searched() {
    for (count, searchable) in [(3, false), (40, true)] {
        let mut table = Table::new([Column::number("n")]);
        let mut cards = Cards::new();
        for n in 0..count {
            table.push((n,));
            cards.push(Card::new().fact("n", n));
        }
        for page in [Page::new("t").with(table), Page::new("c").with(cards)] {
            let elements = parse(&page.render().unwrap());
            assert_eq!(all(&elements, "input").any(|input| input.has_class("search")), searchable);
        }
    }
}

#[test]
fn cards_carry_what_they_are_sorted_and_chosen_by() {
    let card =
        |score: f64, remark: &str| Card::new().with("text").fact("score", score).fact("remark", remark);
    let cards = Cards::new().sort_by("score").filter_by("remark");
    let cards = cards.with(card(0.5, "no answer")).with(card(f64::NAN, "found"));
    let elements = parse(&Page::new("t").with(cards).render().unwrap());
    let facts: Vec<(Option<&str>, Option<&str>)> = elements
        .iter()
        .filter(|e| e.name == "div" && e.get("data-fact").is_some())
        .map(|e| (e.get("data-fact"), e.get("data-value")))
        .collect();
    let expected =
        [(Some("score"), Some("0.5")), (Some("remark"), None), (Some("score"), None), (Some("remark"), None)];
    assert_eq!(facts, expected);
    let options: Vec<&str> = all(&elements, "option").map(|o| o.text.as_str()).collect();
    assert_eq!(options, ["all", "as listed", "score, low first", "score, high first"]);
}

#[test]
fn funnels_show_shares_and_reasons_by_number() {
    let stage = Stage::new("language", 306, 59).unit("pages").dropped("rare", 1).dropped("not_html", 246);
    let empty = Stage::new("nothing", 0, 0);
    let elements = parse(&Page::new("t").with(Funnel::new().with(stage).with(empty)).render().unwrap());
    let bars: Vec<&str> = elements.iter().filter_map(|e| e.get("style")).collect();
    assert_eq!(bars, ["width:19.28%", "width:80.72%", "width:0.0%", "width:0.0%"]);
    let reasons = elements.iter().find(|e| e.has_class("reasons")).unwrap();
    assert_eq!(reasons.text.split_whitespace().collect::<Vec<_>>(), ["not_html", "246", "rare", "1"]);
}

#[test]
fn rows_of_another_length_are_refused_by_name() {
    let table =
        Table::new([Column::text("a"), Column::text("b")]).caption("stages").with(("x", "y")).with(("x",));
    let page = Page::new("t").with(Section::new("s").with(Block::grid([Block::details("d", [table])])));
    let error = page.render().unwrap_err();
    assert!(matches!(error, Error::RowLength { row: 1, cells: 1, columns: 2, .. }), "{error:?}");
    assert_eq!(error.to_string(), "row 1 of the table \"stages\" has 1 cells, but the table has 2 columns");
}

#[test]
fn images_are_embedded_by_their_own_format() {
    assert!(matches!(Image::new(b"<svg onload=alert(1)>", "x"), Err(Error::UnknownImage)));
    assert!(matches!(Image::new(b"", "x"), Err(Error::UnknownImage)));
    let html = Page::new("t").with(image()).render().unwrap();
    assert!(html.contains("src=\"data:image/png;base64,iVBOR"));
}

#[cfg(feature = "thumbnails")]
#[test]
fn thumbnails_are_small_and_have_the_same_shape() {
    let mut png = std::io::Cursor::new(Vec::new());
    let large = image::RgbaImage::from_fn(800, 400, |x, y| image::Rgba([x as u8, y as u8, 7, 0]));
    image::DynamicImage::from(large).write_to(&mut png, image::ImageFormat::Png).unwrap();
    let page = Page::new("t").with(Image::thumbnail(png.get_ref(), "wide", 200).unwrap());
    let html = page.render().unwrap();
    let uri = parse(&html).iter().find_map(|e| e.get("src").map(str::to_owned)).unwrap();
    let encoded = uri.strip_prefix("data:image/jpeg;base64,").unwrap();
    let bytes = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, encoded).unwrap();
    let small = image::load_from_memory(&bytes).unwrap().to_rgb8();
    assert_eq!((small.width(), small.height()), (200, 100));
    // Transparent pixels are white.
    assert!(small.pixels().all(|pixel| pixel.0.iter().all(|value| *value > 250)));
    assert_eq!(Image::thumbnail(&PNG, "x", 200).unwrap(), Image::new(&PNG, "x").unwrap());
    assert!(matches!(Image::thumbnail(&PNG[..40], "x", 200), Err(Error::Decode(_))));
}

#[test]
fn files_are_replaced_as_a_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.html");
    Page::new("first").write(&path).unwrap();
    let broken = Page::new("second").with(Table::new([Column::text("a")]).with(("x", "y")));
    assert!(broken.write(&path).is_err());
    assert!(std::fs::read_to_string(&path).unwrap().contains("first"));
    Page::new("third").write(&path).unwrap();
    assert!(std::fs::read_to_string(&path).unwrap().contains("third"));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    // A file cannot hold another.
    let nowhere = path.join("report.html");
    assert!(matches!(Page::new("x").write(nowhere), Err(Error::Write { .. })));
}
