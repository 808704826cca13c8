//! What the trainer learns from: a list of text and image parts.

/// One part of a [`Sample`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// A text; the model is asked to predict it where `loss` is true.
    Text {
        /// The text, never holding control tokens: what looks like one is text.
        text: String,
        /// True where it counts in the loss.
        loss: bool,
    },
    /// An encoded picture (JPEG, PNG, ...).
    Image(Vec<u8>),
    /// The tokenizer's end-of-sequence token; with `loss` the model learns to stop here.
    End {
        /// True where it counts in the loss.
        loss: bool,
    },
}

/// A row of training data, whatever table it came from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sample {
    /// Where it came from, for messages and counts.
    pub id: String,
    /// Texts and pictures in reading order.
    pub parts: Vec<Part>,
}

impl Sample {
    /// An empty sample.
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into(), parts: Vec::new() }
    }

    /// Adds a text. Neighbours with the same `loss` become one part.
    pub fn text(mut self, text: &str, loss: bool) -> Self {
        self.push_text(text, loss);
        self
    }

    /// Adds a picture.
    pub fn image(mut self, bytes: Vec<u8>) -> Self {
        self.parts.push(Part::Image(bytes));
        self
    }

    /// Adds the end-of-sequence token.
    pub fn end(mut self, loss: bool) -> Self {
        self.parts.push(Part::End { loss });
        self
    }

    /// Adds a text in place; an empty one is left out.
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

    /// The number of pictures.
    pub fn images(&self) -> usize {
        self.parts.iter().filter(|p| matches!(p, Part::Image(_))).count()
    }

    /// True where nothing in it would be learned from.
    pub fn is_masked(&self) -> bool {
        !self.parts.iter().any(|p| matches!(p, Part::Text { loss: true, .. } | Part::End { loss: true }))
    }
}

/// What a data source gives for one place of its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Drawn {
    /// A sample to learn from.
    Sample(Sample),
    /// A row that cannot be used. Counted, never an error.
    Dropped {
        /// Identifier of the row.
        id: String,
        /// Why, as one word.
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
    fn neighbours_join_and_empty_texts_vanish() {
        let sample =
            Sample::new("a").text("x", false).text("", true).text("y", false).text("z", true).end(true);
        assert_eq!(sample.parts.len(), 3);
        assert_eq!(sample.parts[0], Part::Text { text: "xy".into(), loss: false });
        assert!(!sample.is_masked());
        assert!(Sample::new("b").text("x", false).image(vec![]).is_masked());
    }
}
