//! The sources `pairs`, `interleaved` and `conversations`: the columns that they ask for, and nothing else.

use tsumugi_record::{
    Content, Conversation, Image, Interleaved, Message, Nullable, Pair, Parts, Record, RowId, record,
};

use super::images::ImageFolder;
use super::source::DataSource;
use super::table::TableSource;
use crate::lower::{
    IMAGE_MARK, LlavaItem, LlavaTurn, Lowered, Template, lower_conversation, lower_interleaved, lower_llava,
    lower_pair,
};
use crate::recipe::DataConfig;
use crate::{Error, Result};

record! {
    /// What training reads of table `pairs`.
    #[derive(Debug, Clone)]
    pub(crate) struct PairRow = "pairs", 1 {
        pub(crate) id: RowId,
        pub(crate) image: Nullable<Image>,
        pub(crate) text: Nullable<String>,
    }
}

record! {
    /// What training reads of table `interleaved`.
    #[derive(Debug, Clone)]
    pub(crate) struct InterleavedRow = "interleaved", 1 {
        pub(crate) id: RowId,
        pub(crate) texts: Nullable<Vec<Option<String>>>,
        pub(crate) images: Nullable<Vec<Option<Image>>>,
    }
}

record! {
    /// A message of [`ConversationRow`].
    #[derive(Debug, Clone)]
    pub(crate) struct MessageRow {
        pub(crate) role: Nullable<String>,
        pub(crate) content: Nullable<Parts>,
    }
}

record! {
    /// What training reads of table `conversations`. Other writers also have one `image` in place of `images`.
    #[derive(Debug, Clone)]
    pub(crate) struct ConversationRow = "conversations", 1 {
        pub(crate) id: RowId,
        pub(crate) image: Option<Image>,
        pub(crate) images: Option<Vec<Option<Image>>>,
        pub(crate) messages: Nullable<Vec<Option<MessageRow>>>,
    }
}

record! {
    /// A turn of [`LlavaRow`].
    #[derive(Debug, Clone)]
    pub(crate) struct TurnRow {
        pub(crate) from: Nullable<String>,
        pub(crate) value: Nullable<String>,
    }
}

record! {
    /// Conversations as LLaVA's data sets have them, in a Parquet file.
    #[derive(Debug, Clone)]
    pub(crate) struct LlavaRow = "conversations", 1 {
        pub(crate) id: RowId,
        pub(crate) image: Option<Image>,
        pub(crate) images: Option<Vec<Option<Image>>>,
        pub(crate) conversations: Nullable<Vec<Option<TurnRow>>>,
    }
}

/// Image and text pairs.
pub(crate) fn pairs(config: &DataConfig, template: Template) -> Result<Box<dyn DataSource>> {
    let folder = folder(config);
    open(config, move |row: PairRow, name| {
        let id = name_of(row.id, name);
        let pair = ImageFolder::fill(folder.as_ref(), row.image.0).and_then(|image| {
            let text = row.text.0.ok_or("empty_text")?;
            Ok(Pair { id: id.clone(), image, text, ..Pair::default() })
        });
        (id, pair.and_then(|pair| lower_pair(pair, &template)))
    })
}

/// Interleaved documents with at most `max_images` images.
pub(crate) fn interleaved(config: &DataConfig, max_images: usize) -> Result<Box<dyn DataSource>> {
    let folder = folder(config);
    open(config, move |row: InterleavedRow, name| {
        let id = name_of(row.id, name);
        let document = row.texts.0.zip(row.images.0).ok_or("empty_text").and_then(|(texts, images)| {
            let fill = |image: Option<Image>| {
                image.map(|image| ImageFolder::fill(folder.as_ref(), Some(image))).transpose()
            };
            let images = images.into_iter().map(fill).collect::<std::result::Result<_, _>>()?;
            Ok(Interleaved { id: id.clone(), texts, images, ..Interleaved::default() })
        });
        (id, document.and_then(|document| lower_interleaved(document, max_images)))
    })
}

