//! A model with its tokenizer and image processor: questions in, answers out.

use std::path::{Path, PathBuf};

use tch::{Device, Kind, Tensor};

use crate::checkpoint::{Checkpoint, SaveOptions, fetch, save};
use crate::error::{Error, Result};
use crate::families::Families;
use crate::generate::{GenerateOptions, generate};
use crate::model::Vlm;
use crate::processor::ImageProcessor;
use crate::template::{self, Encoded, Role, Turn};
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
    /// # Errors
    /// Those of [`fetch`], [`Checkpoint::open_with`], [`Checkpoint::load`] and [`Tokenizer::open`].
    pub fn load_with(families: &Families, model: &str, device: Device, kind: Kind) -> Result<Self> {
        let folder: PathBuf = fetch(model)?;
        let checkpoint = Checkpoint::open_with(families, &folder, None)?;
        let tokenizer = Tokenizer::open(&folder)?;
        let mut config = checkpoint.vlm_config()?.clone();
        let image = tokenizer.special().image;
        if image < config.language.vocab_size {
            config.image_token_id.0 = image;
        }
        let vlm = Vlm::of_family(checkpoint.family().clone(), config)?;
        let defs: Vec<_> = vlm.parameters().into_iter().map(|(_, _, def)| def).collect();
        let weights = checkpoint.load(&defs, device, kind)?;
        let processor = vlm.image_processor();
        Ok(Self { vlm, weights, tokenizer, processor })
    }

    /// Writes the model with all it needs to be loaded again, by default in its own family's layout.
    ///
    /// # Errors
    /// Those of [`save`].
    pub fn save(&self, folder: impl AsRef<Path>, options: &SaveOptions) -> Result<()> {
        save(folder, &self.vlm, &self.weights, Some(&self.tokenizer), options)
    }

    /// Ids of a question, ready for [`generate`], by the tokenizer's chat template, else the family's, else `llmjp_v3`.
    ///
    /// # Errors
    /// [`Error::Conversation`] if the numbers of images and of `<image>`s differ; [`Error::Template`]; [`Error::Tokenizer`].
    pub fn prompt(&self, question: &Question) -> Result<Vec<i64>> {
        let turns = if question.images.is_empty() { question.turns.clone() } else { with_places(question) };
        let template = self.tokenizer.chat_template().or(self.vlm.family().chat_template());
        let text = match template {
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
                    "there are {} images but {} <image> in the prompt",
                    question.images.len(),
                    encoded.images()
                ),
            });
        }
        Ok(encoded.expand(self.vlm.image_tokens(), self.vlm.config().image_token_id.0).ids)
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

/// A question's turns with one `<image>` for each image, on lines of their own.
fn with_places(question: &Question) -> Vec<Turn> {
    let any = question.turns.iter().any(|turn| turn.text.contains(crate::tokenizer::IMAGE));
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
