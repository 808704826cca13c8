//! A contact sheet of a builder: random items that it kept, and random items that it dropped, by reason.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::Path;

use tsumugi_record::{Excluded, Image, Interleaved, Pair, Record};
use tsumugi_report::{Card, Cards, Page, Section};
use tsumugi_text::exact_hash;

use super::image::thumbnail;
use super::samples::{pair_card, short};
use crate::Error;
use crate::runner::each_row;
use crate::steps::images::{ImageTables, by_address, load};

/// Makes the sheet of a folder that `build_pairs` or `build_interleaved` wrote, with up to `count` items of each kind.
/// `images` is the folder of `fetch_images`. The same seed gives the same items.
///
/// # Errors
/// Where there is no such table, or it cannot be read.
pub fn contact_sheet(built: &Path, images: &Path, count: usize, seed: u64) -> Result<Page, Error> {
    let fetched = ImageTables::find(images)?;
    let mut page = Page::new("Contact sheet")
        .lead(format!("{}: up to {count} random items of each kind, seed {seed}.", built.display()));
    let mut pairs = Draw::new(count, seed);
    let mut documents = Draw::new(count, seed);
    let tables = [
        each_row(built, |row: Pair| pairs.offer(&row.id.clone(), row))?,
        each_row(built, |row: Interleaved| documents.offer(&row.id.clone(), row))?,
    ];
    if tables == [false, false] {
        let kind = format!("{} or {}", Pair::KIND, Interleaved::KIND);
        return Err(Error::NoTable { folder: built.to_owned(), kind });
    }
    if tables[0] {
        let heading = format!("Kept pairs ({})", pairs.seen);
        let cards: Cards = pairs.drawn().iter().map(|pair| pair_card(pair).fact("id", &pair.id)).collect();
        page.push(Section::new(heading).with(cards));
    }
    if tables[1] {
        let heading = format!("Kept documents ({})", documents.seen);
        page.push(Section::new(heading).with(documents.drawn().iter().map(document_card).collect::<Cards>()));
    }
    let mut dropped: BTreeMap<(String, String), Draw<Excluded>> = BTreeMap::new();
    each_row(built, |row: Excluded| {
        let reason = (row.step.clone(), row.reason.clone());
        let name = format!("{} {}", row.id, row.value.as_deref().unwrap_or_default());
        dropped.entry(reason).or_insert_with(|| Draw::new(count, seed)).offer(&name, row);
    })?;
    for ((step, reason), draw) in dropped {
        let heading = format!("Dropped by {step}: {reason} ({})", draw.seen);
        page.push(Section::new(heading).with(dropped_cards(&draw.drawn(), &fetched)?));
    }
    Ok(page)
}

/// A random sample of rows: those whose names have the smallest hashes. It does not depend on their order.
struct Draw<T> {
    count: usize,
    seed: u64,
    seen: u64,
    rows: BTreeMap<u128, T>,
}

impl<T> Draw<T> {
    fn new(count: usize, seed: u64) -> Self {
        Self { count, seed, seen: 0, rows: BTreeMap::new() }
    }

    fn offer(&mut self, name: &str, row: T) {
        self.seen += 1;
        self.rows.insert(exact_hash(&format!("{} {name}", self.seed)), row);
        if self.rows.len() > self.count {
            self.rows.pop_last();
        }
    }

    fn drawn(self) -> Vec<T> {
        self.rows.into_values().collect()
    }
}

fn document_card(document: &Interleaved) -> Card {
    let mut card = Card::new().fact("id", &document.id);
    for (image, text) in document.images.iter().zip(document.texts.iter().skip(1)) {
        if let Some(image) = image {
            card.push(thumbnail(image.bytes.as_deref(), "image of the document"));
            card.push(text.as_deref().map(|text| short(text, 60)).unwrap_or_default());
        }
    }
    card
}

/// Dropped items, with the image where one was fetched.
fn dropped_cards(rows: &[Excluded], fetched: &ImageTables) -> Result<Cards, Error> {
    let urls: HashSet<String> = rows.iter().filter_map(url_of).map(str::to_owned).collect();
    let places = by_address(fetched, &urls)?;
    let keys: Vec<Option<usize>> = rows.iter().map(|row| places.get(url_of(row)?).copied()).collect();
    let images = load(fetched, &keys.iter().flatten().copied().collect::<BTreeSet<usize>>())?;
    let bytes = |key: usize| images.get(&key).and_then(|image: &Image| image.bytes.as_deref());
    let card = |(row, key): (&Excluded, &Option<usize>)| {
        let value = short(row.value.as_deref().unwrap_or_default(), 200);
        let card = match key {
            Some(key) => Card::new().image(thumbnail(bytes(*key), &value)),
            None => Card::new(),
        };
        card.with(value).fact("id", &row.id)
    };
    Ok(rows.iter().zip(&keys).map(card).collect())
}

/// The URL of the image. A dropped item's value starts with it, or with the page's URL followed by it.
fn url_of(row: &Excluded) -> Option<&str> {
    let value = row.value.as_deref()?;
    let is_url = |word: &&str| word.starts_with("http://") || word.starts_with("https://");
    value.split(' ').take_while(is_url).last()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_the_same_rows_in_any_order() {
        let draw = |names: &mut dyn Iterator<Item = u32>| {
            let mut draw = Draw::new(3, 7);
            names.for_each(|name| draw.offer(&name.to_string(), name));
            assert_eq!(draw.seen, 100);
            draw.drawn()
        };
        let forward = draw(&mut (0..100));
        assert_eq!(forward.len(), 3);
        assert_eq!(forward, draw(&mut (0..100).rev()));
    }

    #[test]
    fn the_image_url_is_found() {
        let row = |value: &str| Excluded { value: Some(value.into()), ..Excluded::default() };
        assert_eq!(url_of(&row("http://a/x.png")), Some("http://a/x.png"));
        assert_eq!(url_of(&row("http://a/x.png 春の空 http://b")), Some("http://a/x.png"));
        assert_eq!(url_of(&row("http://a/ http://a/x.png")), Some("http://a/x.png"));
        assert_eq!(url_of(&row("春の空")), None);
    }
}
