//! The stack of open elements.

use super::MAX_DEPTH;
use super::builder::Builder;
use super::token::Start;
use crate::dom::{Id, Span};
use crate::tag::Tag;

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

/// Open elements beyond [`MAX_DEPTH`] that are kept in sight, and how many are hidden or shown again at a time.
const WINDOW: usize = 64;
const STEP: usize = 32;

impl Builder<'_> {
    /// Keeps the stack short: of more than [`MAX_DEPTH`] elements and the innermost [`WINDOW`] those between are hidden
    /// until those above them end. So a tag costs the same at any depth, and end tags still find their elements.
    pub(super) fn settle(&mut self) {
        if self.stack.len() > MAX_DEPTH + WINDOW {
            self.change_from(MAX_DEPTH);
            let hidden = self.hidden.len();
            self.hidden.extend(self.stack.drain(MAX_DEPTH..MAX_DEPTH + STEP));
            // Their formatting would be opened again as if it had ended.
            for at in hidden..self.hidden.len() {
                if let Some(entry) = self.formatting_at(self.hidden[at].id) {
                    self.formatting.remove(entry);
                }
            }
        } else if self.stack.len() <= MAX_DEPTH {
            // An element further out has ended, and these with it.
            let templates = self.hidden.drain(..).filter(|open| open.is(Tag::Template)).count();
            self.template_modes.truncate(self.template_modes.len().saturating_sub(templates));
        } else if !self.hidden.is_empty() && self.stack.len() < MAX_DEPTH + STEP / 2 {
            self.change_from(MAX_DEPTH);
            let shown = self.hidden.len().saturating_sub(STEP);
            self.stack.splice(MAX_DEPTH..MAX_DEPTH, self.hidden.drain(shown..));
        }
    }

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

    /// Whether a paragraph is open that a block ends: one with no button and no limit of scopes above it. What is known of
    /// elements further out is kept, since most blocks ask and deep pages have many elements to look at.
    pub(super) fn p_in_button_scope(&mut self) -> bool {
        let known = if self.stack.len() > self.no_p.start { self.no_p.clone() } else { 0..0 };
        let mut start = known.start;
        for at in (known.end..self.stack.len()).rev() {
            self.steps += 1;
            let open = &self.stack[at];
            if open.is(Tag::P) {
                return true;
            }
            if open.limits_scope() || open.is(Tag::Button) {
                start = at;
                break;
            }
        }
        self.no_p = start..self.stack.len();
        false
    }

    /// Opens an element.
    pub(super) fn push(&mut self, open: Open) {
        self.change_from(self.stack.len());
        self.stack.push(open);
    }

    /// Takes an element out of the middle of the stack.
    pub(super) fn remove(&mut self, at: usize) {
        self.change_from(at);
        self.stack.remove(at);
    }

    /// The elements from this place on are about to be others.
    pub(super) fn change_from(&mut self, at: usize) {
        if at <= self.no_p.start {
            self.no_p = 0..0;
        } else {
            self.no_p.end = self.no_p.end.min(at);
        }
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

    pub(super) fn close_implied_thoroughly(&mut self) {
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
        if self.p_in_button_scope() {
            self.close_implied(Tag::P);
            self.pop_through(|tag| tag == Tag::P);
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
