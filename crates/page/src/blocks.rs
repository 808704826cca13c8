//! Blocks: the text and images of a page in reading order.

use tsumugi_record::ImageSlot;

use crate::classify::names::is_caption;
use crate::dom::{Attribute, Data, Dom, Id, NONE};
use crate::html::attribute::Attr;
use crate::inline;
use crate::line::{Line, Shift};
use crate::slot::{Base, Slots};
use crate::space::count;
use crate::tag::Tag;

/// A run of text without a block boundary in it, or an image.
#[derive(Debug)]
pub(crate) struct Block {
    /// The block element that holds the text.
    pub(crate) container: Id,
    pub(crate) content: Content,
    /// Characters of the text, and how many of them are in links.
    pub(crate) chars: u32,
    pub(crate) linked: u32,
    /// A text or image that is not shown until a script or style sheet says so, or where the browser fails at
    /// something else: tabs and questions whose answers unfold, but also what is never shown.
    pub(crate) hidden: bool,
}

impl Block {
    /// Whether it is a text that is not shown.
    pub(crate) fn is_hidden_text(&self) -> bool {
        self.hidden && matches!(self.content, Content::Text(_))
    }
}

/// How an element's text is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Display {
    Shown,
    /// A block that is not shown: its text is read and told from the rest.
    Hidden,
    /// Its text is not read.
    Unread,
}

#[derive(Debug)]
pub(crate) enum Content {
    Text(String),
    Image(Box<ImageSlot>),
}

/// The blocks of a page.
#[derive(Debug)]
pub(crate) struct Blocks {
    pub(crate) blocks: Vec<Block>,
    /// Whether there were more images than a page may have.
    pub(crate) images_left_out: bool,
}

/// Walks through the page.
pub(crate) struct Segmenter<'a> {
    dom: &'a Dom<'a>,
    slots: Slots<'a>,
    blocks: Vec<Block>,
    /// Text of the block being read, whether there is any but that of small images, and these images.
    line: Line,
    is_written: bool,
    inline: Vec<ImageSlot>,
    linked: u32,
    /// The block elements that are open.
    containers: Vec<Id>,
    /// Depth in links, preformatted text, `<noscript>`, in what holds no text, and in blocks that are not shown.
    links: u32,
    preformatted: u32,
    noscript: u32,
    unread: u32,
    hidden: u32,
}

impl<'a> Segmenter<'a> {
    pub(crate) fn new(dom: &'a Dom<'a>, base: &'a Base) -> Self {
        Self {
            dom,
            slots: Slots::new(dom, base),
            blocks: Vec::new(),
            line: Line::default(),
            is_written: false,
            inline: Vec::new(),
            linked: 0,
            containers: Vec::new(),
            links: 0,
            preformatted: 0,
            noscript: 0,
            unread: 0,
            hidden: 0,
        }
    }

    /// All blocks under `top`.
    pub(crate) fn run(mut self, top: Id) -> Blocks {
        let mut here = top;
        while let Some(node) = self.dom.node(here) {
            match node.data {
                Data::Text(text) if self.unread == 0 => self.push(self.dom.str(text)),
                Data::Element { tag, .. } => {
                    self.enter(here, tag);
                    if node.first == NONE {
                        self.leave(here, tag);
                    }
                }
                _ => {}
            }
            if node.first != NONE {
                here = node.first;
                continue;
            }
            here = self.next(here, top);
        }
        self.flush();
        Blocks { blocks: self.blocks, images_left_out: self.slots.is_full() }
    }

    /// The next sibling of a node, or of the first element above it that has one. Elements left on the way are
    /// ended.
    fn next(&mut self, from: Id, top: Id) -> Id {
        let mut here = from;
        while let Some(node) = self.dom.node(here).filter(|_| here != top) {
            if node.next != NONE {
                return node.next;
            }
            here = node.parent;
            if here != NONE {
                self.leave(here, self.dom.tag(here));
            }
        }
        NONE
    }

    fn enter(&mut self, id: Id, tag: Tag) {
        let is_block = self.is_block(id, tag);
        if is_block {
            if self.unread == 0 {
                self.flush();
            }
            self.containers.push(id);
        }
        match self.display(id, tag, is_block) {
            Display::Shown => {}
            Display::Hidden => self.hidden += 1,
            Display::Unread => self.unread += 1,
        }
        match tag {
            Tag::Br if self.unread == 0 => self.line.end_line(),
            Tag::Img => self.image(id),
            Tag::A if self.is_link(id) => {
                self.links += 1;
                self.line.open_link();
            }
            Tag::Noscript => self.noscript += 1,
            Tag::Ruby => self.line.open_ruby(),
            Tag::Sup => self.line.open_shift(Shift::Up),
            Tag::Sub => self.line.open_shift(Shift::Down),
            _ if tag.is_preformatted() => self.preformatted += 1,
            _ => {}
        }
    }

