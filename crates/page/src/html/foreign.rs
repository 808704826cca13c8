//! SVG and MathML in HTML.

use super::attribute::Attr;
use super::builder::{Builder, Flow};
use super::stack::{Open, Space};
use super::token::{End, Start};
use crate::tag::Tag;

/// HTML elements that end foreign content: they stand there by mistake.
fn breaks_out(tag: Tag) -> bool {
    tag.is_heading()
        || matches!(
            tag,
            Tag::B
                | Tag::Big
                | Tag::Blockquote
                | Tag::Body
                | Tag::Br
                | Tag::Center
                | Tag::Code
                | Tag::Dd
                | Tag::Div
                | Tag::Dl
                | Tag::Dt
                | Tag::Em
                | Tag::Embed
                | Tag::Head
                | Tag::Hr
                | Tag::I
                | Tag::Img
                | Tag::Li
                | Tag::Listing
                | Tag::Menu
                | Tag::Meta
                | Tag::Nobr
                | Tag::Ol
                | Tag::P
                | Tag::Pre
                | Tag::Ruby
                | Tag::S
                | Tag::Small
                | Tag::Span
                | Tag::Strong
                | Tag::Strike
                | Tag::Sub
                | Tag::Sup
                | Tag::Table
                | Tag::Tt
                | Tag::U
                | Tag::Ul
                | Tag::Var
        )
}

impl Builder<'_> {
    /// Whether the element that is open is not HTML.
    pub(super) fn is_foreign(&self) -> bool {
        self.stack.last().is_some_and(|open| open.space != Space::Html)
    }

    /// Whether `<![CDATA[` begins a text here.
    pub(super) fn takes_cdata(&self) -> bool {
        self.is_foreign()
    }

    /// Whether a start tag is read as foreign content.
    pub(super) fn is_foreign_start(&self, tag: &Start) -> bool {
        let Some(open) = self.stack.last().filter(|open| open.space != Space::Html) else { return false };
        let as_html = open.html_point
            || (open.text_point && !matches!(tag.tag, Tag::Mglyph | Tag::Malignmark))
            || (open.space == Space::Math && open.tag == Tag::AnnotationXml && tag.tag == Tag::Svg);
        !as_html
    }

    pub(super) fn foreign_start(&mut self, tag: Start) {
        let styled = |attribute: Attr| tag.attribute(&self.dom, attribute).is_some();
        let font = tag.tag == Tag::Font && (styled(Attr::Color) || styled(Attr::Face) || styled(Attr::Size));
        if font || breaks_out(tag.tag) {
            self.break_out();
            while self.start_in(self.mode, tag) == Flow::Again {}
            return;
        }
        let space = self.stack.last().map_or(Space::Svg, |open| open.space);
        self.insert_foreign(&tag, space);
    }

    fn break_out(&mut self) {
        while self
            .stack
            .last()
            .is_some_and(|open| open.space != Space::Html && !open.html_point && !open.text_point)
        {
            self.pop();
        }
    }

    /// Puts an element of another namespace and opens it unless it closes itself.
    pub(super) fn insert_foreign(&mut self, tag: &Start, space: Space) {
        let place = self.place_of_element();
        // Inside, nothing looks like HTML: an SVG's title is not the page's.
        let shown = if matches!(tag.tag, Tag::Svg | Tag::Math) { tag.tag } else { Tag::Other };
        let id = self.create(tag, shown);
        self.put(id, place);
        if tag.self_closing {
            return;
        }
        let is_html = |encoding: &str| {
            encoding.eq_ignore_ascii_case("text/html")
                || encoding.eq_ignore_ascii_case("application/xhtml+xml")
        };
        let (html_point, text_point) = match (space, tag.tag) {
            (Space::Svg, Tag::ForeignObject | Tag::Desc | Tag::Title) => (true, false),
            (Space::Math, Tag::Mi | Tag::Mo | Tag::Mn | Tag::Ms | Tag::Mtext) => (false, true),
            (Space::Math, Tag::AnnotationXml) => {
                (tag.attribute(&self.dom, Attr::Encoding).is_some_and(is_html), false)
            }
            _ => (false, false),
        };
        self.push(Open { space, html_point, text_point, ..Open::html(id, tag) });
    }

    pub(super) fn foreign_end(&mut self, tag: End) {
        if matches!(tag.tag, Tag::Br | Tag::P) {
            self.break_out();
            while self.end_in(self.mode, tag) == Flow::Again {}
            return;
        }
        for at in (1..self.stack.len()).rev() {
            self.steps += 1;
            let open = self.stack[at];
            if open.space == Space::Html {
                while self.end_in(self.mode, tag) == Flow::Again {}
                return;
            }
            if self.same_name(&open, &tag) {
                self.stack.truncate(at);
                return;
            }
        }
    }

    /// Whether an end tag has the name of an element.
    pub(super) fn same_name(&self, open: &Open, end: &End) -> bool {
        open.tag == end.tag
            && (end.tag != Tag::Other || self.dom.str(open.name).eq_ignore_ascii_case(self.dom.str(end.name)))
    }
}
