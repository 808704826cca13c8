//! HTML in four styles of different decades, around the same content.

use std::fmt::Write;

/// Content in reading order.
#[derive(Debug, Clone)]
pub(super) enum Block {
    /// Sentences of one paragraph.
    Text(String),
    /// An image.
    Image(Slot),
}

/// An image as a page shows it.
#[derive(Debug, Clone)]
pub(super) struct Slot {
    pub(super) url: String,
    pub(super) alt: Option<String>,
    pub(super) caption: Option<String>,
}

/// A page before it becomes HTML.
#[derive(Debug, Clone)]
pub(super) struct Page {
    pub(super) title: String,
    pub(super) language: &'static str,
    /// Further elements of the head.
    pub(super) head: String,
    pub(super) blocks: Vec<Block>,
    /// Which of the styles.
    pub(super) style: usize,
}

const SITE: &str = "つむぎ町だより";

/// The page as HTML.
pub(super) fn html(page: &Page) -> String {
    let body: String = page.blocks.iter().map(|block| render(block, page.style)).collect();
    let Page { title, language, head, .. } = page;
    let (doctype, opening, closing) = match page.style % 4 {
        0 => ("<!DOCTYPE html>", "<main><article>", "</article></main>"),
        1 => (
            "<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 4.01 Transitional//EN\">",
            "<center><table width=\"760\" border=\"0\"><tr><td>",
            "</td></tr></table></center>",
        ),
        2 => ("<!DOCTYPE html>", "<div id=\"wrapper\"><div id=\"content\" class=\"entry\">", "</div></div>"),
        _ => ("<!DOCTYPE html>", "<section class=\"post\">", "</section>"),
    };
    format!(
        "{doctype}\n<html lang=\"{language}\">\n<head>\n{head}<title>{title} - {SITE}</title>\n\
         <style>body {{ margin: 1em; }}</style>\n</head>\n<body>\n{NAVIGATION}{opening}\n<h1>{title}</h1>\n\
         {body}{closing}\n{FOOTER}<script>var page = \"<p>プログラム</p>\";</script>\n</body>\n</html>\n"
    )
}

/// What stands on top of every page.
const NAVIGATION: &str = "<header><a href=\"/\"><img src=\"/icons/logo.png\" alt=\"つむぎ町だよりのロゴ\" width=\"200\" \
height=\"160\"></a>\n<nav><ul><li><a href=\"/\"><img src=\"/icons/home.png\" alt=\"ホームへ戻る\" width=\"24\" \
height=\"24\"></a></li><li><a href=\"/about.html\">町について</a></li><li><a href=\"/access.html\">行き方</a></li>\
<li><a href=\"/contact.html\">お問い合わせ</a></li></ul></nav></header>\n";

/// What stands below every page.
const FOOTER: &str = "<footer><p><a href=\"/\">トップ</a> | <a href=\"/sitemap.html\">サイトマップ</a> | \
<a href=\"/policy.html\">利用規約</a></p><img src=\"/icons/banner.png\" alt=\"観光協会の横長バナー\">\n\
<p>Copyright (C) つむぎ町だより編集室 All Rights Reserved.</p></footer>\n";

fn render(block: &Block, style: usize) -> String {
    match block {
        Block::Text(text) if style % 4 == 1 => format!("<p><font size=\"3\">{text}</font></p>\n"),
        Block::Text(text) => format!("<p>{text}</p>\n"),
        Block::Image(slot) => image(slot, style),
    }
}

fn image(slot: &Slot, style: usize) -> String {
    let mut alt = String::new();
    if let Some(text) = &slot.alt {
        // Writing to a string cannot fail.
        let _ = write!(alt, " alt=\"{text}\"");
    }
    let url = &slot.url;
    let caption = slot.caption.as_deref();
    match style % 4 {
        0 => match caption {
            Some(text) => {
                format!("<figure><img src=\"{url}\"{alt}><figcaption>{text}</figcaption></figure>\n")
            }
            None => format!("<p><img src=\"{url}\"{alt}></p>\n"),
        },
        1 => {
            let below = caption.map(|text| format!("<br><small>{text}</small>")).unwrap_or_default();
            format!("<div align=\"center\"><IMG SRC='{url}'{alt} border=0>{below}</div>\n")
        }
        2 => {
            let blank = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==";
            format!("<p><img class=\"lazy\" src=\"{blank}\" data-src=\"{url}\"{alt}></p>\n")
        }
        _ => {
            let text = caption.unwrap_or_default();
            format!(
                "<a href=\"{url}\"><picture><img src=\"{url}\" srcset=\"{url} 1x\"{alt}></picture></a>\
                 <p class=\"caption\">{text}</p>\n"
            )
        }
    }
}
