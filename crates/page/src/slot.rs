//! Where pictures stand on a page and what is said about them.

use std::collections::HashMap;

use tsumugi_record::ImageSlot;
use url::Url;

use crate::caption::captions_in;
use crate::dom::{Dom, Id, NONE};
use crate::html::attribute::Attr;
use crate::tag::Tag;

/// Attributes in which scripts keep the address of a picture that is loaded late, the best first.
const LAZY: [Attr; 17] = [
    Attr::DataSrc,
    Attr::DataOriginal,
    Attr::DataLazySrc,
    Attr::DataLazy,
    Attr::DataOriginalSrc,
    Attr::DataHiResSrc,
    Attr::DataFullSrc,
    Attr::DataActualsrc,
    Attr::DataEcho,
    Attr::DataUrl,
    Attr::DataImage,
    Attr::DataDeferSrc,
    Attr::DataCfsrc,
    Attr::DataLlSrc,
    Attr::DataLazyload,
    Attr::DataImgSrc,
    Attr::DataImageSrc,
];
/// The same for lists of candidates.
const LAZY_SETS: [Attr; 3] = [Attr::DataSrcset, Attr::DataLazySrcset, Attr::DataOriginalSet];
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
/// Longest address kept. Servers refuse much shorter ones; `data:` addresses are as long as their picture.
const URL_LIMIT: usize = 8192;
/// Longest caption, alt or link text kept, in bytes.
pub(crate) const TEXT_LIMIT: usize = 16 << 10;
/// Elements above a picture in which its figure and its link are looked for.
const LEVELS: usize = 8;
/// Figures of a page that are looked through for captions.
const FIGURES: usize = 2000;
/// Bytes that the slots of a page may take, and how many more for each byte of the page. A hostile page repeats a
/// long base address, caption or link text in each of a million slots.
const BUDGET: usize = 4 << 20;
const BUDGET_SHARE: usize = 4;

/// Makes the slots of a page.
pub(crate) struct Slots<'a> {
    dom: &'a Dom<'a>,
    base: Option<&'a Url>,
    /// For each figure looked at, the captions of its pictures.
    captions: HashMap<Id, HashMap<Id, Id>>,
    /// The last link with its text.
    link: (Id, Option<String>),
    budget: usize,
}

impl<'a> Slots<'a> {
    pub(crate) fn new(dom: &'a Dom<'a>, base: Option<&'a Url>) -> Self {
        let budget = BUDGET + BUDGET_SHARE * dom.source().len();
        Self { dom, base, captions: HashMap::new(), link: (NONE, None), budget }
    }

    /// The slot of an `<img>` element, if it names a picture.
    pub(crate) fn of(&mut self, id: Id) -> Option<ImageSlot> {
        if self.budget == 0 {
            return None;
        }
        let dom = self.dom;
        let url = resolve(address(dom, id)?, self.base)?;
        let slot = ImageSlot {
            url,
            alt: dom.attribute(id, Attr::Alt).map(|alt| cut(alt).to_owned()),
            caption: self.caption(id),
            link_text: self.link_text(id),
            width: size(dom, id, Attr::Width),
            height: size(dom, id, Attr::Height),
            opt_out: false,
        };
        let texts = [&slot.alt, &slot.caption, &slot.link_text].into_iter().flatten();
        let spent = slot.url.len() + texts.map(String::len).sum::<usize>();
        self.budget = self.budget.saturating_sub(spent);
        Some(slot)
    }

    /// The text of the caption that the nearest figure has for this picture.
    fn caption(&mut self, id: Id) -> Option<String> {
        let dom = self.dom;
        for figure in dom.ancestors(id).take(LEVELS).filter(|up| crate::caption::is_figure(dom, *up)) {
            if self.captions.len() >= FIGURES && !self.captions.contains_key(&figure) {
                continue;
            }
            let captions = self.captions.entry(figure).or_insert_with(|| captions_in(dom, figure));
            if let Some(caption) = captions.get(&id) {
                return Some(dom.text(*caption, TEXT_LIMIT)).filter(|text| !text.is_empty());
            }
        }
        None
    }

    /// The text of the enclosing link.
    fn link_text(&mut self, id: Id) -> Option<String> {
        let link = self.dom.ancestors(id).take(LEVELS).find(|up| self.dom.tag(*up) == Tag::A)?;
        if self.link.0 != link {
            let text = self.dom.text(link, TEXT_LIMIT);
            self.link = (link, Some(text).filter(|text| !text.is_empty()));
        }
        self.link.1.clone()
    }
}

/// The address as the page gives it.
fn address<'d>(dom: &'d Dom<'_>, id: Id) -> Option<&'d str> {
    let source = dom.attribute(id, Attr::Src).map(str::trim).filter(|src| !src.is_empty());
    let has_more = dom
        .attributes(id)
        .iter()
        .any(|attribute| LAZY.contains(&attribute.name) || LAZY_SETS.contains(&attribute.name));
    if has_more && let Some(lazy) = lazy(dom, id) {
        return Some(lazy);
    }
    if let Some(source) = source.filter(|source| !is_placeholder(source)) {
        return Some(source);
    }
    let set = dom.attribute(id, Attr::Srcset).and_then(best_candidate);
    set.or_else(|| from_picture(dom, id)).or(source)
}

