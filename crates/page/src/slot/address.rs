//! Which of an element's many attributes holds the address of its image, and what it means.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8};
use url::{ParseError, Url};

use crate::dom::{Dom, Id};
use crate::html::attribute::Attr;
use crate::tag::Tag;

/// Attributes in which scripts keep the address of an image that is loaded late, the best first.
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
/// Those of them that hold other addresses as well, such as that of a page to be shared.
const VAGUE: [Attr; 2] = [Attr::DataUrl, Attr::DataImage];
/// The same for lists of candidates.
const LAZY_SETS: [Attr; 3] = [Attr::DataSrcset, Attr::DataLazySrcset, Attr::DataOriginalSet];
/// Words in the address of an image that stands in for a later one; in its file name, but for folders of their own.
const PLACEHOLDERS: [&str; 22] = [
    "1x1.",
    "ajax-loader",
    "blank.",
    "clear.gif",
    "dot.gif",
    "dummy.",
    "gray.gif",
    "grey.gif",
    "lazy-placeholder",
    "lazyload",
    "loader.gif",
    "loading.",
    "noimage.",
    "pixel.gif",
    "pixel.png",
    "placeholder",
    "space.gif",
    "spacer.",
    "trans.gif",
    "transparent.",
    "white.gif",
    "white.png",
];
/// Longest address kept. Servers refuse much shorter ones; `data:` addresses are as long as their image.
const URL_LIMIT: usize = 8192;

/// The address as the page gives it.
///
/// Of all lists of candidates the largest image counts, wherever the list stands: single addresses beside it name the image
/// that is shown at a density of 1. A `<picture>` has the lists of its sources, which scripts may fill late as well.
pub(super) fn find<'d>(dom: &'d Dom<'_>, id: Id) -> Option<&'d str> {
    let source = dom.attribute(id, Attr::Src).map(str::trim).filter(|src| !src.is_empty());
    let shown = source.filter(|source| !is_placeholder(source));
    let has_more = dom.attributes(id).iter().any(|attribute| {
        LAZY.contains(&attribute.name)
            || LAZY_SETS.contains(&attribute.name)
            || matches!(attribute.name, Attr::Lazy | Attr::Other | Attr::Spare)
    });
    let late = if has_more { late_set(dom, id) } else { None };
    let picture = from_picture(dom, id);
    let is_larger = |candidate: &(f64, &str)| candidate.0 > 1.0;
    if let Some((_, candidate)) = late.filter(is_larger) {
        return Some(candidate);
    }
    if has_more && let Some(lazy) = lazy(dom, id, late, shown.is_some()) {
        return Some(picture.filter(is_larger).map_or(lazy, |(_, candidate)| candidate));
    }
    let set = dom.attribute(id, Attr::Srcset).and_then(largest);
    let fits = |set: &(f64, &str)| shown.is_none() || is_larger(set);
    if let Some((_, candidate)) = [set, picture].into_iter().flatten().find(fits) {
        return Some(candidate);
    }
    if shown.is_some() {
        return shown;
    }
    let data =
        || LAZY.iter().filter_map(|name| dom.attribute(id, *name)).map(str::trim).find(|src| is_data(src));
    let spare = || has_more.then(|| unnamed(dom, id, Attr::Spare)).flatten();
    spare().or(source).or_else(data)
}

/// The largest image of the lists that scripts keep for later.
fn late_set<'d>(dom: &'d Dom<'_>, id: Id) -> Option<(f64, &'d str)> {
    LAZY_SETS.iter().filter_map(|name| dom.attribute(id, *name)).find_map(largest)
}

fn lazy<'d>(dom: &'d Dom<'_>, id: Id, late: Option<(f64, &'d str)>, has_source: bool) -> Option<&'d str> {
    let single = |name: &Attr| {
        let value = dom.attribute(id, *name)?.trim();
        if has_descriptor(value) {
            return best_candidate(value);
        }
        let fits = is_address(value)
            && !is_placeholder(value)
            && !(has_source && VAGUE.contains(name) && !names_image(value));
        fits.then_some(value)
    };
    let set = || late.map(|(_, candidate)| candidate);
    // Of names that nobody knows, those that speak of images go before what is shown, the others do not.
    let other = || if has_source { None } else { unnamed(dom, id, Attr::Other) };
    LAZY.iter().find_map(single).or_else(set).or_else(|| unnamed(dom, id, Attr::Lazy)).or_else(other)
}

