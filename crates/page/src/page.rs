//! From bytes to a page: charset, tree, blocks, roles, opt-out.

use encoding_rs::{Encoding, UTF_8};
use tsumugi_record::{Node, PageType, Role};
use tsumugi_robots::{OptOut, Signal, is_same_agent};
use url::Url;

use crate::blocks::{Blocks, Content, Segmenter};
use crate::charset::decode;
use crate::classify::{Classified, classify};
use crate::dom::{Data, Dom, Id, ROOT};
use crate::html;
use crate::html::attribute::Attr;
use crate::slot::{Base, join};
use crate::tag::Tag;

/// Pages are read up to this many bytes: ten times the largest page that Common Crawl keeps (1 MiB).
const PAGE_LIMIT: usize = 10 << 20;
/// Longest title kept, in bytes.
const TITLE_LIMIT: usize = 2048;
/// Headings in which a title is looked for.
const HEADINGS: u32 = 16;

/// What the HTTP headers of a page say. All of it may be missing.
#[derive(Debug, Clone, Copy, Default)]
pub struct PageHeaders<'a> {
    /// `Content-Type`
    pub content_type: Option<&'a str>,
    /// `Content-Language`
    pub content_language: Option<&'a str>,
    /// The values of all `X-Robots-Tag` headers.
    pub robots: &'a [String],
    /// The values of all `tdm-reservation` headers.
    pub tdm_reservation: &'a [String],
    /// The values of all `Content-Signal` headers.
    pub content_signal: &'a [String],
    /// The values of all `Content-Usage` headers.
    pub content_usage: &'a [String],
}

impl PageHeaders<'_> {
    /// The values of a header that may opt out.
    fn opt_out(&self, name: &str) -> &[String] {
        match name {
            "x-robots-tag" => self.robots,
            "tdm-reservation" => self.tdm_reservation,
            "content-signal" => self.content_signal,
            "content-usage" => self.content_usage,
            _ => &[],
        }
    }
}

/// How pages are read.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct PageConfig {
    /// Name of the crawler whose opt-out directives count in addition to those for every crawler (`tsumugi`: ours).
    pub agent: String,
    /// Signals of pages and answers that forbid their use; others are only named in the document. By default all: those
    /// that speak of training or of images, and `noindex`, as img2dataset does.
    pub opt_out: Vec<Signal>,
    /// Number of bytes of a page that are read; the rest is ignored (10 MiB: ours).
    pub max_bytes: usize,
    /// Whether boilerplate is separated from the main text (yes: ours). If not, all blocks count as main text.
    pub tell_boilerplate: bool,
}

impl Default for PageConfig {
    fn default() -> Self {
        Self {
            agent: "tsumugi".into(),
            opt_out: Signal::ALL.to_vec(),
            max_bytes: PAGE_LIMIT,
            tell_boilerplate: true,
        }
    }
}

/// Languages that a page claims, as BCP 47 tags in lower case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LanguageHints {
    /// `lang` (or `xml:lang`) of the `<html>` element.
    pub html: Option<String>,
    /// `<meta http-equiv="content-language">`, `<meta name="language">` or `og:locale`.
    pub meta: Option<String>,
    /// The HTTP header `Content-Language`.
    pub http: Option<String>,
}

impl LanguageHints {
    /// The most trustworthy hint.
    #[must_use]
    pub fn best(&self) -> Option<&str> {
        [&self.html, &self.meta, &self.http].into_iter().find_map(Option::as_deref)
    }
}

/// A page that was read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Page {
    /// The text of `<title>`, else of `og:title`, else of the first `<h1>`.
    pub title: Option<String>,
    /// WHATWG name of the encoding it was read in.
    pub charset: String,
    /// Number of characters of the source that are not in that encoding; they were read as U+FFFD.
    pub replaced: usize,
    /// Languages that the page claims.
    pub language: LanguageHints,
    /// Whether a limit was reached: the page is longer than [`PageConfig::max_bytes`], has more images than it may have
    /// (their addresses and descriptions take more than 4 MiB and four times the page), or so much bold and linked text
    /// that not all of it is known as such. Ordinary pages seldom reach one of these.
    pub limited: bool,
    /// What kind of page it was taken for; none where it has no text, or where boilerplate is not told.
    pub page_type: Option<PageType>,
    /// The F1 that the choice of main text is expected to have, 0 to 1: how sure it is.
    pub main_confidence: Option<f64>,
    /// Text and images in reading order.
    pub nodes: Vec<Node>,
    /// The uses that the page forbids.
    pub opt_out: OptOut,
}

