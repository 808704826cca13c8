//! What counts as main text, on pages made after real ones.

use tsumugi_page::{PageHeaders, parse};
use tsumugi_record::{Node, PageType, Role};

const TEXT: &str =
    "この章ではパッケージの管理に使うコマンドの基本的な使い方を、いくつかの例を挙げながら順に説明します。";

fn main_text(body: &str) -> String {
    let html = format!("<title>手引き</title><body><div class=page>{body}</div></body>");
    parse(html.as_bytes(), &PageHeaders::default(), "http://a.test/").main_text()
}

/// Boxes of DocBook, as Publican writes them: paragraphs are `<div class=para>`.
#[test]
fn keeps_boxes_in_the_text() {
    let para = format!("<div class=para>{TEXT}</div>");
    let titled = "<div class=sidebar><div class=titlepage><p class=title><strong>補足 別名</strong></p></div>\
        <div class=para>パッケージには別名があることもあります。</div></div>";
    let text = main_text(&format!("<div class=section>{para}{titled}{para}</div>"));
    assert!(text.contains("別名があることもあります"), "{text}");
    let menu = "<div class=sidebar><ul><li>新着の記事を読む</ul></div>";
    let text = main_text(&format!("<div class=section>{para}{para}</div>{menu}"));
    assert!(!text.contains("新着"), "{text}");
}

#[test]
fn leaves_out_dates_at_the_beginning_and_labels() {
    let text = main_text(&format!(
        "<article><p>2024年5月1日</p><p>{TEXT}</p><p>広告</p><p>2024年5月2日</p><p>{TEXT}終</p></article>"
    ));
    assert_eq!(text, format!("{TEXT}\n2024年5月2日\n{TEXT}終"));
}

/// Sentences that no two blocks share.
fn sentence(number: usize) -> String {
    const PLACES: [&str; 5] = ["朝の港", "古い坂道", "北の集落", "川べりの広場", "祖父の工房"];
    const ACTS: [&str; 4] = [
        "漁師が網を干しながら歌っていました",
        "子どもたちが凧を揚げて走りました",
        "職人が木の器を磨いていました",
        "旅人が地図を広げて休みました",
    ];
    format!("{}では、{}。それは第{}日のことです。", PLACES[number % 5], ACTS[number % 4], number + 1)
}

/// The page around a body: a menu before it and a footer after it, of links.
fn page(body: &str) -> String {
    format!(
        "<!DOCTYPE html><html lang=ja><meta charset=utf-8><title>記録</title><body><div id=header><ul><li><a href=/>表紙</a>\
         <li><a href=/a>案内</a><li><a href=/b>地図</a></ul></div>{body}<footer><ul><li><a href=/c>規約</a><li><a href=/d>連絡先</a>\
         </ul><p>© 2020 記録の会</p></footer></body></html>"
    )
}

/// The main text of a page, and the sentences among the first `count` that it lacks.
fn missing(html: &str, count: usize) -> (String, Vec<usize>) {
    let text = parse(html.as_bytes(), &PageHeaders::default(), "http://a.test/").main_text();
    let missing = (0..count).filter(|at| !text.contains(&sentence(*at))).collect();
    (text, missing)
}

/// Blocks side by side, none of which may win alone: (around them, before each, after each).
const EQUAL_BLOCKS: &[(&str, &str, &str)] = &[
    ("div", "<div class=box><div class=inner><div class=txt>", "</div></div></div>"),
    ("div", "<div class=row><div class=col><div class=text><p>", "</p></div></div></div>"),
    ("div", "<section><div><div><p>", "</p></div></div></section>"),
    ("div", "<article class=card><div class=card-body><p>", "</p></div></article>"),
    ("ul", "<li><div class=item><div>", "</div></div></li>"),
    ("ol", "<li><div><p>", "</p></div></li>"),
    ("dl", "<dt>題</dt><dd><div class=a><p>", "</p></div></dd>"),
    ("table", "<tr><td><img src=a.jpg width=300 height=200></td><td>", "</td></tr>"),
    ("table", "<tr><td><table><tr><td><font>", "</font></td></tr></table></td></tr>"),
    ("main", "<div class=menu-item><div class=menu-item__body><h3>品</h3><p>", "</p></div></div>"),
    (
        "div",
        "<div class='elementor-element elementor-widget'><div class=elementor-widget-container><p>",
        "</p></div></div>",
    ),
    ("div", "<div class=comment><div class=comment-body><p>", "</p></div></div>"),
];

#[test]
fn keeps_all_of_equal_blocks() {
    for (around, before, after) in EQUAL_BLOCKS {
        for count in [4, 8, 15] {
            let blocks: String = (0..count).map(|at| format!("{before}{}{after}", sentence(at))).collect();
            let body = format!("<{around}>{blocks}</{around}>");
            for html in [page(&body), format!("<title>記録</title><body><div id=wrap>{body}</div>")] {
                let (text, missing) = missing(&html, count);
                assert!(missing.is_empty(), "{before} x {count} lacks {missing:?}: {text}");
                assert!(!text.contains("連絡先") && !text.contains('©'), "{before} x {count}: {text}");
            }
        }
    }
}

