//! The tree builder's state, its stack of open elements, and where nodes are put.

use super::attribute::Attr;
use super::formatting::Entry;
use super::token::{Content, End, Start};
use super::{MAX_DEPTH, foreign, quirks};
use crate::dom::{Data, Dom, Id, NONE, ROOT, Span};
use crate::tag::Tag;

/// Elements that a page may have whatever its size.
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

/// A namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Space {
    Html,
    Svg,
    Math,
}

/// An open element.
#[derive(Debug, Clone, Copy)]
pub(super) struct Open {
    pub(super) id: Id,
    /// Where its children go: itself, or a template's content.
    pub(super) inside: Id,
    pub(super) tag: Tag,
    pub(super) space: Space,
    /// HTML may stand in this foreign element: all of it, or text only.
    pub(super) html_point: bool,
    pub(super) text_point: bool,
    /// The name as it is written, to tell unknown elements apart.
    pub(super) name: Span,
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
    /// Start tags left out whose end tags are still to come.
    dropped: u64,
    /// Most nodes that the page may have.
    budget: usize,
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
            formatting: Vec::new(),
            head: None,
            form: NONE,
            frameset_ok: true,
            quirks: false,
            foster: false,
            skip_newline: false,
            content: None,
            dropped: 0,
            budget: NODES + html.len() / 4,
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
        if !tag.tag.is_void() && (self.stack.len() >= MAX_DEPTH || self.is_full()) {
            if !(tag.self_closing && self.is_foreign()) {
                self.dropped += 1;
            }
            return foreign::raw_content(tag.tag).filter(|_| !self.is_foreign());
        }
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
        if self.dropped > 0 {
            self.dropped -= 1;
        } else if self.is_foreign() {
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

    pub(super) fn is_full(&self) -> bool {
        self.dom.nodes.len() >= self.budget
    }

    pub(super) fn is_blank(&self, text: Span) -> bool {
        self.dom.str(text).bytes().all(super::tokenizer::is_space)
    }

    // ---- The stack of open elements ----

    pub(super) fn current(&self) -> Option<Open> {
        self.stack.last().copied()
    }

    pub(super) fn current_tag(&self) -> Tag {
        match self.stack.last() {
            Some(open) if open.space == Space::Html => open.tag,
            _ => Tag::Other,
        }
    }

    pub(super) fn is_open(&mut self, id: Id) -> bool {
        self.position(id).is_some()
    }

    pub(super) fn position(&mut self, id: Id) -> Option<usize> {
        let found = self.stack.iter().rposition(|open| open.id == id);
        self.steps += (self.stack.len() - found.unwrap_or(0)) as u64;
        found
    }

    pub(super) fn has_open(&mut self, tag: Tag) -> bool {
        self.steps += self.stack.len() as u64;
        self.stack.iter().any(|open| open.space == Space::Html && open.tag == tag)
    }

    /// Whether an element is open with nothing of `limits` above it.
    fn within(&mut self, wanted: impl Fn(&Open) -> bool, limits: impl Fn(&Open) -> bool) -> bool {
        for open in self.stack.iter().rev() {
            self.steps += 1;
            if wanted(open) {
                return true;
            }
            if limits(open) {
                return false;
            }
        }
        false
    }

    pub(super) fn in_scope(&mut self, tag: Tag) -> bool {
        self.within(|open| open.is(tag), Open::limits_scope)
    }

    pub(super) fn in_scope_any(&mut self, wanted: impl Fn(Tag) -> bool) -> bool {
        self.within(|open| open.space == Space::Html && wanted(open.tag), Open::limits_scope)
    }

    pub(super) fn id_in_scope(&mut self, id: Id) -> bool {
        self.within(|open| open.id == id, Open::limits_scope)
    }

    pub(super) fn in_list_scope(&mut self, tag: Tag) -> bool {
        self.within(|open| open.is(tag), |open| open.limits_scope() || open.is(Tag::Ol) || open.is(Tag::Ul))
    }

    pub(super) fn in_button_scope(&mut self, tag: Tag) -> bool {
        self.within(|open| open.is(tag), |open| open.limits_scope() || open.is(Tag::Button))
    }

    pub(super) fn in_table_scope(&mut self, wanted: impl Fn(Tag) -> bool) -> bool {
        self.within(
            |open| open.space == Space::Html && wanted(open.tag),
            |open| open.space == Space::Html && matches!(open.tag, Tag::Html | Tag::Table | Tag::Template),
        )
    }

    pub(super) fn pop(&mut self) -> Option<Open> {
        self.stack.pop()
    }

    /// Closes elements up to the first of this kind, that one included.
    pub(super) fn pop_through(&mut self, wanted: impl Fn(Tag) -> bool) {
        while let Some(open) = self.pop() {
            if open.space == Space::Html && wanted(open.tag) {
                break;
            }
        }
    }

    /// Closes elements above the first of this kind. The `<html>` element stays.
    pub(super) fn pop_above(&mut self, wanted: impl Fn(Tag) -> bool) {
        while self.stack.len() > 1 && !wanted(self.current_tag()) {
            self.pop();
        }
    }

    pub(super) fn close_implied(&mut self, except: Tag) {
        while implies_end(self.current_tag()) && self.current_tag() != except {
            self.pop();
        }
    }

    fn close_implied_thoroughly(&mut self) {
        while implies_end(self.current_tag())
            || matches!(
                self.current_tag(),
                Tag::Caption
                    | Tag::Colgroup
                    | Tag::Tbody
                    | Tag::Td
                    | Tag::Tfoot
                    | Tag::Th
                    | Tag::Thead
                    | Tag::Tr
            )
        {
            self.pop();
        }
    }

    pub(super) fn close_p(&mut self) {
        if self.in_button_scope(Tag::P) {
            self.close_implied(Tag::P);
            self.pop_through(|tag| tag == Tag::P);
        }
    }

    // ---- Putting nodes ----

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
        let place = self.place(None);
        let id = self.create(tag, tag.tag);
        self.put(id, place);
        let inside = if tag.tag == Tag::Template { self.dom.add(Data::Other) } else { id };
        let open = Open { inside, ..Open::html(id, tag) };
        self.stack.push(open);
        open
    }