fn lazy<'d>(dom: &'d Dom<'_>, id: Id) -> Option<&'d str> {
    let single =
        LAZY.iter().filter_map(|name| dom.attribute(id, *name)).map(str::trim).find(|src| is_address(src));
    single.or_else(|| LAZY_SETS.iter().filter_map(|name| dom.attribute(id, *name)).find_map(best_candidate))
}

/// Something that may be an address: some scripts keep JSON or flags in the same attributes.
fn is_address(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(['{', '[', '<'])
        && !text.contains(char::is_whitespace)
        && (text.contains('/') || text.contains('.'))
}

fn is_placeholder(source: &str) -> bool {
    if is_data(source) || source == "#" || source.starts_with("about:") {
        return true;
    }
    let file = source.rsplit('/').next().unwrap_or(source);
    let file = file[..file.floor_char_boundary(256)].to_ascii_lowercase();
    PLACEHOLDERS.iter().any(|word| file.contains(word))
}

fn is_data(address: &str) -> bool {
    address.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("data:"))
}

/// The best source that a `<picture>` has beside its `<img>`.
fn from_picture<'d>(dom: &'d Dom<'_>, id: Id) -> Option<&'d str> {
    let picture = dom.parent(id);
    if dom.tag(picture) != Tag::Picture {
        return None;
    }
    dom.children(picture).take(64).filter(|source| dom.tag(*source) == Tag::Source).find_map(|source| {
        let set = dom.attribute(source, Attr::Srcset).or_else(|| dom.attribute(source, Attr::DataSrcset))?;
        best_candidate(set)
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
        if url.ends_with(',') {
            url = url.trim_end_matches(',');
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
        if !url.is_empty() && !is_data(url) && best.is_none_or(|(most, _)| weight > most) {
            best = Some((weight, url));
        }
    }
}

fn resolve(address: &str, base: Option<&Url>) -> Option<String> {
    if is_data(address) {
        return Some(address.to_owned());
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
        // Without the page's URL a relative address is all there is; a broken one is kept for the record.
        Err(_) => Some(address.to_owned()),
    }
}

/// A declared size in CSS pixels; percentages and other units are none.
fn size(dom: &Dom<'_>, id: Id, name: Attr) -> Option<u32> {
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

    /// The slot of the first picture.
    fn first(html: &str) -> ImageSlot {
        let dom = crate::html::parse(html);
        let base = Url::parse("http://a.test/dir/page.html").unwrap();
        let image = dom.walk(0).find(|id| dom.tag(*id) == Tag::Img).unwrap();
        Slots::new(&dom, Some(&base)).of(image).unwrap()
    }

    #[test]
    fn finds_the_address() {
        for (html, expected) in [
            ("<img src=' x.png '>", "http://a.test/dir/x.png"),
            ("<img src='/x.png#top'>", "http://a.test/x.png"),
            ("<img src='//b.test/x.png'>", "http://b.test/x.png"),
            ("<img src='data:image/gif;base64,R0' data-src='x.jpg'>", "http://a.test/dir/x.jpg"),
            ("<img src='DATA:image/gif;base64,R0'>", "DATA:image/gif;base64,R0"),
            ("<img src='thumb.jpg' data-original='x.jpg'>", "http://a.test/dir/x.jpg"),
            ("<img src='thumb.jpg' data-src='{\"a\": 1}'>", "http://a.test/dir/thumb.jpg"),
            ("<img src='img/blank.gif' srcset='a.jpg 1x, b.jpg 2x'>", "http://a.test/dir/b.jpg"),
            ("<img src=b.gif data-srcset='a.jpg 300w, c.jpg 900w'>", "http://a.test/dir/c.jpg"),
            ("<img srcset='a.jpg 480w,b.jpg 800w'>", "http://a.test/dir/b.jpg"),
            ("<picture><source srcset='x.webp'><img alt=''></picture>", "http://a.test/dir/x.webp"),
            ("<img src='日本.png'>", "http://a.test/dir/%E6%97%A5%E6%9C%AC.png"),
            ("<img src='http://[bad/x.png'>", "http://[bad/x.png"),
            ("<img src='x.png?a=1&amp;b=2&copy=3'>", "http://a.test/dir/x.png?a=1&b=2&copy=3"),
        ] {
            assert_eq!(first(html).url, expected, "{html}");
        }
    }

    #[test]
    fn finds_what_is_said_about_it() {
        let slot = first(
            "<figure><a href=x><img src=x.png alt=' 山 ' width=300 height='20%'>拡大</a><figcaption>富士山 の<b>写真</b></figcaption></figure>",
        );
        assert_eq!(slot.alt.unwrap(), "山");
        assert_eq!(slot.caption.unwrap(), "富士山 の写真");
        assert_eq!(slot.link_text.unwrap(), "拡大");
        assert_eq!((slot.width, slot.height), (Some(300), None));
    }
}
