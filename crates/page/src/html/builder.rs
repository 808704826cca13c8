//! The tree builder's state, its stack of open elements, and where nodes are put.

use std::ops::Range;

use super::attribute::Attr;
use super::formatting::Entry;
use super::stack::{Open, Space};
use super::token::{Content, End, Start};
use super::{MAX_DEPTH, quirks};
use crate::dom::{Data, Dom, Id, NONE, ROOT, Span};
use crate::tag::Tag;

/// Nodes that a page may have whatever its size before formatting elements are no longer made anew.
const NODES: usize = 10_000;

/// The standard's insertion modes. Text of tables and of raw elements needs none here, since the tokenizer hands
/// over whole texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Initial,
    BeforeHtml,
    BeforeHead,
    InHead,
    InHeadNoscript,
    AfterHead,
    InBody,
    Text,
    InTable,
    InCaption,
    InColumnGroup,
    InTableBody,
    InRow,
    InCell,
    InTemplate,
    AfterBody,
    InFrameset,
    AfterFrameset,
    AfterAfterBody,
    AfterAfterFrameset,
}

/// What became of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    Done,
    /// The mode has changed: try again.
    Again,
}

/// Where a node is put.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    parent: Id,
    before: Id,
}

pub(super) struct Builder<'a> {
    pub(super) dom: Dom<'a>,
    pub(super) mode: Mode,
    /// The mode to go back to after a raw text.
    pub(super) original: Mode,
    pub(super) template_modes: Vec<Mode>,
    pub(super) stack: Vec<Open>,
    /// Open elements of which none is a paragraph, the first of them limiting the scope of those after it.
    pub(super) no_p: Range<usize>,
    /// Open elements beyond the greatest depth, out of the middle of the stack.
    pub(super) hidden: Vec<Open>,
    pub(super) formatting: Vec<Entry>,
    pub(super) head: Option<Open>,
    /// Whether a form is open outside of templates, and which.
    pub(super) form: Id,
    pub(super) frameset_ok: bool,
    pub(super) quirks: bool,
    /// Nodes go before a table that is open instead of into it.
    pub(super) foster: bool,
    /// A newline that follows immediately does not count.
    pub(super) skip_newline: bool,
    /// How the tokenizer is to read on.
    pub(super) content: Option<Content>,
    /// Nodes from which formatting elements are not made anew: they could be many for each tag of the page.
    budget: usize,
    /// Whether formatting elements were left out because of that.
    pub(super) limited: bool,
    /// Steps in loops over the stack and the formatting elements: what a hostile page could drive up.
    pub(super) steps: u64,
}

impl<'a> Builder<'a> {
    pub(super) fn new(html: &'a str) -> Self {
        Self {
            dom: Dom::new(html),
            mode: Mode::Initial,
            original: Mode::Initial,
            template_modes: Vec::new(),
            stack: Vec::with_capacity(64),
            no_p: 0..0,
            hidden: Vec::new(),
            formatting: Vec::new(),
            head: None,
            form: NONE,
            frameset_ok: true,
            quirks: false,
            foster: false,
            skip_newline: false,
            content: None,
            budget: NODES + html.len() / 4,
            limited: false,
            steps: 0,
        }
    }

    /// A document type.
    pub(super) fn doctype(&mut self, declaration: &[u8], closed: bool) {
        if self.mode == Mode::Initial {
            self.quirks = quirks::is_quirky(declaration, closed);
            self.mode = Mode::BeforeHtml;
        }
    }

    /// A start tag. Gives how to read on if it is not markup that follows.
    pub(super) fn start(&mut self, tag: Start) -> Option<Content> {
        self.skip_newline = false;
        self.settle();
        if self.is_foreign_start(&tag) {
            self.foreign_start(tag);
        } else {
            while self.start_in(self.mode, tag) == Flow::Again {}
        }
        self.content.take()
    }

