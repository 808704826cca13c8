//! Conversations and captions to ids and labels.
//!
//! A text is tokenised as a whole, with the image token in place of each image, as transformers' processors do. In the ids
//! an image is one [`IMAGE_PLACE`]; [`Encoded::expand`] widens it to the tokens of its features.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::context::IGNORE;
use crate::conversation::{IMAGE, Role};
use crate::error::{Error, Result};
use crate::tokenizer::Tokenizer;

/// Stands for one image in ids that are not expanded yet.
pub const IMAGE_PLACE: i64 = -200;

/// The sentence before the first turn of `llmjp_v3`.
pub const LLMJP_V3_SYSTEM: &str = include_str!("../templates/llmjp_v3/system.txt");

/// What stands before a question in `llmjp_v3`.
pub const LLMJP_V3_BEFORE_USER: &str = include_str!("../templates/llmjp_v3/before_user.txt");

/// What stands before an answer in `llmjp_v3`.
pub const LLMJP_V3_BEFORE_ASSISTANT: &str = include_str!("../templates/llmjp_v3/before_assistant.txt");

/// The template `llmjp_v3` as a Jinja chat template, for messages whose content is a text, or a list of texts and images.
pub const LLMJP_V3_JINJA: &str = include_str!("../templates/llmjp_v3/chat_template.jinja");

/// Ends an answer in `llmjp_v3`.
const END: &str = "</s>";

/// One turn of a conversation, with `<image>` in the text for each image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// The speaker.
    pub role: Role,
    /// The text.
    #[serde(rename = "content")]
    pub text: String,
}

impl Turn {
    /// A question.
    #[must_use]
    pub fn user(text: impl Into<String>) -> Self {
        Self { role: Role::User, text: text.into() }
    }

    /// An answer.
    #[must_use]
    pub fn assistant(text: impl Into<String>) -> Self {
        Self { role: Role::Assistant, text: text.into() }
    }
}

/// Ids of a sample and their labels.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Encoded {
    /// Token ids, [`IMAGE_PLACE`] for an image.
    pub ids: Vec<i64>,
    /// The ids again, [`IGNORE`] where there is no loss.
    pub labels: Vec<i64>,
}

impl Encoded {
    /// Number of images.
    #[must_use]
    pub fn images(&self) -> usize {
        self.ids.iter().filter(|&&id| id == IMAGE_PLACE).count()
    }

    /// Length once each image takes `tokens` places.
    #[must_use]
    pub fn expanded_len(&self, tokens: i64) -> usize {
        self.ids.len() + self.images() * (tokens.max(1) as usize - 1)
    }

    /// Widens each image to `tokens` times `image_id`, without loss.
    #[must_use]
    pub fn expand(&self, tokens: i64, image_id: i64) -> Self {
        let mut wide = Self::default();
        for (&id, &label) in self.ids.iter().zip(&self.labels) {
            let (times, id, label) =
                if id == IMAGE_PLACE { (tokens, image_id, IGNORE) } else { (1, id, label) };
            for _ in 0..times {
                wide.ids.push(id);
                wide.labels.push(label);
            }
        }
        wide
    }
}

/// Ids and labels of a text that a chat template wrote, with the special tokens that transformers' processors put around
/// it: those of the tokenizer, unless the text begins with the start token already. A token has loss if any of its bytes
/// is in one of the ranges `answers`; what the tokenizer puts around the text has none.
///
/// # Errors
/// [`Error::Tokenize`].
pub fn encode(tokenizer: &Tokenizer, text: &str, answers: &[Range<usize>]) -> Result<Encoded> {
    let image = tokenizer.special().image;
    let begun = tokenizer.special_tokens().bos().is_some_and(|bos| text.starts_with(bos));
    let mut encoded = Encoded::default();
    for (id, bytes) in tokenizer.encode_with_offsets(text, !begun)? {
        let overlaps = |answer: &Range<usize>| bytes.start < answer.end && bytes.end > answer.start;
        let learnt = id != image && answers.iter().any(overlaps);
        encoded.ids.push(if id == image { IMAGE_PLACE } else { id });
        encoded.labels.push(if learnt { id } else { IGNORE });
    }
    Ok(encoded)
}

