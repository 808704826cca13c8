//! The tree against html5ever's, and against what the standard says of single cases.

use std::borrow::Cow;
use std::cell::RefCell;

use html5ever::interface::{ElemName, ElementFlags, NodeOrText, QuirksMode, TreeSink};
use html5ever::tendril::{StrTendril, TendrilSink};
use html5ever::tree_builder::TreeBuilderOpts;
use html5ever::{Attribute, LocalName, Namespace, ParseOpts, QualName, parse_document};
use proptest::prelude::*;

use super::*;
use crate::dom::{Data, Dom, Id, NONE, ROOT};
use crate::tag::Tag;

/// A tree as html5ever builds it: for each node its children, and what it is.
#[derive(Default)]
struct Oracle {
    nodes: RefCell<Vec<Place>>,
}

#[derive(Clone, Default)]
struct Place {
    parent: Option<usize>,
    children: Vec<usize>,
    name: Option<QualName>,
    text: Option<String>,
    template: Option<usize>,
}

#[derive(Clone, Debug)]
struct Handle(usize, Option<QualName>);

#[derive(Debug)]
struct Name<'a>(&'a QualName);

impl ElemName for Name<'_> {
    fn ns(&self) -> &Namespace {
        &self.0.ns
    }
    fn local_name(&self) -> &LocalName {
        &self.0.local
    }
}

impl Oracle {
    fn add(&self, place: Place) -> usize {
        let mut nodes = self.nodes.borrow_mut();
        nodes.push(place);
        nodes.len() - 1
    }

    fn detach(&self, node: usize) {
        let mut nodes = self.nodes.borrow_mut();
        if let Some(parent) = nodes[node].parent.take() {
            nodes[parent].children.retain(|child| *child != node);
        }
    }

    fn put(&self, parent: usize, before: Option<usize>, child: NodeOrText<Handle>) {
        let id = match child {
            NodeOrText::AppendNode(handle) => handle.0,
            NodeOrText::AppendText(text) => {
                self.add(Place { text: Some(text.to_string()), ..Place::default() })
            }
        };
        self.detach(id);
        let mut nodes = self.nodes.borrow_mut();
        nodes[id].parent = Some(parent);
        let children = &mut nodes[parent].children;
        let at = before.and_then(|before| children.iter().position(|child| *child == before));
        children.insert(at.unwrap_or(children.len()), id);
    }
}

impl TreeSink for Oracle {
    type Handle = Handle;
    type Output = Self;
    type ElemName<'a> = Name<'a>;

