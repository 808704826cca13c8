//! What this crate writes, read again by an HTML parser.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking, also in their helpers")]

mod browser;
mod charts;
mod page;
mod parse;
