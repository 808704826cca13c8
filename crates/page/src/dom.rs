//! The tree of a page: one vector of nodes, filled by html5ever's tree builder.

use std::borrow::Cow;
use std::cell::{Cell, Ref, RefCell};

use html5ever::interface::{ElemName, ElementFlags, NodeOrText, QuirksMode, TreeSink};
use html5ever::tendril::StrTendril;
use html5ever::{Attribute, LocalName, Namespace, QualName};

use crate::tag::Tag;

/// Index of a node.
pub(crate) type Id = u32;
/// No node.
pub(crate) const NONE: Id = u32::MAX;
/// The document node.
pub(crate) const ROOT: Id = 0;

/// What a node is.
#[derive(Debug)]
pub(crate) enum Data {
    /// The document, a template's content, or a comment: nothing to read.
    Other,
    Element {
        tag: Tag,
        attributes: Vec<Attribute>,
    },
    Text(StrTendril),
}

/// A node with its neighbours.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) parent: Id,
    pub(crate) first: Id,
    pub(crate) last: Id,
    pub(crate) previous: Id,
    pub(crate) next: Id,
    pub(crate) depth: u32,
    pub(crate) data: Data,
}

/// The tree.
#[derive(Debug, Default)]
pub(crate) struct Dom {
    pub(crate) nodes: Vec<Node>,
}

impl Dom {
    pub(crate) fn node(&self, id: Id) -> Option<&Node> {
        self.nodes.get(id as usize)
    }