/// Ids of a text with [`IMAGE`] for each image, after what the tokenizer puts before a text. Unlike [`encode`], nothing is
/// put after the text: the templates of this crate write their own end token.
///
/// # Errors
/// [`Error::Tokenize`].
pub fn encode_with_images(tokenizer: &Tokenizer, text: &str) -> Result<Vec<i64>> {
    let image = tokenizer.special().image;
    let text = text.replace(IMAGE, &tokenizer.special_tokens().image);
    let mut ids = encode_text(tokenizer, &text)?;
    ids.iter_mut().filter(|id| **id == image).for_each(|id| *id = IMAGE_PLACE);
    Ok(ids)
}

fn encode_text(tokenizer: &Tokenizer, text: &str) -> Result<Vec<i64>> {
    let mut ids = tokenizer.before().to_vec();
    ids.extend(tokenizer.encode(text, false)?);
    Ok(ids)
}

/// Puts images where VILA expects them: a conversation without `<image>` gets one before its first turn, white space
/// around each is trimmed, and each is followed by a newline.
#[must_use]
pub fn place_images(turns: &[Turn]) -> Vec<Turn> {
    let any = turns.iter().any(|turn| turn.text.contains(IMAGE));
    let tidy = |text: &str| -> String {
        let pieces: Vec<&str> = text.split(IMAGE).map(str::trim).collect();
        let last = pieces.len() - 1;
        let mut tidied = String::new();
        for (index, piece) in pieces.iter().enumerate() {
            tidied.push_str(piece);
            if index < last {
                // A trimmed piece never ends with a newline, so a space always separates it.
                tidied.push(' ');
                tidied.push_str(IMAGE);
                tidied.push('\n');
            }
        }
        tidied.trim().to_owned()
    };
    turns
        .iter()
        .enumerate()
        .map(|(index, turn)| {
            let text = if index == 0 && !any { format!("{IMAGE}\n{}", turn.text) } else { turn.text.clone() };
            let text = if text.contains(IMAGE) { tidy(&text) } else { text };
            Turn { role: turn.role, text }
        })
        .collect()
}

/// Turns in the order question, answer, question, ... An answer before the first question is dropped.
fn alternating(turns: &[Turn]) -> Result<&[Turn]> {
    let turns = match turns {
        [first, rest @ ..] if first.role == Role::Assistant => rest,
        all => all,
    };
    let expected = [Role::User, Role::Assistant].into_iter().cycle();
    match turns.iter().zip(expected).position(|(turn, role)| turn.role != role) {
        Some(index) => Err(Error::Conversation {
            reason: format!("turn {index} is by the same speaker as the turn before"),
        }),
        None if turns.is_empty() => Err(Error::Conversation { reason: "there is no question".to_owned() }),
        None => Ok(turns),
    }
}

/// The text of a conversation in the template `llmjp_v3`. The text of a system turn takes the place of
/// [`LLMJP_V3_SYSTEM`].
///
/// # Errors
/// [`Error::Conversation`] if the speakers do not alternate.
pub fn llmjp_v3_text(turns: &[Turn]) -> Result<String> {
    let (system, turns) = match turns {
        [first, rest @ ..] if first.role == Role::System => (first.text.as_str(), rest),
        all => (LLMJP_V3_SYSTEM, all),
    };
    let mut text = system.to_owned();
    for turn in alternating(turns)? {
        if turn.role == Role::User {
            text.extend([LLMJP_V3_BEFORE_USER, &turn.text]);
        } else {
            text.extend([LLMJP_V3_BEFORE_ASSISTANT, &turn.text, END]);
        }
    }
    Ok(text)
}

/// The text of a conversation in the template `llmjp_v3`, up to where the next answer begins.
///
/// # Errors
/// [`Error::Conversation`] if the speakers do not alternate.
pub fn llmjp_v3_prompt(turns: &[Turn]) -> Result<String> {
    Ok(llmjp_v3_text(turns)? + LLMJP_V3_BEFORE_ASSISTANT)
}

