//! Model families by name.

use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use super::llava::Llava;
use super::vila::Vila;
use crate::config::VlmConfig;
use crate::error::{Error, Result};
use crate::family::ModelFamily;
use crate::storage::{Opened, read_json};

/// The model families that checkpoints and recipes can name. An ordinary value: add your own and hand it to
/// [`Model::load_with`](crate::Model::load_with), to the trainer's registry or to the parity options.
///
/// ```
/// use std::sync::Arc;
/// use tsumugi_vlm::{Families, ModelFamily};
///
/// // The parts and the layout of the defaults, under a name of its own.
/// #[derive(Debug)]
/// struct Sakura;
///
/// impl ModelFamily for Sakura {
///     fn name(&self) -> &str {
///         "sakura"
///     }
/// }
///
/// let mut families = Families::default();
/// families.register(Arc::new(Sakura));
/// assert_eq!(families.names(), ["llava", "vila", "sakura"]);
/// assert!(families.get("peony").is_err());
/// ```
#[derive(Debug, Clone)]
pub struct Families(Vec<Arc<dyn ModelFamily>>);

impl Default for Families {
    /// The families of this crate: [`Llava`] and [`Vila`].
    fn default() -> Self {
        Self(vec![Arc::new(Llava), Arc::new(Vila)])
    }
}

impl Families {
    /// A registry without any family.
    #[must_use]
    pub fn empty() -> Self {
        Self(Vec::new())
    }

    /// Adds a family, or replaces the one of the same name.
    pub fn register(&mut self, family: Arc<dyn ModelFamily>) {
        self.0.retain(|other| other.name() != family.name());
        self.0.push(family);
    }

    /// The names of all families, in order of registration.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        self.0.iter().map(|family| family.name()).collect()
    }

    /// The family of this name.
    ///
    /// # Errors
    /// [`Error::UnknownFamily`] listing the names of all families.
    pub fn get(&self, name: &str) -> Result<Arc<dyn ModelFamily>> {
        self.0.iter().find(|family| family.name() == name).cloned().ok_or_else(|| Error::UnknownFamily {
            name: name.to_owned(),
            known: self.names().into_iter().map(str::to_owned).collect(),
        })
    }

    /// The family in whose layout a model of `family` with these sizes is exported.
    ///
    /// # Errors
    /// [`Error::UnknownFamily`] if [`ModelFamily::export_as`] names one that is not registered.
    pub fn exporter(
        &self,
        family: &Arc<dyn ModelFamily>,
        config: &VlmConfig,
    ) -> Result<Arc<dyn ModelFamily>> {
        match family.export_as(config) {
            own if own == family.name() => Ok(family.clone()),
            other => self.get(other),
        }
    }

    /// Opens a folder with the family that reads its `config.json`: `preferred` if it does, else the one registered last.
    pub(crate) fn open(
        &self,
        folder: &Path,
        preferred: Option<&str>,
    ) -> Result<(Arc<dyn ModelFamily>, Opened)> {
        let path = folder.join("config.json");
        let config = read_json(&path)?;
        let mut candidates = self.0.iter().rev().filter(|family| family.reads(&config));
        let first = candidates.next();
        let chosen =
            preferred.and_then(|name| first.into_iter().chain(candidates).find(|f| f.name() == name));
        let Some(family) = chosen.or(first) else {
            let found = config.get("model_type").and_then(Value::as_str).unwrap_or_default();
            let known: Vec<String> = self.0.iter().flat_map(|family| family.architectures()).collect();
            let reason = format!("model_type {found:?} is not supported (supported: {})", known.join(", "));
            return Err(Error::Checkpoint { path, reason });
        };
        let opened = family.open(folder, config)?;
        Ok((family.clone(), opened))
    }
}