    fn finish(self) -> Self {
        self
    }
    fn parse_error(&self, _: Cow<'static, str>) {}
    fn get_document(&self) -> Handle {
        Handle(0, None)
    }
    fn elem_name<'a>(&'a self, target: &'a Handle) -> Name<'a> {
        Name(target.1.as_ref().expect("an element"))
    }
    fn create_element(&self, name: QualName, _: Vec<Attribute>, flags: ElementFlags) -> Handle {
        let template = flags.template.then(|| self.add(Place::default()));
        Handle(self.add(Place { name: Some(name.clone()), template, ..Place::default() }), Some(name))
    }
    fn create_comment(&self, _: StrTendril) -> Handle {
        Handle(self.add(Place::default()), None)
    }
    fn create_pi(&self, _: StrTendril, _: StrTendril) -> Handle {
        Handle(self.add(Place::default()), None)
    }
    fn append(&self, parent: &Handle, child: NodeOrText<Handle>) {
        self.put(parent.0, None, child);
    }
    fn append_based_on_parent_node(&self, element: &Handle, previous: &Handle, child: NodeOrText<Handle>) {
        let parent = self.nodes.borrow()[element.0].parent;
        match parent {
            Some(parent) => self.put(parent, Some(element.0), child),
            None => self.put(previous.0, None, child),
        }
    }
    fn append_doctype_to_document(&self, _: StrTendril, _: StrTendril, _: StrTendril) {}
    fn get_template_contents(&self, target: &Handle) -> Handle {
        Handle(self.nodes.borrow()[target.0].template.expect("a template"), None)
    }
    fn same_node(&self, x: &Handle, y: &Handle) -> bool {
        x.0 == y.0
    }
    fn set_quirks_mode(&self, _: QuirksMode) {}
    fn append_before_sibling(&self, sibling: &Handle, node: NodeOrText<Handle>) {
        let parent = self.nodes.borrow()[sibling.0].parent.expect("a parent");
        self.put(parent, Some(sibling.0), node);
    }
    fn add_attrs_if_missing(&self, _: &Handle, _: Vec<Attribute>) {}
    fn remove_from_parent(&self, target: &Handle) {
        self.detach(target.0);
    }
    fn reparent_children(&self, node: &Handle, new_parent: &Handle) {
        let children = self.nodes.borrow()[node.0].children.clone();
        for child in children {
            self.put(new_parent.0, None, NodeOrText::AppendNode(Handle(child, None)));
        }
    }
}

/// The oracle's tree as text: elements that [`Tag`] knows, and texts, white space collapsed.
fn oracle(html: &str) -> String {
    let sink = Oracle::default();
    sink.add(Place::default());
    let tree_builder = TreeBuilderOpts { scripting_enabled: false, ..TreeBuilderOpts::default() };
    let tree = parse_document(sink, ParseOpts { tree_builder, ..ParseOpts::default() }).one(html);
    let nodes = tree.nodes.into_inner();
    let mut out = String::new();
    write_oracle(&nodes, 0, &mut out);
    out
}

fn write_oracle(nodes: &[Place], id: usize, out: &mut String) {
    let node = &nodes[id];
    if let Some(text) = &node.text {
        out.push_str(&text.replace("\r\n", "\n"));
    }
    let Some(name) = &node.name else {
        for child in &node.children {
            write_oracle(nodes, *child, out);
        }
        return;
    };
    let is_html = &*name.ns == "http://www.w3.org/1999/xhtml";
    if is_html && matches!(&*name.local, "script" | "style") {
        out.push_str(&format!("<{}></>", name.local));
        return;
    }
    let shown = if is_html || matches!(&*name.local, "svg" | "math") {
        Tag::from_name(name.local.as_bytes())
    } else {
        Tag::Other
    };
    out.push_str(&format!("<{shown:?}>").to_lowercase());
    for child in &node.children {
        write_oracle(nodes, *child, out);
    }
    out.push_str("</>");
}

/// Our tree in the same form.
fn ours(html: &str) -> String {
    let dom = parse(html);
    let mut out = String::new();
    let mut here = ROOT;
    // Without recursion, so that deep trees can be written too.
    while here != NONE {
        open(&dom, here, &mut out);
        let first = dom.node(here).map_or(NONE, |node| node.first);
        if first != NONE {
            here = first;
            continue;
        }
        loop {
            if matches!(dom.node(here).map(|node| node.data), Some(Data::Element { .. })) {
                out.push_str("</>");
            }
            let Some(node) = dom.node(here) else { break };
            if node.next != NONE {
                here = node.next;
                break;
            }
            here = node.parent;
        }
    }
    out
}

fn open(dom: &Dom<'_>, id: Id, out: &mut String) {
    match dom.node(id).map(|node| node.data) {
        Some(Data::Text(text)) => out.push_str(&dom.str(text).replace("\r\n", "\n").replace('\r', "\n")),
        Some(Data::Element { tag, .. }) => out.push_str(&format!("<{tag:?}>").to_lowercase()),
        _ => {}
    }
}

fn check(html: &str) {
    assert_eq!(ours(html), oracle(html), "{html}");
}

#[test]
fn builds_the_tree_of_html5ever() {
    for html in include_str!("../../tests/fixtures/soup.txt").lines().filter(|line| !line.is_empty()) {
        check(html);
    }
}

/// What the standard's text says of some cases, written down by hand.
#[test]
fn follows_the_standard() {
    for (html, body) in [
        ("<p>1<b>2<p>3</b>4", "<p>1<b>2</></><p><b>3</>4</>"),
        ("<b>1<p>2</b>3</p>", "<b>1</><p><b>2</>3</>"),
        ("<a href=x>1<div>2<a href=y>3", "<a>1</><div><a>2</><a>3</></>"),
        ("<table>1<tr>2<td>3</table>4", "12<table><tbody><tr><td>3</></></></>4"),
        ("<table><td><p>1<td>2", "<table><tbody><tr><td><p>1</></><td>2</></></></>"),
        ("<ul><li>1<li>2<ul><li>3</ul><li>4</ul>", "<ul><li>1</><li>2<ul><li>3</></></><li>4</></>"),
        ("<p>1<table><tr><td>2</table>", "<p>1<table><tbody><tr><td>2</></></></></>"),
        ("<!-->1--><!--->2<!-- -- -->3<!--x--!>4", "1-->234"),
        ("<!doctype html><p>1<table>", "<p>1</><table></>"),
        ("1</p>2</br>3", "1<p></>2<br></>3"),
        ("<p><script><!--<script></script>--></script>1", "<p><script></>1</>"),
        ("<pre>\n1\n</pre><textarea>\n2</textarea>", "<pre>1\n</><textarea>2</>"),
        ("<pre><!-- -->\n1</pre><pre></>\n2", "<pre>\n1</><pre>2</>"),
        ("<svg><title>1</title><p>2", "<svg><other>1</></><p>2</>"),
        ("<math><mi><p>1</mi></math>", "<math><other><p>1</></></>"),
        // html5ever takes `<mi>` for an element that end tags reach through.
        ("<x-y><math><mi></x-y>1", "<other><math><other>1</></></>"),
        ("<select><option>1<option>2</select>", "<select><option>1</><option>2</></>"),
        ("<ruby>1<rp>(<rt>2<rp>)</ruby>3", "<ruby>1<rp>(</><rt>2</><rp>)</></>3"),
        (
            "<p>1<table><td><div></div></table><div>2",
            "<p>1<table><tbody><tr><td><div></></></></></></><div>2</>",
        ),
        ("<p><button><div></div></button>1<div>2", "<p><button><div></></>1</><div>2</>"),
        ("<p><object><div></div></object><i></i>1<div>2", "<p><object><div></></><i></>1</><div>2</>"),
        ("<image src=x>&amp;&notin;&notx", "<img></>&∉¬x"),
        ("a<0>b< c</ d>e</>f<?g>h", "a<0>b< cefh"),
    ] {
        let whole = ours(html);
        let inner = whole.split_once("<body>").unwrap().1.strip_suffix("</></>").unwrap();
        assert_eq!(inner, body, "{html}");
    }
}

#[test]
fn survives_deep_nesting() {
    let deep = "<div>".repeat(100_000) + "text" + &"</div>".repeat(100_000) + "<p>after";
    let dom = parse(&deep);
    assert!(depth(&dom) <= 520, "{}", depth(&dom));
    assert_eq!(dom.text(ROOT, 1 << 20), "text after");
    let last = dom.walk(ROOT).filter(|id| dom.tag(*id) == Tag::P).last().unwrap();
    assert_eq!(dom.tag(dom.parent(last)), Tag::Body);
}

/// The greatest number of elements above one.
fn depth(dom: &Dom<'_>) -> usize {
    let mut depths = vec![0_usize; dom.nodes.len()];
    let mut most = 0;
    for id in dom.walk(ROOT).skip(1) {
        let depth = depths[dom.parent(id) as usize] + 1;
        depths[id as usize] = depth;
        most = most.max(depth);
    }
    most
}

/// Elements beyond the greatest depth are beside each other there, as in Chromium, and end tags end what they name.
#[test]
fn elements_in_the_depth_become_siblings() {
    let inner = "<div>1<ul><li><img src=a>2<li><a href=x>3</a></ul></div><h2>4</h2><table><tr><td>5<td>6</table><p>7<p>8";
    for levels in [505, 511, 512, 600, 5_000] {
        let html = format!("{}{inner}{}<p>9", "<div>".repeat(levels), "</div>".repeat(levels));
        let dom = parse(&html);
        let parts: Vec<_> = dom
            .walk(ROOT)
            .map(|id| (dom.tag(id), dom.parent(id)))
            .filter(|(tag, _)| !matches!(tag, Tag::Other | Tag::Html | Tag::Head | Tag::Body | Tag::Div))
            .collect();
        let tags: Vec<_> = parts.iter().map(|(tag, _)| *tag).collect();
        let expected = [
            Tag::Ul,
            Tag::Li,
            Tag::Img,
            Tag::Li,
            Tag::A,
            Tag::H2,
            Tag::Table,
            Tag::Tbody,
            Tag::Tr,
            Tag::Td,
            Tag::Td,
            Tag::P,
            Tag::P,
            Tag::P,
        ];
        assert_eq!(tags, expected, "{levels}");
        assert_eq!(dom.tag(parts[13].1), Tag::Body, "{levels}");
        assert!(depth(&dom) <= 520);
        if levels >= 600 {
            // All of one parent.
            assert!(parts[..13].iter().all(|(_, parent)| *parent == parts[0].1), "{levels}");
        }
    }
}

/// A page that asks for more formatting elements than it may have keeps everything else.
#[test]
fn the_limit_of_nodes_leaves_nothing_out() {
    let many: String = (0..256).map(|i| format!("<b id={i}>")).collect();
    let html = format!("<p>{many}</p>")
        + &"<p>x</p>".repeat(1_000)
        + "<div><h1>1</h1><table><tr><td>2</td></tr></table></div><b><p>3</b>4</p><h2>5";
    let (dom, limited) = parse_telling(&html);
    assert!(limited);
    let end: Vec<_> = dom.walk(ROOT).map(|id| dom.tag(id)).filter(|tag| *tag != Tag::Other).collect();
    let expected = [Tag::Div, Tag::H1, Tag::Table, Tag::Tbody, Tag::Tr, Tag::Td, Tag::B, Tag::P, Tag::H2];
    assert!(end.ends_with(&expected), "{:?}", &end[end.len() - 12..]);
    assert_eq!(dom.text(ROOT, 1 << 20).replace(' ', "").len(), 1_005);
    assert!(!parse_telling("<b><p>1</b>2").1);
}

/// The work on a hostile page grows with its length, not with the square of it.
#[test]
fn hostile_pages_cost_work_in_proportion() {
    let numbered = |piece: &str| (0..50_000).map(|i| piece.replace('#', &i.to_string())).collect::<String>();
    for (name, html) in [
        ("unclosed", "<div>".repeat(1_000_000)),
        ("unclosed inline", "<span>".repeat(500_000)),
        ("paragraphs in the depth", "<div>".repeat(600) + &"<p>x".repeat(200_000)),
        ("formatting", numbered("<p><b id=#>x</p>")),
        ("formatting in the depth", "<div>".repeat(450) + &numbered("<p><b id=#>x</p>")),
        ("adoption", numbered("<b id=#><div>x</b>")),
        ("adoption of many", "<a><b><i><u><p>".repeat(50_000) + &"</a></b></i></u>".repeat(50_000)),
        ("links", "<a><div>".repeat(100_000)),
        ("fonts over cells", numbered("<table><tr><td><font size=#>x</table>")),
        ("tables", "<table><tr><td>".repeat(100_000)),
        ("rows", "<tr><td>x".repeat(200_000)),
        ("foster", "<table>".to_owned() + &"<b>x".repeat(100_000)),
        ("lists", "<ul><li>".repeat(100_000)),
        ("end tags", "<div>".repeat(500) + &"</x>".repeat(500_000)),
        ("entities", "&amp;&notit;&#x3042;&".repeat(200_000)),
        ("templates", "<template>".repeat(100_000)),
        ("svg", "<svg><desc>".repeat(100_000)),
        ("sidebars", "<div class=sidebar>x</div>".repeat(32_000)),
        (
            "objects in cells",
            "<table><tr>".to_owned()
                + &"<td><object></td>".repeat(60_000)
                + &"<b><span><div></b></div>".repeat(60_000),
        ),
        ("adoption in the depth", "<div>".repeat(600) + &numbered("<b id=#><div>x</b>")),
        ("fonts in the depth", "<div>".repeat(600) + &numbered("<font id=#><p>x</font>")),
        ("templates in the depth", "<div>".repeat(600) + &"<template><table>x".repeat(50_000)),
        ("attributes", format!("<p {}>x", "class=a id=b ".repeat(200_000))),
        ("one attribute", format!("<p class='{}'>x", "a".repeat(5_000_000))),
        ("open comment", "<!--".repeat(500_000)),
        ("open script", "<script><!--<script>".repeat(100_000)),
        ("open tag", "<a ".repeat(500_000)),
    ] {
        let builder = tokenizer::run(&html);
        let (nodes, steps) = (builder.dom.nodes.len(), builder.steps);
        // Two passes over the deepest stack and the longest list for each tag are far more than it takes.
        let tags = html.bytes().filter(|byte| *byte == b'<').count() as u64;
        assert!(nodes <= html.len() / 2 + 20_000, "{name}: {nodes} nodes of {} bytes", html.len());
        let depth = depth(&builder.dom);
        assert!(depth <= 2 * MAX_DEPTH, "{name}: {depth} levels");
        assert!(steps <= 3_000 * tags + 100_000, "{name}: {steps} steps for {tags} tags");
    }
}

/// Pieces of which tag soup is made.
fn soup() -> impl Strategy<Value = String> {
    const NAMES: [&str; 43] = [
        "p", "div", "b", "i", "a", "font", "table", "tr", "td", "th", "tbody", "caption", "ul", "li", "dl",
        "dt", "dd", "h1", "h2", "span", "form", "button", "nobr", "br", "img", "svg", "math", "style",
        "script", "head", "body", "html", "template", "ruby", "rt", "col", "colgroup", "pre", "em", "x-y",
        "object", "marquee", "section",
    ];
    let name = prop::sample::select(&NAMES[..]);
    let piece = prop_oneof![
        6 => name.clone().prop_map(|name| format!("<{name}>")),
        4 => name.clone().prop_map(|name| format!("</{name}>")),
        1 => (name, 0..3).prop_map(|(name, size)| format!("<{name} class=c{size} id='x>' color=\"red\"/>")),
        3 => "[a-c日 ]{1,4}",
        1 => prop::sample::select(&["<!-- x -->", "&amp;", "&lt", "<", "</", "<input type=hidden>",
            "<hr>", "&#12354;", "<![CDATA[x]]>", "\n", "<p/>", "<noscript>", "</noscript>", "<base href=x>"][..])
            .prop_map(str::to_owned),
    ];
    // Further down html5ever joins the texts around a document type in a table, which the standard does not.
    let doctype = prop::sample::select(&["", "<!doctype html>"][..]);
    (doctype, prop::collection::vec(piece, 0..40))
        .prop_map(|(doctype, pieces)| doctype.to_owned() + &pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn reads_tag_soup_like_html5ever(html in soup()) {
        prop_assert_eq!(ours(&html), oracle(&html));
    }

    #[test]
    fn reads_anything(html in "[<>/!?&#;='\"a-dpt \n\u{0}日-]{0,200}") {
        let dom = parse(&html);
        prop_assert!(dom.nodes.len() <= 3 * html.len() + 4);
    }
}
