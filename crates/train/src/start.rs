//! What a run begins with: model, tokenizer, first weights; and what it ends with, the exported model.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tch::{Device, Kind};
use tsumugi_vlm::checkpoint::{self, Checkpoint, Contents, Layout, SaveOptions};
use tsumugi_vlm::{ImageProcessor, ImageTokenId, ParamDef, Part, Tokenizer, Vlm, VlmConfig, Weights};

use crate::checkpoint::{atomic_folder, write_json};
use crate::data::Place;
use crate::prepare::{Preparer, SpecialIds};
use crate::recipe::{ExportType, ModelConfig, Recipe};
use crate::registry::Registry;
use crate::run::parse_device;
use crate::stage::members;
use crate::{Drawn, Error, Part as SamplePart, Result};

/// Rows of a source that are read for a small vocabulary. More would change only the rarest pieces.
const VOCABULARY_ROWS: u64 = 200_000;

pub(crate) struct Start {
    model: Vlm,
    parts: Parts,
    tokenizer: Tokenizer,
    tokenizer_folder: PathBuf,
    seed: u64,
    device: Device,
}

/// The checkpoints a model begins with.
#[derive(Default)]
struct Parts {
    whole: Option<Checkpoint>,
    vision: Option<Checkpoint>,
    language: Option<Checkpoint>,
}

/// Sets LibTorch up and gives the recipe's device.
pub(crate) fn device(recipe: &Recipe) -> Result<Device> {
    let device = parse_device(&recipe.device).ok_or_else(|| {
        Error::recipe(format!("device is \"{}\"; possible are cpu, cuda, cuda:0, ...", recipe.device))
    })?;
    if let Device::Cuda(index) = device {
        tsumugi_torch_ext::load_cuda()?;
        let found = tch::Cuda::device_count();
        if index as i64 >= found {
            return Err(Error::recipe(format!(
                "device is \"{}\", but {found} CUDA devices were found",
                recipe.device
            )));
        }
        tsumugi_torch_ext::set_numerics(recipe.deterministic, false)?;
    }
    tsumugi_torch_ext::keep_freed_memory();
    let threads = i32::try_from(recipe.threads).unwrap_or(i32::MAX);
    tch::set_num_threads(threads);
    Ok(device)
}

impl Start {
    pub(crate) fn new(recipe: &Recipe, registry: &Registry, device: Device) -> Result<Self> {
        let parts = Parts::open(&recipe.model)?;
        let tokenizer_folder = recipe.out.join("tokenizer");
        let tokenizer = tokenizer(recipe, registry, &parts, &tokenizer_folder)?;
        let model = model(recipe, registry, &parts, &tokenizer)?;
        check_ids(model.config(), &tokenizer)?;
        Ok(Self { model, parts, tokenizer, tokenizer_folder, seed: recipe.seed, device })
    }

    pub(crate) fn model(&self) -> &Vlm {
        &self.model
    }

    pub(crate) fn tokenizer_folder(&self) -> &Path {
        &self.tokenizer_folder
    }

    pub(crate) fn preparer(&self, length: usize) -> Preparer {
        let (special, config) = (self.tokenizer.special(), self.model.config());
        let ids = SpecialIds {
            bos: special.bos,
            eos: special.eos,
            pad: special.pad,
            image: special.image,
            image_tokens: config.image_tokens() as usize,
        };
        let processor = ImageProcessor::new(config);
        let read = move |bytes: &[u8]| {
            let pixels = processor.pixel_values(&[bytes]).map_err(|e| e.to_string())?;
            pixels.f_squeeze_dim(0).map_err(|e| e.to_string())
        };
        Preparer::new(self.tokenizer.clone(), Arc::new(read), ids, length)
    }

