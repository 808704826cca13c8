//! The site: which pages there are, and every file of it.

use super::drawing::{Drawing, corrupt, drawing, icons};
use super::markup::{Block, Page, Slot, html};
use super::prose;
use super::random::Random;
use super::subject::KINDS;
use crate::Error;
use crate::language::{Language, fill};
use encoding_rs::{Encoding, UTF_8};

/// The site's address; `.example` is reserved and never resolves.
pub(super) const HOST: &str = "http://tsumugi.example";

/// A file of the site, as its server sends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// Absolute address.
    pub url: String,
    /// HTTP status.
    pub status: u16,
    /// HTTP headers, `Content-Type` among them.
    pub headers: Vec<(String, String)>,
    /// The body before any transfer encoding.
    pub body: Vec<u8>,
}

impl Resource {
    fn new(url: String, content_type: &str, body: Vec<u8>) -> Self {
        Self { url, status: 200, headers: vec![("Content-Type".into(), content_type.into())], body }
    }

    fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }
}

/// What a page is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Index,
    Article,
    /// The same content as an earlier article, at another address.
    Copy,
    /// An earlier article with one sentence changed.
    NearCopy,
    OptOut,
    Thin,
    Advert,
    Repeated,
    /// An article with contact data in its text.
    Contact,
    /// One paragraph and many images.
    Gallery,
    /// In one of the languages that are foreign to the site.
    Foreign(usize),
    Missing,
}

/// The roles come in this order and begin again after 60 pages; all that are not named are articles.
fn role(page: usize) -> Role {
    match page % 60 {
        0 if page == 0 => Role::Index,
        3 | 23 | 37 | 53 => Role::Foreign(0),
        7 | 27 | 41 => Role::Foreign(1),
        9 | 29 | 43 => Role::Foreign(2),
        11 => Role::OptOut,
        13 | 45 => Role::Copy,
        15 => Role::Thin,
        17 => Role::Advert,
        19 | 49 => Role::NearCopy,
        21 => Role::Repeated,
        31 => Role::Contact,
        33 => Role::Gallery,
        55 => Role::Missing,
        _ => Role::Article,
    }
}

/// The first `pages` pages of the site in a language (`ja`, `en` or `ko`) with their images, in the order of a crawl. The
/// same in every run.
///
/// # Errors
/// [`Error::Language`] for another language, and [`Error::Encode`] if an encoder of images fails.
pub fn site(pages: usize, language: &str) -> Result<Vec<Resource>, Error> {
    let language = Language::named(language)?;
    let mut site = Builder { language, resources: Vec::new(), articles: Vec::new(), images: 0 };
    site.icons()?;
    for page in 0..pages {
        site.page(page, pages)?;
    }
    Ok(site.resources)
}

struct Builder {
    language: &'static Language,
    resources: Vec<Resource>,
    /// Articles so far, for the copies.
    articles: Vec<Page>,
    images: usize,
}

impl Builder {
    fn icons(&mut self) -> Result<(), Error> {
        let robots = b"User-agent: *\nDisallow: /private/\n".to_vec();
        self.resources.push(Resource::new(format!("{HOST}/robots.txt"), "text/plain", robots));
        for (name, bytes) in icons()? {
            self.resources.push(Resource::new(format!("{HOST}/icons/{name}"), "image/png", bytes));
        }
        Ok(())
    }

    fn page(&mut self, number: usize, pages: usize) -> Result<(), Error> {
        let mut random = Random::new(0x7573_756d_7567_6900 + number as u64);
        let role = role(number);
        let at = self.resources.len();
        let page = self.content(role, number, pages, &mut random)?;
        // An archive holds a page before the images that it shows.
        let resource = self.encode(page, role, number);
        self.resources.insert(at, resource);
        Ok(())
    }

