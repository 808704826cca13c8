//! What tags, roles, class names and ids say about an element.

use crate::dom::{Dom, Id};
use crate::html::attribute::Attr;
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

pub(super) fn hint(dom: &Dom<'_>, id: Id) -> Hint {
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
    let role = dom.attribute(id, Attr::Role).unwrap_or_default();
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
    if dom.attribute(id, Attr::AriaHidden) == Some("true") && tag != Tag::Img {
        return Hint::Likely;
    }
    if !(tag.is_block() || matches!(tag, Tag::Span | Tag::A)) || tag.is_heading() {
        return Hint::None;
    }
    let names = [dom.attribute(id, Attr::Class), dom.attribute(id, Attr::Id)];
    if names.into_iter().flatten().any(has_unlikely_word) && !is_box(dom, id) {
        Hint::Likely
    } else {
        Hint::None
    }
}

/// DocBook calls boxes in the text `sidebar`: they begin with a title page, or stand between paragraphs.
fn is_box(dom: &Dom<'_>, id: Id) -> bool {
    let named = |id: Id, name: &str| dom.attribute(id, Attr::Class) == Some(name);
    named(id, "sidebar")
        && (dom.children(id).take(FIRST).any(|child| named(child, "titlepage"))
            || dom.children(dom.parent(id)).take(SIBLINGS).any(|child| dom.tag(child) == Tag::P))
}

fn has_unlikely_word(names: &str) -> bool {
    has_word(names, is_unlikely_word)
}

/// Nodes at the beginning of a box that are looked at.
const FIRST: usize = 4;
/// Elements beside a box that are looked at, so that a page of nothing but boxes takes no square of time.
const SIBLINGS: usize = 200;
/// Whole themes name the body's parts by many words; the first bytes say enough.
pub(crate) const NAMES: usize = 256;
/// No word that matters is longer.
const WORD: usize = 20;

/// Whether one of the words of class names fits. They are split at everything that is no letter or digit and
/// before capitals, and handed over in lower case.
pub(crate) fn has_word(names: &str, fits: impl Fn(&str) -> bool) -> bool {
    let bytes = &names.as_bytes()[..names.len().min(NAMES)];
    let mut word = [0_u8; WORD];
    let mut length = 0;
    let mut before = 0_u8;
    for byte in bytes.iter().copied().chain([0]) {
        let counts = byte.is_ascii_alphanumeric();
        if !counts || (byte.is_ascii_uppercase() && before.is_ascii_lowercase()) {
            let word = word.get(..length).and_then(|word| std::str::from_utf8(word).ok());
            if length > 0 && word.is_some_and(&fits) {
                return true;
            }
            length = 0;
        }
        if counts {
            if let Some(place) = word.get_mut(length) {
                *place = byte.to_ascii_lowercase();
            }
            length += 1;
        }
        before = byte;
    }
    false
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
pub(crate) fn is_caption(dom: &Dom<'_>, id: Id) -> bool {
    if matches!(dom.tag(id), Tag::Figcaption | Tag::Caption) {
        return true;
    }
    let names = dom.attribute(id, Attr::Class).unwrap_or_default();
    has_word(names, |word| matches!(word, "caption" | "captions" | "credit" | "credits" | "figcaption"))
}

/// How surely an element says that it holds the main text: 0 not at all, larger is surer.
pub(super) fn claim(dom: &Dom<'_>, id: Id) -> u32 {
    let tag = dom.tag(id);
    if dom.attribute(id, Attr::Itemprop).is_some_and(|value| value.eq_ignore_ascii_case("articleBody")) {
        return 4;
    }
    if !matches!(tag, Tag::Div | Tag::Section | Tag::Article | Tag::Main | Tag::Td) {
        return 0;
    }
    let names = [dom.attribute(id, Attr::Class), dom.attribute(id, Attr::Id)];
    for name in names.into_iter().flatten().flat_map(str::split_ascii_whitespace) {
        if name.len() > 20 {
            continue;
        }
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
        _ if dom.attribute(id, Attr::Role) == Some("main") => 1,
        _ => 0,
    }
}
