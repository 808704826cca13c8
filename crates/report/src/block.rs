use serde::Serialize;

use crate::cell::{Cell, CellView};
use crate::{Cards, Chart, Error, Funnel, Image, Table};

/// A part of a page, of a [`Section`], or of a [`Card`](crate::Card).
///
/// Text, tables, charts, cards, funnels, facts, images and sections become blocks by `into`; `push` and `with` do it by
/// themselves. What has no type of its own is made here.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Block(Kind);

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", content = "value", rename_all = "snake_case")]
enum Kind {
    Section(Section),
    Paragraph(String),
    Note(String),
    Preformatted(String),
    Grid(Vec<Block>),
    Details(Details),
    Facts(Facts),
    Image(Image),
    Table(Table),
    Chart(Chart),
    Cards(Cards),
    Funnel(Funnel),
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Details {
    summary: String,
    open: bool,
    blocks: Vec<Block>,
}

impl Block {
    /// A paragraph of text. Line breaks are kept.
    #[must_use]
    pub fn paragraph(text: impl Into<String>) -> Self {
        Self(Kind::Paragraph(text.into()))
    }

    /// A remark that must not be overlooked, in a box.
    #[must_use]
    pub fn note(text: impl Into<String>) -> Self {
        Self(Kind::Note(text.into()))
    }

    /// Text in a font of fixed width, such as a configuration.
    #[must_use]
    pub fn preformatted(text: impl Into<String>) -> Self {
        Self(Kind::Preformatted(text.into()))
    }

    /// Blocks side by side, as many in a row as fit. Meant for charts and short tables.
    #[must_use]
    pub fn grid<B: Into<Block>>(blocks: impl IntoIterator<Item = B>) -> Self {
        Self(Kind::Grid(blocks.into_iter().map(Into::into).collect()))
    }

    /// Blocks behind a summary that the reader opens.
    #[must_use]
    pub fn details<B: Into<Block>>(summary: impl Into<String>, blocks: impl IntoIterator<Item = B>) -> Self {
        let blocks = blocks.into_iter().map(Into::into).collect();
        Self(Kind::Details(Details { summary: summary.into(), open: false, blocks }))
    }

    /// The same, but open at first.
    #[must_use]
    pub fn open_details<B: Into<Block>>(
        summary: impl Into<String>,
        blocks: impl IntoIterator<Item = B>,
    ) -> Self {
        let blocks = blocks.into_iter().map(Into::into).collect();
        Self(Kind::Details(Details { summary: summary.into(), open: true, blocks }))
    }

    /// The heading, where the block is a section.
    pub(crate) fn heading(&self) -> Option<&str> {
        match &self.0 {
            Kind::Section(section) => Some(&section.heading),
            _ => None,
        }
    }

    /// Finds mistakes of the caller that would make a broken page.
    pub(crate) fn check(&self) -> Result<(), Error> {
        match &self.0 {
            Kind::Table(table) => table.check(),
            Kind::Section(Section { blocks, .. }) | Kind::Details(Details { blocks, .. }) => check(blocks),
            Kind::Grid(blocks) => check(blocks),
            Kind::Cards(cards) => cards.check(),
            _ => Ok(()),
        }
    }
}

pub(crate) fn check(blocks: &[Block]) -> Result<(), Error> {
    blocks.iter().try_for_each(Block::check)
}

impl From<&str> for Block {
    fn from(text: &str) -> Self {
        Self::paragraph(text)
    }
}

impl From<String> for Block {
    fn from(text: String) -> Self {
        Self::paragraph(text)
    }
}

macro_rules! from_kinds {
    ($($kind:ident)*) => {$(
        impl From<$kind> for Block {
            fn from(value: $kind) -> Self {
                Self(Kind::$kind(value))
            }
        }
    )*};
}

from_kinds!(Section Facts Image Table Chart Cards Funnel);

/// Blocks under a heading.
///
/// The sections of a page are listed in its navigation; sections within sections have smaller headings.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Section {
    heading: String,
    blocks: Vec<Block>,
}

impl Section {
    /// A section without blocks.
    #[must_use]
    pub fn new(heading: impl Into<String>) -> Self {
        Self { heading: heading.into(), blocks: Vec::new() }
    }

    /// Adds a block.
    pub fn push(&mut self, block: impl Into<Block>) {
        self.blocks.push(block.into());
    }

    /// Adds a block and returns the section.
    #[must_use]
    pub fn with(mut self, block: impl Into<Block>) -> Self {
        self.push(block);
        self
    }
}

/// Named values, one below the other.
///
/// ```
/// use tsumugi_report::Facts;
///
/// let facts = Facts::new().with("model", "demo").with("steps", 75);
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facts(Vec<(String, Cell)>);

#[derive(Serialize)]
struct Fact<'a> {
    name: &'a str,
    cell: CellView<'a>,
}

impl Facts {
    /// No facts yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a value under its name.
    pub fn push(&mut self, name: impl Into<String>, value: impl Into<Cell>) {
        self.0.push((name.into(), value.into()));
    }

    /// Adds a value under its name and returns the facts.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Cell>) -> Self {
        self.push(name, value);
        self
    }
}

impl Serialize for Facts {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|(name, cell)| Fact { name, cell: cell.view(None) }))
    }
}