    /// The tag of an element; `Tag::Other` for anything else.
    pub(crate) fn tag(&self, id: Id) -> Tag {
        match self.node(id).map(|node| &node.data) {
            Some(Data::Element { tag, .. }) => *tag,
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

    /// The value of an attribute, if the element has it.
    pub(crate) fn attribute(&self, id: Id, name: &str) -> Option<&str> {
        match self.node(id).map(|node| &node.data) {
            Some(Data::Element { attributes, .. }) => attributes
                .iter()
                .find(|attribute| &*attribute.name.local == name)
                .map(|attribute| &*attribute.value),
            _ => None,
        }
    }

    /// The node after `id` in document order within the tree under `top`, descending if asked to.
    pub(crate) fn following(&self, id: Id, top: Id, descend: bool) -> Id {
        let Some(node) = self.node(id) else { return NONE };
        if descend && node.first != NONE {
            return node.first;
        }
        let mut here = id;
        while here != top && here != NONE {
            let Some(node) = self.node(here) else { return NONE };
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

    /// All text under `top` with white space collapsed, up to about `limit` bytes and nodes.
    pub(crate) fn text(&self, top: Id, limit: usize) -> String {
        let mut out = String::new();
        for id in self.walk(top).take(limit) {
            if let Some(Data::Text(text)) = self.node(id).map(|node| &node.data) {
                out.push_str(text);
                if out.len() > limit {
                    break;
                }
            }
        }
        crate::space::collapse(&out)
    }

    fn add(&mut self, data: Data) -> Id {
        let id = self.nodes.len() as Id;
        let node = Node { parent: NONE, first: NONE, last: NONE, previous: NONE, next: NONE, depth: 0, data };
        self.nodes.push(node);
        id
    }

    fn at(&mut self, id: Id) -> Option<&mut Node> {
        self.nodes.get_mut(id as usize)
    }

    fn append(&mut self, parent: Id, child: Id) {
        self.detach(child);
        let (last, depth) = self.node(parent).map_or((NONE, 0), |node| (node.last, node.depth + 1));
        if let Some(node) = self.at(child) {
            (node.parent, node.previous, node.depth) = (parent, last, depth);
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

    fn insert_before(&mut self, sibling: Id, child: Id) {
        self.detach(child);
        let Some((parent, previous, depth)) =
            self.node(sibling).map(|node| (node.parent, node.previous, node.depth))
        else {
            return;
        };
        if let Some(node) = self.at(child) {
            (node.parent, node.previous, node.next, node.depth) = (parent, previous, sibling, depth);
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

    fn detach(&mut self, id: Id) {
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

/// A node as the tree builder knows it.
#[derive(Debug, Clone)]
pub(crate) struct Handle {
    id: Id,
    name: Option<(Namespace, LocalName)>,
}

/// The name of an element.
#[derive(Debug)]
pub(crate) struct Name<'a>(&'a Namespace, &'a LocalName);

impl ElemName for Name<'_> {
    fn ns(&self) -> &Namespace {
        self.0
    }

    fn local_name(&self) -> &LocalName {
        self.1
    }
}

/// Builds a [`Dom`].
#[derive(Debug)]
pub(crate) struct Sink {
    dom: RefCell<Dom>,
    /// Depth of the element that is open.
    pub(crate) depth: Cell<u32>,
    empty: (Namespace, LocalName),
}

impl Sink {
    pub(crate) fn new() -> Self {
        let mut dom = Dom::default();
        dom.add(Data::Other);
        Self {
            dom: RefCell::new(dom),
            depth: Cell::new(0),
            empty: (Namespace::from(""), LocalName::from("")),
        }
    }

    pub(crate) fn nodes(&self) -> usize {
        self.borrow().nodes.len()
    }

    fn borrow(&self) -> Ref<'_, Dom> {
        self.dom.borrow()
    }

    fn put(&self, node: NodeOrText<Handle>) -> (Id, bool) {
        match node {
            NodeOrText::AppendNode(handle) => (handle.id, handle.name.is_some()),
            NodeOrText::AppendText(text) => (self.dom.borrow_mut().add(Data::Text(text)), false),
        }
    }

    fn other(&self) -> Handle {
        Handle { id: self.dom.borrow_mut().add(Data::Other), name: None }
    }
}

impl TreeSink for Sink {
    type Handle = Handle;
    type Output = Dom;
    type ElemName<'a> = Name<'a>;

    fn finish(self) -> Dom {
        self.dom.into_inner()
    }

    fn parse_error(&self, _: Cow<'static, str>) {}

    fn get_document(&self) -> Handle {
        Handle { id: ROOT, name: None }
    }

    fn elem_name<'a>(&'a self, target: &'a Handle) -> Name<'a> {
        let (namespace, local) = target.name.as_ref().unwrap_or(&self.empty);
        Name(namespace, local)
    }

    fn create_element(&self, name: QualName, attributes: Vec<Attribute>, _: ElementFlags) -> Handle {
        let tag = Tag::from_name(&name.local);
        let id = self.dom.borrow_mut().add(Data::Element { tag, attributes });
        Handle { id, name: Some((name.ns, name.local)) }
    }

    fn create_comment(&self, _: StrTendril) -> Handle {
        self.other()
    }

    fn create_pi(&self, _: StrTendril, _: StrTendril) -> Handle {
        self.other()
    }

    fn append(&self, parent: &Handle, child: NodeOrText<Handle>) {
        let (id, element) = self.put(child);
        let mut dom = self.dom.borrow_mut();
        dom.append(parent.id, id);
        if element {
            self.depth.set(dom.node(id).map_or(0, |node| node.depth));
        }
    }

    fn append_based_on_parent_node(&self, element: &Handle, previous: &Handle, child: NodeOrText<Handle>) {
        if self.borrow().parent(element.id) == NONE {
            self.append(previous, child);
        } else {
            self.append_before_sibling(element, child);
        }
    }

    fn append_doctype_to_document(&self, _: StrTendril, _: StrTendril, _: StrTendril) {}

    fn pop(&self, node: &Handle) {
        self.depth.set(self.borrow().node(node.id).map_or(0, |node| node.depth.saturating_sub(1)));
    }

    fn get_template_contents(&self, _: &Handle) -> Handle {
        // What a template holds is not shown: it hangs in a tree of its own.
        self.other()
    }

    fn same_node(&self, x: &Handle, y: &Handle) -> bool {
        x.id == y.id
    }

    fn set_quirks_mode(&self, _: QuirksMode) {}

    fn append_before_sibling(&self, sibling: &Handle, node: NodeOrText<Handle>) {
        let (id, _) = self.put(node);
        self.dom.borrow_mut().insert_before(sibling.id, id);
    }

    fn add_attrs_if_missing(&self, target: &Handle, more: Vec<Attribute>) {
        if let Some(Node { data: Data::Element { attributes, .. }, .. }) = self.dom.borrow_mut().at(target.id)
        {
            for attribute in more {
                if !attributes.iter().any(|present| present.name == attribute.name) {
                    attributes.push(attribute);
                }
            }
        }
    }

    fn remove_from_parent(&self, target: &Handle) {
        self.dom.borrow_mut().detach(target.id);
    }

    fn reparent_children(&self, node: &Handle, new_parent: &Handle) {
        let mut dom = self.dom.borrow_mut();
        while let Some(child) = dom.node(node.id).map(|node| node.first).filter(|child| *child != NONE) {
            dom.append(new_parent.id, child);
        }
    }
}
