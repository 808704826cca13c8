//! A vision-language model: the units of its parts in a row.

use std::collections::HashMap;
use std::sync::Arc;

use tch::{Device, Kind, Tensor};

use crate::config::{ImageTokenId, VlmConfig};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::families::Llava;
use crate::family::ModelFamily;
use crate::processor::ImageProcessor;
use crate::storage::Contents;
use crate::unit::{Acts, ParamDef, Part, Unit};
use crate::weights::Weights;

/// A vision-language model without its weights: family, sizes and units. Cheap to clone and to share between threads.
#[derive(Debug, Clone)]
pub struct Vlm {
    family: Arc<dyn ModelFamily>,
    config: VlmConfig,
    units: Vec<(Part, Arc<dyn Unit>)>,
}

impl Vlm {
    /// SigLIP, VILA's projector and Llama of these sizes: the family [`Llava`].
    ///
    /// # Errors
    /// As [`Vlm::of_family`].
    pub fn new(config: VlmConfig) -> Result<Self> {
        Self::of_family(Arc::new(Llava), config)
    }

    /// The model of a family and sizes.
    ///
    /// # Errors
    /// [`Error::Config`] if the sizes do not fit each other, if two units or two parameters have the same name, or if a
    /// borrowed parameter has no owner.
    pub fn of_family(family: Arc<dyn ModelFamily>, config: VlmConfig) -> Result<Self> {
        family.validate(&config)?;
        Self::of_parts(family, config, &[Part::Vision, Part::Projector, Part::Language])
    }

    /// The model of a checkpoint; of a part, only the units of that part.
    ///
    /// # Errors
    /// As [`Vlm::of_family`].
    pub fn of_contents(family: Arc<dyn ModelFamily>, contents: &Contents) -> Result<Self> {
        let none = VlmConfig { image_token_id: ImageTokenId(-1), ..VlmConfig::default() };
        match contents {
            Contents::Vlm(config) => Self::of_family(family, config.clone()),
            Contents::Language(language) => {
                let config = VlmConfig { language: language.clone(), ..none };
                Self::of_parts(family, config, &[Part::Language])
            }
            Contents::Vision(vision) => {
                let config = VlmConfig { vision: vision.clone(), ..none };
                Self::of_parts(family, config, &[Part::Vision])
            }
        }
    }

    fn of_parts(family: Arc<dyn ModelFamily>, config: VlmConfig, parts: &[Part]) -> Result<Self> {
        let mut units = Vec::new();
        for &part in parts {
            let of_part = match part {
                Part::Vision => family.vision(&config)?,
                Part::Projector => family.projector(&config)?,
                Part::Language => family.language(&config)?,
            };
            units.extend(of_part.into_iter().map(|unit| (part, unit)));
        }
        let model = Self { family, config, units };
        model.check_names()?;
        Ok(model)
    }

    /// The same model with its units replaced.
    pub(crate) fn map_units(
        &self,
        mut map: impl FnMut(Part, &Arc<dyn Unit>) -> Result<Arc<dyn Unit>>,
    ) -> Result<Self> {
        let units = self.units.iter().map(|(part, unit)| Ok((*part, map(*part, unit)?)));
        let units = units.collect::<Result<_>>()?;
        let model = Self { family: self.family.clone(), config: self.config.clone(), units };
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

    /// The family.
    #[must_use]
    pub fn family(&self) -> &Arc<dyn ModelFamily> {
        &self.family
    }

    /// The sizes.
    #[must_use]
    pub fn config(&self) -> &VlmConfig {
        &self.config
    }

    /// Number of `<image>` tokens of one image in a row.
    #[must_use]
    pub fn image_tokens(&self) -> i64 {
        self.family.image_tokens(&self.config)
    }

    /// Decodes, resizes and normalises images for this model.
    #[must_use]
    pub fn image_processor(&self) -> ImageProcessor {
        self.family.image_processor(&self.config)
    }

    /// The units with the part that each belongs to, in the order data flows.
    #[must_use]
    pub fn units(&self) -> &[(Part, Arc<dyn Unit>)] {
        &self.units
    }

    /// Index of the first unit of a part. A batch without images starts at that of [`Part::Language`].
    #[must_use]
    pub fn start_of(&self, part: Part) -> usize {
        self.units.iter().position(|(p, _)| *p >= part).unwrap_or(self.units.len())
    }

    /// All parameters in order, each with its part and the index of the unit that owns it.
    #[must_use]
    pub fn parameters(&self) -> Vec<(Part, usize, ParamDef)> {
        let owned = |(index, (part, unit)): (usize, &(Part, Arc<dyn Unit>))| {
            unit.spec().0.into_iter().map(move |def| (*part, index, def)).collect::<Vec<_>>()
        };
        self.units.iter().enumerate().flat_map(owned).collect()
    }

    /// Random weights. The same seed gives the same numbers on every machine and for any order of units: each parameter
    /// has its own stream, named after it.
    ///
    /// # Errors
    /// [`Error::Torch`] if there is no memory for them.
    pub fn init(&self, seed: u64, device: Device, kind: Kind) -> Result<Weights> {
        let mut weights = Weights::default();
        for (_, _, def) in self.parameters() {
            let tensor = def.first_value(seed)?.f_to_kind(kind)?.f_to_device(device)?;
            weights.insert(def.name, tensor);
        }
        Ok(weights)
    }

    /// Runs a range of units as one graph.
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

    /// Features of images `[n,3,h,w]` as the language model reads them, `[n,f,d]`.
    ///
    /// # Errors
    /// Those of [`Unit::forward`].
    pub fn image_features(&self, weights: &Weights, pixels: &Tensor, context: &Context) -> Result<Tensor> {
        let end = self.start_of(Part::Language);
        Ok(self.run(weights, 0..end, Acts::new(pixels.shallow_clone()), context)?.x)
    }

    /// Runs the model on one batch and gives what [`Context::output`] asks for.
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
