//! A vision-language model: its parts in a row.

use std::collections::HashMap;
use std::sync::Arc;

use tch::{Device, Kind, Tensor};

use crate::checkpoint::Contents;
use crate::config::{ImageTokenId, VlmConfig};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::init;
use crate::llama::Llama;
use crate::projector::VilaProjector;
use crate::siglip::Siglip;
use crate::unit::{Acts, ParamDef, Unit};
use crate::weights::Weights;

/// The parts of a vision-language model, in the order data flows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part {
    /// The picture encoder.
    Vision,
    /// What leads from its features to the language model.
    Projector,
    /// The language model, from the token embedding to the head.
    Language,
}

/// A picture encoder: pixels `[n,3,h,w]` to features `[n,f,d]`, as a chain of units.
pub trait VisionTower {
    /// The units, first to last.
    fn units(&self) -> Vec<Arc<dyn Unit>>;
}

/// What leads from the features of a [`VisionTower`] to the width of a [`LanguageModel`].
pub trait Projector {
    /// The units, first to last.
    fn units(&self) -> Vec<Arc<dyn Unit>>;
}

/// A language model. Its first unit embeds [`Context::input_ids`] and splices the features in; its last one gives what
/// [`Context::output`] asks for.
pub trait LanguageModel {
    /// The units, first to last.
    fn units(&self) -> Vec<Arc<dyn Unit>>;
}

/// A part that is not there.
#[derive(Debug)]
struct Nothing;

impl VisionTower for Nothing {
    fn units(&self) -> Vec<Arc<dyn Unit>> {
        Vec::new()
    }
}

impl Projector for Nothing {
    fn units(&self) -> Vec<Arc<dyn Unit>> {
        Vec::new()
    }
}

impl LanguageModel for Nothing {
    fn units(&self) -> Vec<Arc<dyn Unit>> {
        Vec::new()
    }
}

/// A vision-language model without its weights: sizes and units. Cheap to clone and to share between threads.
#[derive(Debug, Clone)]
pub struct Vlm {
    config: VlmConfig,
    units: Vec<(Part, Arc<dyn Unit>)>,
}

impl Vlm {
    /// SigLIP, projector and Llama of these sizes.
    ///
    /// # Errors
    /// [`Error::Config`] if the sizes do not fit each other.
    pub fn new(config: VlmConfig) -> Result<Self> {
        config.validate()?;
        let vision = Siglip::new(config.vision.clone());
        let projector = VilaProjector::new(&config);
        let language = Llama::new(config.language.clone());
        Self::assemble(config, &vision, &projector, &language)
    }

    /// The model a checkpoint is of; one of a part only has no units of the others.
    ///
    /// # Errors
    /// [`Error::Config`] if the sizes do not fit each other.
    pub fn of(contents: &Contents) -> Result<Self> {
        let none = VlmConfig { image_token_id: ImageTokenId(-1), ..VlmConfig::default() };
        match contents {
            Contents::Vlm(config) => Self::new(config.clone()),
            Contents::Llama(config) => {
                let language = Llama::new(config.clone());
                Self::assemble(VlmConfig { language: config.clone(), ..none }, &Nothing, &Nothing, &language)
            }
            Contents::Siglip(config) => {
                let vision = Siglip::new(config.clone());
                Self::assemble(VlmConfig { vision: config.clone(), ..none }, &vision, &Nothing, &Nothing)
            }
        }
    }

    /// A model of parts of one's own. `config` still says what the parts have in common: picture size, width, ids.
    ///
    /// # Errors
    /// [`Error::Config`] if two units or two parameters have the same name, or a borrowed parameter has no owner.
    pub fn assemble(
        config: VlmConfig,
        vision: &dyn VisionTower,
        projector: &dyn Projector,
        language: &dyn LanguageModel,
    ) -> Result<Self> {
        let mut units: Vec<(Part, Arc<dyn Unit>)> = Vec::new();
        units.extend(vision.units().into_iter().map(|unit| (Part::Vision, unit)));
        units.extend(projector.units().into_iter().map(|unit| (Part::Projector, unit)));
        units.extend(language.units().into_iter().map(|unit| (Part::Language, unit)));
        let model = Self { config, units };
        model.check_names()?;
        Ok(model)
    }

