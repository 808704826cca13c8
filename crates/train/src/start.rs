//! The beginning of a run (model, tokenizer, initial weights) and its end (the exported model).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tch::{Device, Kind};
use tsumugi_record::write_folder;
use tsumugi_vlm::checkpoint::{self, Checkpoint, Contents, SaveOptions};
use tsumugi_vlm::{
    Families, GenerationConfig, ImageTokenId, ModelFamily, ParamDef, Part, Tokenizer, Vlm, VlmConfig, Weights,
};

use crate::data::Place;
use crate::folder::{Held, RunFolder};
use crate::prepare::{Preparer, SpecialIds};
use crate::recipe::{ExportType, ModelConfig, Recipe};
use crate::registry::Registry;
use crate::vocabulary::{chat_template, fit_vocabulary, image_token};
use crate::{Drawn, Error, Part as SamplePart, Result};

/// Rows of a source that are read to build a small vocabulary. More would change only the rarest pieces.
const VOCABULARY_ROWS: u64 = 200_000;

/// Whether the data of a recipe is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Data {
    /// It is.
    Ready,
    /// It is made later, before the recipe is followed.
    ToBeMade,
}

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
    /// Opens what a run begins with. Reads no weights and writes nothing.
    pub(crate) fn new(
        recipe: &Recipe,
        registry: &Registry,
        folder: &RunFolder,
        held: Held,
        data: Data,
        device: Device,
    ) -> Result<Self> {
        let families = registry.families().clone();
        let parts = Parts::open(&recipe.model, &families)?;
        // Before a tokenizer is looked for in the folder of a vision encoder.
        parts.check_kinds()?;
        let family = parts.family(&recipe.model, &families)?;
        let tokenizer_folder = folder.tokenizer();
        let kept = tokenizer_folder.join("tokenizer.json").is_file() && !held.abandoned;
        let tokenizer = match kept {
            true => Tokenizer::open(&tokenizer_folder)?,
            false => tokenizer(recipe, registry, &parts, family.as_ref(), data)?,
        };
        let mut config = parts.config(recipe, &tokenizer)?;
        fit_vocabulary(&mut config, &tokenizer)?;
        let generation = parts.generation()?;
        if let Some(ids) = generation.eos_token_ids() {
            config.language.eos_token_ids = ids;
        }
        let model =
            Vlm::of_family(family, config).map_err(|error| Error::unusable(None, "model")(error.into()))?;
        families
            .exporter(model.family(), model.config())
            .map_err(|error| Error::unusable(None, "model.family")(error.into()))?;
        parts.check()?;
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

    /// Writes the tokenizer to the run's folder, if it is not there yet.
    pub(crate) fn keep_tokenizer(&self) -> Result<()> {
        if self.tokenizer_folder.join("tokenizer.json").is_file() {
            return Ok(());
        }
        write_folder(&self.tokenizer_folder, |folder| Ok(self.tokenizer.save(folder)?))
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

    /// The weights of a finished stage.
    pub(crate) fn weights_of_stage(&self, folder: &Path) -> Result<Weights> {
        if !folder.join("config.json").is_file() {
            let reason =
                "the stage is done, but its folder holds no checkpoint; delete it to train the stage anew";
            return Err(Error::Checkpoint { path: folder.to_owned(), reason: reason.to_owned() });
        }
        let family = self.model.family().name();
        let checkpoint = Checkpoint::open_with(&self.families, folder, Some(family))?;
        let defs: Vec<ParamDef> = self.model.parameters().into_iter().map(|(.., def)| def).collect();
        Ok(checkpoint.load_as_stored(&defs, Device::Cpu)?)
    }

    /// Writes the model that a stage ends with to the stage's folder, in the trainer's own precision.
    pub(crate) fn write_stage(&self, folder: &Path, weights: &Weights) -> Result<()> {
        let family = self.families.exporter(self.model.family(), self.model.config())?;
        let options = SaveOptions { family: Some(family), ..SaveOptions::default() };
        Ok(checkpoint::save_into(folder, &self.model, weights, Some(&self.tokenizer), &options)?)
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
        let open = |key: &str, name: &Option<String>| -> Result<Option<Checkpoint>> {
            let Some(name) = name else { return Ok(None) };
            let opened = checkpoint::fetch(name)
                .and_then(|folder| Checkpoint::open_with(families, folder, config.family.as_deref()));
            opened.map(Some).map_err(|error| Error::unusable(None, key)(error.into()))
        };
        Ok(Self {
            whole: open("model.checkpoint", &config.checkpoint)?,
            vision: open("model.vision", &config.vision)?,
            language: open("model.language", &config.language)?,
        })
    }

    /// Compares the tensors of each checkpoint with its own configuration, by their headers.
    fn check(&self) -> Result<()> {
        let parts = [
            ("model.checkpoint", &self.whole),
            ("model.vision", &self.vision),
            ("model.language", &self.language),
        ];
        for (key, checkpoint) in parts {
            if let Some(checkpoint) = checkpoint {
                checkpoint.check().map_err(|error| Error::unusable(None, key)(error.into()))?;
            }
        }
        Ok(())
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
                let config = whole.vlm_config();
                let mut config =
                    config.map_err(|error| Error::unusable(None, "model.checkpoint")(error.into()))?.clone();
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

    /// Checks that each part is what it is named for.
    fn check_kinds(&self) -> Result<()> {
        let is_vision = |part: &&Checkpoint| matches!(part.contents(), Contents::Vision(_));
        let is_language = |part: &&Checkpoint| matches!(part.contents(), Contents::Language(_));
        if let Some(part) = self.vision.as_ref().filter(|part| !is_vision(part)) {
            return Err(not_a("model.vision", "vision encoder", part));
        }
        match self.language.as_ref().filter(|part| !is_language(part)) {
            Some(part) => Err(not_a("model.language", "language model", part)),
            None => Ok(()),
        }
    }
}

fn not_a(key: &str, what: &str, checkpoint: &Checkpoint) -> Error {
    let (held, other) = checkpoint.contents().describe();
    let path = checkpoint.path().display();
    Error::recipe(format!("{key}: {path} holds {held}, and a {what} is wanted here; it belongs to `{other}`"))
}

/// The tokenizer that a recipe names or builds.
fn tokenizer(
    recipe: &Recipe,
    registry: &Registry,
    parts: &Parts,
    family: &dyn ModelFamily,
    data: Data,
) -> Result<Tokenizer> {
    let tokenizer = if let Some(size) = recipe.tokenizer.build {
        // The special tokens do not depend on the texts.
        let texts = if data == Data::Ready { texts(recipe, registry)? } else { Vec::new() };
        let built = tsumugi_vlm::build_tokenizer(&texts, size);
        built.map_err(|error| Error::unusable(None, "tokenizer.build")(error.into()))?
    } else if let Some(path) = &recipe.tokenizer.path {
        open_tokenizer(path).map_err(Error::unusable(None, "tokenizer.path"))?
    } else if let Some(checkpoint) = parts.whole.as_ref().or(parts.language.as_ref()) {
        let opened = Tokenizer::open(checkpoint.path());
        opened.map_err(|error| Error::unusable(None, "tokenizer")(error.into()))?
    } else {
        return Err(Error::recipe(
            "tokenizer: give path or build, since no checkpoint of a language model provides one",
        ));
    };
    let tokenizer = match &recipe.tokenizer.image_token {
        Some(token) => {
            let named = tokenizer.with_image_token(token);
            named.map_err(|error| Error::unusable(None, "tokenizer.image_token")(error.into()))?
        }
        None => tokenizer,
    };
    let template = chat_template(recipe, &tokenizer, family.chat_template())?;
    Ok(tokenizer.with_chat_template(template))
}

fn open_tokenizer(path: &str) -> Result<Tokenizer> {
    if path.ends_with(".json") {
        let bytes = std::fs::read(path).map_err(Error::io(path))?;
        return Ok(Tokenizer::from_bytes(&bytes)?);
    }
    Ok(Tokenizer::open(checkpoint::fetch_tokenizer(path)?)?)
}

/// All texts of all stages.
fn texts(recipe: &Recipe, registry: &Registry) -> Result<Vec<String>> {
    let mut texts = Vec::new();
    for stage in &recipe.stages {
        for mut member in registry.members(stage)? {
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
