//! Parsing: html5ever's tokenizer and tree builder with a guard against hostile pages between them.

use std::cell::Cell;

use html5ever::interface::TreeSink;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{
    BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};
use html5ever::tree_builder::{TreeBuilder, TreeBuilderOpts};

use crate::dom::{Dom, Handle, Sink};

/// Elements nested deeper than this are left out, their text kept: the limit of Chromium's parser
/// (`kMaximumHTMLParserDOMTreeDepth`).
const MAX_DEPTH: u32 = 512;
/// Nodes after which no more elements are made. Real pages have some thousands.
const MAX_NODES: usize = 2_000_000;

/// Reads a page as browsers do, scripting off.
pub(crate) fn parse(html: &str) -> Dom {
    let options = TreeBuilderOpts { scripting_enabled: false, ..TreeBuilderOpts::default() };
    let guard = Guard { builder: TreeBuilder::new(Sink::new(), options), dropped: Cell::new(0) };
    let tokenizer = Tokenizer::new(guard, TokenizerOpts::default());
    let queue = BufferQueue::default();
    queue.push_back(StrTendril::from_slice(html));
    // Each script's end hands control back once.
    while !queue.is_empty() {
        let _ = tokenizer.feed(&queue);
    }
    tokenizer.end();
    tokenizer.sink.builder.sink.finish()
}

struct Guard {
    builder: TreeBuilder<Handle, Sink>,
    /// Start tags left out whose end tags are still to come.
    dropped: Cell<u64>,
}

impl Guard {
    fn admits(&self, tag: &Tag) -> bool {
        let sink = &self.builder.sink;
        match tag.kind {
            TagKind::StartTag => {
                if sink.depth.get() < MAX_DEPTH && sink.nodes() < MAX_NODES {
                    return true;
                }
                if !tag.self_closing && !is_void(&tag.name) {
                    self.dropped.set(self.dropped.get() + 1);
                }
                false
            }
            TagKind::EndTag if self.dropped.get() > 0 => {
                self.dropped.set(self.dropped.get() - 1);
                false
            }
            TagKind::EndTag => true,
        }
    }
}

fn is_void(name: &str) -> bool {
    matches!(
        name,
        "area"
            | "base"
            | "br"
            | "col"
            | "embed"
            | "hr"
            | "img"
            | "input"
            | "link"
            | "meta"
            | "source"
            | "track"
            | "wbr"
    )
}

impl TokenSink for Guard {
    type Handle = Handle;

    fn process_token(&self, token: Token, line: u64) -> TokenSinkResult<Handle> {
        match &token {
            Token::TagToken(tag) if !self.admits(tag) => TokenSinkResult::Continue,
            Token::CommentToken(_) | Token::ParseError(_) => TokenSinkResult::Continue,
            _ => self.builder.process_token(token, line),
        }
    }

    fn end(&self) {
        self.builder.end();
    }

    fn adjusted_current_node_present_but_not_in_html_namespace(&self) -> bool {
        self.builder.adjusted_current_node_present_but_not_in_html_namespace()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dom::ROOT;

    #[test]
    fn survives_deep_nesting() {
        let deep = "<div>".repeat(100_000) + "text" + &"</div>".repeat(100_000) + "<p>after";
        let dom = parse(&deep);
        assert!(dom.nodes.len() < 2_000);
        assert_eq!(dom.text(ROOT, 1 << 20), "textafter");
        let formatting: String = (0..20_000).map(|i| format!("<p><b id={i}>x</p>")).collect();
        assert!(parse(&formatting).nodes.len() <= MAX_NODES + 10_000);
    }

    #[test]
    fn goes_on_behind_scripts() {
        let dom = parse("<script>var a = '<p>';</script><p>one<script></script><p>two");
        assert!(dom.text(ROOT, 1000).ends_with("onetwo"));
    }
}