impl Page {
    /// The main text with one block in each line, without boilerplate, captions and a heading that repeats the title.
    #[must_use]
    pub fn main_text(&self) -> String {
        let mut out = String::new();
        for node in self.nodes.iter().filter(|node| matches!(node.role, Role::Main | Role::Heading)) {
            let Some(text) = &node.text else { continue };
            if out.is_empty() && node.role == Role::Heading && self.is_title(text) {
                continue;
            }
            if !out.is_empty() {
                out.push('\n');
            }
            out.push_str(text);
        }
        out
    }

    /// Whether a heading says what the title says. Titles often have the site's name added.
    fn is_title(&self, heading: &str) -> bool {
        self.title.as_deref().is_some_and(|title| title.contains(heading))
    }
}

/// Reads a page with default settings.
///
/// ```
/// use tsumugi_page::{PageHeaders, parse};
///
/// let html = "<html lang=ja><title>山</title><p>富士山は日本で一番高い山です。<img src=fuji.jpg alt=富士山>";
/// let page = parse(html.as_bytes(), &PageHeaders::default(), "http://a.test/yama.html");
/// assert_eq!(page.title.as_deref(), Some("山"));
/// assert_eq!(page.language.best(), Some("ja"));
/// assert_eq!(page.nodes[1].image.as_ref().unwrap().url, "http://a.test/fuji.jpg");
/// ```
#[must_use]
pub fn parse(bytes: &[u8], headers: &PageHeaders<'_>, url: &str) -> Page {
    parse_with(&PageConfig::default(), bytes, headers, url)
}

/// Reads a page.
#[must_use]
pub fn parse_with(config: &PageConfig, bytes: &[u8], headers: &PageHeaders<'_>, url: &str) -> Page {
    let whole = bytes.len() <= config.max_bytes;
    let bytes = &bytes[..bytes.len().min(config.max_bytes)];
    let decoded = decode(bytes, headers.content_type);
    let (dom, limited) = html::parse_telling(&decoded.text);
    let charset = Encoding::for_label(decoded.charset.as_bytes()).unwrap_or(UTF_8);
    let base = Base { url: base(&dom, url, charset), charset };
    let mut page = Page {
        charset: decoded.charset.to_owned(),
        replaced: decoded.replaced,
        language: LanguageHints { http: headers.content_language.and_then(tag), ..LanguageHints::default() },
        opt_out: OptOut::obeying(config.opt_out.iter().copied()),
        ..Page::default()
    };
    page.opt_out.headers(|name| headers.opt_out(name), &config.agent);
    read_head(&dom, &config.agent, &mut page);
    let Blocks { blocks, images_left_out } = Segmenter::new(&dom, &base).run(ROOT);
    page.limited = !whole || limited || images_left_out;
    let told = if config.tell_boilerplate {
        classify(&dom, &blocks, page.title.as_deref())
    } else {
        Classified { roles: vec![Role::Main; blocks.len()], ..Classified::default() }
    };
    page.page_type = told.page_type;
    page.main_confidence = told.confidence.map(f64::from);
    page.nodes = blocks
        .into_iter()
        .zip(told.roles)
        // Text that is not shown counts only where it is main text.
        .filter(|(block, role)| {
            !block.is_hidden_text() || (config.tell_boilerplate && *role != Role::Boilerplate)
        })
        .map(|(block, role)| match block.content {
            Content::Text(text) => Node { text: Some(text), role, image: None },
            Content::Image(mut slot) => {
                slot.opt_out = page.opt_out.images;
                Node { text: None, role, image: Some(*slot) }
            }
        })
        .collect();
    page
}

