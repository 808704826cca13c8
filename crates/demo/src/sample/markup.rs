//! HTML in four styles of different decades, around the same content.

use std::fmt::Write;

use crate::language::Site;

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

/// The page as HTML.
pub(super) fn html(page: &Page, site: &Site) -> String {
    let body: String = page.blocks.iter().map(|block| render(block, page.style)).collect();
    let Page { title, language, head, .. } = page;
    let Site { name, script, .. } = site;
    let (navigation, footer) = (navigation(site), footer(site));
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
        "{doctype}\n<html lang=\"{language}\">\n<head>\n{head}<title>{title} - {name}</title>\n\
         <style>body {{ margin: 1em; }}</style>\n</head>\n<body>\n{navigation}{opening}\n<h1>{title}</h1>\n\
         {body}{closing}\n{footer}<script>var page = \"<p>{script}</p>\";</script>\n</body>\n</html>\n"
    )
}

/// The top of every page.
fn navigation(site: &Site) -> String {
    let Site { logo, home, about, access, contact_link, .. } = site;
    format!(
        "<header><a href=\"/\"><img src=\"/icons/logo.png\" alt=\"{logo}\" width=\"200\" \
         height=\"160\"></a>\n<nav><ul><li><a href=\"/\"><img src=\"/icons/home.png\" alt=\"{home}\" width=\"24\" \
         height=\"24\"></a></li><li><a href=\"/about.html\">{about}</a></li><li><a href=\"/access.html\">{access}</a></li>\
         <li><a href=\"/contact.html\">{contact_link}</a></li></ul></nav></header>\n"
    )
}

/// The bottom of every page.
fn footer(site: &Site) -> String {
    let Site { top, sitemap, policy, banner, editors, .. } = site;
    format!(
        "<footer><p><a href=\"/\">{top}</a> | <a href=\"/sitemap.html\">{sitemap}</a> | \
         <a href=\"/policy.html\">{policy}</a></p><img src=\"/icons/banner.png\" alt=\"{banner}\">\n\
         <p>Copyright (C) {editors} All Rights Reserved.</p></footer>\n"
    )
}

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