    fn content(
        &mut self,
        role: Role,
        number: usize,
        pages: usize,
        random: &mut Random,
    ) -> Result<Page, Error> {
        let earlier = self.articles.get(random.below(self.articles.len().min(6))).cloned();
        let lines = |lines: &[String]| lines.iter().map(|line| Block::Text(line.clone())).collect();
        let site = &self.language.site;
        let page = |title: &str, blocks| Page {
            title: title.to_owned(),
            language: self.language.code.as_str(),
            head: String::new(),
            blocks,
            style: number / 2,
        };
        Ok(match (role, earlier) {
            (Role::Index, _) => page(&site.index, self.index(pages)),
            (Role::Copy, Some(earlier)) => earlier,
            (Role::NearCopy, Some(mut earlier)) => {
                if let Some(Block::Text(text)) = earlier.blocks.first_mut() {
                    text.insert_str(0, &site.near_copy);
                }
                earlier
            }
            (Role::Thin, _) => page(&site.thin_title, lines(&site.thin)),
            (Role::Advert, _) => {
                page(&site.advert_title, lines(&[&site.advert[..], &site.advert[..]].concat()))
            }
            (Role::Repeated, _) => page(&site.repeated_title, lines(&vec![site.repeated.clone(); 24])),
            (Role::Foreign(number), _) => {
                let Some((code, guide)) = self.language.guide(number) else {
                    return self.article(role, number, random);
                };
                let mut page = page(&guide.title, lines(&guide.paragraphs));
                page.language = code;
                self.show(&mut page, 1, 0, random)?;
                page
            }
            (Role::Missing, _) => page(&site.missing, lines(&site.thin)),
            _ => self.article(role, number, random)?,
        })
    }

    fn article(&mut self, role: Role, number: usize, random: &mut Random) -> Result<Page, Error> {
        let language = self.language;
        let topic = number % language.own_topics();
        let (own, guests) =
            if role == Role::Gallery { (7, 2) } else { (7 + random.below(3), 3 + random.below(3)) };
        let mut sentences = prose::article(language, topic, own, guests, 3 + random.below(3), random);
        if role == Role::Contact {
            sentences.insert(4, language.site.contact.clone());
        }
        let mut blocks = Vec::new();
        let mut rest = &sentences[..];
        while !rest.is_empty() {
            let (paragraph, after) = rest.split_at((2 + random.below(3)).min(rest.len()));
            blocks.push(Block::Text(paragraph.join(&language.separator)));
            rest = after;
        }
        let part = (number / language.own_topics() + 1).to_string();
        let title = fill(&language.site.part, &[("title", language.title(topic)), ("number", &part)]);
        let mut page =
            Page { title, language: &language.code, head: String::new(), blocks, style: number / 2 };
        if role == Role::OptOut {
            page.head = "<meta name=\"robots\" content=\"noai, noimageai\">\n".into();
        }
        let count = if role == Role::Gallery { 9 } else { 2 + random.below(4) };
        self.show(&mut page, count, topic, random)?;
        self.faults(&mut page, number, random)?;
        if number.is_multiple_of(3) {
            let (url, alt) = (format!("{HOST}/icons/author.png"), Some(language.site.author.clone()));
            page.blocks.push(Block::Image(Slot { url, alt, caption: None }));
        }
        if role == Role::Article {
            self.articles.push(page.clone());
        }
        Ok(page)
    }

    /// Draws `count` images and spreads them over the page, each after a sentence about it.
    fn show(
        &mut self,
        page: &mut Page,
        count: usize,
        topic: usize,
        random: &mut Random,
    ) -> Result<(), Error> {
        let mut kinds = random.sample(prose::kinds(topic), count);
        let others: Vec<_> = KINDS.iter().filter(|kind| !kinds.contains(kind)).collect();
        kinds.extend(random.sample(&others, count - kinds.len()).into_iter().copied());
        let texts = std::mem::take(&mut page.blocks);
        let paragraphs = texts.len();
        for (at, text) in texts.into_iter().enumerate() {
            page.blocks.push(text);
            // Which of the images come after this paragraph.
            for kind in &kinds[at * count / paragraphs..(at + 1) * count / paragraphs] {
                let drawing = drawing(self.language, **kind, random)?;
                if page.language == self.language.code {
                    page.blocks.push(Block::Text(drawing.subject.sentence(self.language)));
                }
                let (alt, caption) = self.words(&drawing, page.style, random);
                page.blocks.push(Block::Image(Slot { url: self.store(drawing), alt, caption }));
            }
        }
        Ok(())
    }

