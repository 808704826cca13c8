//! A model with its tokenizer and picture processor: questions in, answers out.

use std::path::{Path, PathBuf};

use tch::{Device, Kind, Tensor};

use crate::checkpoint::{Checkpoint, SaveOptions, fetch, save};
use crate::error::{Error, Result};
use crate::generate::{GenerateOptions, generate};
use crate::model::Vlm;
use crate::processor::ImageProcessor;
use crate::template::{self, Encoded, Role, Turn};
use crate::tokenizer::Tokenizer;
use crate::weights::Weights;

/// A vision-language model that can be asked.
#[derive(Debug)]
pub struct Model {
    /// Sizes and units.
    pub vlm: Vlm,
    /// The tensors.
    pub weights: Weights,
    /// Text to ids and back.
    pub tokenizer: Tokenizer,
    /// Pictures to pixels.
    pub processor: ImageProcessor,
}

/// One question, with the turns before it where there are any.
#[derive(Debug, Clone, Default)]
pub struct Question {
    /// Bytes of the picture files, in the order of the `<image>`s in the turns (one before the first turn where there is
    /// none).
    pub images: Vec<Vec<u8>>,
    /// The conversation; its last turn is the user's.
    pub turns: Vec<Turn>,
}

impl Question {
    /// A single question about pictures.
    #[must_use]
    pub fn new(text: impl Into<String>, images: Vec<Vec<u8>>) -> Self {
        Self { images, turns: vec![Turn::user(text)] }
    }
}

impl Model {
    /// Loads a model from a folder, or from the Hugging Face hub by the name of its repository.
    ///
    /// # Errors
    /// Those of [`Checkpoint::open`], [`Checkpoint::load`] and [`Tokenizer::open`]; [`Error::Hub`].
    pub fn load(model: &str, device: Device, kind: Kind) -> Result<Self> {
        let folder: PathBuf = fetch(model)?;
        let checkpoint = Checkpoint::open(&folder)?;
        let tokenizer = Tokenizer::open(&folder)?;
        let mut config = checkpoint.vlm_config()?.clone();
        let image = tokenizer.special().image;
        if image < config.language.vocab_size {
            config.image_token_id.0 = image;
        }
        let vlm = Vlm::new(config)?;
        let defs: Vec<_> = vlm.parameters().into_iter().map(|(_, _, def)| def).collect();
        let weights = checkpoint.load(&defs, device, kind)?;
        let processor = ImageProcessor::new(vlm.config());
        Ok(Self { vlm, weights, tokenizer, processor })
    }

    /// Writes the model with all it needs to be loaded here and by transformers.
    ///
    /// # Errors
    /// Those of [`save`].
    pub fn save(&self, folder: impl AsRef<Path>, options: &SaveOptions) -> Result<()> {
        save(folder, self.vlm.config(), &self.weights, Some(&self.tokenizer), options)
    }

    /// Ids of a question, ready for [`generate`], by the tokenizer's chat template or, without one, `llmjp_v3`.
    ///
    /// # Errors
    /// [`Error::Conversation`] if pictures and `<image>`s do not agree; [`Error::Template`]; [`Error::Tokenizer`].
    pub fn prompt(&self, question: &Question) -> Result<Vec<i64>> {
        let turns = if question.images.is_empty() { question.turns.clone() } else { with_places(question) };
        let text = match self.tokenizer.chat_template() {
            Some(jinja) if jinja != template::LLMJP_V3_JINJA => {
                template::jinja_text(&self.tokenizer, jinja, &turns)?
            }
            _ => template::llmjp_v3_prompt(&turns)?,
        };
        let ids = template::encode_with_images(&self.tokenizer, &text)?;
        let encoded = Encoded { labels: ids.clone(), ids };
        if encoded.images() != question.images.len() {
            return Err(Error::Conversation {
                reason: format!(
                    "{} pictures but {} <image> in the prompt",
                    question.images.len(),
                    encoded.images()
                ),
            });
        }
        let config = self.vlm.config();
        Ok(encoded.expand(config.image_tokens(), config.image_token_id.0).ids)
    }

    /// Answers a batch of questions. `on_text` hears each piece of text as soon as it is certain, with the number of its
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

/// A question's turns with one `<image>` for each picture, on lines of their own.
fn with_places(question: &Question) -> Vec<Turn> {
    let any = question.turns.iter().any(|turn| turn.text.contains(crate::tokenizer::IMAGE));
    let mut turns = question.turns.clone();
    if let (false, Some(first)) = (any, turns.iter_mut().find(|turn| turn.role == Role::User)) {
        first.text.insert_str(0, &"<image>\n".repeat(question.images.len()));
    }
    template::place_images(&turns)
}

/// Text of an answer as it grows. Characters of several byte tokens are held back until they are whole.
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
