//! Samples to token ids, labels and pixels.

use std::sync::Arc;

use tch::Tensor;
use tsumugi_vlm::{IGNORE, Tokenizer};

use crate::lower::IMAGE_MARK;
use crate::{Part, Sample};

/// Decodes an image to normalised pixels `[3, size, size]`, or returns the reason why it cannot.
pub type ImageReader = Arc<dyn Fn(&[u8]) -> std::result::Result<Tensor, String> + Send + Sync>;

/// Turns samples into tensors. Cheap to clone.
#[derive(Clone)]
pub struct Preparer {
    tokenizer: Arc<Tokenizer>,
    images: ImageReader,
    ids: SpecialIds,
    length: usize,
}

/// Ids of special tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpecialIds {
    /// Starts every sample.
    pub bos: i64,
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
        Self { tokenizer: Arc::new(tokenizer), images, ids, length }
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

    /// Tokenises a sample. The text between two images is tokenised as one, whatever its parts; a token has loss if its
    /// first byte has.
    ///
    /// # Errors
    /// The reason for dropping the sample: `too_long`, `image_undecodable`, `masked_out` (nothing has loss),
    /// `control_token_in_text`, `untokenizable`. Images are decoded last, so that a sample that is too long costs little.
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
    /// `control_token_in_text` or `untokenizable`.
    pub fn tokens(&self, sample: &Sample) -> std::result::Result<(Vec<i64>, Vec<i64>), &'static str> {
        let mut out = Tokens { ids: vec![self.ids.bos], labels: vec![IGNORE] };
        let mut chunk = Chunk::default();
        for part in &sample.parts {
            match part {
                Part::Text { text, loss } => chunk.add(text, *loss),
                Part::Image(_) => {
                    self.flush(&mut chunk, &mut out)?;
                    out.ids.extend(std::iter::repeat_n(self.ids.image, self.ids.image_tokens));
                    out.labels.extend(std::iter::repeat_n(IGNORE, self.ids.image_tokens));
                }
                Part::End { loss } => {
                    self.flush(&mut chunk, &mut out)?;
                    out.push(self.ids.eos, *loss);
                }
            }
        }
        self.flush(&mut chunk, &mut out)?;
        Ok((out.ids, out.labels))
    }

    fn flush(&self, chunk: &mut Chunk, out: &mut Tokens) -> std::result::Result<(), &'static str> {
        if chunk.text.is_empty() {
            return Ok(());
        }
        let encoded = self.tokenizer.encode_with_offsets(&chunk.text, false).map_err(|_| "untokenizable")?;
        for (id, bytes) in encoded {
            if [self.ids.bos, self.ids.eos, self.ids.pad, self.ids.image].contains(&id) {
                // Only templates may use these. In a text they would begin or end something.
                return Err("control_token_in_text");
            }
            out.push(id, chunk.has_loss(bytes.start));
        }
        *chunk = Chunk::default();
        Ok(())
    }
}

#[derive(Default)]
struct Tokens {
    ids: Vec<i64>,
    labels: Vec<i64>,
}

impl Tokens {
    fn push(&mut self, id: i64, loss: bool) {
        self.ids.push(id);
        self.labels.push(if loss { id } else { IGNORE });
    }
}

/// Text between two images, and the offsets of its parts.
#[derive(Default)]
struct Chunk {
    text: String,
    parts: Vec<(usize, bool)>,
}

impl Chunk {
    fn add(&mut self, text: &str, loss: bool) {
        self.parts.push((self.text.len(), loss));
        // As in VILA's data code: a text never stands for an image.
        self.text.push_str(&text.replace(IMAGE_MARK, "<IMAGE>"));
    }

    fn has_loss(&self, byte: usize) -> bool {
        let after = self.parts.partition_point(|(start, _)| *start <= byte);
        after.checked_sub(1).is_some_and(|i| self.parts[i].1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDS: SpecialIds = SpecialIds { bos: 1, eos: 2, pad: 3, image: 4, image_tokens: 2 };

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
        // Two characters, the newline with the mark that begins every chunk, the end token.
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