    /// How a page shows an image: by alternative text, caption, both, or with a text that says nothing.
    fn words(
        &self,
        drawing: &Drawing,
        style: usize,
        random: &mut Random,
    ) -> (Option<String>, Option<String>) {
        let alt = drawing.alt.clone();
        let caption = drawing.subject.alt(self.language, random.below(4));
        match random.below(16) {
            0 => (None, None),
            1 => (Some(format!("IMG_{:04}.JPG", self.images)), None),
            2 => (Some(self.language.site.label.clone()), None),
            3 => (Some(self.language.site.foreign_alt.clone()), None),
            // Only a `figure` says so that it can be read which words belong to which image.
            4 | 5 if style.is_multiple_of(4) => (None, Some(caption)),
            6..=9 => (Some(alt), Some(caption)),
            _ => (Some(alt), None),
        }
    }

    fn store(&mut self, drawing: Drawing) -> String {
        let url = format!("{HOST}/photos/{:04}.{}", self.images, drawing.extension);
        let mut resource = Resource::new(url.clone(), drawing.media_type(), drawing.bytes)
            .header("Last-Modified", "Sun, 01 May 2022 00:00:00 GMT")
            .header("ETag", &format!("\"{:04x}\"", self.images));
        if self.images % 40 == 17 {
            resource = resource.header("X-Robots-Tag", "noimageai");
        }
        self.resources.push(resource);
        self.images += 1;
        url
    }

    /// Images that cannot be used: not there, cut off, of a format that is not an image, on another server.
    fn faults(&mut self, page: &mut Page, number: usize, random: &mut Random) -> Result<(), Error> {
        let alt = Some(self.language.site.view.clone());
        let url = match number % 10 {
            1 => {
                let mut gone =
                    Resource::new(format!("{HOST}/photos/gone-{number}.jpg"), "text/html", b"404".to_vec());
                gone.status = 404;
                self.resources.push(gone.clone());
                gone.url
            }
            4 => {
                let whole = drawing(self.language, *random.pick(&KINDS), random)?;
                let url = format!("{HOST}/photos/cut-{number}.{}", whole.extension);
                self.resources.push(Resource::new(url.clone(), whole.media_type(), corrupt(&whole.bytes)));
                url
            }
            6 => {
                let url = format!("{HOST}/photos/map-{number}.svg");
                let drawing = b"<svg xmlns=\"http://www.w3.org/2000/svg\"><circle r=\"9\"/></svg>".to_vec();
                self.resources.push(Resource::new(url.clone(), "image/svg+xml", drawing));
                url
            }
            8 => format!("http://elsewhere.example/photos/{number}.jpg"),
            _ => return Ok(()),
        };
        page.blocks.push(Block::Image(Slot { url, alt, caption: None }));
        Ok(())
    }

    /// Links to all other pages.
    fn index(&self, pages: usize) -> Vec<Block> {
        let link = |page: usize| format!("<a href=\"/{page:03}.html\">{}</a>", self.language.title(page));
        (1..pages).map(|page| Block::Text(link(page))).collect()
    }

    fn encode(&self, mut page: Page, role: Role, number: usize) -> Resource {
        let old = |at: usize| Encoding::for_label(self.language.encodings[at].as_bytes()).unwrap_or(UTF_8);
        let encoding = match number % 8 {
            _ if page.language != self.language.code => UTF_8,
            1 | 4 => old(0),
            2 | 6 => old(1),
            _ => UTF_8,
        };
        let (meta, content_type) = declaration(encoding, number);
        page.head.insert_str(0, &meta);
        let text = html(&page, &self.language.site);
        let (body, ..) = encoding.encode(&text);
        let private = if number % 60 == 39 { "private/" } else { "" };
        let url = if number == 0 { format!("{HOST}/") } else { format!("{HOST}/{private}{number:03}.html") };
        let mut resource = Resource::new(url, &content_type, body.into_owned());
        if role == Role::Missing {
            resource.status = 404;
        }
        if number % 60 == 47 {
            resource = resource.header("X-Robots-Tag", "noai");
        }
        resource
    }
}

/// A page says its encoding in its head, in the old way, in the HTTP header, or not at all.
fn declaration(encoding: &'static Encoding, number: usize) -> (String, String) {
    let name = encoding.name();
    let plain = "text/html".to_owned();
    match number / 3 % 4 {
        0 => (format!("<meta charset=\"{name}\">\n"), plain),
        1 => {
            let meta = format!("<meta http-equiv=\"Content-Type\" content=\"text/html; charset={name}\">\n");
            (meta, plain)
        }
        2 => (String::new(), format!("text/html; charset={name}")),
        _ => (String::new(), plain),
    }
}
