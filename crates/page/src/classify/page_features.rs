//! What the models are told of the page as a whole.

use super::names::{Parts, Words, each_text_word};
use super::outline::{Outline, Row};
use crate::dom::{Data, Dom, Id};
use crate::html::attribute::Attr;
use crate::tag::Tag;

/// The names of the numbers, as the models' files have them.
pub(super) const NAMES: &[&str] = &[
    "page_blocks",
    "page_width",
    "page_link",
    "page_paragraphs",
    "page_paragraph_share",
    "page_images",
    "page_headings",
    "page_articles",
    "page_alike",
    "page_alike_share",
    "page_questions",
    "page_currencies",
    "page_dates",
    "page_pre",
    "page_in_main",
    "page_longest",
    "page_forms",
    "page_cells",
];
/// Bytes of a script that are looked at.
const LOOK: usize = 64 << 10;
/// Bytes of a description that are compared with texts.
const DESCRIPTION: usize = 2048;

/// Numbers of the page, in the order of [`NAMES`].
#[derive(Debug, Clone, Default)]
pub(super) struct PageFeatures {
    pub(super) values: Vec<f32>,
}

impl PageFeatures {
    pub(super) fn new(outline: &Outline, dates: usize) -> Self {
        let page = &outline.items[0];
        let rows = &outline.rows;
        let count = |fits: &dyn Fn(&Row) -> bool| rows.iter().filter(|row| fits(row)).count() as f32;
        let width = f64::from(page.width.max(1));
        let within = |part: Parts| {
            let inside = rows.iter().filter(|row| outline.items[row.place].parts.has(part));
            (inside.map(|row| f64::from(row.measure.width)).sum::<f64>() / width) as f32
        };
        let tagged = |tag: Tag| outline.items.iter().filter(|item| item.tag == tag).count() as f32;
        let alike = outline.items.iter().filter(|item| item.alike >= 3 && item.blocks >= 2);
        let widest = alike.max_by_key(|item| outline.items[item.parent].width);
        let values = vec![
            rows.len() as f32,
            page.width as f32,
            page.link_density(),
            count(&Row::is_paragraph),
            (f64::from(page.paragraphs) / width) as f32,
            page.images as f32,
            count(&|row| row.heading > 0),
            tagged(Tag::Article),
            widest.map_or(0.0, |item| item.alike as f32),
            widest.map_or(0.0, |item| (f64::from(outline.items[item.parent].width) / width) as f32),
            count(&|row| row.measure.has_question),
            count(&|row| row.measure.has_currency),
            dates as f32,
            tagged(Tag::Pre),
            within(Parts::MAIN),
            rows.iter().map(|row| row.measure.width as f32).fold(0.0, f32::max),
            within(Parts::FORM),
            within(Parts::TABLE),
        ];
        Self { values }
    }
}

/// Calls `take` with each word that the head of the page says of it: with a prefix its schema.org types (`ld.`), its Open
/// Graph type (`og.`), the program that wrote it (`by.`), the path of its address (`at.`) and its title (`ti.`).
pub(super) fn each_word(dom: &Dom<'_>, title: &str, take: &mut dyn FnMut(&[u8])) {
    each_text_word(title, |word| prefixed(b"ti.", word, take));
    for id in (0..).take(dom.nodes.len()) {
        match dom.tag(id) {
            Tag::Meta => meta(dom, id, take),
            Tag::Script if dom.attribute(id, Attr::Type).is_some_and(|kind| kind.contains("ld+json")) => {
                schema(dom, id, take);
            }
            _ => {}
        }
    }
}

/// Hands over the letters and digits of a word behind a prefix, in lower case; as many as a word may have.
fn prefixed(prefix: &[u8; 3], word: &[u8], take: &mut dyn FnMut(&[u8])) {
    let mut whole = [0; 16];
    let letters = word.iter().filter(|byte| byte.is_ascii_alphanumeric());
    let bytes = prefix.iter().chain(letters).map(u8::to_ascii_lowercase);
    let mut length = 0;
    for (place, byte) in whole.iter_mut().zip(bytes) {
        *place = byte;
        length += 1;
    }
    take(&whole[..length]);
}

fn meta(dom: &Dom<'_>, id: Id, take: &mut dyn FnMut(&[u8])) {
    let Some(content) = dom.attribute(id, Attr::Content) else { return };
    let name =
        dom.attribute(id, Attr::Property).or_else(|| dom.attribute(id, Attr::Name)).unwrap_or_default();
    let first = content.split_whitespace().next().unwrap_or_default();
    if name.eq_ignore_ascii_case("og:type") {
        prefixed(b"og.", first.as_bytes(), take);
    } else if name.eq_ignore_ascii_case("generator") {
        prefixed(b"by.", first.as_bytes(), take);
    } else if name.eq_ignore_ascii_case("og:url") {
        let path = first.split_once("://").and_then(|(_, rest)| rest.split_once('/'));
        each_text_word(path.map_or("", |(_, path)| path), |word| prefixed(b"at.", word, take));
    }
}

/// The values of `"@type"` in a script of linked data.
fn schema(dom: &Dom<'_>, id: Id, take: &mut dyn FnMut(&[u8])) {
    for child in dom.children(id) {
        let Some(Data::Text(text)) = dom.node(child).map(|node| node.data) else { continue };
        let text = dom.str(text);
        let text = &text[..text.floor_char_boundary(LOOK)];
        for at in memchr::memmem::find_iter(text.as_bytes(), b"\"@type\"") {
            let rest = text[at + 7..].trim_start_matches([' ', ':', '[', '\n', '\t', '\r']);
            if let Some(kind) = rest.strip_prefix('"').and_then(|rest| rest.split('"').next()) {
                prefixed(b"ld.", kind.as_bytes(), take);
            }
        }
    }
}

/// What the page says of itself in its head, for search engines and social networks.
pub(super) fn descriptions<'d>(dom: &'d Dom<'_>) -> Vec<&'d str> {
    let metas = (0..).take(dom.nodes.len()).filter(|id| dom.tag(*id) == Tag::Meta);
    let described = metas.filter(|id| {
        let name =
            dom.attribute(*id, Attr::Property).or_else(|| dom.attribute(*id, Attr::Name)).unwrap_or_default();
        name.eq_ignore_ascii_case("description") || name.eq_ignore_ascii_case("og:description")
    });
    let contents = described.filter_map(|id| dom.attribute(id, Attr::Content)).map(str::trim);
    let contents = contents.map(|content| &content[..content.floor_char_boundary(DESCRIPTION)]);
    contents.filter(|content| content.chars().count() >= 12).take(4).collect()
}

/// The sum of what the words of the page's names and of its head say for each type; each word counts once.
pub(super) fn by_words(
    dom: &Dom<'_>,
    outline: &Outline,
    title: &str,
    words: &Words,
    types: usize,
) -> Vec<f32> {
    let mut seen = vec![false; words.len()];
    let mut sums = vec![0.0; types];
    let mut add = |word: u16| {
        if !std::mem::replace(&mut seen[usize::from(word)], true) {
            for (sum, weight) in sums.iter_mut().zip(words.types(word)) {
                *sum += weight;
            }
        }
    };
    outline.words.iter().for_each(|(_, word)| add(*word));
    each_word(dom, title, &mut |word| {
        if let Some(word) = words.find(word) {
            add(word);
        }
    });
    sums
}
