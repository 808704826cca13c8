use serde::Serialize;

use crate::block::check;
use crate::{Block, Cell, Error, Facts, Image};

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
