//! The beginning of a run (model, tokenizer, initial weights) and its end (the exported model).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tch::{Device, Kind};
use tsumugi_vlm::checkpoint::{self, Checkpoint, Contents, SaveOptions};
use tsumugi_vlm::{
    Families, GenerationConfig, ImageTokenId, ModelFamily, ParamDef, Part, Tokenizer, Vlm, VlmConfig, Weights,
};

use crate::atomic::atomic_folder;
use crate::data::Place;
use crate::prepare::{Preparer, SpecialIds};
use crate::recipe::{ExportType, ModelConfig, Recipe};
use crate::registry::Registry;
use crate::vocabulary::{chat_template, fit_vocabulary, image_token};
use crate::{Drawn, Error, Part as SamplePart, Result};

/// Rows of a source that are read to build a small vocabulary. More would change only the rarest pieces.
const VOCABULARY_ROWS: u64 = 200_000;

pub(crate) struct Start {
    model: Vlm,
    parts: Parts,
    families: Families,
    tokenizer: Tokenizer,
    generation: GenerationConfig,
    tokenizer_folder: PathBuf,
    seed: u64,
    device: Device,
}

/// The checkpoints that a model begins with.
#[derive(Default)]
struct Parts {
    whole: Option<Checkpoint>,
    vision: Option<Checkpoint>,
    language: Option<Checkpoint>,
}

impl Start {
    pub(crate) fn new(recipe: &Recipe, registry: &Registry, device: Device) -> Result<Self> {
        let families = registry.families().clone();
        let parts = Parts::open(&recipe.model, &families)?;
        let family = parts.family(&recipe.model, &families)?;
        let tokenizer_folder = recipe.out.join("tokenizer");
        let tokenizer = tokenizer(recipe, registry, &parts, family.as_ref(), &tokenizer_folder)?;
        let mut config = parts.config(recipe, &tokenizer)?;
        fit_vocabulary(&mut config, &tokenizer)?;
        let generation = parts.generation()?;
        if let Some(ids) = generation.eos_token_ids() {
            config.language.eos_token_ids = ids;
        }
        let model = Vlm::of_family(family, config)?;
        Ok(Self {
            model,
            parts,
            families,
            tokenizer,
            generation,
            tokenizer_folder,
            seed: recipe.seed,
            device,
        })
    }

    pub(crate) fn model(&self) -> &Vlm {
        &self.model
    }

    pub(crate) fn tokenizer_folder(&self) -> &Path {
        &self.tokenizer_folder
    }

    pub(crate) fn preparer(&self, length: usize) -> Preparer {
        let special = self.tokenizer.special();
        let ids = SpecialIds {
            eos: special.eos,
            pad: special.pad,
            image: special.image,
            image_tokens: self.model.image_tokens() as usize,
        };
        let processor = self.model.image_processor();
        let read = move |bytes: &[u8]| {
            let pixels = processor.pixel_values(&[bytes]).map_err(|error| error.with_causes())?;
            pixels.f_squeeze_dim(0).map_err(|error| error.to_string())
        };
        Preparer::new(self.tokenizer.clone(), Arc::new(read), ids, length)
    }

    /// Initial weights: from the checkpoints, and random for parameters that none of them holds.
    pub(crate) fn weights(&self) -> Result<Weights> {
        let defs: Vec<(Part, ParamDef)> =
            self.model.parameters().into_iter().map(|(p, _, def)| (p, def)).collect();
        if let Some(whole) = &self.parts.whole {
            return Ok(whole.load(defs.iter().map(|(_, def)| def), self.device, Kind::Float)?);
        }
        let mut weights = self.model.init(self.seed, self.device, Kind::Float)?;
        for (part, checkpoint) in [(Part::Vision, &self.parts.vision), (Part::Language, &self.parts.language)]
        {
            let Some(checkpoint) = checkpoint else { continue };
            let wanted = defs.iter().filter(|(p, _)| *p == part).map(|(_, def)| def);
            for (name, tensor) in checkpoint.load(wanted, self.device, Kind::Float)?.iter() {
                weights.insert(name.clone(), tensor.shallow_clone());
            }
        }
        Ok(weights)
    }

    /// Writes the model in the layout that its family exports.
    pub(crate) fn export(&self, folder: &Path, weights: &Weights, recipe: &Recipe) -> Result<()> {
        let kind = match recipe.export.dtype {
            ExportType::Same => None,
            ExportType::F32 => Some(Kind::Float),
            ExportType::Bf16 => Some(Kind::BFloat16),
        };
        let family = self.families.exporter(self.model.family(), self.model.config())?;
        let generation = self.generation.clone();
        let options = SaveOptions { family: Some(family), kind, generation, ..SaveOptions::default() };
        Ok(checkpoint::save(folder, &self.model, weights, Some(&self.tokenizer), &options)?)
    }
}

impl Parts {
    fn open(config: &ModelConfig, families: &Families) -> Result<Self> {
        let open = |name: &Option<String>| -> Result<Option<Checkpoint>> {
            let Some(name) = name else { return Ok(None) };
            let folder = checkpoint::fetch(name)?;
            Ok(Some(Checkpoint::open_with(families, folder, config.family.as_deref())?))
        };
        Ok(Self {
            whole: open(&config.checkpoint)?,
            vision: open(&config.vision)?,
            language: open(&config.language)?,
        })
    }

