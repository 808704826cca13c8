//! Where pictures stand on a page and what is said about them.

use tsumugi_record::ImageSlot;
use url::Url;

use crate::classify::names::is_caption;
use crate::dom::{Dom, Id, NONE};
use crate::tag::Tag;

/// Attributes in which scripts keep the address of a picture that is loaded late.
const LAZY: [&str; 12] = [
    "data-src",
    "data-original",
    "data-lazy-src",
    "data-lazy",
    "data-original-src",
    "data-hi-res-src",
    "data-full-src",
    "data-actualsrc",
    "data-echo",
    "data-url",
    "data-image",
    "data-defer-src",
];
/// The same for lists of candidates.
const LAZY_SETS: [&str; 3] = ["data-srcset", "data-lazy-srcset", "data-original-set"];
/// Words in the file name of a picture that stands in for a later one.
const PLACEHOLDERS: [&str; 9] = [
    "placeholder",
    "blank.",
    "spacer.",
    "lazyload",
    "loading.",
    "transparent.",
    "1x1.",
    "pixel.gif",
    "dummy.",
];
/// Longest `data:` address that is kept: above it a slot would weigh more than its page.
const DATA_URL: usize = 2048;
/// Longest address kept. Servers refuse much shorter ones.
const URL_LIMIT: usize = 8192;
/// Nodes looked at for one caption or source.
const WALK: usize = 2000;
/// Longest caption, alt or link text kept, in bytes.
pub(crate) const TEXT_LIMIT: usize = 16 << 10;

/// The slot of an `<img>` element, if it names a picture.
pub(crate) fn of(dom: &Dom, id: Id, base: Option<&Url>) -> Option<ImageSlot> {
    let address = address(dom, id)?;
    let url = resolve(&address, base)?;
    Some(ImageSlot {
        url,
        alt: dom.attribute(id, "alt").map(|alt| cut(alt).to_owned()),
        caption: caption(dom, id),
        link_text: link_text(dom, id),
        width: size(dom, id, "width"),
        height: size(dom, id, "height"),
        opt_out: false,
    })
}

/// The address as the page gives it.
fn address(dom: &Dom, id: Id) -> Option<String> {
    let source = dom.attribute(id, "src").map(str::trim).filter(|src| !src.is_empty());
    let lazy = || {
        let single =
            LAZY.iter().filter_map(|name| dom.attribute(id, name)).map(str::trim).find(|src| is_address(src));
        let set = || LAZY_SETS.iter().filter_map(|name| dom.attribute(id, name)).find_map(best_candidate);
        single.or_else(set).map(str::to_owned)
    };
    if let Some(lazy) = lazy() {
        return Some(lazy);
    }
    if let Some(source) = source.filter(|source| !is_placeholder(source)) {
        return Some(source.to_owned());
    }
    let set = dom.attribute(id, "srcset").and_then(best_candidate).map(str::to_owned);
    set.or_else(|| from_picture(dom, id)).or_else(|| source.map(str::to_owned))
}

/// Something that may be an address: some scripts keep JSON or flags in the same attributes.
fn is_address(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(['{', '[', '<'])
        && !text.contains(char::is_whitespace)
        && (text.contains('/') || text.contains('.'))
}

fn is_placeholder(source: &str) -> bool {
    if source.starts_with("data:") || source == "#" || source.starts_with("about:") {
        return true;
    }
    let file = source.rsplit('/').next().unwrap_or(source).to_ascii_lowercase();
    PLACEHOLDERS.iter().any(|word| file.contains(word))
}

fn from_picture(dom: &Dom, id: Id) -> Option<String> {
    let picture = dom.parent(id);
    if dom.tag(picture) != Tag::Picture {
        return None;
    }
    dom.walk(picture).take(WALK).filter(|source| dom.tag(*source) == Tag::Source).find_map(|source| {
        let set = dom.attribute(source, "srcset").or_else(|| dom.attribute(source, "data-srcset"))?;
        best_candidate(set).map(str::to_owned)
    })
}

/// The largest picture of a `srcset`, by width or pixel density.
fn best_candidate(set: &str) -> Option<&str> {
    let mut best: Option<(f64, &str)> = None;
    let mut rest = set;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == ',');
        if rest.is_empty() {
            return best.map(|(_, url)| url);
        }
        // An address ends at white space; a comma at its very end belongs to the list.
        let end = rest.find(|c: char| c.is_ascii_whitespace()).unwrap_or(rest.len());
        let (mut url, mut after) = rest.split_at(end);
        let mut descriptor = "";
        if let Some(trimmed) = url.strip_suffix(',') {
            url = trimmed.trim_end_matches(',');
        } else {
            let comma = after.find(',').unwrap_or(after.len());
            descriptor = after[..comma].trim();
            after = &after[comma..];
        }
        rest = after;
        let weight = descriptor
            .strip_suffix(['w', 'x'])
            .and_then(|number| number.trim().parse::<f64>().ok())
            .filter(|weight| weight.is_finite())
            .unwrap_or(1.0);
        if !url.is_empty() && !url.starts_with("data:") && best.is_none_or(|(most, _)| weight > most) {
            best = Some((weight, url));
        }
    }
}

