//! The image slots of a page and the texts about them.

mod address;

use std::borrow::Cow;
use std::collections::HashMap;

use tsumugi_record::ImageSlot;

pub(crate) use address::{Base, join};

use crate::caption::captions_in;
use crate::dom::{Dom, Id, NONE, ROOT};
use crate::html::attribute::Attr;
use crate::html::reference;
use crate::inline::is_ratio;
use crate::space::without_invisible;
use crate::tag::Tag;

/// Longest caption, alt or link text kept, in bytes.
pub(crate) const TEXT_LIMIT: usize = 16 << 10;
/// Elements above an image in which its figure and its link are looked for.
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
    base: &'a Base,
    /// For each figure looked at, the captions of its images.
    captions: HashMap<Id, HashMap<Id, Id>>,
    /// The last link with its text.
    link: (Id, Option<String>),
    budget: usize,
    full: bool,
}

impl<'a> Slots<'a> {
    pub(crate) fn new(dom: &'a Dom<'a>, base: &'a Base) -> Self {
        let budget = BUDGET + BUDGET_SHARE * dom.source().len();
        Self { dom, base, captions: HashMap::new(), link: (NONE, None), budget, full: false }
    }

    /// The slot of an `<img>` element that names an image.
    pub(crate) fn of(&mut self, id: Id) -> Option<ImageSlot> {
        let dom = self.dom;
        let url = self.base.resolve(address::find(dom, id)?)?;
        if self.budget == 0 {
            self.full = true;
            return None;
        }
        let slot = ImageSlot {
            url,
            alt: dom.attribute(id, Attr::Alt).map(|alt| read_twice(cut(alt)).into_owned()),
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

    /// Whether images were left out because there were too many.
    pub(crate) fn is_full(&self) -> bool {
        self.full
    }

    /// The text of the caption that the nearest figure has for this image.
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

/// A declared size in CSS pixels, by the standard's rules for dimensions: the number at the beginning counts, whatever unit
/// stands behind it. Percentages say nothing of a size, nor do numbers of more than nine digits, nor the proportions of AMP images.
fn size(dom: &Dom<'_>, id: Id, name: Attr) -> Option<u32> {
    let value = dom.attribute(id, name).filter(|_| !is_ratio(dom, id))?.trim_start();
    let after = value.trim_start_matches(|c: char| c.is_ascii_digit());
    let whole = &value[..value.len() - after.len()];
    let unit = match after.strip_prefix('.') {
        Some(fraction) => fraction.trim_start_matches(|c: char| c.is_ascii_digit()),
        None => after,
    };
    let size = whole.parse().ok().filter(|_| whole.len() <= 9 && !unit.starts_with('%'));
    size.filter(|size| *size > 0)
}

/// An `alt` that was escaped twice, or that holds markup: what it says once it is read as HTML. Others stay as they are, but
/// for characters that are not shown.
fn read_twice(alt: &str) -> Cow<'_, str> {
    let alt = without_invisible(alt);
    if memchr::memchr2(b'&', b'<', alt.as_bytes()).is_none() || !is_html(&alt) {
        return alt;
    }
    let once = crate::html::parse(&alt).text(ROOT, TEXT_LIMIT);
    // What was escaped once more on the way holds markup now.
    let text = if is_html(&once) { crate::html::parse(&once).text(ROOT, TEXT_LIMIT) } else { once };
    if text.is_empty() { alt } else { text.into() }
}

/// Whether a text holds a character reference with its semicolon, or a tag of an element of HTML.
fn is_html(text: &str) -> bool {
    let has_reference = memchr::memchr_iter(b'&', text.as_bytes()).any(|at| {
        let mut out = String::new();
        let end = text[at..].find(';').map_or(at, |end| at + end + 1);
        reference::decode(&text[at..end], false, &mut out);
        end > at && end - at <= 32 && !out.ends_with(';')
    });
    let is_tag = |at: usize| {
        let inner = text[at + 1..].split('>').next().filter(|inner| at + 1 + inner.len() < text.len());
        let name =
            inner.map(|inner| inner.trim_start_matches('/').split([' ', '/']).next().unwrap_or_default());
        name.is_some_and(|name| Tag::from_name(name.as_bytes()) != Tag::Other)
    };
    has_reference || memchr::memchr_iter(b'<', text.as_bytes()).any(is_tag)
}

fn cut(text: &str) -> &str {
    let text = text.trim();
    if text.len() <= TEXT_LIMIT { text } else { &text[..text.floor_char_boundary(TEXT_LIMIT)] }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The slot of the first image.
    pub(super) fn first(html: &str) -> ImageSlot {
        let dom = crate::html::parse(html);
        let base = Base::of("http://a.test/dir/page.html");
        let image = dom.walk(0).find(|id| dom.tag(*id) == Tag::Img).unwrap();
        Slots::new(&dom, &base).of(image).unwrap()
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

    #[test]
    fn reads_what_was_escaped_twice() {
        for (alt, expected) in [
            ("Q&amp;amp;A", "Q&A"),
            ("Q&amp;A", "Q&A"),
            ("&lt;b&gt;富士山&lt;/b&gt;", "富士山"),
            ("&amp;lt;b&amp;gt;富士山&amp;lt;/b&amp;gt;", "富士山"),
            ("&lt;br&gt;山&lt;br /&gt;川", "山 川"),
            ("&amp;quot;山&amp;quot;", "\"山\""),
            ("&amp;#23665;", "山"),
            ("山&amp;nbsp;川", "山 川"),
            ("&amp;amp;amp;", "&"),
            // No markup: comparisons, prompts, names, references without an end.
            ("a &lt; b", "a < b"),
            ("x&lt;b", "x<b"),
            ("&lt;stdio.h&gt;", "<stdio.h>"),
            ("&lt;入口&gt;", "<入口>"),
            ("AT&amp;T; x", "AT&T; x"),
            ("?a=1&amp;copy=2", "?a=1&copy=2"),
            ("山&#8203;頂", "山頂"),
            // Nothing would be left.
            ("&lt;br&gt;", "<br>"),
            ("", ""),
        ] {
            assert_eq!(
                first(&format!("<img src=x.png alt='{alt}'>")).alt.as_deref(),
                Some(expected),
                "{alt}"
            );
        }
    }

    #[test]
    fn reads_sizes_as_browsers_do() {
        for (value, expected) in [
            ("300", Some(300)),
            (" 300px", Some(300)),
            ("300.7", Some(300)),
            ("20em", Some(20)),
            ("1e3", Some(1)),
            ("50%", None),
            ("12.5%", None),
            ("inf", None),
            ("NaN", None),
            ("0", None),
            ("-5", None),
            ("auto", None),
            ("99999999999", None),
            ("", None),
        ] {
            let slot = first(&format!("<img src=x.png width='{value}' height='{value}'>"));
            assert_eq!((slot.width, slot.height), (expected, expected), "{value}");
        }
    }
}
