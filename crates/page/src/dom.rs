//! The tree of a page: one vector of nodes, whose texts and attributes are places in the source.

use crate::html::attribute::Attr;
use crate::line::{Line, Shift, one_line};
use crate::tag::Tag;

/// Index of a node.
pub(crate) type Id = u32;
/// No node.
pub(crate) const NONE: Id = u32::MAX;
/// The document node.
pub(crate) const ROOT: Id = 0;

/// A piece of the source, or of the texts that had to be written anew because of character references.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Span {
    start: u32,
    end: u32,
    rewritten: bool,
}

impl Span {
    /// A piece of the source.
    pub(crate) fn of_source(start: usize, end: usize) -> Self {
        Self { start: start as u32, end: end as u32, rewritten: false }
    }

    pub(crate) fn is_empty(self) -> bool {
        self.start >= self.end
    }

    /// Without its first `bytes` bytes.
    pub(crate) fn skip(self, bytes: usize) -> Self {
        Self { start: self.end.min(self.start + bytes as u32), ..self }
    }

    /// Its first `bytes` bytes.
    pub(crate) fn take(self, bytes: usize) -> Self {
        Self { end: self.end.min(self.start + bytes as u32), ..self }
    }
}

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Data {
    /// The document or the content of a template.
    Other,
    /// An element with the range of its attributes in [`Dom::attributes`].
    Element {
        tag: Tag,
        first: u32,
        count: u8,
    },
    Text(Span),
}

/// A node with its neighbours.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) parent: Id,
    pub(crate) first: Id,
    pub(crate) last: Id,
    pub(crate) previous: Id,
    pub(crate) next: Id,
    pub(crate) data: Data,
}

/// An attribute with its decoded value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attribute {
    pub(crate) name: Attr,
    pub(crate) value: Span,
}

/// The tree.
#[derive(Debug, Default)]
pub(crate) struct Dom<'a> {
    pub(crate) nodes: Vec<Node>,
    pub(crate) attributes: Vec<Attribute>,
    source: &'a str,
    rewritten: String,
}

impl<'a> Dom<'a> {
    /// A tree with nothing but the document node.
    pub(crate) fn new(source: &'a str) -> Self {
        let mut dom = Self { source, ..Self::default() };
        // Pages have a node for every thirty to fifty bytes.
        dom.nodes.reserve(source.len() / 32 + 16);
        dom.attributes.reserve(source.len() / 64 + 16);
        dom.add(Data::Other);
        dom
    }

