//! Components by name.

use std::collections::BTreeMap;
use std::path::Path;

use tsumugi_record::{Conversation, Interleaved, Pair};
use tsumugi_vlm::Vlm;

use crate::callback::Callback;
use crate::collate::{BatchShape, Collator, Packed, Padded};
use crate::data::{DataSource, JsonSource, TableSource};
use crate::lower::{Template, lower_conversation, lower_interleaved, lower_pair};
use crate::metrics::{MetricSink, TensorBoardSink};
use crate::objective::{Objective, SampleMean, TokenMean};
use crate::recipe::{ComponentConfig, DataConfig, ModelConfig};
use crate::{Error, Result};

/// Pictures of an interleaved document that are kept (MMC4's limit in VILA's data preparation).
const MAX_IMAGES: usize = 6;
/// Batches whose samples are sorted together by the collator `bucketed`.
const BUCKET: usize = 16;

type SourceMaker = Box<dyn Fn(&SourceRequest<'_>) -> Result<Box<dyn DataSource>> + Send + Sync>;
type CollatorMaker = Box<dyn Fn(BatchShape, u64) -> Result<Box<dyn Collator>> + Send + Sync>;
type ObjectiveMaker = Box<dyn Fn() -> Result<Box<dyn Objective>> + Send + Sync>;
type CallbackMaker = Box<dyn Fn(&ComponentConfig) -> Result<Box<dyn Callback>> + Send + Sync>;
type SinkMaker = Box<dyn Fn(&Path, &ComponentConfig) -> Result<Box<dyn MetricSink>> + Send + Sync>;
type ModelMaker = Box<dyn Fn(&ModelConfig) -> Result<Vlm> + Send + Sync>;

/// What a data source is made of.
#[derive(Debug)]
pub struct SourceRequest<'a> {
    /// Its entry in the recipe.
    pub config: &'a DataConfig,
    /// How its rows become text.
    pub template: Template,
}

/// The components a recipe can name. An ordinary value: a lab adds its own and hands it to the trainer.
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
    models: BTreeMap<String, ModelMaker>,
}

impl Default for Registry {
    /// The components of this crate.
    fn default() -> Self {
        let mut registry = Self::empty();
        registry.source("pairs", |request| {
            let template = request.template.clone();
            let lower = move |row: Pair| (row.id.clone(), lower_pair(row, &template));
            Ok(Box::new(TableSource::open(&request.config.path, request.config.limit, lower)?))
        });
        registry.source("interleaved", |request| {
            let most = request.config.max_images.unwrap_or(MAX_IMAGES);
            let lower = move |row: Interleaved| (row.id.clone(), lower_interleaved(row, most));
            Ok(Box::new(TableSource::open(&request.config.path, request.config.limit, lower)?))
        });
        registry.source("conversations", |request| {
            let template = request.template.clone();
            let lower = move |row: Conversation| (row.id.clone(), lower_conversation(row, &template));
            Ok(Box::new(TableSource::open(&request.config.path, request.config.limit, lower)?))
        });
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
    /// No component at all.
    pub fn empty() -> Self {
        Self {
            sources: BTreeMap::new(),
            collators: BTreeMap::new(),
            objectives: BTreeMap::new(),
            callbacks: BTreeMap::new(),
            sinks: BTreeMap::new(),
            models: BTreeMap::new(),
        }
    }

    /// Adds a data source, or replaces the one of this name.
    pub fn source(
        &mut self,
        name: &str,
        make: impl Fn(&SourceRequest<'_>) -> Result<Box<dyn DataSource>> + Send + Sync + 'static,
    ) {
        self.sources.insert(name.to_owned(), Box::new(make));
    }

    /// Adds a collator; it is given the shape of batches and a seed.
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

    /// Adds a metric sink; it is given the run's folder.
    pub fn sink(
        &mut self,
        name: &str,
        make: impl Fn(&Path, &ComponentConfig) -> Result<Box<dyn MetricSink>> + Send + Sync + 'static,
    ) {
        self.sinks.insert(name.to_owned(), Box::new(make));
    }

    /// Adds a model builder, for architectures of one's own.
    pub fn model(&mut self, name: &str, make: impl Fn(&ModelConfig) -> Result<Vlm> + Send + Sync + 'static) {
        self.models.insert(name.to_owned(), Box::new(make));
    }

    /// Makes a data source.
    ///
    /// # Errors
    /// [`Error::UnknownComponent`], or what its maker says.
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

    /// Builds a model.
    ///
    /// # Errors
    /// As [`Registry::make_source`].
    pub fn make_model(&self, name: &str, config: &ModelConfig) -> Result<Vlm> {
        find(&self.models, "model builder", name)?(config)
    }

    /// Checks that everything a recipe names is here.
    ///
    /// # Errors
    /// [`Error::UnknownComponent`] for the first that is not.
    pub fn check(&self, recipe: &crate::Recipe) -> Result<()> {
        for component in &recipe.callbacks {
            find(&self.callbacks, "callback", &component.name)?;
        }
        for component in &recipe.metrics {
            find(&self.sinks, "metric sink", &component.name)?;
        }
        if let Some(builder) = &recipe.model.builder {
            find(&self.models, "model builder", builder)?;
        }
        for stage in &recipe.stages {
            Template::by_name(&stage.template)?;
            find(&self.collators, "collator", &stage.batch.collator)?;
            find(&self.objectives, "objective", &stage.objective)?;
            let held_out = stage.evaluation.iter().flat_map(|evaluation| &evaluation.data);
            for data in stage.data.iter().chain(held_out) {
                find(&self.sources, "data source", &data.source)?;
                data.template.as_deref().map(Template::by_name).transpose()?;
            }
        }
        Ok(())
    }
}

fn find<'a, T>(makers: &'a BTreeMap<String, T>, kind: &'static str, name: &str) -> Result<&'a T> {
    makers.get(name).ok_or_else(|| Error::UnknownComponent {
        kind,
        name: name.to_owned(),
        known: makers.keys().cloned().collect(),
    })
}