/// Conversations in a column `messages`, or `conversations` as in LLaVA's data sets.
pub(crate) fn conversations(config: &DataConfig, template: Template) -> Result<Box<dyn DataSource>> {
    let images = folder(config);
    let (for_turns, template_of_turns) = (images.clone(), template.clone());
    let messages = open(config, move |row: ConversationRow, name| {
        let id = name_of(row.id, name);
        let conversation = images_of(images.as_ref(), row.image, row.images).and_then(|images| {
            let messages = row.messages.0.ok_or("no_messages")?.into_iter().map(message);
            let messages = messages.collect::<std::result::Result<_, _>>()?;
            Ok(Conversation { id: id.clone(), images, messages, ..Conversation::default() })
        });
        (id, conversation.and_then(|row| lower_conversation(row, &template)))
    });
    let missing = match messages {
        Err(Error::Data { path, reason }) => Error::Data { path, reason },
        other => return other,
    };
    let turns = open(config, move |row: LlavaRow, name| {
        let id = name_of(row.id, name);
        let lowered = images_of(for_turns.as_ref(), row.image, row.images).and_then(|images| {
            let turns = row.conversations.0.ok_or("no_messages")?.into_iter().map(turn);
            let item = LlavaItem {
                conversations: turns.collect::<std::result::Result<_, _>>()?,
                ..LlavaItem::default()
            };
            let bytes = images.into_iter().map(|image| image.bytes.filter(|bytes| !bytes.is_empty()));
            let bytes = bytes.collect::<Option<_>>().ok_or("no_image_bytes")?;
            lower_llava(id.clone(), &item, bytes, &template_of_turns)
        });
        (id, lowered)
    });
    // What the project's own tables have is the one to name.
    turns.map_err(|_| missing)
}

fn open<R: Record>(
    config: &DataConfig,
    lower: impl Fn(R, String) -> (String, Lowered) + Send + 'static,
) -> Result<Box<dyn DataSource>> {
    Ok(Box::new(TableSource::open(&config.path, config.limit, lower)?))
}

/// Where images are that a table names by path.
fn folder(config: &DataConfig) -> Option<ImageFolder> {
    config.images.as_deref().map(ImageFolder::new)
}

fn name_of(id: RowId, place: String) -> String {
    if id.0.is_empty() { place } else { id.0 }
}

/// The images of a conversation with their bytes.
fn images_of(
    folder: Option<&ImageFolder>,
    image: Option<Image>,
    images: Option<Vec<Option<Image>>>,
) -> std::result::Result<Vec<Image>, &'static str> {
    let list = images.unwrap_or_default();
    match (image, list.is_empty()) {
        (Some(_), false) => Err("image_and_images"),
        (Some(image), true) => Ok(vec![ImageFolder::fill(folder, Some(image))?]),
        (None, _) => list.into_iter().map(|image| ImageFolder::fill(folder, image)).collect(),
    }
}

fn message(row: Option<MessageRow>) -> std::result::Result<Message, &'static str> {
    let row = row.ok_or("unknown_content")?;
    let content = match row.content.0.ok_or("unknown_content")? {
        Parts::Text(text) => marked(&text),
        Parts::List(parts) => parts.into_iter().collect::<Option<_>>().ok_or("unknown_content")?,
    };
    Ok(Message { role: row.role.0.ok_or("unknown_role")?, content })
}

fn turn(row: Option<TurnRow>) -> std::result::Result<LlavaTurn, &'static str> {
    let row = row.ok_or("unknown_content")?;
    let from = row.from.0.ok_or("unknown_role")?;
    Ok(LlavaTurn { from, value: row.value.0.ok_or("unknown_content")? })
}

/// The parts of a text with a mark for each image.
fn marked(text: &str) -> Vec<Content> {
    let mut parts = Vec::new();
    for (number, piece) in text.split(IMAGE_MARK).enumerate() {
        if number > 0 {
            parts.push(Content { kind: "image".into(), text: None });
        }
        if !piece.is_empty() {
            parts.push(Content { kind: "text".into(), text: Some(piece.to_owned()) });
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_in_a_text_become_places() {
        let kinds = |text: &str| -> Vec<String> {
            marked(text).into_iter().map(|part| part.text.unwrap_or(part.kind)).collect()
        };
        assert_eq!(kinds("<image>\nx"), ["image", "\nx"]);
        assert_eq!(kinds("x<image><image>"), ["x", "image", "image"]);
        assert!(kinds("").is_empty());
    }
}
