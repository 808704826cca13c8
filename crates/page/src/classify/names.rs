//! What tags, roles, class names and ids say about an element.

use crate::dom::{Dom, Id};
use crate::tag::Tag;

/// How strongly an element by itself looks like boilerplate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hint {
    None,
    /// By its class or id.
    Likely,
    /// By its tag or role.
    Sure,
}

pub(super) fn hint(dom: &Dom, id: Id) -> Hint {
    let tag = dom.tag(id);
    match tag {
        Tag::Nav
        | Tag::Footer
        | Tag::Aside
        | Tag::Menu
        | Tag::Button
        | Tag::Search
        | Tag::Noscript
        | Tag::Dialog => {
            return Hint::Sure;
        }
        Tag::Form | Tag::Label => return Hint::Likely,
        Tag::Html | Tag::Body | Tag::Article | Tag::Main | Tag::Other => return Hint::None,
        _ => {}
    }
    let role = dom.attribute(id, "role").unwrap_or_default();
    if matches!(
        role,
        "navigation"
            | "banner"
            | "contentinfo"
            | "complementary"
            | "search"
            | "menu"
            | "menubar"
            | "dialog"
            | "alert"
            | "alertdialog"
            | "toolbar"
    ) {
        return Hint::Sure;
    }
    if dom.attribute(id, "aria-hidden") == Some("true") && tag != Tag::Img {
        return Hint::Likely;
    }
    if !(tag.is_block() || matches!(tag, Tag::Span | Tag::A)) || tag.is_heading() {
        return Hint::None;
    }
    let names = [dom.attribute(id, "class"), dom.attribute(id, "id")];
    if names.into_iter().flatten().any(has_unlikely_word) && !is_box(dom, id) {
        Hint::Likely
    } else {
        Hint::None
    }
}

/// DocBook calls boxes in the text `sidebar`: they stand between paragraphs.
fn is_box(dom: &Dom, id: Id) -> bool {
    dom.attribute(id, "class") == Some("sidebar")
        && dom.children(dom.parent(id)).any(|child| dom.tag(child) == Tag::P)
}

fn has_unlikely_word(names: &str) -> bool {
    // Whole themes name the body's parts by many words; the first 256 bytes say enough.
    let names = &names[..names.floor_char_boundary(256)];
    words(names).any(|word| is_unlikely_word(&word))
}

/// Words of class names: split at everything that is no letter, and before capitals.
pub(super) fn words(names: &str) -> impl Iterator<Item = String> + '_ {
    names.split(|c: char| !c.is_ascii_alphanumeric()).flat_map(split_camel)
}

fn split_camel(name: &str) -> impl Iterator<Item = String> {
    let bytes = name.as_bytes();
    let mut cuts = vec![0];
    for at in 1..bytes.len() {
        if bytes[at].is_ascii_uppercase() && bytes[at - 1].is_ascii_lowercase() {
            cuts.push(at);
        }
    }
    cuts.push(bytes.len());
    let parts: Vec<String> = cuts
        .windows(2)
        .map(|cut| name[cut[0]..cut[1]].to_ascii_lowercase())
        .filter(|part| !part.is_empty())
        .collect();
    parts.into_iter()
}

fn is_unlikely_word(word: &str) -> bool {
    matches!(
        word,
        "ad" | "ads"
            | "advert"
            | "advertisement"
            | "advertising"
            | "adsbygoogle"
            | "banner"
            | "breadcrumb"
            | "breadcrumbs"
            | "byline"
            | "comment"
            | "comments"
            | "consent"
            | "cookie"
            | "cookies"
            | "copyright"
            | "disqus"
            | "dateline"
            | "footer"
            | "gallery"
            | "gdpr"
            | "lightbox"
            | "login"
            | "masthead"
            | "menu"
            | "modal"
            | "nav"
            | "navbar"
            | "navfooter"
            | "navheader"
            | "navigation"
            | "newsletter"
            | "outbrain"
            | "overlay"
            | "pager"
            | "pagination"
            | "popular"
            | "popup"
            | "promo"
            | "promotion"
            | "rating"
            | "recommend"
            | "recommended"
            | "related"
            | "respond"
            | "share"
            | "sharedaddy"
            | "sharing"
            | "sidebar"
            | "signup"
            | "skip"
            | "slideshow"
            | "timestamp"
            | "social"
            | "sponsor"
            | "sponsored"
            | "subscribe"
            | "subscription"
            | "taboola"
            | "tags"
            | "toolbar"
            | "trending"
            | "widget"
    )
}

/// Whether an element says that it holds a caption or a credit.
pub(crate) fn is_caption(dom: &Dom, id: Id) -> bool {
    if matches!(dom.tag(id), Tag::Figcaption | Tag::Caption) {
        return true;
    }
    let names = dom.attribute(id, "class").unwrap_or_default();
    let names = &names[..names.floor_char_boundary(256)];
    words(names)
        .any(|word| matches!(word.as_str(), "caption" | "captions" | "credit" | "credits" | "figcaption"))
}

/// How surely an element says that it holds the main text: 0 not at all, larger is surer.
pub(super) fn claim(dom: &Dom, id: Id) -> u32 {
    let tag = dom.tag(id);
    if dom.attribute(id, "itemprop").is_some_and(|value| value.eq_ignore_ascii_case("articleBody")) {
        return 4;
    }
    if !matches!(tag, Tag::Div | Tag::Section | Tag::Article | Tag::Main | Tag::Td) {
        return 0;
    }
    let names = [dom.attribute(id, "class"), dom.attribute(id, "id")];
    for name in names.into_iter().flatten().flat_map(str::split_ascii_whitespace) {
        let name = name.to_ascii_lowercase().replace('_', "-");
        if matches!(
            name.as_str(),
            "article-body"
                | "articlebody"
                | "article-content"
                | "articlecontent"
                | "article-text"
                | "articletext"
                | "body-text"
                | "entry-body"
                | "entry-content"
                | "entrytext"
                | "post-body"
                | "post-content"
                | "postcontent"
                | "post-entry"
                | "post-text"
                | "postbody"
                | "story-body"
                | "storybody"
                | "story-content"
                | "story-text"
                | "field-body"
                | "news-content"
                | "main-text"
                | "mw-content-text"
        ) {
            return 3;
        }
    }
    match tag {
        Tag::Article => 2,
        Tag::Main => 1,
        _ if dom.attribute(id, "role") == Some("main") => 1,
        _ => 0,
    }
}