    pub(crate) fn source(&self) -> &'a str {
        self.source
    }

    pub(crate) fn str(&self, span: Span) -> &str {
        let text = if span.rewritten { &self.rewritten } else { self.source };
        text.get(span.start as usize..span.end as usize).unwrap_or_default()
    }

    /// Keeps what `write` appends to the rewritten texts.
    pub(crate) fn rewrite(&mut self, write: impl FnOnce(&'a str, &mut String)) -> Span {
        let start = self.rewritten.len() as u32;
        write(self.source, &mut self.rewritten);
        Span { start, end: self.rewritten.len() as u32, rewritten: true }
    }

    pub(crate) fn node(&self, id: Id) -> Option<&Node> {
        self.nodes.get(id as usize)
    }

    /// The tag of an element; `Tag::Other` for anything else.
    pub(crate) fn tag(&self, id: Id) -> Tag {
        match self.node(id).map(|node| node.data) {
            Some(Data::Element { tag, .. }) => tag,
            _ => Tag::Other,
        }
    }

    pub(crate) fn parent(&self, id: Id) -> Id {
        self.node(id).map_or(NONE, |node| node.parent)
    }

    pub(crate) fn children(&self, id: Id) -> impl Iterator<Item = Id> + '_ {
        let first = self.node(id).map_or(NONE, |node| node.first);
        std::iter::successors(Some(first), |child| self.node(*child).map(|node| node.next))
            .take_while(|id| *id != NONE)
    }

    /// The elements above a node, the nearest first.
    pub(crate) fn ancestors(&self, id: Id) -> impl Iterator<Item = Id> + '_ {
        std::iter::successors(Some(self.parent(id)), |up| Some(self.parent(*up))).take_while(|up| *up != NONE)
    }

    /// The attributes of an element that matter.
    pub(crate) fn attributes(&self, id: Id) -> &[Attribute] {
        match self.node(id).map(|node| node.data) {
            Some(Data::Element { first, count, .. }) => {
                self.attributes.get(first as usize..first as usize + usize::from(count)).unwrap_or_default()
            }
            _ => &[],
        }
    }

    /// The value of an attribute, if the element has it.
    pub(crate) fn attribute(&self, id: Id, name: Attr) -> Option<&str> {
        self.attributes(id)
            .iter()
            .find(|attribute| attribute.name == name)
            .map(|attribute| self.str(attribute.value))
    }

    /// The node after `id` in document order within the tree under `top`, descending if asked to.
    pub(crate) fn following(&self, id: Id, top: Id, descend: bool) -> Id {
        self.following_leaving(id, top, descend, |_| {})
    }

    /// The same, telling of each element that ends on the way.
    fn following_leaving(&self, id: Id, top: Id, descend: bool, mut leave: impl FnMut(Tag)) -> Id {
        let Some(node) = self.node(id) else { return NONE };
        if descend && node.first != NONE {
            return node.first;
        }
        let mut here = id;
        while here != top && here != NONE {
            let Some(node) = self.node(here) else { return NONE };
            if let Data::Element { tag, .. } = node.data {
                leave(tag);
            }
            if node.next != NONE {
                return node.next;
            }
            here = node.parent;
        }
        NONE
    }

    /// All nodes under `top`, `top` included, in document order.
    pub(crate) fn walk(&self, top: Id) -> impl Iterator<Item = Id> + '_ {
        let mut here = top;
        std::iter::from_fn(move || {
            let id = here;
            if id == NONE {
                return None;
            }
            here = self.following(id, top, true);
            Some(id)
        })
    }

    /// All text under `top` in one line, up to about `limit` bytes and nodes: what a reader of the element sees, with white
    /// space collapsed, and spaces where blocks and `<br>` begin new lines.
    pub(crate) fn text(&self, top: Id, limit: usize) -> String {
        let mut line = Line::default();
        let (mut here, mut steps) = (top, 0);
        while here != NONE && steps < limit {
            steps += 1;
            let mut descend = true;
            match self.node(here).map(|node| node.data) {
                Some(Data::Text(text)) => {
                    let text = self.str(text);
                    let room = limit.saturating_sub(line.as_str().len());
                    line.push(&text[..text.floor_char_boundary(room)]);
                    if room < text.len() {
                        break;
                    }
                }
                Some(Data::Element { tag, .. }) => {
                    descend = here == top || !tag.is_unread();
                    match tag {
                        Tag::Img => line.push(crate::inline::text_of(self, here, &line)),
                        Tag::Ruby => line.open_ruby(),
                        Tag::Sup => line.open_shift(Shift::Up),
                        Tag::Sub => line.open_shift(Shift::Down),
                        _ if here != top && (tag == Tag::Br || tag.is_block()) => line.end_line(),
                        _ => {}
                    }
                }
                _ => {}
            }
            here = self.following_leaving(here, top, descend, |tag| match tag {
                Tag::Ruby => line.close_ruby(),
                Tag::Sup | Tag::Sub => line.close_shift(),
                _ if tag.is_block() => line.end_line(),
                _ => {}
            });
        }
        one_line(line.as_str())
    }

    pub(crate) fn add(&mut self, data: Data) -> Id {
        let id = self.nodes.len() as Id;
        self.nodes.push(Node { parent: NONE, first: NONE, last: NONE, previous: NONE, next: NONE, data });
        id
    }

    fn at(&mut self, id: Id) -> Option<&mut Node> {
        self.nodes.get_mut(id as usize)
    }

    /// Makes `child` the last child of `parent`.
    pub(crate) fn append(&mut self, parent: Id, child: Id) {
        self.detach(child);
        let last = self.node(parent).map_or(NONE, |node| node.last);
        if let Some(node) = self.at(child) {
            (node.parent, node.previous) = (parent, last);
        }
        if let Some(node) = self.at(last) {
            node.next = child;
        }
        if let Some(node) = self.at(parent) {
            if last == NONE {
                node.first = child;
            }
            node.last = child;
        }
    }

    /// Puts `child` before `sibling`.
    pub(crate) fn insert_before(&mut self, sibling: Id, child: Id) {
        self.detach(child);
        let Some((parent, previous)) = self.node(sibling).map(|node| (node.parent, node.previous)) else {
            return;
        };
        if let Some(node) = self.at(child) {
            (node.parent, node.previous, node.next) = (parent, previous, sibling);
        }
        if let Some(node) = self.at(sibling) {
            node.previous = child;
        }
        if let Some(node) = self.at(previous) {
            node.next = child;
        } else if let Some(node) = self.at(parent) {
            node.first = child;
        }
    }

    /// Moves all children of `from` to the end of `to`'s.
    pub(crate) fn move_children(&mut self, from: Id, to: Id) {
        while let Some(child) = self.node(from).map(|node| node.first).filter(|child| *child != NONE) {
            self.append(to, child);
        }
    }

    /// Takes a node out of its parent.
    pub(crate) fn detach(&mut self, id: Id) {
        let Some((parent, previous, next)) =
            self.node(id).map(|node| (node.parent, node.previous, node.next))
        else {
            return;
        };
        if parent == NONE {
            return;
        }
        if let Some(node) = self.at(previous) {
            node.next = next;
        } else if let Some(node) = self.at(parent) {
            node.first = next;
        }
        if let Some(node) = self.at(next) {
            node.previous = previous;
        } else if let Some(node) = self.at(parent) {
            node.last = previous;
        }
        if let Some(node) = self.at(id) {
            (node.parent, node.previous, node.next) = (NONE, NONE, NONE);
        }
    }
}
