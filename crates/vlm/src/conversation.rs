//! Messages of a conversation: texts and images in reading order.

use serde::{Deserialize, Serialize};

/// The mark of an image in texts.
pub const IMAGE: &str = "<image>";

/// The speaker of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Instructions before the conversation.
    System,
    /// The user.
    User,
    /// The model.
    Assistant,
}

impl Role {
    /// Its name in chat templates.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }
}

/// A part of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A text.
    Text(String),
    /// An image, whose bytes are elsewhere: images fill these places in order.
    Image,
}

/// What one speaker says at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The speaker.
    pub role: Role,
    /// Texts and images in reading order.
    pub content: Vec<Content>,
}

impl Message {
    /// A message from a text in which [`IMAGE`] marks each image.
    #[must_use]
    pub fn from_marked(role: Role, text: &str) -> Self {
        let mut content = Vec::new();
        for (index, piece) in text.split(IMAGE).enumerate() {
            if index > 0 {
                content.push(Content::Image);
            }
            if !piece.is_empty() {
                content.push(Content::Text(piece.to_owned()));
            }
        }
        Self { role, content }
    }

    /// Number of images.
    #[must_use]
    pub fn images(&self) -> usize {
        self.content.iter().filter(|part| **part == Content::Image).count()
    }

    /// Its texts.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.content.iter().filter_map(|part| match part {
            Content::Text(text) => Some(text.as_str()),
            Content::Image => None,
        })
    }
}

/// Puts images that no message has a place for before the first question.
pub fn place_images(messages: &mut [Message], images: usize) {
    if let Some(first) = messages.iter_mut().find(|message| message.role == Role::User) {
        first.content.splice(0..0, std::iter::repeat_n(Content::Image, images));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_become_images() {
        let message = Message::from_marked(Role::User, "a <image>b<image>");
        let text = |text: &str| Content::Text(text.to_owned());
        assert_eq!(message.content, [text("a "), Content::Image, text("b"), Content::Image]);
        assert_eq!((message.images(), message.texts().count()), (2, 2));
    }
}