/// A training conversation in the template `llmjp_v3`: loss on answers and their ends.
///
/// `has_images` tells a conversation with images (whose turns went through [`place_images`]) from one of text only; only
/// the latter is truncated to `max_length`. If the rounds do not add up to the whole (a separator inside a turn), all
/// labels are [`IGNORE`]: the reference implementation masks such samples, and callers should count them.
///
/// # Errors
/// [`Error::Conversation`], [`Error::Tokenize`].
pub fn llmjp_v3(
    tokenizer: &Tokenizer,
    turns: &[Turn],
    has_images: bool,
    max_length: usize,
) -> Result<Encoded> {
    let prompt = llmjp_v3_text(turns)?;
    let encode = |text: &str| {
        if has_images { encode_with_images(tokenizer, text) } else { encode_text(tokenizer, text) }
    };
    let before = tokenizer.before().len();
    let mut ids = encode(&prompt)?;
    if !has_images {
        ids.truncate(max_length);
    }
    let pad = tokenizer.special().pad;
    let total = ids.iter().filter(|&&id| id != pad).count();
    let mut labels = ids.clone();
    let mut mask = |from: usize, to: usize| {
        let (from, to) = (from.min(labels.len()), to.min(labels.len()));
        labels[from..to.max(from)].fill(IGNORE);
    };
    mask(0, before);
    let mut current = before;
    for round in prompt.split(END).take_while(|round| !round.is_empty()) {
        let mut parts = round.split(LLMJP_V3_BEFORE_ASSISTANT);
        let (Some(question), Some(_), None) = (parts.next(), parts.next(), parts.next()) else { break };
        let instruction = encode(&format!("{question}{LLMJP_V3_BEFORE_ASSISTANT}"))?.len() - before;
        mask(current, current + instruction);
        // The round, and the end token after it.
        current += encode(round)?.len() - before + 1;
    }
    mask(current, usize::MAX);
    if current < max_length && current != total {
        labels.fill(IGNORE);
    }
    Ok(Encoded { ids, labels })
}

/// A caption in the template `plain` of the alignment step: image, caption, newline; loss on the caption and the newline.
/// `<image>` in the caption is removed.
///
/// # Errors
/// [`Error::Tokenize`].
pub fn plain(tokenizer: &Tokenizer, caption: &str) -> Result<Encoded> {
    let caption = caption.replace(IMAGE, "");
    let ids = encode_with_images(tokenizer, &format!("{IMAGE}{caption}\n"))?;
    let lead = encode_with_images(tokenizer, IMAGE)?.len().min(ids.len());
    let mut labels = ids.clone();
    labels[..lead].fill(IGNORE);
    Ok(Encoded { ids, labels })
}

/// A caption of the pre-training step: image, caption, end of text; loss on all text.
///
/// # Errors
/// [`Error::Tokenize`].
pub fn caption(tokenizer: &Tokenizer, caption: &str) -> Result<Encoded> {
    let text = format!("{IMAGE}{}{END}", caption.replace(IMAGE, "<IMAGE>"));
    let ids = encode_with_images(tokenizer, &text)?;
    let pad = tokenizer.special().pad;
    let labels = ids.iter().map(|&id| if id == pad { IGNORE } else { id }).collect();
    Ok(Encoded { ids, labels })
}

/// An interleaved document of the pre-training step. `places` gives for each image the index of the sentence it precedes;
/// only the first `max_images` are used. Returns the sample and the order of the images in it (indices into `places`).
///
/// # Errors
/// [`Error::Conversation`] if a place is beyond the last sentence; [`Error::Tokenize`].
pub fn interleaved<S: AsRef<str>>(
    tokenizer: &Tokenizer,
    sentences: &[S],
    places: &[usize],
    max_images: usize,
) -> Result<(Encoded, Vec<usize>)> {
    let mut texts: Vec<String> = sentences.iter().map(|s| s.as_ref().replace(IMAGE, "<IMAGE>")).collect();
    let places = &places[..places.len().min(max_images)];
    let mut order: Vec<usize> = (0..places.len()).collect();
    order.sort_by_key(|&index| places[index]);
    for &place in places {
        let text = texts.get_mut(place).ok_or_else(|| Error::Conversation {
            reason: format!("an image is placed before sentence {place} of {}", sentences.len()),
        })?;
        text.insert_str(0, IMAGE);
    }
    let joined = texts.join(" ");
    let joined = joined.replace(&format!("{IMAGE} "), IMAGE).replace(&format!(" {IMAGE}"), IMAGE);
    let ids = encode_with_images(tokenizer, &(joined + END))?;
    Ok((Encoded { labels: ids.clone(), ids }, order))
}