#[test]
fn a_class_word_marks_a_part_but_never_most_of_a_page() {
    let paragraphs: String = (0..8).map(|at| format!("<p>{}</p>", sentence(at))).collect();
    for class in ["sidebar", "comment", "widget", "menu", "has-sidebar", "popup-content", "related", "banner"]
    {
        let (text, missing) = missing(&page(&format!("<div class='{class}'>{paragraphs}</div>")), 8);
        assert!(missing.is_empty(), "{class}: {text}");
    }
}

#[test]
fn an_anchor_without_address_is_no_link() {
    let paragraphs: String = (0..4).map(|at| format!("<p>{}</p>", sentence(at))).collect();
    let days: String = (0..4)
        .map(|at| format!("<dt><a name=d{at}>第{at}日 沢から尾根へ登る道</a><dd>{}", sentence(at)))
        .collect();
    for html in [
        format!("<title>記録</title><body><a name=top><h1>旅</h1>{paragraphs}</body>"),
        format!("<title>記録</title><body><dl>{days}</dl>"),
        page(&format!("<dl>{days}</dl>")),
    ] {
        let (text, missing) = missing(&html, 4);
        assert!(missing.is_empty(), "{html}: {text}");
        assert_eq!(text.matches("沢から尾根へ").count(), html.matches("沢から尾根へ").count(), "{text}");
    }
}

/// Logos, adverts, thumbnails of other pages and crests of footers are boilerplate; images of the text are not.
#[test]
fn images_follow_the_text_around_them() {
    let paragraphs =
        |from: usize| (from..from + 3).map(|at| format!("<p>{}</p>", sentence(at))).collect::<String>();
    let body = |open: &str, close: &str| {
        format!(
            "{open}<h1>旅の記録</h1>{}<img src=1.jpg alt=港><figure><img src=2.jpg></figure>{}{close}",
            paragraphs(0),
            paragraphs(3)
        )
    };
    for (open, close) in
        [("<article>", "</article>"), ("<div id=content>", "</div>"), ("<main><div>", "</div></main>")]
    {
        let html = format!(
            "<title>記録</title><body><header><a href=/><img src=logo.png alt=題字></a><nav><a href=a>一</a></nav></header>{}\
             <aside class=sidebar><h3>関連記事</h3><ul><li><a href=x><img src=r1.jpg alt=見出し></a><li><a href=y>\
             <img src=r2.jpg alt=見出し></a></ul></aside><footer><img src=crest.png alt=紋></footer></body>",
            body(open, close)
        );
        let page = parse(html.as_bytes(), &PageHeaders::default(), "http://a.test/");
        let images = page.nodes.iter().filter(|node| node.role != Role::Boilerplate);
        let images: Vec<&str> =
            images.filter_map(|node| node.image.as_ref()).map(|image| &image.url[14..]).collect();
        assert_eq!(images, ["1.jpg", "2.jpg"], "{open}");
    }
}

#[test]
fn says_what_it_took_the_page_for_and_how_sure_it_is() {
    let paragraphs: String = (0..12).map(|at| format!("<p>{}</p>", sentence(at))).collect();
    let html =
        page(&format!("<meta property=og:type content=article><article><h1>旅</h1>{paragraphs}</article>"));
    let told = parse(html.as_bytes(), &PageHeaders::default(), "");
    assert_eq!(told.page_type, Some(PageType::Article));
    assert!(told.main_confidence.is_some_and(|confidence| (0.8..=1.0).contains(&confidence)), "{told:?}");
    let empty = parse(b"<title>x</title>", &PageHeaders::default(), "");
    assert_eq!((empty.page_type, empty.main_confidence), (None, None));
}

#[test]
fn images_with_captions_illustrate_the_paragraphs_around_them() {
    let figures: String = (0..3)
        .map(|at| {
            format!(
                "<p>{}</p><div class=figure><p class=title>図{at} 手順</p><div class=figure-contents>\
                 <div class=mediaobject><img src='/f/{at}.png'><div class=caption>例{at}</div></div></div></div>",
                sentence(at)
            )
        })
        .collect();
    let html = page(&format!("<div class=section>{figures}<p>{}</p></div>", sentence(3)));
    let found = parse(html.as_bytes(), &PageHeaders::default(), "http://a.test/");
    let role = |name: &str| {
        let is_it = |node: &&Node| node.image.as_ref().is_some_and(|image| image.url.ends_with(name));
        found.nodes.iter().find(is_it).map(|node| node.role)
    };
    for name in ["/f/0.png", "/f/1.png", "/f/2.png"] {
        assert_eq!(role(name), Some(Role::Main), "{name}");
    }
}
