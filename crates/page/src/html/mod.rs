//! Reading HTML as browsers do: the tokenizer and tree construction of the WHATWG standard, scripting off.
//!
//! Nothing is copied that need not be: texts and attribute values are places in the source, names of elements
//! are numbers, and of attributes only those are kept that matter for reading a page. Comments are left out.
//! The tests hold the tree against html5ever's.
//!
//! Three limits keep hostile pages cheap: [`MAX_DEPTH`], [`MAX_FORMATTING`] and a number of nodes, growing with the
//! page, from which formatting elements are not made anew. None of them leaves out text or images.

mod adoption;
pub(crate) mod attribute;
mod body;
mod builder;
mod foreign;
mod formatting;
mod modes;
mod quirks;
pub(crate) mod reference;
mod stack;
mod table;
mod token;
mod tokenizer;

use crate::dom::Dom;

/// Elements nested deeper than this are put beside each other at this depth: the limit of Chromium's parser
/// (`kMaximumHTMLParserDOMTreeDepth`) and what it does.
const MAX_DEPTH: usize = 512;
/// Formatting elements (`<b>`, `<font>` ...) that are opened again in the next paragraph if nothing closes them.
/// More are forgotten, the oldest first.
const MAX_FORMATTING: usize = 256;

/// Reads a page, or a piece of one.
pub(crate) fn parse(html: &str) -> Dom<'_> {
    tokenizer::run(html).dom
}

/// Reads a page. Tells whether its formatting was cut short: text and images are there, but not all that is bold or in
/// a link is known as such.
pub(crate) fn parse_telling(html: &str) -> (Dom<'_>, bool) {
    let builder = tokenizer::run(html);
    let limited = builder.limited;
    (builder.dom, limited)
}

#[cfg(test)]
mod tests;
