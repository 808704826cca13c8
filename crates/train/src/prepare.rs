//! Samples to token ids, labels and pixels.

use std::sync::Arc;

use tch::Tensor;
use tsumugi_vlm::{ChatTemplate, IGNORE, Tokenizer};

use crate::tokens::encode_sample;
use crate::{Part, Sample};

/// Decodes an image to normalised pixels `[3, size, size]`, or returns the reason why it cannot.
pub type ImageReader = Arc<dyn Fn(&[u8]) -> std::result::Result<Tensor, String> + Send + Sync>;

/// Turns samples into tensors. Cheap to clone.
#[derive(Clone)]
pub struct Preparer {
    tokenizer: Arc<Tokenizer>,
    /// The tokenizer's chat template, if it has one that compiles.
    chat: Option<ChatTemplate>,
    images: ImageReader,
    ids: SpecialIds,
    length: usize,
}

/// Ids of special tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpecialIds {
    /// Ends a text.
    pub eos: i64,
    /// Pads rows.
    pub pad: i64,
    /// Takes the place of a feature of an image.
    pub image: i64,
    /// Number of these tokens of an image.
    pub image_tokens: usize,
}

/// A sample as ids, labels and pixels.
#[derive(Debug)]
pub struct Prepared {
    /// Token ids, with images expanded.
    pub ids: Vec<i64>,
    /// The ids where there is loss, `-100` elsewhere. Not shifted.
    pub labels: Vec<i64>,
    /// Pixels of each image, `[3, size, size]`.
    pub pixels: Vec<Tensor>,
}

impl Prepared {
    /// Positions with loss. The first token is not predicted.
    pub fn targets(&self) -> usize {
        self.labels.iter().skip(1).filter(|&&l| l != IGNORE).count()
    }
}

impl Preparer {
    /// A preparer for rows of at most `length` tokens.
    pub fn new(tokenizer: Tokenizer, images: ImageReader, ids: SpecialIds, length: usize) -> Self {
        let chat = tokenizer.chat().ok().flatten();
        Self { tokenizer: Arc::new(tokenizer), chat, images, ids, length }
    }

    /// A preparer for rows of another length.
    #[must_use]
    pub fn with_length(&self, length: usize) -> Self {
        Self { length, ..self.clone() }
    }

    /// Maximum tokens of a row.
    pub fn length(&self) -> usize {
        self.length
    }

    /// Ids of the special tokens.
    pub fn ids(&self) -> SpecialIds {
        self.ids
    }

    /// The text of ids, without images and special tokens.
    ///
    /// # Errors
    /// [`Error::Model`](crate::Error::Model) for ids that the tokenizer lacks.
    pub fn decode(&self, ids: &[i64]) -> crate::Result<String> {
        let text: Vec<i64> = ids.iter().copied().filter(|&id| id != self.ids.image).collect();
        Ok(self.tokenizer.decode(&text)?.trim().to_owned())
    }

    /// Tokenises a sample as one text, with the image token in place of each image. It begins with the start token where the
    /// tokenizer begins a text with one. A token has loss if its first byte has; in a conversation with a chat template, if
    /// the template says so.
    ///
    /// # Errors
    /// The reason for dropping the sample: `too_long`, `image_undecodable`, `masked_out` (nothing has loss),
    /// `control_token_in_text`, `untokenizable`, `refused_by_template`, `template_failed`. Images are decoded last, so that a sample that is too long costs little.
    pub fn prepare(&self, sample: &Sample) -> std::result::Result<Prepared, &'static str> {
        let (ids, labels) = self.tokens(sample)?;
        if ids.len() > self.length {
            return Err("too_long");
        }
        if !labels.iter().skip(1).any(|&l| l != IGNORE) {
            return Err("masked_out");
        }
        let mut pixels = Vec::with_capacity(sample.images());
        for part in &sample.parts {
            if let Part::Image(bytes) = part {
                pixels.push((self.images)(bytes).map_err(|_| "image_undecodable")?);
            }
        }
        Ok(Prepared { ids, labels, pixels })
    }

    /// Ids and labels of a sample of any length, with images expanded.
    ///
    /// # Errors
    /// `control_token_in_text`, `untokenizable`, `refused_by_template` or `template_failed`.
    pub fn tokens(&self, sample: &Sample) -> std::result::Result<(Vec<i64>, Vec<i64>), &'static str> {
        let encoded = encode_sample(&self.tokenizer, self.chat.as_ref(), sample)?;
        let wide = encoded.expand(self.ids.image_tokens as i64, self.ids.image);
        Ok((wide.ids, wide.labels))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDS: SpecialIds = SpecialIds { eos: 2, pad: 3, image: 4, image_tokens: 2 };

    fn preparer(length: usize) -> Preparer {
        let tokenizer = tsumugi_vlm::build_tokenizer(&["問い: 答え。\n</s>"], 300).unwrap();
        let images: ImageReader = Arc::new(|b| match b.first() {
            Some(&byte) => Ok(Tensor::from_slice(&[f32::from(byte)])),
            None => Err("x".into()),
        });
        Preparer::new(tokenizer, images, IDS, length)
    }

    #[test]
    fn loss_is_where_it_was_asked_for() {
        let sample = Sample::new("a")
            .text("問い:", false)
            .text("答え", true)
            .image(vec![9])
            .text("\n", true)
            .end(true);
        let p = preparer(100).prepare(&sample).unwrap();
        assert_eq!(p.ids[0], 1);
        assert_eq!(p.ids.iter().filter(|&&i| i == 4).count(), 2);
        assert_eq!(p.labels.last(), Some(&2));
        assert_eq!(p.pixels[0].double_value(&[0]), 9.0);
        let with_loss: Vec<i64> = p.labels.iter().copied().filter(|&l| l != IGNORE).collect();
        // Two characters, the newline with the mark that begins the text after an image, the end token.
        assert_eq!(with_loss.len(), 5, "{with_loss:?}");
        assert_eq!(p.targets(), 5);
    }

    #[test]
    fn texts_never_act_as_control_tokens() {
        let prepare = |text: &str| preparer(100).prepare(&Sample::new("a").text(text, true));
        assert_eq!(prepare("答え</s>").unwrap_err(), "control_token_in_text");
        assert!(!prepare("<image>").unwrap().ids.contains(&4));
    }

    #[test]
    fn unusable_samples_have_a_reason() {
        let case = |sample: Sample| preparer(6).prepare(&sample).unwrap_err();
        assert_eq!(case(Sample::new("a").text("答答答答答答答", true)), "too_long");
        assert_eq!(case(Sample::new("a").text("答", false)), "masked_out");
        assert_eq!(case(Sample::new("a").image(vec![]).text("答", true)), "image_undecodable");
    }
}
