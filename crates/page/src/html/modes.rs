//! The insertion modes before and behind the body, and the choice among all of them.

use super::builder::{Builder, Flow, Mode};
use super::token::{Content, End, Start};
use crate::dom::{NONE, Span};
use crate::tag::Tag;

impl Builder<'_> {
    pub(super) fn start_in(&mut self, mode: Mode, tag: Start) -> Flow {
        // The root element's attributes count wherever they come. Directly in a template the tag is one like any other: it
        // changes the insertion mode before it is ignored.
        if tag.tag == Tag::Html && !matches!(mode, Mode::Initial | Mode::BeforeHtml | Mode::InTemplate) {
            if !self.has_open(Tag::Template) {
                self.add_attributes(0, &tag);
            }
            return Flow::Done;
        }
        match mode {
            Mode::Initial => self.to(Mode::BeforeHtml),
            Mode::BeforeHtml if tag.tag == Tag::Html => {
                self.insert(&tag);
                self.mode = Mode::BeforeHead;
                Flow::Done
            }
            Mode::BeforeHead if tag.tag == Tag::Head => {
                self.head = Some(self.insert(&tag));
                self.mode = Mode::InHead;
                Flow::Done
            }
            Mode::BeforeHtml | Mode::BeforeHead => self.again_after_step(),
            Mode::InHead => self.start_in_head(tag),
            Mode::InHeadNoscript => match tag.tag {
                Tag::Basefont | Tag::Bgsound | Tag::Link | Tag::Meta | Tag::Noframes | Tag::Style => {
                    self.start_in_head(tag)
                }
                Tag::Head | Tag::Noscript => Flow::Done,
                _ => self.again_after_step(),
            },
            Mode::AfterHead => self.start_after_head(tag),
            Mode::InBody => self.start_in_body(tag),
            // Raw texts have no tags in them; this cannot be reached.
            Mode::Text => {
                self.pop();
                self.to(self.original)
            }
            Mode::InTable => self.start_in_table(tag),
            Mode::InCaption => self.start_in_caption(tag),
            Mode::InColumnGroup => self.start_in_column_group(tag),
            Mode::InTableBody => self.start_in_table_body(tag),
            Mode::InRow => self.start_in_row(tag),
            Mode::InCell => self.start_in_cell(tag),
            Mode::InTemplate => self.start_in_template(tag),
            Mode::AfterBody | Mode::AfterAfterBody => self.to(Mode::InBody),
            Mode::InFrameset => {
                match tag.tag {
                    Tag::Frameset => {
                        self.insert(&tag);
                    }
                    Tag::Frame => self.insert_void(&tag),
                    Tag::Noframes => return self.start_in_head(tag),
                    _ => {}
                }
                Flow::Done
            }
            Mode::AfterFrameset | Mode::AfterAfterFrameset if tag.tag == Tag::Noframes => {
                self.start_in_head(tag)
            }
            Mode::AfterFrameset | Mode::AfterAfterFrameset => Flow::Done,
        }
    }

    pub(super) fn end_in(&mut self, mode: Mode, tag: End) -> Flow {
        match mode {
            Mode::Initial => self.to(Mode::BeforeHtml),
            Mode::BeforeHtml | Mode::BeforeHead => match tag.tag {
                Tag::Head | Tag::Body | Tag::Html | Tag::Br => self.again_after_step(),
                Tag::Template if mode == Mode::BeforeHead => self.end_in_head(tag),
                _ => Flow::Done,
            },
            Mode::InHead => self.end_in_head(tag),
            Mode::InHeadNoscript if tag.tag == Tag::Noscript => {
                self.step_to_body();
                Flow::Done
            }
            Mode::InHeadNoscript if tag.tag == Tag::Br => self.again_after_step(),
            Mode::InHeadNoscript => Flow::Done,
            Mode::AfterHead => match tag.tag {
                Tag::Body | Tag::Html | Tag::Br => self.again_after_step(),
                Tag::Template => self.end_in_head(tag),
                _ => Flow::Done,
            },
            Mode::InBody => self.end_in_body(tag),
            Mode::Text => {
                self.pop();
                self.mode = self.original;
                Flow::Done
            }
            Mode::InTable => self.end_in_table(tag),
            Mode::InCaption => self.end_in_caption(tag),
            Mode::InColumnGroup => self.end_in_column_group(tag),
            Mode::InTableBody => self.end_in_table_body(tag),
            Mode::InRow => self.end_in_row(tag),
            Mode::InCell => self.end_in_cell(tag),
            Mode::InTemplate if tag.tag == Tag::Template => self.end_in_head(tag),
            Mode::InTemplate => Flow::Done,
            Mode::AfterBody if tag.tag == Tag::Html => {
                self.mode = Mode::AfterAfterBody;
                Flow::Done
            }
            Mode::AfterBody | Mode::AfterAfterBody => self.to(Mode::InBody),
            Mode::InFrameset => {
                if tag.tag == Tag::Frameset && self.stack.len() > 1 {
                    self.pop();
                    if self.current_tag() != Tag::Frameset {
                        self.mode = Mode::AfterFrameset;
                    }
                }
                Flow::Done
            }
            Mode::AfterFrameset if tag.tag == Tag::Html => {
                self.mode = Mode::AfterAfterFrameset;
                Flow::Done
            }
            Mode::AfterFrameset | Mode::AfterAfterFrameset => Flow::Done,
        }
    }

    pub(super) fn text_in(&mut self, text: Span) {
        loop {
            match self.mode {
                Mode::Text => return self.insert_text(text),
                Mode::InBody | Mode::InCaption | Mode::InCell | Mode::InTemplate => {
                    return self.text_in_body(text);
                }
                Mode::InTable | Mode::InTableBody | Mode::InRow => return self.text_in_table(text),
                Mode::InFrameset | Mode::AfterFrameset | Mode::AfterAfterFrameset => return,
                _ => {}
            }
            // Behind the body white space belongs to the body.
            let behind = matches!(self.mode, Mode::AfterBody | Mode::AfterAfterBody);
            if behind && self.is_blank(text) {
                return self.text_in_body(text);
            }
            let blank =
                self.dom.str(text).bytes().take_while(|byte| super::tokenizer::is_space(*byte)).count();
            if matches!(
                self.mode,
                Mode::InHead | Mode::InHeadNoscript | Mode::AfterHead | Mode::InColumnGroup
            ) {
                self.insert_text(text.take(blank));
            }
            if !behind && blank > 0 {
                return self.text_behind_blank(text.skip(blank));
            }
            match self.mode {
                Mode::AfterBody | Mode::AfterAfterBody => self.mode = Mode::InBody,
                Mode::InColumnGroup => {
                    if !self.leave_column_group() {
                        return;
                    }
                }
                _ => self.step_to_body(),
            }
        }
    }

    fn text_behind_blank(&mut self, text: Span) {
        if !text.is_empty() {
            self.text_in(text);
        }
    }

    /// Goes on in another mode.
    pub(super) fn to(&mut self, mode: Mode) -> Flow {
        if self.mode == Mode::Initial {
            // There was no document type.
            self.quirks = true;
        }
        self.mode = mode;
        Flow::Again
    }

    fn again_after_step(&mut self) -> Flow {
        self.step_to_body();
        Flow::Again
    }

    /// Makes what the page left out, one step nearer to the body.
    pub(super) fn step_to_body(&mut self) {
        match self.mode {
            Mode::Initial => {
                self.to(Mode::BeforeHtml);
            }
            Mode::BeforeHtml => {
                self.insert(&Start::implied(Tag::Html));
                self.mode = Mode::BeforeHead;
            }
            Mode::BeforeHead => {
                self.head = Some(self.insert(&Start::implied(Tag::Head)));
                self.mode = Mode::InHead;
            }
            Mode::InHead => {
                self.pop();
                self.mode = Mode::AfterHead;
            }
            Mode::InHeadNoscript => {
                self.pop();
                self.mode = Mode::InHead;
            }
            _ => {
                self.insert(&Start::implied(Tag::Body));
                self.mode = Mode::InBody;
            }
        }
    }

    pub(super) fn start_in_head(&mut self, tag: Start) -> Flow {
        match tag.tag {
            Tag::Base | Tag::Basefont | Tag::Bgsound | Tag::Link | Tag::Meta => self.insert_void(&tag),
            Tag::Title => self.insert_raw(&tag, Content::Escapable),
            Tag::Noframes | Tag::Style => self.insert_raw(&tag, Content::Raw),
            Tag::Script => self.insert_raw(&tag, Content::Script),
            Tag::Noscript => {
                self.insert(&tag);
                self.mode = Mode::InHeadNoscript;
            }
            Tag::Template => {
                self.insert(&tag);
                self.mark_formatting();
                self.frameset_ok = false;
                self.mode = Mode::InTemplate;
                self.template_modes.push(Mode::InTemplate);
            }
            Tag::Head => {}
            _ => return self.again_after_step(),
        }
        Flow::Done
    }

    pub(super) fn end_in_head(&mut self, tag: End) -> Flow {
        match tag.tag {
            Tag::Head => self.step_to_body(),
            Tag::Body | Tag::Html | Tag::Br => return self.again_after_step(),
            Tag::Template => self.end_template(),
            _ => {}
        }
        Flow::Done
    }

    fn start_after_head(&mut self, tag: Start) -> Flow {
        match tag.tag {
            Tag::Body => {
                self.insert(&tag);
                self.frameset_ok = false;
                self.mode = Mode::InBody;
            }
            Tag::Frameset => {
                self.insert(&tag);
                self.mode = Mode::InFrameset;
            }
            Tag::Base
            | Tag::Basefont
            | Tag::Bgsound
            | Tag::Link
            | Tag::Meta
            | Tag::Noframes
            | Tag::Script
            | Tag::Style
            | Tag::Template
            | Tag::Title => {
                // They belong into the head that is already closed.
                let Some(head) = self.head else { return Flow::Done };
                self.push(head);
                self.start_in_head(tag);
                if let Some(at) = self.position(head.id) {
                    self.remove(at);
                }
            }
            Tag::Head => {}
            _ => return self.again_after_step(),
        }
        Flow::Done
    }

    fn start_in_template(&mut self, tag: Start) -> Flow {
        let mode = match tag.tag {
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
            Tag::Caption | Tag::Colgroup | Tag::Tbody | Tag::Tfoot | Tag::Thead => Mode::InTable,
            Tag::Col => Mode::InColumnGroup,
            Tag::Tr => Mode::InTableBody,
            Tag::Td | Tag::Th => Mode::InRow,
            _ => Mode::InBody,
        };
        self.template_modes.pop();
        self.template_modes.push(mode);
        self.to(mode)
    }

    /// Whether the page has a form open that keeps another one out.
    pub(super) fn has_form(&mut self) -> bool {
        self.form != NONE && !self.has_open(Tag::Template)
    }
}
