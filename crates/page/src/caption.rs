//! Finds the captions of images.

use std::collections::HashMap;

use crate::classify::names::{NAMES, has_word, is_caption};
use crate::dom::{Dom, Id};
use crate::html::attribute::Attr;
use crate::tag::Tag;

/// Nodes of a figure that are looked at.
const WALK: usize = 2000;

/// A `<figure>`, or a box that is named like one, as those of WordPress, MediaWiki and DocBook.
pub(crate) fn is_figure(dom: &Dom<'_>, id: Id) -> bool {
    match dom.tag(id) {
        Tag::Figure => true,
        Tag::Div | Tag::Span | Tag::Dl | Tag::Li | Tag::Td | Tag::Table | Tag::Section => {
            dom.attribute(id, Attr::Class).is_some_and(|class| {
                has_word(class, |word| {
                    matches!(
                        word,
                        b"figure"
                            | b"informalfigure"
                            | b"mediaobject"
                            | b"caption"
                            | b"thumb"
                            | b"thumbinner"
                            | b"image"
                            | b"img"
                            | b"photo"
                            | b"picture"
                    )
                })
            }) || dom.attribute(id, Attr::Role) == Some("figure")
        }
        _ => false,
    }
}

/// The caption of each image of a figure: the one between it and the next image, or the only one of the figure.
pub(crate) fn captions_in(dom: &Dom<'_>, figure: Id) -> HashMap<Id, Id> {
    let (mut images, mut captions) = (Vec::new(), Vec::new());
    let mut found = HashMap::new();
    let mut inside = None;
    for id in dom.walk(figure).take(WALK).skip(1) {
        let tag = dom.tag(id);
        if tag == Tag::Img {
            images.push(id);
        } else if tag != Tag::Other && (is_caption(dom, id) || is_title(dom, id)) {
            // A caption's own parts may be named so too.
            if inside.is_some_and(|outer| dom.ancestors(id).take(8).any(|up| up == outer)) {
                continue;
            }
            inside = Some(id);
            captions.push(id);
            if let Some(image) = images.last() {
                found.entry(*image).or_insert(id);
            }
        }
    }
    if let [only] = captions[..] {
        found.extend(images.into_iter().map(|image| (image, only)));
    }
    found
}

/// DocBook's title of a figure.
pub(crate) fn is_title(dom: &Dom<'_>, id: Id) -> bool {
    let named = |id: Id, name: &str| {
        dom.attribute(id, Attr::Class).is_some_and(|class| {
            let first = &class.as_bytes()[..class.len().min(NAMES)];
            first.split(u8::is_ascii_whitespace).any(|part| part == name.as_bytes())
        })
    };
    matches!(dom.tag(id), Tag::P | Tag::Div) && named(id, "title") && named(dom.parent(id), "figure")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The captions of a page's images.
    fn check(html: &str, expected: &[Option<&str>]) {
        let dom = crate::html::parse(html);
        let base = crate::slot::Base::of("http://a.test/");
        let mut slots = crate::slot::Slots::new(&dom, &base);
        let images = dom.walk(0).filter(|id| dom.tag(*id) == Tag::Img);
        let captions: Vec<_> = images.map(|id| slots.of(id).unwrap().caption).collect();
        assert_eq!(captions.iter().map(Option::as_deref).collect::<Vec<_>>(), expected, "{html}");
    }

    #[test]
    fn finds_captions() {
        check("<figure><img src=a><figcaption>山</figcaption></figure>", &[Some("山")]);
        check(
            "<figure><figcaption>山</figcaption><img src=a><img src=b></figure>",
            &[Some("山"), Some("山")],
        );
        check("<div class='wp-caption'><img src=a><p class='wp-caption-text'>山</p></div>", &[Some("山")]);
        check(
            "<div class=figure><p class=title><b>図 1. 山</b></p><div class=figure-contents><div class=mediaobject><img src=a></div></div></div>",
            &[Some("図 1. 山")],
        );
        check("<div class=mediaobject><img src=a><div class=caption><p>山</p></div></div>", &[Some("山")]);
        check(
            "<div class=images><div class=image><img src=a><p class=caption>一</p></div><div class=image><img src=b><p class=caption>二</p></div></div>",
            &[Some("一"), Some("二")],
        );
        check(
            "<figure><img src=a><p class=caption>一</p><img src=b><p class=caption>二</p></figure>",
            &[Some("一"), Some("二")],
        );
        check("<div><img src=a><p class=caption>山</p></div>", &[None]);
    }
}