fn resolve(address: &str, base: Option<&Url>) -> Option<String> {
    if address.starts_with("data:") {
        return (address.len() <= DATA_URL).then(|| address.to_owned());
    }
    if address.len() > URL_LIMIT {
        return None;
    }
    let url = match base {
        Some(base) => base.join(address),
        None => Url::parse(address),
    };
    match url {
        Ok(mut url) => {
            url.set_fragment(None);
            Some(url.into())
        }
        // Without the page's URL a relative address is all there is.
        Err(_) if base.is_none() => Some(address.to_owned()),
        Err(_) => None,
    }
}

/// The text of the enclosing figure's caption: `<figcaption>`, or an element named so in a box named so.
fn caption(dom: &Dom, id: Id) -> Option<String> {
    ancestors(dom, id).take(6).filter(|up| is_figure(dom, *up)).find_map(|figure| {
        let mut inside = dom.walk(figure).take(WALK).skip(1);
        let caption = inside.find(|node| dom.tag(*node) != Tag::Img && is_caption(dom, *node))?;
        Some(dom.text(caption, TEXT_LIMIT)).filter(|text| !text.is_empty())
    })
}

/// A `<figure>`, or a box of WordPress, MediaWiki or DocBook for a picture with its caption.
fn is_figure(dom: &Dom, id: Id) -> bool {
    if dom.tag(id) == Tag::Figure {
        return true;
    }
    dom.tag(id) == Tag::Div
        && dom.attribute(id, "class").is_some_and(|class| {
            class.split_ascii_whitespace().any(|name| {
                matches!(
                    name,
                    "wp-caption" | "thumbinner" | "mediaobject" | "figure" | "image-caption" | "caption"
                )
            })
        })
}

/// The text of the enclosing link.
fn link_text(dom: &Dom, id: Id) -> Option<String> {
    let link = ancestors(dom, id).take(8).find(|up| dom.tag(*up) == Tag::A)?;
    Some(dom.text(link, TEXT_LIMIT)).filter(|text| !text.is_empty())
}

pub(crate) fn ancestors(dom: &Dom, id: Id) -> impl Iterator<Item = Id> + '_ {
    std::iter::successors(Some(dom.parent(id)), |up| Some(dom.parent(*up))).take_while(|up| *up != NONE)
}

/// A declared size in CSS pixels; percentages and other units are none.
fn size(dom: &Dom, id: Id, name: &str) -> Option<u32> {
    let value = dom.attribute(id, name)?.trim();
    value
        .strip_suffix("px")
        .unwrap_or(value)
        .trim()
        .parse::<f64>()
        .ok()
        .filter(|size| *size > 0.0)
        .map(|size| size as u32)
}

fn cut(text: &str) -> &str {
    let text = text.trim();
    if text.len() <= TEXT_LIMIT { text } else { &text[..text.floor_char_boundary(TEXT_LIMIT)] }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(html: &str, expected: &str) {
        let dom = crate::tree::parse(html);
        let base = Url::parse("http://a.test/dir/page.html").unwrap();
        let image = dom.walk(0).find(|id| dom.tag(*id) == Tag::Img).unwrap();
        assert_eq!(of(&dom, image, Some(&base)).unwrap().url, expected, "{html}");
    }

    #[test]
    fn finds_the_address() {
        check("<img src=' x.png '>", "http://a.test/dir/x.png");
        check("<img src='/x.png#top'>", "http://a.test/x.png");
        check("<img src='//b.test/x.png'>", "http://b.test/x.png");
        check("<img src='data:image/gif;base64,R0' data-src='x.jpg'>", "http://a.test/dir/x.jpg");
        check("<img src='thumb.jpg' data-original='x.jpg'>", "http://a.test/dir/x.jpg");
        check("<img src='thumb.jpg' data-src='{\"a\": 1}'>", "http://a.test/dir/thumb.jpg");
        check("<img src='img/blank.gif' srcset='a.jpg 1x, b.jpg 2x'>", "http://a.test/dir/b.jpg");
        check("<img srcset='a.jpg 480w,b.jpg 800w'>", "http://a.test/dir/b.jpg");
        check("<picture><source srcset='x.webp'><img alt=''></picture>", "http://a.test/dir/x.webp");
        check("<img src='日本.png'>", "http://a.test/dir/%E6%97%A5%E6%9C%AC.png");
    }

    #[test]
    fn finds_what_is_said_about_it() {
        let dom = crate::tree::parse(
            "<figure><a href=x><img src=x.png alt=' 山 ' width=300 height='20%'>拡大</a><figcaption>富士山 の<b>写真</b></figcaption></figure>",
        );
        let image = dom.walk(0).find(|id| dom.tag(*id) == Tag::Img).unwrap();
        let slot = of(&dom, image, None).unwrap();
        assert_eq!(slot.alt.unwrap(), "山");
        assert_eq!(slot.caption.unwrap(), "富士山 の写真");
        assert_eq!(slot.link_text.unwrap(), "拡大");
        assert_eq!((slot.width, slot.height), (Some(300), None));
    }
}
