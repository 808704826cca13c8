use std::fmt::Write;
use std::path::Path;

use tsumugi_record::{Conversation, Interleaved, Pair, Record, ShardReader};

use super::escape;
use super::picture::img;
use crate::Error;
use crate::runner::input_table;

/// Evenly spread rows of a table: the same in every run, and not only of its first pages.
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

pub(super) fn short(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        Some((at, _)) => format!("{}…", escape(&text[..at])),
        None => escape(text),
    }
}

/// What a card shows of a pair: picture, text, source and size, and a note.
pub(super) fn pair_card(pair: &Pair, note: &str) -> String {
    format!(
        "{}<p>{}</p><p><small>{} · {}×{} · {}</small></p>",
        img(pair.image.bytes.as_deref()),
        short(&pair.text, 160),
        escape(&pair.text_source),
        pair.width,
        pair.height,
        short(note, 60)
    )
}

/// Pairs of a step's folder as cards.
///
/// # Errors
/// Where the table cannot be read.
pub fn pair_samples(folder: &Path, count: usize) -> Result<String, Error> {
    let (pairs, total) = spread::<Pair>(folder, count)?;
    let mut html = format!("<p>{} of {total} pairs, evenly spread.</p><div class=\"cards\">", pairs.len());
    for pair in &pairs {
        let _ = write!(html, "<div class=\"card\">{}</div>", pair_card(pair, &pair.page_url));
    }
    html.push_str("</div>");
    Ok(html)
}

/// Interleaved documents of a step's folder, text and pictures in reading order.
///
/// # Errors
/// Where the table cannot be read.
pub fn interleaved_samples(folder: &Path, count: usize) -> Result<String, Error> {
    let (documents, total) = spread::<Interleaved>(folder, count)?;
    let mut html = format!("<p>{} of {total} documents, evenly spread.</p>", documents.len());
    for document in &documents {
        let _ = write!(html, "<div class=\"doc\"><small>{}</small>", escape(&document.page_url));
        for (text, image) in document.texts.iter().zip(&document.images) {
            match (text, image) {
                (Some(text), _) => {
                    let _ = write!(html, "<div>{}</div>", short(text, 400));
                }
                (None, Some(image)) => html.push_str(&img(image.bytes.as_deref())),
                (None, None) => {}
            }
        }
        html.push_str("</div>");
    }
    Ok(html)
}

/// Conversations of a step's folder with their pictures, and who wrote them.
///
/// # Errors
/// Where the table cannot be read.
pub fn conversation_samples(folder: &Path, count: usize) -> Result<String, Error> {
    let (conversations, total) = spread::<Conversation>(folder, count)?;
    let mut html = format!("<p>{} of {total} conversations, evenly spread.</p>", conversations.len());
    for conversation in &conversations {
        let _ = write!(
            html,
            "<div class=\"doc\"><small>{} · written by {} · prompt {}</small>",
            escape(&conversation.task),
            escape(&conversation.generator.model),
            escape(&conversation.generator.prompt_version)
        );
        for image in &conversation.images {
            html.push_str(&img(image.bytes.as_deref()));
        }
        for message in &conversation.messages {
            let text: Vec<String> =
                message.content.iter().filter_map(|c| c.text.as_deref()).map(|t| short(t, 400)).collect();
            let _ =
                write!(html, "<div class=\"turn\"><b>{}</b> {}</div>", escape(&message.role), text.join(" "));
        }
        html.push_str("</div>");
    }
    Ok(html)
}