/// The address in an attribute of a kind that stands for many names: by its value alone.
fn unnamed<'d>(dom: &'d Dom<'_>, id: Id, kind: Attr) -> Option<&'d str> {
    let attributes = dom.attributes(id).iter().filter(|attribute| attribute.name == kind);
    attributes.map(|attribute| unquoted(dom.str(attribute.value).trim())).find_map(|value| {
        // Templates and expressions of scripts.
        if value.contains(['{', '}', '<', '>', '(', ';']) {
            return None;
        }
        if has_descriptor(value) {
            return best_candidate(value);
        }
        let is_path = kind == Attr::Lazy && value.contains('/') && !value.contains(char::is_whitespace);
        let fits = (names_image(value) && is_address(value)) || is_path;
        (fits && !is_placeholder(value)).then_some(value)
    })
}

/// The string that an attribute holds as an expression of a script: `v-lazy="'/x.jpg'"`.
fn unquoted(value: &str) -> &str {
    let inner = |quote: char| value.strip_prefix(quote)?.strip_suffix(quote);
    ['\'', '"', '`'].into_iter().find_map(inner).unwrap_or(value).trim()
}

/// Something that may be an address: some scripts keep JSON, flags or sentences in the same attributes. Addresses with
/// spaces are wrong, but browsers take them.
fn is_address(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(['{', '[', '<'])
        && (text.contains('/') || text.contains('.'))
        && (!text.contains(char::is_whitespace) || names_image(text))
}

/// Whether the file's name says that it is an image.
fn names_image(address: &str) -> bool {
    let path = address.split(['?', '#']).next().unwrap_or_default();
    let extension = path.rsplit('.').next().unwrap_or_default();
    ["jpg", "jpeg", "png", "gif", "webp", "avif", "svg", "bmp", "jfif", "jxl"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(extension))
}

fn is_placeholder(source: &str) -> bool {
    if is_data(source)
        || source == "#"
        || source.starts_with("about:")
        || source.contains("/pagespeed_static/")
    {
        return true;
    }
    let file = source.rsplit('/').next().unwrap_or(source);
    let file = file[..file.floor_char_boundary(256)].to_ascii_lowercase();
    PLACEHOLDERS.iter().any(|word| file.contains(word))
}

fn is_data(address: &str) -> bool {
    address.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("data:"))
}

/// The largest image of the sources that a `<picture>` has beside its `<img>`, except those in a format that is not decoded.
fn from_picture<'d>(dom: &'d Dom<'_>, id: Id) -> Option<(f64, &'d str)> {
    let picture = dom.parent(id);
    if dom.tag(picture) != Tag::Picture {
        return None;
    }
    let sources = dom.children(picture).take(64).filter(|source| dom.tag(*source) == Tag::Source);
    let candidates = sources.filter_map(|source| {
        let set = || dom.attribute(source, Attr::Srcset).and_then(largest);
        let other = || [Attr::Lazy, Attr::Other].into_iter().find_map(|kind| unnamed(dom, source, kind));
        let found = late_set(dom, source).or_else(set).or_else(|| other().map(|url| (1.0, url)))?;
        let kind = dom.attribute(source, Attr::Type).unwrap_or_default();
        (!is_undecoded(kind, found.1)).then_some(found)
    });
    candidates.reduce(|best, next| if next.0 > best.0 { next } else { best })
}

/// Whether a source is in a format that no reader of ours decodes, by its type or its name.
fn is_undecoded(kind: &str, url: &str) -> bool {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let extension = path.rsplit('.').next().unwrap_or_default();
    ["avif", "jxl", "heic"].iter().any(|format| {
        extension.eq_ignore_ascii_case(format)
            || kind.trim().rsplit('/').next().is_some_and(|kind| kind.eq_ignore_ascii_case(format))
    })
}

