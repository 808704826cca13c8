//! `generate`: asks a vision-language model.

use std::io::Write as _;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tsumugi_vlm::{GenerateOptions, Model, Question, torch_ext};

use super::Precision;
use crate::{Context, Error, Group, Tool};

/// Asks a vision-language model about images. The answer streams to standard error as it grows; the last line of standard
/// output is a JSON object with it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Folder of the checkpoint, or the name of a repository on the Hugging Face hub.
    #[schemars(extend("x-required" = true))]
    pub model: String,
    /// Image files, in order.
    #[schemars(extend("x-value-name" = "FILE"))]
    pub image: Vec<PathBuf>,
    /// The question; `<image>` in it marks where an image stands.
    #[schemars(extend("x-required" = true, "x-value-name" = "TEXT"))]
    pub prompt: String,
    /// Most tokens of the answer. By default that of the checkpoint's `generation_config.json`, else 256.
    pub max_new_tokens: Option<usize>,
    /// Temperature of sampling; zero is greedy. By default that of `generation_config.json` where it says `do_sample`, else
    /// zero.
    pub temperature: Option<f64>,
    /// Sample only the likeliest tokens that together have this probability. By default that of `generation_config.json`.
    pub top_p: Option<f64>,
    /// Seed of sampling.
    pub seed: u64,
    /// Beams of the search; one is none. By default that of `generation_config.json`.
    pub num_beams: Option<usize>,
    /// Factor above one that makes tokens that occurred before less likely. By default that of `generation_config.json`.
    pub repetition_penalty: Option<f64>,
    /// Precision of the computation.
    pub dtype: Precision,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            model: String::new(),
            image: Vec::new(),
            prompt: String::new(),
            max_new_tokens: None,
            temperature: None,
            top_p: None,
            seed: 0,
            num_beams: None,
            repetition_penalty: None,
            dtype: Precision::Float32,
        }
    }
}

/// The command `generate`.
pub struct Generate;

impl Tool for Generate {
    const NAME: &'static str = "generate";
    const GROUP: Group = Group::Training;
    const ABOUT: &'static str = "Asks a vision-language model about images";
    type Settings = Settings;

    fn run(settings: Settings, _: &Context) -> Result<Value, Error> {
        run(&settings)
    }
}

fn run(settings: &Settings) -> Result<Value, Error> {
    let read = |path: &PathBuf| std::fs::read(path).map_err(Error::io("reading", path));
    let images = settings.image.iter().map(read).collect::<Result<Vec<_>, Error>>()?;
    let failed = || Error::step("generate", settings.model.clone());
    let model =
        Model::load(&settings.model, torch_ext::best_device(), settings.dtype.kind()).map_err(failed())?;
    for key in model.generation.without_effect() {
        tracing::warn!("{}: generation_config.json sets {key}, which has no effect here", settings.model);
    }
    let of_model = model.generation.options();
    let options = GenerateOptions {
        max_new_tokens: settings.max_new_tokens.unwrap_or(of_model.max_new_tokens),
        temperature: settings.temperature.unwrap_or(of_model.temperature),
        top_p: settings.top_p.unwrap_or(of_model.top_p),
        seed: settings.seed,
        num_beams: settings.num_beams.unwrap_or(of_model.num_beams),
        repetition_penalty: settings.repetition_penalty.unwrap_or(of_model.repetition_penalty),
        ..of_model
    };
    let question = Question::new(settings.prompt.as_str(), images);
    // The stream is for who watches; the answer is in the summary whether or not it can be shown.
    let mut shown = std::io::stderr();
    let answers = model.answer(&[question], &options, &mut |_, piece| {
        let _ = shown.write_all(piece.as_bytes()).and_then(|()| shown.flush());
    });
    let answers = answers.map_err(failed())?;
    let _ = std::io::stderr().write_all(b"\n");
    Ok(json!({"model": settings.model, "prompt": settings.prompt, "answer": answers.first()}))
}
