//! The components that recipes can name.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use tsumugi_vlm::{Families, ModelFamily};

use crate::callback::Callback;
use crate::collate::{BatchShape, Collator, Packed, Padded};
use crate::data::{self, DataSource, JsonSource, Member};
use crate::lower::Template;
use crate::metrics::{MetricSink, TensorBoardSink};
use crate::objective::{Objective, SampleMean, TokenMean};
use crate::recipe::{ComponentConfig, DataConfig, EvaluationConfig, StageConfig};
use crate::{Error, Result};

/// Maximum images of an interleaved document (MMC4's limit in VILA's data preparation).
const MAX_IMAGES: usize = 6;
/// Batches whose samples the collator `bucketed` sorts together.
const BUCKET: usize = 16;

type SourceMaker = Box<dyn Fn(&SourceRequest<'_>) -> Result<Box<dyn DataSource>> + Send + Sync>;
type CollatorMaker = Box<dyn Fn(BatchShape, u64) -> Result<Box<dyn Collator>> + Send + Sync>;
type ObjectiveMaker = Box<dyn Fn() -> Result<Box<dyn Objective>> + Send + Sync>;
type CallbackMaker = Box<dyn Fn(&ComponentConfig) -> Result<Box<dyn Callback>> + Send + Sync>;
type SinkMaker = Box<dyn Fn(&Path, &ComponentConfig) -> Result<Box<dyn MetricSink>> + Send + Sync>;

/// What a data source is made from.
#[derive(Debug)]
pub struct SourceRequest<'a> {
    /// Its entry in the recipe.
    pub config: &'a DataConfig,
    /// The template of its rows.
    pub template: Template,
}

/// The components that a recipe can name. An ordinary value: add your own and hand it to the trainer.
///
/// ```
/// use tsumugi_train::{Registry, SampleMean};
///
/// let mut registry = Registry::default();
/// registry.objective("long-answers", || Ok(Box::new(SampleMean)));
/// assert!(registry.make_objective("long-answers").is_ok());
/// assert!(registry.make_objective("unheard-of").is_err());
/// ```
pub struct Registry {
    sources: BTreeMap<String, SourceMaker>,
    collators: BTreeMap<String, CollatorMaker>,
    objectives: BTreeMap<String, ObjectiveMaker>,
    callbacks: BTreeMap<String, CallbackMaker>,
    sinks: BTreeMap<String, SinkMaker>,
    families: Families,
}

impl Default for Registry {
    /// The components of this crate.
    fn default() -> Self {
        let mut registry = Self { families: Families::default(), ..Self::empty() };
        registry.source("pairs", |request| data::pairs(request.config, request.template.clone()));
        registry.source("interleaved", |request| {
            data::interleaved(request.config, request.config.max_images.unwrap_or(MAX_IMAGES))
        });
        registry
            .source("conversations", |request| data::conversations(request.config, request.template.clone()));
        registry.source("llava", |request| {
            let config = request.config;
            let beside = config.path.parent().unwrap_or(Path::new(".")).to_owned();
            let images = config.images.clone().unwrap_or(beside);
            Ok(Box::new(JsonSource::open(&config.path, &images, request.template.clone(), config.limit)?))
        });
        registry.collator("packed", |shape, _| Ok(Box::new(Packed::new(shape))));
        registry.collator("padded", |shape, _| Ok(Box::new(Padded::new(shape))));
        registry.collator("bucketed", |shape, seed| Ok(Box::new(Padded::bucketed(shape, BUCKET, seed))));
        registry.objective("tokens", || Ok(Box::new(TokenMean)));
        registry.objective("samples", || Ok(Box::new(SampleMean)));
        registry.sink("tensorboard", |out, _| Ok(Box::new(TensorBoardSink::new(&out.join("tensorboard")))));
        registry
    }
}

impl Registry {
    /// No components, and no model families.
    pub fn empty() -> Self {
        Self {
            sources: BTreeMap::new(),
            collators: BTreeMap::new(),
            objectives: BTreeMap::new(),
            callbacks: BTreeMap::new(),
            sinks: BTreeMap::new(),
            families: Families::empty(),
        }
    }

