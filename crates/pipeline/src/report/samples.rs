use std::path::Path;

use tsumugi_record::{Conversation, Interleaved, Pair, Record, ShardReader};
use tsumugi_report::{Card, Cards, Facts, Layout, Section};

use super::image::thumbnail;
use crate::Error;
use crate::runner::input_table;

/// Characters of a text that a report shows.
const TEXT: usize = 400;
/// Characters of the text on a card of a grid.
const CARD_TEXT: usize = 160;

/// Evenly spread rows of a table, the same in every run, and the number of all rows.
fn spread<R: Record>(folder: &Path, count: usize) -> Result<(Vec<R>, u64), Error> {
    let table = match input_table(folder, R::KIND) {
        Ok(table) => table,
        Err(Error::NoTable { .. }) => return Ok((Vec::new(), 0)),
        Err(error) => return Err(error),
    };
    let readers: Result<Vec<_>, _> = table.shards.iter().map(ShardReader::<R>::open).collect();
    let readers = readers?;
    let total: u64 = readers.iter().map(ShardReader::rows).sum();
    let step = (total / count.max(1) as u64).max(1);
    let mut rows = Vec::new();
    let mut at = 0;
    for batch in readers.into_iter().flatten() {
        for row in batch? {
            if at % step == 0 && rows.len() < count {
                rows.push(row);
            }
            at += 1;
        }
    }
    Ok((rows, total))
}

/// The beginning of a text, with an ellipsis where something was cut off.
pub(super) fn short(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// A pair's image, text, source and size.
pub(super) fn pair_card(pair: &Pair) -> Card {
    Card::new()
        .image(thumbnail(pair.image.bytes.as_deref(), &short(&pair.text, CARD_TEXT)))
        .with(short(&pair.text, CARD_TEXT))
        .fact("source", &pair.text_source)
        .fact("size", format!("{}×{}", pair.width, pair.height))
}

fn section(name: &str, unit: &str, cards: Cards, total: u64) -> Section {
    Section::new(name).with(format!("{} of {total} {unit}, evenly spread.", cards.len())).with(cards)
}

/// Pairs of a step's folder as cards. `language` is the language of their texts as a BCP 47 tag.
///
/// # Errors
/// Where the table cannot be read.
pub fn pair_samples(folder: &Path, count: usize, language: &str) -> Result<Section, Error> {
    let (pairs, total) = spread::<Pair>(folder, count)?;
    let card = |pair: &Pair| pair_card(pair).fact("page", &pair.page_url).language(language);
    let cards = pairs.iter().map(card).collect::<Cards>().filter_by("source");
    Ok(section("Image-text pairs", "pairs", cards, total))
}

/// Interleaved documents of a step's folder, text and images in reading order. `language` is the language of their texts as a
/// BCP 47 tag.
///
/// # Errors
/// Where the table cannot be read.
pub fn interleaved_samples(folder: &Path, count: usize, language: &str) -> Result<Section, Error> {
    let (documents, total) = spread::<Interleaved>(folder, count)?;
    let mut cards = Cards::new().layout(Layout::Rows);
    for document in &documents {
        let mut card = Card::new().fact("page", &document.page_url).language(language);
        for (text, image) in document.texts.iter().zip(&document.images) {
            match (text, image) {
                (Some(text), _) => card.push(short(text, TEXT)),
                (None, Some(image)) => card.push(thumbnail(image.bytes.as_deref(), "image of the document")),
                (None, None) => {}
            }
        }
        cards.push(card);
    }
    Ok(section("Interleaved documents", "documents", cards, total))
}

/// Conversations of a step's folder with their images, and who wrote them. `language` is the language of their texts as a
/// BCP 47 tag.
///
/// # Errors
/// Where the table cannot be read.
pub fn conversation_samples(folder: &Path, count: usize, language: &str) -> Result<Section, Error> {
    let (conversations, total) = spread::<Conversation>(folder, count)?;
    let mut cards = Cards::new().layout(Layout::Rows).filter_by("task");
    for conversation in &conversations {
        let mut turns = Facts::new();
        for message in &conversation.messages {
            let texts = message.content.iter().filter_map(|content| content.text.as_deref());
            let texts: Vec<String> = texts.map(|text| short(text, TEXT)).collect();
            turns.push(&message.role, texts.join(" "));
        }
        let mut card = Card::new().with(turns).language(language);
        for image in &conversation.images {
            card = card.image(thumbnail(image.bytes.as_deref(), "image of the conversation"));
        }
        cards.push(
            card.fact("task", &conversation.task)
                .fact("written by", &conversation.generator.model)
                .fact("prompt", &conversation.generator.prompt_version),
        );
    }
    Ok(section("Instruction data", "conversations", cards, total))
}