    /// The same model with other units in the places of its own.
    pub(crate) fn map_units(
        &self,
        mut map: impl FnMut(Part, &Arc<dyn Unit>) -> Result<Arc<dyn Unit>>,
    ) -> Result<Self> {
        let units = self.units.iter().map(|(part, unit)| Ok((*part, map(*part, unit)?)));
        let model = Self { config: self.config.clone(), units: units.collect::<Result<_>>()? };
        model.check_names()?;
        Ok(model)
    }

    fn check_names(&self) -> Result<()> {
        let mut owners: HashMap<String, &str> = HashMap::new();
        let mut names = std::collections::HashSet::new();
        for (_, unit) in &self.units {
            if !names.insert(unit.name()) {
                return Err(Error::config(format!("two units are named {}", unit.name())));
            }
            for def in &unit.spec() {
                if owners.insert(def.name.clone(), unit.name()).is_some() {
                    return Err(Error::config(format!("two units own a parameter {}", def.name)));
                }
            }
        }
        for (_, unit) in &self.units {
            if let Some(orphan) = unit.borrows().into_iter().find(|name| !owners.contains_key(name)) {
                return Err(Error::config(format!("{} borrows {orphan}, which no unit owns", unit.name())));
            }
        }
        Ok(())
    }

    /// The sizes.
    #[must_use]
    pub fn config(&self) -> &VlmConfig {
        &self.config
    }

    /// The units with the part each belongs to, in the order data flows.
    #[must_use]
    pub fn units(&self) -> &[(Part, Arc<dyn Unit>)] {
        &self.units
    }

    /// Index of the first unit of a part: where a batch without pictures starts is that of [`Part::Language`].
    #[must_use]
    pub fn start_of(&self, part: Part) -> usize {
        self.units.iter().position(|(p, _)| *p >= part).unwrap_or(self.units.len())
    }

    /// All parameters with their part and the index of the unit that owns them, in order.
    #[must_use]
    pub fn parameters(&self) -> Vec<(Part, usize, ParamDef)> {
        let owned = |(index, (part, unit)): (usize, &(Part, Arc<dyn Unit>))| {
            unit.spec().0.into_iter().map(move |def| (*part, index, def)).collect::<Vec<_>>()
        };
        self.units.iter().enumerate().flat_map(owned).collect()
    }

    /// Random weights. The same seed gives the same numbers on every machine and for any order of units: each
    /// parameter has its own stream, named after it.
    ///
    /// # Errors
    /// [`Error::Torch`] if there is no memory for them.
    pub fn init(&self, seed: u64, device: Device, kind: Kind) -> Result<Weights> {
        let mut weights = Weights::default();
        for (_, _, def) in self.parameters() {
            let tensor = init::fill(&def, seed)?.f_to_kind(kind)?.f_to_device(device)?;
            weights.insert(def.name, tensor);
        }
        Ok(weights)
    }

    /// Runs units `from..to` in a row, as one graph.
    ///
    /// # Errors
    /// Those of [`Unit::forward`].
    pub fn run(
        &self,
        weights: &Weights,
        range: std::ops::Range<usize>,
        acts: Acts,
        context: &Context,
    ) -> Result<Acts> {
        let mut acts = acts;
        for (_, unit) in &self.units[range] {
            acts = unit.forward(&weights.params_of(unit.as_ref())?, acts, context)?;
        }
        Ok(acts)
    }

    /// Features of pictures `[n,3,h,w]` as the language model sees them, `[n,f,d]`.
    ///
    /// # Errors
    /// Those of [`Unit::forward`].
    pub fn image_features(&self, weights: &Weights, pixels: &Tensor, context: &Context) -> Result<Tensor> {
        let end = self.start_of(Part::Language);
        Ok(self.run(weights, 0..end, Acts::new(pixels.shallow_clone()), context)?.x)
    }

    /// The whole model on one batch: what [`Context::output`] asks for.
    ///
    /// # Errors
    /// Those of [`Unit::forward`].
    pub fn forward(&self, weights: &Weights, pixels: Option<&Tensor>, context: &Context) -> Result<Tensor> {
        let language = self.start_of(Part::Language);
        let features = match pixels {
            Some(pixels) if pixels.numel() > 0 => Acts::new(self.image_features(weights, pixels, context)?),
            _ => Acts::empty(context.input_ids.device()),
        };
        Ok(self.run(weights, language..self.units.len(), features, context)?.x)
    }
}