/// The largest image of a `srcset`.
fn best_candidate(set: &str) -> Option<&str> {
    largest(set).map(|(_, url)| url)
}

/// The largest image of a `srcset`, by width or pixel density, with that number.
fn largest(set: &str) -> Option<(f64, &str)> {
    let mut best: Option<(f64, &str)> = None;
    let mut rest = set;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == ',');
        if rest.is_empty() {
            return best;
        }
        // An address ends at white space; a comma at its very end belongs to the list.
        let end = rest.find(|c: char| c.is_ascii_whitespace()).unwrap_or(rest.len());
        let (mut url, mut after) = rest.split_at(end);
        let mut descriptors = "";
        if url.ends_with(',') {
            url = url.trim_end_matches(',');
        } else {
            let comma = after.find(',').unwrap_or(after.len());
            descriptors = &after[..comma];
            after = &after[comma..];
        }
        rest = after;
        // A height (`600h`) may stand beside the width.
        let weight = descriptors.split_ascii_whitespace().find_map(weight).unwrap_or(1.0);
        if !url.is_empty() && !is_placeholder(url) && best.is_none_or(|(most, _)| weight > most) {
            best = Some((weight, url));
        }
    }
}

/// The number of a width or density descriptor: `800w`, `1.5x`.
fn weight(descriptor: &str) -> Option<f64> {
    let number = descriptor.strip_suffix(['w', 'x'])?;
    number.parse::<f64>().ok().filter(|weight| weight.is_finite())
}

/// Whether a value is a list of candidates with descriptors.
fn has_descriptor(value: &str) -> bool {
    value.split_ascii_whitespace().skip(1).any(|part| weight(part.trim_end_matches(',')).is_some())
}

/// Where relative addresses are meant from, and the page's charset: browsers write queries in it.
#[derive(Debug)]
pub(crate) struct Base {
    pub(crate) url: Option<Url>,
    pub(crate) charset: &'static Encoding,
}

impl Base {
    pub(super) fn resolve(&self, address: &str) -> Option<String> {
        if is_data(address) {
            return Some(address.to_owned());
        }
        if address.len() > URL_LIMIT {
            return None;
        }
        match join(address, self.url.as_ref(), self.charset) {
            Ok(mut url) => {
                url.set_fragment(None);
                Some(url.into())
            }
            // Without the page's URL a relative address is all there is; a broken one is kept for the record.
            Err(_) => Some(address.to_owned()),
        }
    }

    #[cfg(test)]
    pub(crate) fn of(url: &str) -> Self {
        Self { url: Url::parse(url).ok(), charset: UTF_8 }
    }
}

/// Reads an address as it stands on a page of this charset.
pub(crate) fn join(address: &str, base: Option<&Url>, charset: &'static Encoding) -> Result<Url, ParseError> {
    let query: &dyn Fn(&str) -> Cow<'_, [u8]> = &|text| encode(text, charset);
    let options = Url::options().base_url(base);
    if charset == UTF_8 || address.is_ascii() {
        options.parse(address)
    } else {
        options.encoding_override(Some(query)).parse(address)
    }
}

