//! Reading HTML as browsers do: the tokenizer and tree construction of the WHATWG standard, scripting off.
//!
//! Nothing is copied that need not be: texts and attribute values are places in the source, names of elements
//! are numbers, and of attributes only those are kept that matter for reading a page. Comments are left out.
//! The tests hold the tree against html5ever's.
//!
//! Three limits keep hostile pages cheap: [`MAX_DEPTH`], [`MAX_FORMATTING`] and a budget of nodes that grows with
//! the page.

mod adoption;
pub(crate) mod attribute;
mod body;
mod builder;
mod foreign;
mod formatting;
mod modes;
mod names;
mod quirks;
mod reference;
mod table;
mod token;
mod tokenizer;

use crate::dom::Dom;

/// Elements nested deeper than this are left out, their text kept: the limit of Chromium's parser
/// (`kMaximumHTMLParserDOMTreeDepth`).
const MAX_DEPTH: usize = 512;
/// Formatting elements (`<b>`, `<font>` ...) that are opened again in the next paragraph if nothing closes them.
/// More are forgotten, the oldest first.
const MAX_FORMATTING: usize = 256;

/// Reads a page.
pub(crate) fn parse(html: &str) -> Dom<'_> {
    tokenizer::run(html).dom
}

#[cfg(test)]
mod tests;
