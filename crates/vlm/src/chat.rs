//! A model with its tokenizer and image processor: questions in, answers out.

use std::path::{Path, PathBuf};

use tch::{Device, Kind, Tensor};

use crate::chat_template::ChatTemplate;
use crate::checkpoint::{Checkpoint, SaveOptions, fetch, save};
use crate::config::VlmConfig;
use crate::conversation::{IMAGE, Message, Role, place_images};
use crate::error::{Error, Result};
use crate::families::Families;
use crate::generate::{GenerateOptions, GenerationConfig, generate};
use crate::model::Vlm;
use crate::processor::ImageProcessor;
use crate::template::{self, Encoded, LLMJP_V3_JINJA, Turn};
use crate::tokenizer::Tokenizer;
use crate::weights::Weights;

/// A vision-language model that answers questions.
#[derive(Debug)]
pub struct Model {
    /// Family, sizes and units.
    pub vlm: Vlm,
    /// The tensors.
    pub weights: Weights,
    /// Text to ids and back.
    pub tokenizer: Tokenizer,
    /// Image files to pixels.
    pub processor: ImageProcessor,
    /// How its makers want it to generate. Only [`GenerationConfig::options`] takes its values; the ids that end an answer
    /// are those of [`Vlm::config`] already.
    pub generation: GenerationConfig,
}

/// One question, with the turns before it, if any.
#[derive(Debug, Clone, Default)]
pub struct Question {
    /// Bytes of the image files, in the order of the `<image>`s in the turns. Without any `<image>`, the images come
    /// before the first question.
    pub images: Vec<Vec<u8>>,
    /// The conversation; its last turn is the user's.
    pub turns: Vec<Turn>,
}

impl Question {
    /// A single question about images.
    #[must_use]
    pub fn new(text: impl Into<String>, images: Vec<Vec<u8>>) -> Self {
        Self { images, turns: vec![Turn::user(text)] }
    }
}

impl Model {
    /// Loads a model of this crate's families from a folder, or from the Hugging Face hub by the name of its repository.
    ///
    /// # Errors
    /// As [`Model::load_with`].
    pub fn load(model: &str, device: Device, kind: Kind) -> Result<Self> {
        Self::load_with(&Families::default(), model, device, kind)
    }

    /// Loads a model of any of `families` from a folder, or from the Hugging Face hub by the name of its repository.
    ///
    /// Its embedding needs no row for the image token: it grows where the tokenizer's image token has none. Answers end at
    /// the ids of `generation_config.json`, else of `config.json`. Without a chat template of its own or of its family, the
    /// model chats in `llmjp_v3`, and a warning says so.
    ///
    /// # Errors
    /// Those of [`fetch`], [`Checkpoint::open_with`], [`Checkpoint::load`], [`Tokenizer::open`], [`Tokenizer::chat`] and
    /// [`GenerationConfig::open`].
    pub fn load_with(families: &Families, model: &str, device: Device, kind: Kind) -> Result<Self> {
        let folder: PathBuf = fetch(model)?;
        let checkpoint = Checkpoint::open_with(families, &folder, None)?;
        let family = checkpoint.family().clone();
        let tokenizer = with_template(Tokenizer::open(&folder)?, family.chat_template(), &folder)?;
        let generation = GenerationConfig::open(&folder)?;
        let mut config = checkpoint.vlm_config()?.clone();
        set_ids(&mut config, &tokenizer, &generation);
        let vlm = Vlm::of_family(family, config)?;
        let defs: Vec<_> = vlm.parameters().into_iter().map(|(_, _, def)| def).collect();
        let weights = checkpoint.load(&defs, device, kind)?;
        let processor = vlm.image_processor();
        Ok(Self { vlm, weights, tokenizer, processor, generation })
    }

    /// Writes the model with all it needs to be loaded again, by default in its own family's layout. If `options` say
    /// nothing about generation, the model's own `generation_config.json` is kept.
    ///
    /// # Errors
    /// Those of [`save`].
    pub fn save(&self, folder: impl AsRef<Path>, options: &SaveOptions) -> Result<()> {
        let mut options = options.clone();
        if options.generation.keys().is_empty() {
            options.generation = self.generation.clone();
        }
        save(folder, &self.vlm, &self.weights, Some(&self.tokenizer), &options)
    }

