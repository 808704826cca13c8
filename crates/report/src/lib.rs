//! Self-contained HTML pages: text, sortable tables, SVG charts, cards with images, and funnels.
//!
//! A [`Page`] is one file. Its style sheet, its script and its images are embedded, so that it can be mailed, archived and
//! opened without a server or a network. It follows the reader's light or dark colour scheme and fits screens from 400
//! pixels on.
//!
//! A page is a list of blocks, most of them [`Section`]s, which are lists of blocks again. Every container has two methods:
//! `push` adds in place, `with` adds and returns the container, for chains.
//!
//! ```
//! use tsumugi_report::{Chart, Column, Page, Section, Series, Table};
//!
//! let loss = Series::new("training", [(1.0, 3.2), (2.0, 2.1), (3.0, 1.8)]);
//! let mut stages = Table::new([Column::text("stage"), Column::number("tokens/s").decimals(0)]);
//! stages.push(("align", 6001.3));
//! stages.push(("pretrain", 4893.0));
//!
//! let page = Page::new("Run 7")
//!     .lead("A small run.")
//!     .with(Section::new("Training").with(Chart::line("Loss by step").x("step").with(loss)).with(stages));
//! let html = page.render()?;
//! assert!(html.contains("<svg"));
//! # Ok::<(), tsumugi_report::Error>(())
//! ```
//!
//! # Text is never markup
//!
//! Everything given to a page is plain text and is escaped by the template engine. There is no way to hand in HTML.
//!
//! # What the reader can do
//!
//! - Sort a table by a click on a column's heading, search its rows, and choose rows by the values of a column
//!   ([`Column::filter`]). The same holds for [`Cards`].
//! - Read the values of a chart by pointing at it.
//! - Read everything except the sorting and searching without JavaScript.
#![forbid(unsafe_code)]

mod block;
mod cell;
mod chart;
mod error;
mod facts;
mod format;
mod funnel;
mod image;
mod page;
mod render;
mod table;

pub use block::{Block, Card, Cards, Layout, Section};
pub use cell::Cell;
pub use chart::{Bar, BarChart, Chart, IntervalChart, LineChart, RadarChart, Series};
pub use error::Error;
pub use facts::Facts;
pub use funnel::{Funnel, Stage};
pub use image::Image;
pub use page::Page;
pub use table::{Column, IntoRow, Table};

/// Compiles the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
