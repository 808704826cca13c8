//! The insertion mode "in body".

use super::builder::{Builder, Flow, Mode};
use super::stack::Space;
use super::token::{Content, End, Start};
use crate::dom::{NONE, Span};
use crate::tag::Tag;

impl Builder<'_> {
    pub(super) fn text_in_body(&mut self, text: Span) {
        self.reconstruct();
        if self.frameset_ok && !self.is_blank(text) {
            self.frameset_ok = false;
        }
        self.insert_text(text);
    }

    pub(super) fn start_in_body(&mut self, tag: Start) -> Flow {
        match tag.tag {
            Tag::Base
            | Tag::Basefont
            | Tag::Bgsound
            | Tag::Link
            | Tag::Meta
            | Tag::Noframes
            | Tag::Script
            | Tag::Style
            | Tag::Template
            | Tag::Title => return self.start_in_head(tag),
            Tag::Body => self.body_again(&tag),
            Tag::Frameset => self.frameset_for_body(&tag),
            Tag::Pre | Tag::Listing => {
                self.close_p();
                self.insert(&tag);
                self.skip_newline = true;
                self.frameset_ok = false;
            }
            Tag::Form => {
                if !self.has_form() {
                    self.close_p();
                    let form = self.insert(&tag);
                    if !self.has_open(Tag::Template) {
                        self.form = form.id;
                    }
                }
            }
            Tag::Li => self.item(&tag, |open| open == Tag::Li),
            Tag::Dd | Tag::Dt => self.item(&tag, |open| matches!(open, Tag::Dd | Tag::Dt)),
            Tag::Plaintext => {
                self.close_p();
                self.insert(&tag);
                self.content = Some(Content::Plain);
            }
            Tag::Button => {
                if self.in_scope(Tag::Button) {
                    self.close_implied(Tag::Other);
                    self.pop_through(|open| open == Tag::Button);
                }
                self.reconstruct();
                self.insert(&tag);
                self.frameset_ok = false;
            }
            Tag::A => {
                if let Some(at) = self.last_formatting(Tag::A) {
                    let id = self.formatting[at].id();
                    self.adopt(End::of(Tag::A));
                    if let Some(id) = id {
                        self.forget(id);
                    }
                }
                self.format(tag);
            }
            Tag::Nobr => {
                self.reconstruct();
                if self.in_scope(Tag::Nobr) {
                    self.adopt(End::of(Tag::Nobr));
                }
                self.format(tag);
            }
            _ if is_formatting(tag.tag) => self.format(tag),
            Tag::Applet | Tag::Marquee | Tag::Object => {
                self.reconstruct();
                self.insert(&tag);
                self.mark_formatting();
                self.frameset_ok = false;
            }
            Tag::Table => {
                if !self.quirks {
                    self.close_p();
                }
                self.insert(&tag);
                self.frameset_ok = false;
                self.mode = Mode::InTable;
            }
            Tag::Area | Tag::Br | Tag::Embed | Tag::Img | Tag::Keygen | Tag::Wbr => {
                self.reconstruct();
                self.insert_void(&tag);
                self.frameset_ok = false;
            }
            Tag::Image => {
                self.reconstruct();
                self.insert_void(&Start { tag: Tag::Img, ..tag });
                self.frameset_ok = false;
            }
            Tag::Input => {
                self.close_select();
                self.reconstruct();
                self.insert_void(&tag);
                self.frameset_ok &= tag.is_hidden_input(&self.dom);
            }
            Tag::Param | Tag::Source | Tag::Track => self.insert_void(&tag),
            Tag::Hr => {
                self.close_p();
                if self.in_scope(Tag::Select) {
                    self.close_implied(Tag::Other);
                }
                self.insert_void(&tag);
                self.frameset_ok = false;
            }
            Tag::Textarea => {
                self.insert_raw(&tag, Content::Escapable);
                self.skip_newline = true;
                self.frameset_ok = false;
            }
            Tag::Xmp => {
                self.close_p();
                self.reconstruct();
                self.frameset_ok = false;
                self.insert_raw(&tag, Content::Raw);
            }
            Tag::Iframe => {
                self.frameset_ok = false;
                self.insert_raw(&tag, Content::Raw);
            }
            Tag::Noembed => self.insert_raw(&tag, Content::Raw),
            Tag::Select => {
                if !self.close_select() {
                    self.reconstruct();
                    self.insert(&tag);
                    self.frameset_ok = false;
                }
            }
            Tag::Option | Tag::Optgroup => self.option(&tag),
            Tag::Rb | Tag::Rtc | Tag::Rp | Tag::Rt => {
                if self.in_scope(Tag::Ruby) {
                    let kept = if matches!(tag.tag, Tag::Rp | Tag::Rt) { Tag::Rtc } else { Tag::Other };
                    self.close_implied(kept);
                }
                self.insert(&tag);
            }
            Tag::Math => {
                self.reconstruct();
                self.insert_foreign(&tag, Space::Math);
            }
            Tag::Svg => {
                self.reconstruct();
                self.insert_foreign(&tag, Space::Svg);
            }
            Tag::Caption
            | Tag::Col
            | Tag::Colgroup
            | Tag::Frame
            | Tag::Head
            | Tag::Tbody
            | Tag::Td
            | Tag::Tfoot
            | Tag::Th
            | Tag::Thead
            | Tag::Tr => {}
            _ if tag.tag.is_heading() => {
                self.close_p();
                if self.current_tag().is_heading() {
                    self.pop();
                }
                self.insert(&tag);
            }
            _ if ends_p(tag.tag) => {
                self.close_p();
                self.insert(&tag);
            }
            _ => {
                self.reconstruct();
                self.insert(&tag);
            }
        }
        Flow::Done
    }

    pub(super) fn end_in_body(&mut self, tag: End) -> Flow {
        match tag.tag {
            Tag::Template => return self.end_in_head(tag),
            Tag::Body | Tag::Html => {
                if self.in_scope(Tag::Body) {
                    self.mode = Mode::AfterBody;
                    return if tag.tag == Tag::Html { Flow::Again } else { Flow::Done };
                }
            }
            Tag::Form => self.end_form(),
            Tag::P => {
                if !self.p_in_button_scope() {
                    self.insert(&Start::implied(Tag::P));
                }
                self.close_p();
            }
            Tag::Li => {
                if self.in_list_scope(Tag::Li) {
                    self.close_implied(Tag::Li);
                    self.pop_through(|open| open == Tag::Li);
                }
            }
            Tag::Dd | Tag::Dt => {
                if self.in_scope(tag.tag) {
                    self.close_implied(tag.tag);
                    self.pop_through(|open| open == tag.tag);
                }
            }
            Tag::Applet | Tag::Marquee | Tag::Object => {
                if self.in_scope(tag.tag) {
                    self.close_implied(Tag::Other);
                    self.pop_through(|open| open == tag.tag);
                    self.clear_formatting();
                }
            }
            Tag::Br => {
                self.reconstruct();
                self.insert_void(&Start::implied(Tag::Br));
                self.frameset_ok = false;
            }
            _ if tag.tag.is_heading() => {
                if self.in_scope_any(Tag::is_heading) {
                    self.close_implied(Tag::Other);
                    self.pop_through(Tag::is_heading);
                }
            }
            _ if is_formatting(tag.tag) || matches!(tag.tag, Tag::A | Tag::Nobr) => self.adopt(tag),
            Tag::Button | Tag::Listing | Tag::Pre | Tag::Select => self.end_block(tag.tag),
            _ if ends_p(tag.tag) => self.end_block(tag.tag),
            _ => self.end_ordinary(tag),
        }
        Flow::Done
    }

    fn end_block(&mut self, tag: Tag) {
        if self.in_scope(tag) {
            self.close_implied(Tag::Other);
            self.pop_through(|open| open == tag);
        }
    }

    /// The end tag of an element without rules of its own: it closes the nearest one of its name that no special
    /// element hides.
    pub(super) fn end_ordinary(&mut self, tag: End) {
        for at in (0..self.stack.len()).rev() {
            self.steps += 1;
            let open = self.stack[at];
            if open.space == Space::Html && self.same_name(&open, &tag) {
                self.stack.truncate(at);
                return;
            }
            if open.is_special() {
                return;
            }
        }
    }

    fn body_again(&mut self, tag: &Start) {
        let has_body = self.stack.get(1).is_some_and(|open| open.is(Tag::Body));
        if has_body && !self.has_open(Tag::Template) {
            self.frameset_ok = false;
            self.add_attributes(1, tag);
        }
    }

    /// A frameset that comes where nothing but white space was in the body takes the body's place.
    fn frameset_for_body(&mut self, tag: &Start) {
        let Some(body) = self.stack.get(1).copied().filter(|open| open.is(Tag::Body)) else { return };
        if self.frameset_ok {
            self.dom.detach(body.id);
            self.stack.truncate(1);
            self.insert(tag);
            self.mode = Mode::InFrameset;
        }
    }

    /// Opens an item of a list and closes the one before it.
    fn item(&mut self, tag: &Start, same: impl Fn(Tag) -> bool) {
        self.frameset_ok = false;
        for at in (0..self.stack.len()).rev() {
            self.steps += 1;
            let open = self.stack[at];
            if open.space == Space::Html && same(open.tag) {
                self.close_implied(open.tag);
                self.pop_through(|found| found == open.tag);
                break;
            }
            let passable = open.space == Space::Html && matches!(open.tag, Tag::Address | Tag::Div | Tag::P);
            if open.is_special() && !passable {
                break;
            }
        }
        self.close_p();
        self.insert(tag);
    }

    fn format(&mut self, tag: Start) {
        self.reconstruct();
        let open = self.insert(&tag);
        self.push_formatting(open.id, tag);
    }

    /// Takes an element out of the list and of the stack.
    fn forget(&mut self, id: u32) {
        if let Some(at) = self.formatting_at(id) {
            self.formatting.remove(at);
        }
        if let Some(at) = self.position(id) {
            self.remove(at);
        }
    }

    /// Closes a select that is open; gives whether one was.
    fn close_select(&mut self) -> bool {
        let open = self.in_scope(Tag::Select);
        if open {
            self.pop_through(|tag| tag == Tag::Select);
        }
        open
    }

    fn option(&mut self, tag: &Start) {
        if self.in_scope(Tag::Select) {
            let kept = if tag.tag == Tag::Option { Tag::Optgroup } else { Tag::Other };
            self.close_implied(kept);
        } else if self.current_tag() == Tag::Option {
            self.pop();
        }
        self.reconstruct();
        self.insert(tag);
    }

    fn end_form(&mut self) {
        if self.has_open(Tag::Template) {
            self.end_block(Tag::Form);
            return;
        }
        let form = std::mem::replace(&mut self.form, NONE);
        if form == NONE || !self.id_in_scope(form) {
            return;
        }
        self.close_implied(Tag::Other);
        if let Some(at) = self.position(form) {
            self.remove(at);
        }
    }
}

fn is_formatting(tag: Tag) -> bool {
    matches!(
        tag,
        Tag::B
            | Tag::Big
            | Tag::Code
            | Tag::Em
            | Tag::Font
            | Tag::I
            | Tag::S
            | Tag::Small
            | Tag::Strike
            | Tag::Strong
            | Tag::Tt
            | Tag::U
    )
}

/// Ordinary blocks: they end a paragraph that is open.
fn ends_p(tag: Tag) -> bool {
    matches!(
        tag,
        Tag::Address
            | Tag::Article
            | Tag::Aside
            | Tag::Blockquote
            | Tag::Center
            | Tag::Details
            | Tag::Dialog
            | Tag::Dir
            | Tag::Div
            | Tag::Dl
            | Tag::Fieldset
            | Tag::Figcaption
            | Tag::Figure
            | Tag::Footer
            | Tag::Header
            | Tag::Hgroup
            | Tag::Main
            | Tag::Menu
            | Tag::Nav
            | Tag::Ol
            | Tag::P
            | Tag::Search
            | Tag::Section
            | Tag::Summary
            | Tag::Ul
    )
}