    /// The family that the recipe names, else that of the checkpoint, else `llava`.
    fn family(&self, config: &ModelConfig, families: &Families) -> Result<Arc<dyn ModelFamily>> {
        let checkpoint = self.whole.as_ref().or(self.vision.as_ref());
        match (&config.family, checkpoint) {
            (Some(name), _) => Ok(families.get(name)?),
            (None, Some(checkpoint)) => Ok(checkpoint.family().clone()),
            (None, None) => Ok(families.get("llava")?),
        }
    }

    /// How the makers of the checkpoint want it to generate.
    fn generation(&self) -> Result<GenerationConfig> {
        match self.whole.as_ref().or(self.language.as_ref()) {
            Some(checkpoint) => Ok(GenerationConfig::open(checkpoint.path())?),
            None => Ok(GenerationConfig::default()),
        }
    }

    /// The sizes of the model: from checkpoints, else from the recipe.
    fn config(&self, recipe: &Recipe, tokenizer: &Tokenizer) -> Result<VlmConfig> {
        let model = &recipe.model;
        let mut config = match &self.whole {
            Some(whole) => {
                let mut config = whole.vlm_config()?.clone();
                config.image_token_id = image_token(whole, &recipe.tokenizer, tokenizer)?;
                config
            }
            None => self.config_of_parts(model, tokenizer)?,
        };
        if !model.options.is_empty() {
            let options = serde_json::to_value(&model.options).map_err(Error::json("model.options"))?;
            config.options = options.as_object().cloned().unwrap_or_default();
        }
        Ok(config)
    }

    fn config_of_parts(&self, model: &ModelConfig, tokenizer: &Tokenizer) -> Result<VlmConfig> {
        let mut config = model.config.clone().unwrap_or_default();
        if let Some(checkpoint) = &self.vision {
            let Contents::Vision(vision) = checkpoint.contents() else {
                return Err(not_a("model.vision", "vision encoder", checkpoint));
            };
            config.vision = vision.clone();
        }
        let special = tokenizer.special();
        match &self.language {
            Some(checkpoint) => {
                let Contents::Language(language) = checkpoint.contents() else {
                    return Err(not_a("model.language", "language model", checkpoint));
                };
                config.language = language.clone();
            }
            None => {
                // A new language model takes the ids of its tokenizer.
                config.language.bos_token_id = special.bos.unwrap_or(special.eos);
                config.language.eos_token_ids = vec![special.eos];
                config.language.pad_token_id = special.pad;
            }
        }
        config.image_token_id = ImageTokenId(special.image);
        Ok(config)
    }
}

fn not_a(key: &str, what: &str, checkpoint: &Checkpoint) -> Error {
    Error::recipe(format!("{key}: {} is not a checkpoint of a {what}", checkpoint.path().display()))
}

/// The tokenizer of a run, which is kept in its folder from the first start on.
fn tokenizer(
    recipe: &Recipe,
    registry: &Registry,
    parts: &Parts,
    family: &dyn ModelFamily,
    folder: &Path,
) -> Result<Tokenizer> {
    if folder.join("tokenizer.json").is_file() {
        return Ok(Tokenizer::open(folder)?);
    }
    let tokenizer = if let Some(size) = recipe.tokenizer.build {
        tsumugi_vlm::build_tokenizer(&texts(recipe, registry)?, size)?
    } else if let Some(path) = &recipe.tokenizer.path {
        open_tokenizer(path)?
    } else if let Some(checkpoint) = parts.whole.as_ref().or(parts.language.as_ref()) {
        Tokenizer::open(checkpoint.path())?
    } else {
        return Err(Error::recipe(
            "tokenizer: give path or build, since no checkpoint of a language model provides one",
        ));
    };
    let tokenizer = match &recipe.tokenizer.image_token {
        Some(token) => tokenizer.with_image_token(token)?,
        None => tokenizer,
    };
    let template = chat_template(recipe, &tokenizer, family.chat_template())?;
    let tokenizer = tokenizer.with_chat_template(template);
    atomic_folder(folder, |folder| Ok(tokenizer.save(folder)?))?;
    Ok(tokenizer)
}

fn open_tokenizer(path: &str) -> Result<Tokenizer> {
    if path.ends_with(".json") {
        let bytes = std::fs::read(path).map_err(Error::io(path))?;
        return Ok(Tokenizer::from_bytes(&bytes)?);
    }
    Ok(Tokenizer::open(checkpoint::fetch(path)?)?)
}

/// All texts of all stages.
fn texts(recipe: &Recipe, registry: &Registry) -> Result<Vec<String>> {
    let mut texts = Vec::new();
    for stage in &recipe.stages {
        for mut member in registry.members(&stage.data, &stage.template)? {
            for position in 0..member.source.len().min(VOCABULARY_ROWS) {
                let Drawn::Sample(sample) = member.source.draw(Place { seed: 0, epoch: 0, position })? else {
                    continue;
                };
                texts.extend(sample.parts.into_iter().filter_map(|part| match part {
                    SamplePart::Text { text, .. } => Some(text),
                    _ => None,
                }));
            }
        }
    }
    Ok(texts)
}