    /// An end tag.
    pub(super) fn end(&mut self, tag: End) {
        self.skip_newline = false;
        self.settle();
        if self.is_foreign() {
            self.foreign_end(tag);
        } else {
            while self.end_in(self.mode, tag) == Flow::Again {}
        }
    }

    /// A text, whole up to the next markup.
    pub(super) fn text(&mut self, mut text: Span) {
        if std::mem::take(&mut self.skip_newline) {
            let start = self.dom.str(text);
            text =
                text.skip(if start.starts_with("\r\n") { 2 } else { usize::from(start.starts_with('\n')) });
        }
        if text.is_empty() {
            return;
        }
        if self.is_foreign() && !self.current().is_some_and(|open| open.html_point || open.text_point) {
            self.frameset_ok &= self.is_blank(text);
            self.insert_text(text);
        } else {
            self.text_in(text);
        }
    }

    /// The page's end.
    pub(super) fn finish(&mut self) {
        loop {
            let in_template = self.has_open(Tag::Template);
            match self.mode {
                Mode::Text => {
                    self.pop();
                    self.mode = self.original;
                }
                // A template ends here.
                _ if in_template => {
                    self.pop_through(|tag| tag == Tag::Template);
                    self.clear_formatting();
                    self.template_modes.pop();
                    self.reset_mode();
                }
                // A page without a body has an empty one.
                Mode::Initial
                | Mode::BeforeHtml
                | Mode::BeforeHead
                | Mode::InHead
                | Mode::InHeadNoscript
                | Mode::AfterHead => self.step_to_body(),
                _ => return,
            }
        }
    }

    /// Whether no more formatting elements are made anew; notes that it mattered.
    pub(super) fn is_full(&mut self) -> bool {
        let full = self.dom.nodes.len() >= self.budget;
        self.limited |= full;
        full
    }

    pub(super) fn is_blank(&self, text: Span) -> bool {
        self.dom.str(text).bytes().all(super::tokenizer::is_space)
    }

    /// Where the next node goes. `target` takes the place of the element that is open.
    pub(super) fn place(&mut self, target: Option<Open>) -> Place {
        let Some(target) = target.or_else(|| self.current()) else {
            return Place { parent: ROOT, before: NONE };
        };
        if self.foster
            && target.space == Space::Html
            && matches!(target.tag, Tag::Table | Tag::Tbody | Tag::Tfoot | Tag::Thead | Tag::Tr)
        {
            return self.foster_place();
        }
        Place { parent: target.inside, before: NONE }
    }

    /// Where the next element goes: beside the one that is open if that is as deep as elements may be.
    pub(super) fn place_of_element(&mut self) -> Place {
        let place = self.place(None);
        if self.stack.len() > MAX_DEPTH { self.beside(place) } else { place }
    }

    /// A place beside an element instead of in it.
    pub(super) fn beside(&self, place: Place) -> Place {
        let parent = self.dom.parent(place.parent);
        if place.before != NONE || parent == NONE { place } else { Place { parent, ..place } }
    }

    /// Before the innermost open table, or at the end of a template inside of it.
    fn foster_place(&mut self) -> Place {
        self.steps += self.stack.len() as u64;
        let table = self.stack.iter().rposition(|open| open.is(Tag::Table));
        let template = self.stack.iter().rposition(|open| open.is(Tag::Template));
        if let Some(template) = template.filter(|template| table.is_none_or(|table| *template > table)) {
            return Place { parent: self.stack[template].inside, before: NONE };
        }
        let Some(table) = table else {
            return Place { parent: self.stack.first().map_or(ROOT, |open| open.inside), before: NONE };
        };
        let id = self.stack[table].id;
        let parent = self.dom.parent(id);
        if parent != NONE {
            return Place { parent, before: id };
        }
        let above = table.checked_sub(1).and_then(|above| self.stack.get(above));
        Place { parent: above.map_or(ROOT, |open| open.inside), before: NONE }
    }

