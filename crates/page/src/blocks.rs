//! Blocks: the text and pictures of a page in reading order.

use tsumugi_record::ImageSlot;
use url::Url;

use crate::dom::{Data, Dom, Id, NONE};
use crate::slot;
use crate::space::push_collapsed;
use crate::tag::Tag;

/// A run of text without a block boundary in it, or a picture.
#[derive(Debug)]
pub(crate) struct Block {
    /// The block element that holds the text.
    pub(crate) container: Id,
    pub(crate) content: Content,
    /// Characters of the text, and how many of them are in links.
    pub(crate) chars: u32,
    pub(crate) linked: u32,
}

#[derive(Debug)]
pub(crate) enum Content {
    Text(String),
    Image(Box<ImageSlot>),
}

/// Walks through the page.
pub(crate) struct Segmenter<'a> {
    dom: &'a Dom,
    base: Option<&'a Url>,
    blocks: Vec<Block>,
    /// Text of the block being read.
    text: String,
    linked: u32,
    container: Id,
    links: u32,
    preformatted: u32,
}

impl<'a> Segmenter<'a> {
    pub(crate) fn new(dom: &'a Dom, base: Option<&'a Url>) -> Self {
        Self {
            dom,
            base,
            blocks: Vec::new(),
            text: String::new(),
            linked: 0,
            container: NONE,
            links: 0,
            preformatted: 0,
        }
    }

    /// All blocks under `top`.
    pub(crate) fn run(mut self, top: Id) -> Vec<Block> {
        let mut here = top;
        while here != NONE {
            let descend = self.enter(here);
            if descend && self.dom.node(here).is_some_and(|node| node.first != NONE) {
                here = self.dom.following(here, top, true);
                continue;
            }
            self.leave(here);
            // Up to the first ancestor with a next sibling.
            loop {
                let Some(node) = self.dom.node(here).filter(|_| here != top) else {
                    here = NONE;
                    break;
                };
                if node.next != NONE {
                    here = node.next;
                    break;
                }
                here = node.parent;
                self.leave(here);
            }
        }
        self.flush();
        self.blocks
    }

    /// Whether to go into the children.
    fn enter(&mut self, id: Id) -> bool {
        match self.dom.node(id).map(|node| &node.data) {
            Some(Data::Text(text)) => {
                self.push(id, text);
                true
            }
            Some(Data::Element { tag, .. }) => self.element(id, *tag),
            _ => true,
        }
    }

    fn element(&mut self, id: Id, tag: Tag) -> bool {
        if tag.is_unread() || (tag != Tag::Html && self.is_hidden(id)) {
            return false;
        }
        if tag.is_block() {
            self.flush();
            self.container = id;
        }
        match tag {
            Tag::Br => self.line_break(),
            Tag::Img | Tag::Image => self.image(id),
            Tag::A => self.links += 1,
            Tag::Pre => self.preformatted += 1,
            Tag::Input => return false,
            _ => {}
        }
        true
    }

    fn leave(&mut self, id: Id) {
        let tag = self.dom.tag(id);
        if tag.is_unread() {
            return;
        }
        if tag.is_block() {
            self.flush();
            self.container = self.block_above(id);
        }
        match tag {
            Tag::A => self.links = self.links.saturating_sub(1),
            Tag::Pre => self.preformatted = self.preformatted.saturating_sub(1),
            _ => {}
        }
    }

    fn block_above(&self, id: Id) -> Id {
        slot::ancestors(self.dom, id).find(|up| self.dom.tag(*up).is_block()).unwrap_or(NONE)
    }

    fn is_hidden(&self, id: Id) -> bool {
        if self.dom.attribute(id, "hidden").is_some_and(|value| !value.eq_ignore_ascii_case("until-found")) {
            return true;
        }
        self.dom.attribute(id, "style").is_some_and(|style| {
            let style: String = style.chars().filter(|c| !c.is_whitespace()).take(256).collect();
            let style = style.to_ascii_lowercase();
            style.contains("display:none") || style.contains("visibility:hidden")
        })
    }

    fn push(&mut self, id: Id, text: &str) {
        if self.container == NONE {
            self.container = self.block_above(id);
        }
        let before = self.text.len();
        if self.preformatted > 0 {
            self.text.push_str(text);
        } else {
            push_collapsed(&mut self.text, text);
        }
        if self.links > 0 {
            self.linked += self.text[before..].chars().filter(|c| !c.is_whitespace()).count() as u32;
        }
    }

    fn line_break(&mut self) {
        let end = self.text.trim_end_matches(' ').len();
        self.text.truncate(end);
        self.text.push('\n');
    }

    fn image(&mut self, id: Id) {
        let Some(slot) = slot::of(self.dom, id, self.base) else { return };
        self.flush();
        let repeated = self.in_noscript(id)
            && self
                .blocks
                .iter()
                .rev()
                .take(3)
                .any(|block| matches!(&block.content, Content::Image(last) if last.url == slot.url));
        if !repeated {
            let container = self.block_above(id);
            let content = Content::Image(Box::new(slot));
            self.blocks.push(Block { container, content, chars: 0, linked: 0 });
        }
    }

    fn in_noscript(&self, id: Id) -> bool {
        slot::ancestors(self.dom, id).take(4).any(|up| self.dom.tag(up) == Tag::Noscript)
    }

    /// Ends the block being read.
    fn flush(&mut self) {
        let linked = std::mem::take(&mut self.linked);
        let trimmed = if self.preformatted > 0 { self.text.trim_matches('\n') } else { self.text.trim() };
        if !trimmed.trim().is_empty() {
            let chars = trimmed.chars().filter(|c| !c.is_whitespace()).count() as u32;
            let content = Content::Text(trimmed.to_owned());
            self.blocks.push(Block { container: self.container, content, chars, linked: linked.min(chars) });
        }
        self.text.clear();
    }
}