    /// Ids of a question, ready for [`generate`], by the tokenizer's chat template, as transformers' processor gives them.
    ///
    /// # Errors
    /// [`Error::Conversation`] if the numbers of images and of `<image>`s differ; [`Error::Refused`] with the message of a
    /// template that raises an exception; [`Error::Template`]; [`Error::Tokenizer`].
    pub fn prompt(&self, question: &Question) -> Result<Vec<i64>> {
        let encoded = match self.tokenizer.chat()? {
            Some(template) if template.source() != LLMJP_V3_JINJA => self.by_template(&template, question)?,
            _ => {
                let turns =
                    if question.images.is_empty() { question.turns.clone() } else { with_places(question) };
                let ids = template::encode_with_images(&self.tokenizer, &template::llmjp_v3_prompt(&turns)?)?;
                Encoded { labels: ids.clone(), ids }
            }
        };
        if encoded.images() != question.images.len() {
            return Err(Error::Conversation {
                reason: format!(
                    "there are {} images but {} <image> in the prompt",
                    question.images.len(),
                    encoded.images()
                ),
            });
        }
        Ok(encoded.expand(self.vlm.image_tokens(), self.vlm.config().image_token_id.0).ids)
    }

    fn by_template(&self, template: &ChatTemplate, question: &Question) -> Result<Encoded> {
        let tokens = self.tokenizer.special_tokens();
        let mut messages: Vec<Message> =
            question.turns.iter().map(|turn| Message::from_marked(turn.role, &turn.text)).collect();
        if messages.iter().all(|message| message.images() == 0) {
            place_images(&mut messages, question.images.len());
        }
        template::encode(&self.tokenizer, &template.prompt(tokens, &messages)?, &[])
    }

    /// Answers a batch of questions. `on_text` receives each piece of text as soon as it is final, with the index of its
    /// question.
    ///
    /// # Errors
    /// Those of [`Model::prompt`] and [`generate`]; [`Error::Image`].
    pub fn answer(
        &self,
        questions: &[Question],
        options: &GenerateOptions,
        on_text: &mut dyn FnMut(usize, &str),
    ) -> Result<Vec<String>> {
        let rows = questions.iter().map(|q| self.prompt(q)).collect::<Result<Vec<_>>>()?;
        let files: Vec<&Vec<u8>> = questions.iter().flat_map(|q| &q.images).collect();
        let pixels: Option<Tensor> =
            if files.is_empty() { None } else { Some(self.processor.pixel_values(&files)?) };
        let mut streams: Vec<TextStream> = questions.iter().map(|_| TextStream::default()).collect();
        let answers =
            generate(&self.vlm, &self.weights, &rows, pixels.as_ref(), options, &mut |row, token| {
                if let Some(piece) = streams[row].push(&self.tokenizer, token) {
                    on_text(row, &piece);
                }
                true
            })?;
        answers.iter().map(|ids| Ok(self.tokenizer.decode(ids)?.trim().to_owned())).collect()
    }
}

/// The tokenizer with a template: its own, else the family's, else `llmjp_v3`.
fn with_template(tokenizer: Tokenizer, family: Option<&str>, folder: &Path) -> Result<Tokenizer> {
    if tokenizer.chat()?.is_some() {
        return Ok(tokenizer);
    }
    if family.is_none() {
        tracing::warn!("{}: there is no chat template; llmjp_v3 is used", folder.display());
    }
    Ok(tokenizer.with_chat_template(family.unwrap_or(LLMJP_V3_JINJA)))
}

/// Takes the ids of tokenizer and `generation_config.json`, and grows the vocabulary where added tokens have no row.
fn set_ids(config: &mut VlmConfig, tokenizer: &Tokenizer, generation: &GenerationConfig) {
    config.image_token_id.0 = tokenizer.special().image;
    if tokenizer.base_vocab_size() <= config.language.vocab_size {
        config.language.vocab_size = config.language.vocab_size.max(tokenizer.vocab_size());
    }
    if let Some(ids) = generation.eos_token_ids() {
        config.language.eos_token_ids = ids;
    }
}

/// A question's turns with one `<image>` for each image, on lines of their own.
fn with_places(question: &Question) -> Vec<Turn> {
    let any = question.turns.iter().any(|turn| turn.text.contains(IMAGE));
    let mut turns = question.turns.clone();
    if let (false, Some(first)) = (any, turns.iter_mut().find(|turn| turn.role == Role::User)) {
        first.text.insert_str(0, &"<image>\n".repeat(question.images.len()));
    }
    template::place_images(&turns)
}

/// Text of an answer as it grows. Characters of several byte tokens are held back until they are complete.
#[derive(Debug, Default)]
struct TextStream {
    ids: Vec<i64>,
    said: usize,
}

impl TextStream {
    fn push(&mut self, tokenizer: &Tokenizer, token: i64) -> Option<String> {
        self.ids.push(token);
        let text = tokenizer.decode(&self.ids).ok()?;
        if text.ends_with('\u{fffd}') {
            return None;
        }
        let piece = text.get(self.said..)?.to_owned();
        self.said = text.len();
        (!piece.is_empty()).then_some(piece)
    }
}
