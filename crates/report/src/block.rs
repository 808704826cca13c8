//! Blocks, and the containers that are blocks themselves: one file, since these types hold each other.

use serde::Serialize;

use crate::{
    BarChart, Cell, Chart, Error, Facts, Funnel, Image, IntervalChart, LineChart, RadarChart, Table,
};

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

macro_rules! from_charts {
    ($($chart:ident)*) => {$(
        impl From<$chart> for Block {
            fn from(chart: $chart) -> Self {
                Chart::from(chart).into()
            }
        }
    )*};
}

from_charts!(LineChart BarChart IntervalChart RadarChart);

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

    /// Adds a block before all others and returns the section.
    #[must_use]
    pub fn with_first(mut self, block: impl Into<Block>) -> Self {
        self.blocks.insert(0, block.into());
        self
    }

    /// Adds a block and returns the section.
    #[must_use]
    pub fn with(mut self, block: impl Into<Block>) -> Self {
        self.push(block);
        self
    }
}

/// An item of a data set: images, text and facts.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Card {
    images: Vec<Image>,
    blocks: Vec<Block>,
    facts: Facts,
    language: Option<String>,
}

impl Card {
    /// An empty card.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an image to the card's image area.
    #[must_use]
    pub fn image(mut self, image: Image) -> Self {
        self.images.push(image);
        self
    }

    /// Adds a fact, in small type below the blocks. A name may occur several times.
    #[must_use]
    pub fn fact(mut self, name: impl Into<String>, value: impl Into<Cell>) -> Self {
        self.facts.push(name, value);
        self
    }

    /// Language of the card's text as a BCP 47 tag, where it is not the page's.
    #[must_use]
    pub fn language(mut self, tag: impl Into<String>) -> Self {
        self.language = Some(tag.into());
        self
    }

    /// Adds a block.
    pub fn push(&mut self, block: impl Into<Block>) {
        self.blocks.push(block.into());
    }

    /// Adds a block and returns the card.
    #[must_use]
    pub fn with(mut self, block: impl Into<Block>) -> Self {
        self.push(block);
        self
    }
}

/// How [`Cards`] are laid out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Layout {
    /// Many small cards side by side, the image above the text.
    #[default]
    Grid,
    /// One card in a row, the image beside the text. For long texts.
    Rows,
}

/// Cards that the reader can search, filter and sort by their facts.
///
/// ```
/// use tsumugi_report::{Card, Cards, Image};
///
/// let card = Card::new().image(Image::missing("a lantern")).with("A red lantern.").fact("score", 0.7);
/// let cards = Cards::new().sort_by("score").with(card);
/// assert_eq!(cards.len(), 1);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Cards {
    layout: Layout,
    sort_by: Vec<String>,
    filter_by: Vec<String>,
    cards: Vec<Card>,
    search: bool,
}

/// More cards than this get a search box.
const CARDS_WITHOUT_SEARCH: usize = 12;

impl Cards {
    /// No cards yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the layout.
    #[must_use]
    pub fn layout(mut self, layout: Layout) -> Self {
        self.layout = layout;
        self
    }

    /// Lets the reader sort by the number of the fact of this name.
    #[must_use]
    pub fn sort_by(mut self, fact: impl Into<String>) -> Self {
        self.sort_by.push(fact.into());
        self
    }

    /// Lets the reader choose cards by the values of the fact of this name.
    #[must_use]
    pub fn filter_by(mut self, fact: impl Into<String>) -> Self {
        self.filter_by.push(fact.into());
        self
    }

    /// Adds a card.
    pub fn push(&mut self, card: Card) {
        self.cards.push(card);
        self.search = self.cards.len() > CARDS_WITHOUT_SEARCH;
    }

    /// Adds a card and returns the cards.
    #[must_use]
    pub fn with(mut self, card: Card) -> Self {
        self.push(card);
        self
    }

    /// Number of cards.
    #[must_use]
    pub fn len(&self) -> usize {
        self.cards.len()
    }

    /// Whether there is no card.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cards.is_empty()
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        self.cards.iter().try_for_each(|card| check(&card.blocks))
    }
}

impl Extend<Card> for Cards {
    fn extend<I: IntoIterator<Item = Card>>(&mut self, cards: I) {
        cards.into_iter().for_each(|card| self.push(card));
    }
}

impl FromIterator<Card> for Cards {
    fn from_iter<I: IntoIterator<Item = Card>>(cards: I) -> Self {
        let mut all = Self::new();
        all.extend(cards);
        all
    }
}
