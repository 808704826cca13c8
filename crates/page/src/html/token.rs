//! What the tokenizer hands to the tree builder.

use crate::dom::{Attribute, Dom, Span};
use crate::html::attribute::Attr;
use crate::tag::Tag;

/// A start tag.
#[derive(Debug, Clone, Copy)]
pub(super) struct Start {
    pub(super) tag: Tag,
    pub(super) name: Span,
    /// Range of its attributes in the tree's list.
    pub(super) first: u32,
    pub(super) count: u8,
    /// The source of all its attributes.
    pub(super) raw: Span,
    pub(super) self_closing: bool,
}

impl Start {
    /// A tag that the page left out.
    pub(super) fn implied(tag: Tag) -> Self {
        let none = Span::default();
        Self { tag, name: none, first: 0, count: 0, raw: none, self_closing: false }
    }

    pub(super) fn attributes<'d>(&self, dom: &'d Dom<'_>) -> &'d [Attribute] {
        dom.attributes
            .get(self.first as usize..self.first as usize + usize::from(self.count))
            .unwrap_or_default()
    }

    pub(super) fn attribute<'d>(&self, dom: &'d Dom<'_>, name: Attr) -> Option<&'d str> {
        self.attributes(dom).iter().find(|found| found.name == name).map(|found| dom.str(found.value))
    }

    pub(super) fn is_hidden_input(&self, dom: &Dom<'_>) -> bool {
        self.attribute(dom, Attr::Type).is_some_and(|kind| kind.eq_ignore_ascii_case("hidden"))
    }
}

/// An end tag.
#[derive(Debug, Clone, Copy)]
pub(super) struct End {
    pub(super) tag: Tag,
    pub(super) name: Span,
}

impl End {
    /// The end tag of an element with a known name.
    pub(super) fn of(tag: Tag) -> Self {
        Self { tag, name: Span::default() }
    }
}

/// How the tokenizer reads on behind a start tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// Text up to the end tag, character references resolved (`<title>`, `<textarea>`).
    Escapable,
    /// Text up to the end tag as it stands (`<style>`, `<iframe>` ...).
    Raw,
    /// A script, in which `<!-- <script>` hides an end tag.
    Script,
    /// Text to the end of the page.
    Plain,
}