    /// Puts an element that has no content.
    pub(super) fn insert_void(&mut self, tag: &Start) {
        let place = self.place(None);
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

impl Open {
    pub(super) fn html(id: Id, tag: &Start) -> Self {
        Self {
            id,
            inside: id,
            tag: tag.tag,
            space: Space::Html,
            html_point: false,
            text_point: false,
            name: tag.name,
        }
    }

    /// Whether this is an HTML element of this kind.
    pub(super) fn is(&self, tag: Tag) -> bool {
        self.tag == tag && self.space == Space::Html
    }

    /// The standard's list for "have an element in scope".
    pub(super) fn limits_scope(&self) -> bool {
        match self.space {
            Space::Html => matches!(
                self.tag,
                Tag::Applet
                    | Tag::Caption
                    | Tag::Html
                    | Tag::Table
                    | Tag::Td
                    | Tag::Th
                    | Tag::Marquee
                    | Tag::Object
                    | Tag::Select
                    | Tag::Template
            ),
            Space::Math => {
                matches!(self.tag, Tag::Mi | Tag::Mo | Tag::Mn | Tag::Ms | Tag::Mtext | Tag::AnnotationXml)
            }
            Space::Svg => matches!(self.tag, Tag::ForeignObject | Tag::Desc | Tag::Title),
        }
    }

    /// The standard's "special" elements: end tags of ordinary ones do not reach through them.
    pub(super) fn is_special(&self) -> bool {
        if self.space != Space::Html {
            return self.limits_scope();
        }
        let tag = self.tag;
        tag.is_void() && !matches!(tag, Tag::Image)
            || tag.is_heading()
            || matches!(
                tag,
                Tag::Address
                    | Tag::Applet
                    | Tag::Article
                    | Tag::Aside
                    | Tag::Blockquote
                    | Tag::Body
                    | Tag::Button
                    | Tag::Caption
                    | Tag::Center
                    | Tag::Colgroup
                    | Tag::Dd
                    | Tag::Details
                    | Tag::Dir
                    | Tag::Div
                    | Tag::Dl
                    | Tag::Dt
                    | Tag::Fieldset
                    | Tag::Figcaption
                    | Tag::Figure
                    | Tag::Footer
                    | Tag::Form
                    | Tag::Frameset
                    | Tag::Head
                    | Tag::Header
                    | Tag::Hgroup
                    | Tag::Html
                    | Tag::Iframe
                    | Tag::Li
                    | Tag::Listing
                    | Tag::Main
                    | Tag::Marquee
                    | Tag::Menu
                    | Tag::Nav
                    | Tag::Noembed
                    | Tag::Noframes
                    | Tag::Noscript
                    | Tag::Object
                    | Tag::Ol
                    | Tag::P
                    | Tag::Plaintext
                    | Tag::Pre
                    | Tag::Script
                    | Tag::Search
                    | Tag::Section
                    | Tag::Select
                    | Tag::Style
                    | Tag::Summary
                    | Tag::Table
                    | Tag::Tbody
                    | Tag::Td
                    | Tag::Template
                    | Tag::Textarea
                    | Tag::Tfoot
                    | Tag::Th
                    | Tag::Thead
                    | Tag::Title
                    | Tag::Tr
                    | Tag::Ul
                    | Tag::Xmp
            )
    }
}

/// Elements that end by themselves where their parent ends.
fn implies_end(tag: Tag) -> bool {
    matches!(
        tag,
        Tag::Dd
            | Tag::Dt
            | Tag::Li
            | Tag::Optgroup
            | Tag::Option
            | Tag::P
            | Tag::Rb
            | Tag::Rp
            | Tag::Rt
            | Tag::Rtc
    )
}