    pub(super) fn put(&mut self, id: Id, place: Place) {
        if place.before == NONE {
            self.dom.append(place.parent, id);
        } else {
            self.dom.insert_before(place.before, id);
        }
    }

    pub(super) fn insert_text(&mut self, text: Span) {
        if text.is_empty() {
            return;
        }
        let place = self.place(None);
        let id = self.dom.add(Data::Text(text));
        self.put(id, place);
    }

    pub(super) fn create(&mut self, tag: &Start, shown: Tag) -> Id {
        self.dom.add(Data::Element { tag: shown, first: tag.first, count: tag.count })
    }

    /// Puts an element and opens it.
    pub(super) fn insert(&mut self, tag: &Start) -> Open {
        let place = self.place_of_element();
        let id = self.create(tag, tag.tag);
        self.put(id, place);
        let inside = if tag.tag == Tag::Template { self.dom.add(Data::Other) } else { id };
        let open = Open { inside, ..Open::html(id, tag) };
        self.push(open);
        open
    }

    /// Puts an element that has no content.
    pub(super) fn insert_void(&mut self, tag: &Start) {
        let place = self.place_of_element();
        let id = self.create(tag, tag.tag);
        self.put(id, place);
    }

    /// Puts an element whose content is text.
    pub(super) fn insert_raw(&mut self, tag: &Start, content: Content) {
        self.insert(tag);
        self.original = self.mode;
        self.mode = Mode::Text;
        self.content = Some(content);
    }

    /// Gives the element at this place of the stack the attributes that it lacks.
    pub(super) fn add_attributes(&mut self, at: usize, tag: &Start) {
        let Some(open) = self.stack.get(at).copied() else { return };
        let Some(Data::Element { tag: kind, first, count }) = self.dom.node(open.id).map(|node| node.data)
        else {
            return;
        };
        let has = |dom: &Dom<'_>, name: Attr| dom.attribute(open.id, name).is_some();
        let missing: Vec<_> = tag
            .attributes(&self.dom)
            .iter()
            .copied()
            .filter(|attribute| !has(&self.dom, attribute.name))
            .collect();
        if missing.is_empty() {
            return;
        }
        let start = self.dom.attributes.len() as u32;
        self.dom.attributes.extend_from_within(first as usize..first as usize + usize::from(count));
        self.dom.attributes.extend(missing.iter());
        let count = count + missing.len() as u8;
        if let Some(node) = self.dom.nodes.get_mut(open.id as usize) {
            node.data = Data::Element { tag: kind, first: start, count };
        }
    }

    /// The mode that fits the elements that are open.
    pub(super) fn reset_mode(&mut self) {
        self.steps += self.stack.len() as u64;
        for (at, open) in self.stack.iter().enumerate().rev() {
            if open.space != Space::Html {
                continue;
            }
            self.mode = match open.tag {
                Tag::Td | Tag::Th if at > 0 => Mode::InCell,
                Tag::Tr => Mode::InRow,
                Tag::Tbody | Tag::Thead | Tag::Tfoot => Mode::InTableBody,
                Tag::Caption => Mode::InCaption,
                Tag::Colgroup => Mode::InColumnGroup,
                Tag::Table => Mode::InTable,
                Tag::Template => self.template_modes.last().copied().unwrap_or(Mode::InBody),
                Tag::Head if at > 0 => Mode::InHead,
                Tag::Body => Mode::InBody,
                Tag::Frameset => Mode::InFrameset,
                Tag::Html if self.head.is_none() => Mode::BeforeHead,
                Tag::Html => Mode::AfterHead,
                _ => continue,
            };
            return;
        }
        self.mode = Mode::InBody;
    }

    pub(super) fn end_template(&mut self) {
        if self.has_open(Tag::Template) {
            self.close_implied_thoroughly();
            self.pop_through(|tag| tag == Tag::Template);
            self.clear_formatting();
            self.template_modes.pop();
            self.reset_mode();
        }
    }
}