/// The address that relative ones are meant from.
fn base(dom: &Dom<'_>, url: &str, charset: &'static Encoding) -> Option<Url> {
    let page = Url::parse(url).ok();
    let href =
        elements(dom).filter(|(_, tag)| *tag == Tag::Base).find_map(|(id, _)| dom.attribute(id, Attr::Href));
    match (href, &page) {
        (Some(href), Some(_)) => join(href, page.as_ref(), charset).ok().or(page),
        (Some(href), None) => join(href, None, charset).ok(),
        (None, _) => page,
    }
}

/// The elements outside of templates, in the order of the source.
fn elements<'d>(dom: &'d Dom<'_>) -> impl Iterator<Item = (Id, Tag)> + 'd {
    let heads = |tag: &Tag| matches!(tag, Tag::Html | Tag::Base | Tag::Title | Tag::Meta | Tag::H1);
    let tags = dom.nodes.iter().map(|node| match node.data {
        Data::Element { tag, .. } => tag,
        _ => Tag::Other,
    });
    (0..).zip(tags).filter(move |(id, tag)| heads(tag) && dom.ancestors(*id).last().unwrap_or(ROOT) == ROOT)
}

/// The title of a page whose head is otherwise not of interest.
pub(crate) fn title(dom: &Dom<'_>) -> Option<String> {
    let mut page = Page::default();
    read_head(dom, "", &mut page);
    page.title
}

/// Title, languages and opt-out from the elements of the head. They count wherever they stand.
fn read_head(dom: &Dom<'_>, agent: &str, page: &mut Page) {
    let (mut title, mut social, mut heading) = (None, None, None);
    let mut headings = 0;
    let text = |id| Some(dom.text(id, TITLE_LIMIT)).filter(|text| !text.is_empty());
    for (id, tag_) in elements(dom) {
        match tag_ {
            Tag::Html => {
                let tags = [Attr::Lang, Attr::XmlLang].map(|name| dom.attribute(id, name).and_then(tag));
                page.language.html = tags.into_iter().flatten().next();
            }
            Tag::Title if title.is_none() => title = text(id),
            Tag::H1 if heading.is_none() && headings < HEADINGS => {
                headings += 1;
                heading = text(id);
            }
            Tag::Meta => meta(dom, id, agent, page, &mut social),
            _ => {}
        }
    }
    page.title = title.or(social).or(heading);
}

fn meta(dom: &Dom<'_>, id: Id, agent: &str, page: &mut Page, social: &mut Option<String>) {
    let Some(content) = dom.attribute(id, Attr::Content) else { return };
    for name in [Attr::Name, Attr::Property, Attr::HttpEquiv] {
        if let Some(name) = dom.attribute(id, name) {
            let name = name.trim().to_ascii_lowercase();
            named_meta(&name, content, agent, page, social);
        }
    }
}

/// What a `<meta>` element with this name says.
fn named_meta(name: &str, content: &str, agent: &str, page: &mut Page, social: &mut Option<String>) {
    match name {
        "robots" | "x-robots-tag" => page.opt_out.directives(&format!("meta {name}"), content, agent),
        "tdm-reservation" => page.opt_out.tdm_reservation("meta", content),
        "content-signal" => page.opt_out.usage("meta", content, Signal::ContentSignal),
        "content-usage" => page.opt_out.usage("meta", content, Signal::ContentUsage),
        "content-language" | "language" | "og:locale" if page.language.meta.is_none() => {
            page.language.meta = tag(content);
        }
        "og:title" if social.is_none() => {
            *social = Some(crate::line::collapse(content)).filter(|text| !text.is_empty());
        }
        _ if is_same_agent(name, agent) => page.opt_out.directives(&format!("meta {name}"), content, agent),
        _ => {}
    }
}

/// The first language tag of a list, in lower case with hyphens.
fn tag(value: &str) -> Option<String> {
    let first = value.split([',', ';', ' ']).map(str::trim).find(|part| !part.is_empty())?;
    let sound =
        first.len() <= 35 && first.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    sound.then(|| first.to_ascii_lowercase().replace('_', "-"))
}