    fn leave(&mut self, id: Id, tag: Tag) {
        let is_block = self.is_block(id, tag);
        if is_block {
            if self.unread == 0 {
                self.flush();
            }
            self.containers.pop();
        }
        match tag {
            Tag::A if self.is_link(id) => {
                self.links -= 1;
                self.line.close_link();
            }
            Tag::Noscript => self.noscript -= 1,
            Tag::Ruby => self.line.close_ruby(),
            Tag::Sup | Tag::Sub => self.line.close_shift(),
            _ if tag.is_preformatted() => self.preformatted -= 1,
            _ => {}
        }
        match self.display(id, tag, is_block) {
            Display::Shown => {}
            Display::Hidden => self.hidden -= 1,
            Display::Unread => self.unread -= 1,
        }
    }

    /// Whether an `<a>` leads anywhere; without `href` it is a mark that others lead to.
    fn is_link(&self, id: Id) -> bool {
        self.dom.attribute(id, Attr::Href).is_some()
    }

    /// Whether an element stands apart: blocks, and spans that are captions.
    fn is_block(&self, id: Id, tag: Tag) -> bool {
        tag.is_block()
            || tag == Tag::Button
            || (tag == Tag::Span
                && self.dom.attribute(id, Attr::Class).is_some_and(|class| {
                    memchr::memmem::find(class.as_bytes(), b"aption").is_some() && is_caption(self.dom, id)
                }))
    }

    fn container(&self) -> Id {
        self.containers.last().copied().unwrap_or(NONE)
    }

    /// How an element's text is shown. Of style sheets nothing is known.
    fn display(&self, id: Id, tag: Tag, is_block: bool) -> Display {
        if tag.is_unread() || (tag == Tag::Sup && self.is_note_mark(id)) {
            return Display::Unread;
        }
        let hides = |attribute: &Attribute| match attribute.name {
            Attr::Hidden => !self.dom.str(attribute.value).eq_ignore_ascii_case("until-found"),
            Attr::Style => hides(self.dom.str(attribute.value)),
            _ => false,
        };
        match tag != Tag::Html && self.dom.attributes(id).iter().any(hides) {
            true if is_block => Display::Hidden,
            // A piece of a line that is not shown is not text of its own.
            true => Display::Unread,
            false => Display::Shown,
        }
    }

    /// The raised number of a footnote: it says nothing without the note.
    fn is_note_mark(&self, id: Id) -> bool {
        let within = |id: Id| {
            self.dom.tag(id) == Tag::A
                && self.dom.attribute(id, Attr::Href).is_some_and(|href| href.starts_with('#'))
        };
        within(self.dom.parent(id)) || self.dom.children(id).next().is_some_and(within)
    }

    fn push(&mut self, text: &str) {
        let before = self.line.as_str().len();
        if self.preformatted == 0 {
            self.line.push(text);
        } else {
            self.line.push_preformatted(text);
        }
        let added = self.line.as_str().get(before..).unwrap_or_default();
        self.is_written = self.is_written || !added.trim_start().is_empty();
        if self.links > 0 {
            self.linked += count(added);
        }
    }

    fn image(&mut self, id: Id) {
        let Some(slot) = self.slots.of(id) else { return };
        if self.unread == 0 {
            if inline::is_inline(self.dom, id, &slot.url, &self.line) {
                let is_written = self.is_written;
                self.push(inline::text(slot.alt.as_deref()));
                self.is_written = is_written;
                self.inline.push(slot);
                return;
            }
            self.flush();
        }
        // What stands in `<noscript>` mostly repeats the image before it, which a script loads.
        let is_same = |block: &Block| matches!(&block.content, Content::Image(last) if last.url == slot.url);
        let repeats = self.noscript > 0 && self.blocks.iter().rev().take(3).any(is_same);
        let hidden = self.hidden > 0 || self.unread > 0 || repeats;
        let content = Content::Image(Box::new(slot));
        self.blocks.push(Block { container: self.container(), content, chars: 0, linked: 0, hidden });
    }

    /// Ends the block being read.
    fn flush(&mut self) {
        let linked = std::mem::take(&mut self.linked);
        let (container, hidden) = (self.container(), self.hidden > 0);
        if std::mem::take(&mut self.is_written) {
            let text = self.line.as_str();
            let text = if self.preformatted > 0 { text.trim_matches('\n') } else { text.trim() };
            let chars = count(text);
            let content = Content::Text(text.to_owned());
            self.blocks.push(Block { container, content, chars, linked: linked.min(chars), hidden });
            self.inline.clear();
        } else {
            // Small images that stand alone are no part of a sentence.
            self.blocks.extend(self.inline.drain(..).map(|slot| {
                let content = Content::Image(Box::new(slot));
                Block { container, content, chars: 0, linked: 0, hidden }
            }));
        }
        self.line.clear();
    }
}

/// Whether a style attribute hides its element.
fn hides(style: &str) -> bool {
    let bytes = &style.as_bytes()[..style.len().min(512)];
    let says = |word: &[u8]| bytes.windows(word.len()).any(|found| found.eq_ignore_ascii_case(word));
    // Most styles say nothing of it.
    if !says(b"none") && !says(b"hidden") {
        return false;
    }
    let style: String = style.chars().filter(|c| !c.is_whitespace()).take(512).collect();
    let style = style.to_ascii_lowercase();
    style.contains("display:none") || style.contains("visibility:hidden")
}
