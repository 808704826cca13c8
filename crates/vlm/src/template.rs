//! Conversations and captions to ids and labels.
//!
//! Text around each `<image>` is tokenised chunk by chunk, as in VILA: a chunk is encoded with its start token, which is
//! dropped again for all but the first. In the ids an image is one [`IMAGE_PLACE`]; [`Encoded::expand`] widens it to the
//! tokens of its features.

use minijinja::{Environment, context};
use serde::{Deserialize, Serialize};

use crate::context::IGNORE;
use crate::error::{Error, Result};
use crate::tokenizer::{IMAGE, Tokenizer};

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

/// The speaker of a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The user.
    User,
    /// The model.
    Assistant,
}

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

/// Ids of a text with `<image>` in it, chunk by chunk.
///
/// # Errors
/// [`Error::Tokenize`].
pub fn encode_with_images(tokenizer: &Tokenizer, text: &str) -> Result<Vec<i64>> {
    let mut ids = Vec::new();
    for (index, chunk) in text.split(IMAGE).enumerate() {
        let encoded = tokenizer.encode(chunk, true)?;
        if index > 0 {
            ids.push(IMAGE_PLACE);
        }
        ids.extend(&encoded[usize::from(index > 0 && !encoded.is_empty())..]);
    }
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

/// The text of a conversation in the template `llmjp_v3`.
///
/// # Errors
/// [`Error::Conversation`] if the speakers do not alternate.
pub fn llmjp_v3_text(turns: &[Turn]) -> Result<String> {
    let mut text = LLMJP_V3_SYSTEM.to_owned();
    for turn in alternating(turns)? {
        match turn.role {
            Role::User => text.extend([LLMJP_V3_BEFORE_USER, &turn.text]),
            Role::Assistant => text.extend([LLMJP_V3_BEFORE_ASSISTANT, &turn.text, END]),
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
        if has_images { encode_with_images(tokenizer, text) } else { tokenizer.encode(text, true) }
    };
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
    mask(0, 1);
    let mut current = 1;
    for round in prompt.split(END).take_while(|round| !round.is_empty()) {
        let mut parts = round.split(LLMJP_V3_BEFORE_ASSISTANT);
        let (Some(question), Some(_), None) = (parts.next(), parts.next(), parts.next()) else { break };
        let instruction = encode(&format!("{question}{LLMJP_V3_BEFORE_ASSISTANT}"))?.len() - 1;
        mask(current, current + instruction);
        current += encode(round)?.len();
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

/// A piece of a sample: text, with or without loss, or an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Text, and whether it has loss.
    Text(String, bool),
    /// An image.
    Image,
}

/// Any sequence of texts and images. Texts between two images are tokenised together, and a token has loss if its first
/// byte belongs to a text with loss. `end` adds the end of the text, with loss if the last text has loss.
///
/// # Errors
/// [`Error::Tokenize`].
pub fn pieces(tokenizer: &Tokenizer, pieces: &[Piece], end: bool) -> Result<Encoded> {
    let mut encoded = Encoded::default();
    let mut last = false;
    for (index, chunk) in pieces.split(|piece| *piece == Piece::Image).enumerate() {
        if index > 0 {
            encoded.ids.push(IMAGE_PLACE);
            encoded.labels.push(IGNORE);
        }
        let mut text = String::new();
        let mut ends: Vec<(usize, bool)> = Vec::new();
        for piece in chunk {
            if let Piece::Text(part, loss) = piece {
                text.push_str(part);
                ends.push((text.len(), *loss));
                last = *loss;
            }
        }
        let tokens = tokenizer.encode_with_offsets(&text, true)?;
        for (place, (id, bytes)) in tokens.into_iter().enumerate() {
            // The start token appears once and never has loss.
            if place == 0 && index > 0 {
                continue;
            }
            let loss = ends.iter().find(|(end, _)| bytes.start < *end).is_some_and(|(_, loss)| *loss);
            encoded.ids.push(id);
            encoded.labels.push(if loss && place > 0 { id } else { IGNORE });
        }
    }
    if end {
        let eos = tokenizer.special().eos;
        encoded.ids.push(eos);
        encoded.labels.push(if last { eos } else { IGNORE });
    }
    Ok(encoded)
}

/// The text of a conversation in a Jinja chat template, up to where the next answer begins.
///
/// # Errors
/// [`Error::Template`] if the template does not compile or run.
pub fn jinja_text(tokenizer: &Tokenizer, template: &str, turns: &[Turn]) -> Result<String> {
    let mut environment = Environment::new();
    environment.set_trim_blocks(true);
    environment.set_lstrip_blocks(true);
    environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
    environment.add_function(
        "raise_exception",
        |message: String| -> std::result::Result<String, minijinja::Error> {
            Err(minijinja::Error::new(minijinja::ErrorKind::InvalidOperation, message))
        },
    );
    let special = tokenizer.special();
    let values = context! {
        messages => turns,
        add_generation_prompt => turns.last().is_none_or(|turn| turn.role == Role::User),
        bos_token => tokenizer.token(special.bos),
        eos_token => tokenizer.token(special.eos),
        pad_token => tokenizer.token(special.pad),
    };
    Ok(environment.render_str(template, values)?)
}