    /// First weights: from the checkpoints where they hold them, random for the rest.
    pub(crate) fn weights(&self) -> Result<Weights> {
        let defs: Vec<(Part, ParamDef)> =
            self.model.parameters().into_iter().map(|(p, _, def)| (p, def)).collect();
        if let Some(whole) = &self.parts.whole {
            return Ok(whole.load(defs.iter().map(|(_, def)| def), self.device, Kind::Float)?);
        }
        // Random first, then what the checkpoints hold takes its place.
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

    /// Writes the model for others to use: as LLaVA, or as VILA where LLaVA has no such projector. An architecture that
    /// neither can say is written as weights and a tokenizer.
    pub(crate) fn export(&self, folder: &Path, weights: &Weights, recipe: &Recipe) -> Result<()> {
        let kind = match recipe.export.dtype {
            ExportType::Same => None,
            ExportType::F32 => Some(Kind::Float),
            ExportType::Bf16 => Some(Kind::BFloat16),
        };
        if recipe.model.builder.is_some() {
            return atomic_folder(folder, |folder| {
                let tensors = weights.iter().map(|(name, tensor)| (name.as_str(), tensor));
                checkpoint::write_safetensors(&folder.join("model.safetensors"), tensors)?;
                write_json(&folder.join("config.json"), self.model.config())?;
                Ok(self.tokenizer.save(folder)?)
            });
        }
        let layout = Layout::of(self.model.config());
        let options = SaveOptions { layout, kind, ..SaveOptions::default() };
        Ok(checkpoint::save(folder, self.model.config(), weights, Some(&self.tokenizer), &options)?)
    }
}

impl Parts {
    fn open(config: &ModelConfig) -> Result<Self> {
        let open = |name: &Option<String>| -> Result<Option<Checkpoint>> {
            let Some(name) = name else { return Ok(None) };
            Ok(Some(Checkpoint::open(checkpoint::fetch(name)?)?))
        };
        Ok(Self {
            whole: open(&config.checkpoint)?,
            vision: open(&config.vision)?,
            language: open(&config.language)?,
        })
    }
}

fn model(recipe: &Recipe, registry: &Registry, parts: &Parts, tokenizer: &Tokenizer) -> Result<Vlm> {
    if let Some(builder) = &recipe.model.builder {
        return registry.make_model(builder, &recipe.model);
    }
    if let Some(whole) = &parts.whole {
        return Ok(Vlm::new(whole.vlm_config()?.clone())?);
    }
    let mut config = recipe.model.config.clone().unwrap_or_default();
    if let Some(checkpoint) = &parts.vision {
        match checkpoint.contents() {
            Contents::Siglip(vision) => config.vision = vision.clone(),
            _ => {
                return Err(Error::recipe(format!(
                    "model.vision: {} is no SigLIP",
                    checkpoint.path().display()
                )));
            }
        }
    }
    let special = tokenizer.special();
    match parts.language.as_ref().map(|c| (c.contents(), c.path())) {
        Some((Contents::Llama(language), _)) => config.language = language.clone(),
        Some((_, path)) => {
            return Err(Error::recipe(format!("model.language: {} is no Llama", path.display())));
        }
        None => {
            // A new language model has the ids its tokenizer has.
            config.language.bos_token_id = special.bos;
            config.language.eos_token_ids = vec![special.eos];
            config.language.pad_token_id = special.pad;
        }
    }
    config.image_token_id = ImageTokenId(special.image);
    Ok(Vlm::new(config)?)
}

fn check_ids(config: &VlmConfig, tokenizer: &Tokenizer) -> Result<()> {
    let (special, rows) = (tokenizer.special(), config.language.vocab_size);
    if tokenizer.vocab_size() > rows {
        return Err(Error::recipe(format!(
            "the tokenizer has {} ids, the model's embedding {rows} rows (model.config.language.vocab_size)",
            tokenizer.vocab_size()
        )));
    }
    if special.image != config.image_token_id.0 {
        return Err(Error::recipe(format!(
            "<image> is {} for the tokenizer and {} for the model; give the tokenizer of this checkpoint",
            special.image, config.image_token_id.0
        )));
    }
    Ok(())
}

/// The tokenizer of a run, kept in its folder from the first start on.
fn tokenizer(recipe: &Recipe, registry: &Registry, parts: &Parts, folder: &Path) -> Result<Tokenizer> {
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
            "tokenizer: give path or build, since there is no checkpoint to take one from",
        ));
    };
    let tokenizer = match &recipe.export.chat_template {
        name if name == "llmjp_v3" => tokenizer.with_chat_template(tsumugi_vlm::template::LLMJP_V3_JINJA),
        file => {
            let text = std::fs::read_to_string(file).map_err(Error::io(file))?;
            tokenizer.with_chat_template(text)
        }
    };
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
        for mut member in members(registry, &stage.data, &stage.template)? {
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
