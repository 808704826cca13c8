//! What counts as main text, on pages made after real ones.

use tsumugi_page::{PageHeaders, parse};

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
