//! Samples: lists of text and image parts that the trainer learns from.

use tsumugi_vlm::{ChatTemplate, Role};

/// One part of a [`Sample`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// A text, which the model learns to predict if `loss` is true.
    Text {
        /// The text. Anything that looks like a special token is text.
        text: String,
        /// Whether it has loss.
        loss: bool,
    },
    /// An encoded image (JPEG, PNG, ...).
    Image(Vec<u8>),
    /// The end-of-sequence token. With `loss`, the model learns to stop here.
    End {
        /// Whether it has loss.
        loss: bool,
    },
    /// The next parts are a message of this speaker. Only in samples with a [`Chat`].
    Turn(Role),
}

/// The chat template that writes the messages of a sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chat {
    /// That of the run's tokenizer.
    Tokenizer,
    /// A template of the recipe.
    Template(ChatTemplate),
}

/// A row of training data, whatever table it came from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sample {
    /// Identifier, for messages and counts.
    pub id: String,
    /// Texts and images in reading order.
    pub parts: Vec<Part>,
    /// The chat template that writes the parts, which then begin with a [`Part::Turn`]. It decides what has loss.
    pub chat: Option<Chat>,
}

impl Sample {
    /// An empty sample.
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into(), ..Self::default() }
    }

    /// An empty conversation.
    pub fn chat(id: impl Into<String>, chat: Chat) -> Self {
        Self { id: id.into(), parts: Vec::new(), chat: Some(chat) }
    }

    /// Adds a text. Adjacent texts with equal `loss` become one part.
    pub fn text(mut self, text: &str, loss: bool) -> Self {
        self.push_text(text, loss);
        self
    }

    /// Adds an image.
    pub fn image(mut self, bytes: Vec<u8>) -> Self {
        self.parts.push(Part::Image(bytes));
        self
    }

    /// Adds the end-of-sequence token.
    pub fn end(mut self, loss: bool) -> Self {
        self.parts.push(Part::End { loss });
        self
    }

    /// Adds a text in place, unless it is empty.
    pub fn push_text(&mut self, text: &str, loss: bool) {
        if text.is_empty() {
            return;
        }
        if let Some(Part::Text { text: last, loss: same }) = self.parts.last_mut()
            && *same == loss
        {
            last.push_str(text);
            return;
        }
        self.parts.push(Part::Text { text: text.to_owned(), loss });
    }

    /// Number of images.
    pub fn images(&self) -> usize {
        self.parts.iter().filter(|p| matches!(p, Part::Image(_))).count()
    }

    /// True if nothing in it has loss.
    pub fn is_masked(&self) -> bool {
        !self.parts.iter().any(|p| matches!(p, Part::Text { loss: true, .. } | Part::End { loss: true }))
    }
}

/// A row drawn from a data source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Drawn {
    /// A sample to learn from.
    Sample(Sample),
    /// A row that cannot be used. It is counted and never an error.
    Dropped {
        /// Identifier of the row.
        id: String,
        /// The reason, as one word.
        reason: &'static str,
    },
}

impl Drawn {
    pub(crate) fn dropped(id: impl Into<String>, reason: &'static str) -> Self {
        Self::Dropped { id: id.into(), reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adjacent_texts_join_and_empty_ones_vanish() {
        let sample =
            Sample::new("a").text("x", false).text("", true).text("y", false).text("z", true).end(true);
        assert_eq!(sample.parts.len(), 3);
        assert_eq!(sample.parts[0], Part::Text { text: "xy".into(), loss: false });
        assert!(!sample.is_masked());
        assert!(Sample::new("b").text("x", false).image(vec![]).is_masked());
    }
}