    /// Adds a data source, or replaces the one of the same name.
    pub fn source(
        &mut self,
        name: &str,
        make: impl Fn(&SourceRequest<'_>) -> Result<Box<dyn DataSource>> + Send + Sync + 'static,
    ) {
        self.sources.insert(name.to_owned(), Box::new(make));
    }

    /// Adds a collator, which is made from the shape of batches and a seed.
    pub fn collator(
        &mut self,
        name: &str,
        make: impl Fn(BatchShape, u64) -> Result<Box<dyn Collator>> + Send + Sync + 'static,
    ) {
        self.collators.insert(name.to_owned(), Box::new(make));
    }

    /// Adds an objective.
    pub fn objective(
        &mut self,
        name: &str,
        make: impl Fn() -> Result<Box<dyn Objective>> + Send + Sync + 'static,
    ) {
        self.objectives.insert(name.to_owned(), Box::new(make));
    }

    /// Adds a callback.
    pub fn callback(
        &mut self,
        name: &str,
        make: impl Fn(&ComponentConfig) -> Result<Box<dyn Callback>> + Send + Sync + 'static,
    ) {
        self.callbacks.insert(name.to_owned(), Box::new(make));
    }

    /// Adds a metric sink, which is made from the run's folder and its options.
    pub fn sink(
        &mut self,
        name: &str,
        make: impl Fn(&Path, &ComponentConfig) -> Result<Box<dyn MetricSink>> + Send + Sync + 'static,
    ) {
        self.sinks.insert(name.to_owned(), Box::new(make));
    }

    /// Adds a model family, or replaces the one of the same name.
    pub fn family(&mut self, family: Arc<dyn ModelFamily>) {
        self.families.register(family);
    }

    /// The model families.
    pub fn families(&self) -> &Families {
        &self.families
    }

    /// Makes a data source.
    ///
    /// # Errors
    /// [`Error::UnknownComponent`], or those of its maker.
    pub fn make_source(&self, request: &SourceRequest<'_>) -> Result<Box<dyn DataSource>> {
        find(&self.sources, "data source", &request.config.source)?(request)
    }

    /// Makes a collator.
    ///
    /// # Errors
    /// As [`Registry::make_source`].
    pub fn make_collator(&self, name: &str, shape: BatchShape, seed: u64) -> Result<Box<dyn Collator>> {
        find(&self.collators, "collator", name)?(shape, seed)
    }

    /// Makes an objective.
    ///
    /// # Errors
    /// As [`Registry::make_source`].
    pub fn make_objective(&self, name: &str) -> Result<Box<dyn Objective>> {
        find(&self.objectives, "objective", name)?()
    }

    /// Makes a callback.
    ///
    /// # Errors
    /// As [`Registry::make_source`].
    pub fn make_callback(&self, config: &ComponentConfig) -> Result<Box<dyn Callback>> {
        find(&self.callbacks, "callback", &config.name)?(config)
    }

    /// Makes a metric sink.
    ///
    /// # Errors
    /// As [`Registry::make_source`].
    pub fn make_sink(&self, out: &Path, config: &ComponentConfig) -> Result<Box<dyn MetricSink>> {
        find(&self.sinks, "metric sink", &config.name)?(out, config)
    }

    /// The sources of a stage.
    pub(crate) fn members(&self, stage: &StageConfig) -> Result<Vec<Member>> {
        self.members_of(stage, "data", &stage.data)
    }

    /// The sources of a stage's held-out rows.
    pub(crate) fn held_out(&self, stage: &StageConfig, evaluation: &EvaluationConfig) -> Result<Vec<Member>> {
        self.members_of(stage, "evaluation.data", &evaluation.data)
    }

    fn members_of(&self, stage: &StageConfig, key: &str, data: &[DataConfig]) -> Result<Vec<Member>> {
        let member = |(index, config): (usize, &DataConfig)| -> Result<Member> {
            let unusable = |below: &str| Error::unusable(Some(&stage.name), &format!("{key}.{index}{below}"));
            if let Some(images) = config.images.as_ref().filter(|images| !images.is_dir()) {
                let reason = "there is no such folder".to_owned();
                return Err(unusable(".images")(Error::Data { path: images.clone(), reason }));
            }
            let template = Template::by_name(config.template.as_deref().unwrap_or(&stage.template))?;
            let source = self.make_source(&SourceRequest { config, template }).map_err(unusable(""))?;
            Ok(Member { name: label(config, data), weight: config.weight, source })
        };
        data.iter().enumerate().map(member).collect()
    }

    /// Checks that all components of a recipe are registered.
    ///
    /// # Errors
    /// [`Error::Unusable`] with the key of the first one that is not.
    pub fn check(&self, recipe: &crate::Recipe) -> Result<()> {
        for (index, component) in recipe.callbacks.iter().enumerate() {
            let unusable = Error::unusable(None, &format!("callbacks.{index}"));
            find(&self.callbacks, "callback", &component.name).map_err(unusable)?;
        }
        for (index, component) in recipe.metrics.iter().enumerate() {
            let unusable = Error::unusable(None, &format!("metrics.{index}"));
            find(&self.sinks, "metric sink", &component.name).map_err(unusable)?;
        }
        if let Some(family) = &recipe.model.family {
            let unusable = Error::unusable(None, "model.family");
            self.families.get(family).map_err(Error::Model).map_err(unusable)?;
        }
        for stage in &recipe.stages {
            let unusable = |key: &str| Error::unusable(Some(&stage.name), key);
            Template::by_name(&stage.template).map_err(unusable("template"))?;
            find(&self.collators, "collator", &stage.batch.collator).map_err(unusable("batch.collator"))?;
            find(&self.objectives, "objective", &stage.objective).map_err(unusable("objective"))?;
            self.check_data(stage, "data", &stage.data)?;
            if let Some(evaluation) = &stage.evaluation {
                self.check_data(stage, "evaluation.data", &evaluation.data)?;
            }
        }
        Ok(())
    }

    fn check_data(&self, stage: &StageConfig, key: &str, data: &[DataConfig]) -> Result<()> {
        for (index, config) in data.iter().enumerate() {
            let unusable =
                |below: &str| Error::unusable(Some(&stage.name), &format!("{key}.{index}.{below}"));
            find(&self.sources, "data source", &config.source).map_err(unusable("source"))?;
            if let Some(name) = &config.template {
                Template::by_name(name).map_err(unusable("template"))?;
            }
        }
        Ok(())
    }
}

/// The name of a source in counts: that of its kind, with its path if the mixture has several of the kind.
fn label(config: &DataConfig, all: &[DataConfig]) -> String {
    let alike = all.iter().filter(|other| other.source == config.source).count();
    if alike > 1 { format!("{} {}", config.source, config.path.display()) } else { config.source.clone() }
}

fn find<'a, T>(makers: &'a BTreeMap<String, T>, kind: &'static str, name: &str) -> Result<&'a T> {
    makers.get(name).ok_or_else(|| Error::UnknownComponent {
        kind,
        name: name.to_owned(),
        known: makers.keys().cloned().collect(),
    })
}