/// The bytes of a query. Characters that the charset lacks are numeric references.
fn encode<'t>(text: &'t str, charset: &'static Encoding) -> Cow<'t, [u8]> {
    let (bytes, _, missing) = charset.encode(text);
    if !missing {
        return bytes;
    }
    let mut out = Vec::with_capacity(text.len());
    let mut buffer = [0; 4];
    for c in text.chars() {
        match charset.encode(c.encode_utf8(&mut buffer)) {
            (bytes, _, false) => out.extend_from_slice(&bytes),
            _ => out.extend_from_slice(format!("%26%23{}%3B", u32::from(c)).as_bytes()),
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::super::tests::first;
    use super::*;

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
            ("<img src=a.jpg data-src='my photo 1.jpg'>", "http://a.test/dir/my%20photo%201.jpg"),
            ("<img src=a.jpg data-src='Shown later. See /help'>", "http://a.test/dir/a.jpg"),
            ("<img src=a.jpg data-src='data:image/gif;base64,R0'>", "http://a.test/dir/a.jpg"),
            ("<img src=a.jpg data-src='img/blank.gif'>", "http://a.test/dir/a.jpg"),
            ("<img data-src='data:image/gif;base64,R0'>", "data:image/gif;base64,R0"),
            ("<img src=a.jpg data-src='s.jpg 1x, l.jpg 2x'>", "http://a.test/dir/l.jpg"),
            ("<img src=a.jpg data-url='http://b.test/share/page'>", "http://a.test/dir/a.jpg"),
            ("<img src=blank.gif data-url='/image/7'>", "http://a.test/image/7"),
            ("<img src=a.jpg data-url='/full/7.JPG?v=2'>", "http://a.test/full/7.JPG?v=2"),
            ("<img srcset='a.jpg 800w 600h, b.jpg 400w 900h'>", "http://a.test/dir/a.jpg"),
            ("<img srcset='a.jpg 600h 800w, b.jpg 400w'>", "http://a.test/dir/a.jpg"),
            (
                "<picture><source srcset='data:image/gif;base64,R0' data-srcset='x.webp 1x'><img src='data:,'></picture>",
                "http://a.test/dir/x.webp",
            ),
            ("<picture><source srcset='x.webp'><img alt=''></picture>", "http://a.test/dir/x.webp"),
            ("<img src='日本.png'>", "http://a.test/dir/%E6%97%A5%E6%9C%AC.png"),
            ("<img src='http://[bad/x.png'>", "http://[bad/x.png"),
            ("<img src='x.png?a=1&amp;b=2&copy=3'>", "http://a.test/dir/x.png?a=1&b=2&copy=3"),
            ("<img src=s.jpg srcset='s.jpg 300w, l.jpg 1200w, m.jpg 600w'>", "http://a.test/dir/l.jpg"),
            ("<img src=s.jpg srcset='s.jpg, l.jpg 2x'>", "http://a.test/dir/l.jpg"),
            ("<img src=s.jpg srcset='t.jpg 1x'>", "http://a.test/dir/s.jpg"),
            // Lists that are filled late, and those of a <picture>.
            ("<img data-src=s.jpg data-srcset='s.jpg 300w, l.jpg 1200w'>", "http://a.test/dir/l.jpg"),
            (
                "<img src=t.gif data-lazy-src=s.jpg data-lazy-srcset='s.jpg 1x, l.jpg 2x'>",
                "http://a.test/dir/l.jpg",
            ),
            ("<img data-src=s.jpg data-srcset='t.jpg'>", "http://a.test/dir/s.jpg"),
            ("<img src=s.jpg srcset='blank.gif 9w'>", "http://a.test/dir/s.jpg"),
            (
                "<picture><source srcset='m.jpg 800w, l.jpg 1600w'><source srcset='n.jpg 400w'><img src=s.jpg></picture>",
                "http://a.test/dir/l.jpg",
            ),
            (
                "<picture><source type=image/avif srcset='l.avif 1600w'><source srcset='m.webp 800w'><img src=s.jpg></picture>",
                "http://a.test/dir/m.webp",
            ),
            ("<picture><source srcset=x.webp><img src=s.jpg></picture>", "http://a.test/dir/s.jpg"),
            (
                "<picture><source data-srcset='l.jpg 2x'><img data-src=s.jpg src=blank.gif></picture>",
                "http://a.test/dir/l.jpg",
            ),
            (
                "<picture><source type=image/avif srcset=x.avif><source srcset=x.webp><img src=blank.gif></picture>",
                "http://a.test/dir/x.webp",
            ),
        ] {
            assert_eq!(first(html).url, expected, "{html}");
        }
    }

    #[test]
    fn knows_an_address_by_its_value() {
        let pixel = "src='data:image/gif;base64,R0lGODlhAQABAAAAACw='";
        for (html, expected) in [
            ("<amp-img src=x.jpg width=300 height=200></amp-img>", "x.jpg"),
            ("<amp-anim src=x.gif></amp-anim>", "x.gif"),
            ("<img data-srv='x.jpg'>", "x.jpg"),
            (&format!("<img {pixel} data-pc=x.jpg>"), "x.jpg"),
            (&format!("<img {pixel} data-pc=x.jpg data-sp=sp/x.jpg>"), "x.jpg"),
            ("<img data-pagespeed-lazy-src=x.jpg src=/pagespeed_static/1.JiBnMqyl6S.gif>", "x.jpg"),
            ("<img pagespeed_lazy_src=x.jpg src=/pagespeed_static/1.JiBnMqyl6S.gif>", "x.jpg"),
            ("<img v-lazy=\"'x.jpg'\">", "x.jpg"),
            ("<img :src='`x.jpg`'>", "x.jpg"),
            ("<img :src='item.photo'>", ""),
            ("<img ng-src='{{base}}/x.jpg' src=blank.gif>", "blank.gif"),
            ("<img data-large_image=x.jpg src=t.jpg>", "x.jpg"),
            ("<img data-orig-file=x.jpg data-medium-file=m.jpg src=s.jpg>", "x.jpg"),
            ("<img data-flickity-lazyload=x.jpg>", "x.jpg"),
            ("<img data-src2=x.jpg src=/common/img/spacer.gif>", "x.jpg"),
            ("<img data-lazy-img='image/7?w=300' src=ajax-loader.gif>", "image/7?w=300"),
            ("<img data-any='image/7?w=300' src=t.gif>", "t.gif"),
            ("<img data-mobile-srcset='s.jpg 300w, x.jpg 900w' src=blank.gif>", "x.jpg"),
            ("<img data-bg=x.jpg>", "x.jpg"),
            // Attributes of other things, and lesser images.
            ("<img src=x.jpg data-bg=b.jpg>", "x.jpg"),
            ("<img src=x.jpg data-thumb=t.jpg data-fallback-src=f.jpg data-placeholder=p.jpg>", "x.jpg"),
            ("<img data-thumb=t.jpg data-full=x.jpg>", "x.jpg"),
            ("<img data-thumb=x.jpg>", "x.jpg"),
            (
                "<img src=x.jpg onerror=\"this.src='f.jpg'\" data-image-title='IMG_1.jpg' data-link='/p/1.jpg'>",
                "x.jpg",
            ),
            ("<img src=x.jpg data-hover-src=h.jpg data-rollover=r.jpg>", "x.jpg"),
            ("<img src=x.jpg data-image-meta='{\"a\": \"/b.jpg\"}'>", "x.jpg"),
            ("<img src=x.jpg data-lazy-options='a/b; c/d'>", "x.jpg"),
            ("<picture><source data-any=x.webp><img src=blank.gif></picture>", "x.webp"),
        ] {
            let dom = crate::html::parse(html);
            let image = dom.walk(0).find(|id| dom.tag(*id) == Tag::Img).unwrap();
            assert_eq!(find(&dom, image).unwrap_or_default(), expected, "{html}");
        }
    }

    #[test]
    fn writes_queries_in_the_charset_of_the_page() {
        use encoding_rs::{EUC_JP, SHIFT_JIS, UTF_16LE};
        // Values of the WHATWG standard's percent-encode after encoding.
        for (charset, address, expected) in [
            (UTF_8, "x.cgi?q=山", "http://a.test/x.cgi?q=%E5%B1%B1"),
            (SHIFT_JIS, "x.cgi?q=山", "http://a.test/x.cgi?q=%8ER"),
            (EUC_JP, "x.cgi?q=山&amp", "http://a.test/x.cgi?q=%BB%B3&amp"),
            (UTF_16LE, "x.cgi?q=山", "http://a.test/x.cgi?q=%E5%B1%B1"),
            (SHIFT_JIS, "山.png?v=1", "http://a.test/%E5%B1%B1.png?v=1"),
            (SHIFT_JIS, "?q=‽山", "http://a.test/?q=%26%238253%3B%8ER"),
        ] {
            let base = Base { charset, ..Base::of("http://a.test/") };
            assert_eq!(base.resolve(address).unwrap(), expected, "{}", charset.name());
        }
    }
}
