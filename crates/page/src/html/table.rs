//! The insertion modes of tables.

use super::builder::{Builder, Flow, Mode};
use super::token::{Content, End, Start};
use crate::dom::{NONE, Span};
use crate::tag::Tag;

fn is_table(tag: Tag) -> bool {
    tag == Tag::Table
}

fn is_section(tag: Tag) -> bool {
    matches!(tag, Tag::Tbody | Tag::Thead | Tag::Tfoot)
}

fn is_cell(tag: Tag) -> bool {
    matches!(tag, Tag::Td | Tag::Th)
}

impl Builder<'_> {
    /// Closes what is open inside of a table, a section or a row.
    fn back_to(&mut self, wanted: impl Fn(Tag) -> bool) {
        self.pop_above(|tag| wanted(tag) || matches!(tag, Tag::Template | Tag::Html));
    }

    pub(super) fn text_in_table(&mut self, text: Span) {
        let in_table = matches!(
            self.current_tag(),
            Tag::Table | Tag::Tbody | Tag::Template | Tag::Tfoot | Tag::Thead | Tag::Tr
        );
        if in_table && self.is_blank(text) {
            self.insert_text(text);
        } else {
            self.foster = true;
            self.text_in_body(text);
            self.foster = false;
        }
    }

    pub(super) fn start_in_table(&mut self, tag: Start) -> Flow {
        match tag.tag {
            Tag::Caption => {
                self.back_to(is_table);
                self.mark_formatting();
                self.insert(&tag);
                self.mode = Mode::InCaption;
            }
            Tag::Colgroup => {
                self.back_to(is_table);
                self.insert(&tag);
                self.mode = Mode::InColumnGroup;
            }
            Tag::Col => {
                self.back_to(is_table);
                self.insert(&Start::implied(Tag::Colgroup));
                return self.to(Mode::InColumnGroup);
            }
            Tag::Tbody | Tag::Thead | Tag::Tfoot => {
                self.back_to(is_table);
                self.insert(&tag);
                self.mode = Mode::InTableBody;
            }
            Tag::Td | Tag::Th | Tag::Tr => {
                self.back_to(is_table);
                self.insert(&Start::implied(Tag::Tbody));
                return self.to(Mode::InTableBody);
            }
            Tag::Table => {
                if self.in_table_scope(is_table) {
                    self.pop_through(is_table);
                    self.reset_mode();
                    return Flow::Again;
                }
            }
            Tag::Style => self.insert_raw(&tag, Content::Raw),
            Tag::Script | Tag::Template => return self.start_in_head(tag),
            Tag::Input if tag.is_hidden_input(&self.dom) => self.insert_void(&tag),
            Tag::Form => {
                if !self.has_open(Tag::Template) && self.form == NONE {
                    let form = self.insert(&tag);
                    self.form = form.id;
                    self.pop();
                }
            }
            _ => return self.fostered(|builder| builder.start_in_body(tag)),
        }
        Flow::Done
    }

    /// What does not belong into a table goes before it.
    fn fostered(&mut self, run: impl FnOnce(&mut Self) -> Flow) -> Flow {
        self.foster = true;
        let flow = run(self);
        self.foster = false;
        flow
    }

    pub(super) fn end_in_table(&mut self, tag: End) -> Flow {
        match tag.tag {
            Tag::Table => {
                if self.in_table_scope(is_table) {
                    self.pop_through(is_table);
                    self.reset_mode();
                }
            }
            Tag::Body
            | Tag::Caption
            | Tag::Col
            | Tag::Colgroup
            | Tag::Html
            | Tag::Tbody
            | Tag::Td
            | Tag::Tfoot
            | Tag::Th
            | Tag::Thead
            | Tag::Tr => {}
            Tag::Template => return self.end_in_head(tag),
            _ => return self.fostered(|builder| builder.end_in_body(tag)),
        }
        Flow::Done
    }

    fn close_caption(&mut self) -> bool {
        let open = self.in_table_scope(|tag| tag == Tag::Caption);
        if open {
            self.close_implied(Tag::Other);
            self.pop_through(|tag| tag == Tag::Caption);
            self.clear_formatting();
            self.mode = Mode::InTable;
        }
        open
    }

    pub(super) fn start_in_caption(&mut self, tag: Start) -> Flow {
        match tag.tag {
            Tag::Caption
            | Tag::Col
            | Tag::Colgroup
            | Tag::Tbody
            | Tag::Td
            | Tag::Tfoot
            | Tag::Th
            | Tag::Thead
            | Tag::Tr => {
                if self.close_caption() {
                    Flow::Again
                } else {
                    Flow::Done
                }
            }
            _ => self.start_in_body(tag),
        }
    }

    pub(super) fn end_in_caption(&mut self, tag: End) -> Flow {
        match tag.tag {
            Tag::Caption => {
                self.close_caption();
            }
            Tag::Table => return if self.close_caption() { Flow::Again } else { Flow::Done },
            Tag::Body
            | Tag::Col
            | Tag::Colgroup
            | Tag::Html
            | Tag::Tbody
            | Tag::Td
            | Tag::Tfoot
            | Tag::Th
            | Tag::Thead
            | Tag::Tr => {}
            _ => return self.end_in_body(tag),
        }
        Flow::Done
    }

    /// Whether a column group was open.
    pub(super) fn leave_column_group(&mut self) -> bool {
        let open = self.current_tag() == Tag::Colgroup;
        if open {
            self.pop();
            self.mode = Mode::InTable;
        }
        open
    }

    pub(super) fn start_in_column_group(&mut self, tag: Start) -> Flow {
        match tag.tag {
            Tag::Col => self.insert_void(&tag),
            Tag::Template => return self.start_in_head(tag),
            _ => return if self.leave_column_group() { Flow::Again } else { Flow::Done },
        }
        Flow::Done
    }

    pub(super) fn end_in_column_group(&mut self, tag: End) -> Flow {
        match tag.tag {
            Tag::Colgroup => {
                self.leave_column_group();
            }
            Tag::Col => {}
            Tag::Template => return self.end_in_head(tag),
            _ => return if self.leave_column_group() { Flow::Again } else { Flow::Done },
        }
        Flow::Done
    }

    pub(super) fn start_in_table_body(&mut self, tag: Start) -> Flow {
        match tag.tag {
            Tag::Tr => {
                self.back_to(is_section);
                self.insert(&tag);
                self.mode = Mode::InRow;
                Flow::Done
            }
            Tag::Td | Tag::Th => {
                self.back_to(is_section);
                self.insert(&Start::implied(Tag::Tr));
                self.to(Mode::InRow)
            }
            Tag::Caption | Tag::Col | Tag::Colgroup | Tag::Tbody | Tag::Tfoot | Tag::Thead => {
                self.leave_section()
            }
            _ => self.start_in_table(tag),
        }
    }

    fn leave_section(&mut self) -> Flow {
        if !self.in_table_scope(is_section) {
            return Flow::Done;
        }
        self.back_to(is_section);
        self.pop();
        self.to(Mode::InTable)
    }

    pub(super) fn end_in_table_body(&mut self, tag: End) -> Flow {
        match tag.tag {
            Tag::Tbody | Tag::Thead | Tag::Tfoot => {
                if self.in_table_scope(|open| open == tag.tag) {
                    self.back_to(is_section);
                    self.pop();
                    self.mode = Mode::InTable;
                }
                Flow::Done
            }
            Tag::Table => self.leave_section(),
            Tag::Body | Tag::Caption | Tag::Col | Tag::Colgroup | Tag::Html | Tag::Td | Tag::Th | Tag::Tr => {
                Flow::Done
            }
            _ => self.end_in_table(tag),
        }
    }

    fn leave_row(&mut self) -> bool {
        let open = self.in_table_scope(|tag| tag == Tag::Tr);
        if open {
            self.back_to(|tag| tag == Tag::Tr);
            self.pop();
            self.mode = Mode::InTableBody;
        }
        open
    }

    pub(super) fn start_in_row(&mut self, tag: Start) -> Flow {
        match tag.tag {
            Tag::Td | Tag::Th => {
                self.back_to(|tag| tag == Tag::Tr);
                self.insert(&tag);
                self.mode = Mode::InCell;
                self.mark_formatting();
                Flow::Done
            }
            Tag::Caption | Tag::Col | Tag::Colgroup | Tag::Tbody | Tag::Tfoot | Tag::Thead | Tag::Tr => {
                if self.leave_row() {
                    Flow::Again
                } else {
                    Flow::Done
                }
            }
            _ => self.start_in_table(tag),
        }
    }

    pub(super) fn end_in_row(&mut self, tag: End) -> Flow {
        match tag.tag {
            Tag::Tr => {
                self.leave_row();
                Flow::Done
            }
            Tag::Table => {
                if self.leave_row() {
                    Flow::Again
                } else {
                    Flow::Done
                }
            }
            Tag::Tbody | Tag::Thead | Tag::Tfoot => {
                if self.in_table_scope(|open| open == tag.tag) && self.leave_row() {
                    Flow::Again
                } else {
                    Flow::Done
                }
            }
            Tag::Body | Tag::Caption | Tag::Col | Tag::Colgroup | Tag::Html | Tag::Td | Tag::Th => Flow::Done,
            _ => self.end_in_table(tag),
        }
    }

    fn close_cell(&mut self) {
        self.close_implied(Tag::Other);
        self.pop_through(is_cell);
        self.clear_formatting();
        self.mode = Mode::InRow;
    }

    pub(super) fn start_in_cell(&mut self, tag: Start) -> Flow {
        match tag.tag {
            Tag::Caption
            | Tag::Col
            | Tag::Colgroup
            | Tag::Tbody
            | Tag::Td
            | Tag::Tfoot
            | Tag::Th
            | Tag::Thead
            | Tag::Tr => {
                if !self.in_table_scope(is_cell) {
                    return Flow::Done;
                }
                self.close_cell();
                Flow::Again
            }
            _ => self.start_in_body(tag),
        }
    }

    pub(super) fn end_in_cell(&mut self, tag: End) -> Flow {
        match tag.tag {
            Tag::Td | Tag::Th => {
                if self.in_table_scope(|open| open == tag.tag) {
                    self.close_implied(Tag::Other);
                    self.pop_through(|open| open == tag.tag);
                    self.clear_formatting();
                    self.mode = Mode::InRow;
                }
                Flow::Done
            }
            Tag::Body | Tag::Caption | Tag::Col | Tag::Colgroup | Tag::Html => Flow::Done,
            Tag::Table | Tag::Tbody | Tag::Tfoot | Tag::Thead | Tag::Tr => {
                if !self.in_table_scope(|open| open == tag.tag) {
                    return Flow::Done;
                }
                self.close_cell();
                Flow::Again
            }
            _ => self.end_in_body(tag),
        }
    }
}
