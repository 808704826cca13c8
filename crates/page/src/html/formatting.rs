//! The list of active formatting elements: `<b>`, `<font>` and their like reach over the ends of paragraphs.

use std::collections::HashSet;

use super::MAX_FORMATTING;
use super::builder::Builder;
use super::stack::Open;
use super::token::Start;
use crate::dom::{Id, Span};
use crate::tag::Tag;

/// Entries up to which the stack is searched for each.
const FEW: usize = 4;

/// An entry of the list.
#[derive(Debug, Clone, Copy)]
pub(super) enum Entry {
    /// Formatting does not reach out of cells, captions, objects and templates.
    Marker,
    Element {
        id: Id,
        tag: Start,
    },
}

impl Entry {
    pub(super) fn id(&self) -> Option<Id> {
        match self {
            Self::Element { id, .. } => Some(*id),
            Self::Marker => None,
        }
    }
}

impl Builder<'_> {
    pub(super) fn mark_formatting(&mut self) {
        self.formatting.push(Entry::Marker);
    }

    /// Forgets all up to the last marker.
    pub(super) fn clear_formatting(&mut self) {
        while let Some(Entry::Element { .. }) = self.formatting.pop() {}
    }

    /// Where the entries behind the last marker begin.
    fn formatting_start(&mut self) -> usize {
        let marker = self.formatting.iter().rposition(|entry| matches!(entry, Entry::Marker));
        let start = marker.map_or(0, |marker| marker + 1);
        self.steps += (self.formatting.len() - start) as u64;
        start
    }

    /// Adds an element that was just opened. Of four equal ones the first is forgotten.
    pub(super) fn push_formatting(&mut self, id: Id, tag: Start) {
        let start = self.formatting_start();
        let (mut equal, mut first) = (0, None);
        for (at, entry) in self.formatting.iter().enumerate().skip(start) {
            if let Entry::Element { tag: other, .. } = entry
                && other.tag == tag.tag
                && self.same_attributes(other.raw, tag.raw)
            {
                equal += 1;
                first = first.or(Some(at));
            }
        }
        if equal >= 3
            && let Some(first) = first
        {
            self.formatting.remove(first);
        } else if self.formatting.len() - start >= MAX_FORMATTING {
            self.formatting.remove(start);
        }
        self.formatting.push(Entry::Element { id, tag });
    }

    /// Whether two tags have the same attributes. They are compared as they are written: the rare pair that
    /// differs in quotes or order counts as different.
    fn same_attributes(&self, one: Span, other: Span) -> bool {
        fn bare(text: &str) -> &str {
            text.trim_end_matches(['>', '/', ' ', '\t', '\n', '\r', '\x0c']).trim_start()
        }
        bare(self.dom.str(one)) == bare(self.dom.str(other))
    }

    /// The place of an element in the list, if it stands behind the last marker: entries before one belong to elements
    /// further out than any that is closed here.
    pub(super) fn formatting_at(&mut self, id: Id) -> Option<usize> {
        let start = self.formatting_start();
        let found = self.formatting[start..].iter().rposition(|entry| entry.id() == Some(id));
        self.steps += (self.formatting.len() - start - found.unwrap_or(0)) as u64;
        found.map(|at| start + at)
    }

    /// The last entry of this kind behind the last marker.
    pub(super) fn last_formatting(&mut self, wanted: Tag) -> Option<usize> {
        let start = self.formatting_start();
        let is_wanted = |entry: &Entry| matches!(entry, Entry::Element { tag, .. } if tag.tag == wanted);
        self.formatting[start..].iter().rposition(is_wanted).map(|at| start + at)
    }

    /// Opens again the formatting elements that a paragraph's end has closed.
    pub(super) fn reconstruct(&mut self) {
        let Some(Entry::Element { id, .. }) = self.formatting.last().copied() else { return };
        if self.is_open(id) || self.is_full() {
            return;
        }
        for at in self.first_closed()..self.formatting.len() {
            if self.is_full() {
                return;
            }
            if let Entry::Element { tag, .. } = self.formatting[at] {
                let open = self.insert(&tag);
                self.formatting[at] = Entry::Element { id: open.id, tag };
            }
        }
    }

    /// The first of the entries at the list's end that are not open; the last one is not.
    fn first_closed(&mut self) -> usize {
        let mut at = self.formatting.len() - 1;
        let mut open: Option<HashSet<Id>> = None;
        while let Some(Entry::Element { id, .. }) = at.checked_sub(1).map(|before| self.formatting[before]) {
            self.steps += 1;
            let is_open = match &open {
                Some(open) => open.contains(&id),
                None => self.is_open(id),
            };
            if is_open {
                break;
            }
            at -= 1;
            // To look through a deep stack for each of many entries is what hostile pages ask for.
            if open.is_none() && self.formatting.len() - at > FEW {
                self.steps += self.stack.len() as u64;
                open = Some(self.stack.iter().map(|open| open.id).collect());
            }
        }
        at
    }

    /// A new element like one of the list.
    pub(super) fn create_like(&mut self, tag: Start) -> Open {
        let id = self.create(&tag, tag.tag);
        Open::html(id, &tag)
    }
}
