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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::{Contents, StoredTensors};
    use crate::config::{ProjectorKind, VisionConfig};

    /// Reads checkpoints of one `model_type` and finds a vision tower of one width in all of them.
    #[derive(Debug)]
    struct Stub(&'static str, i64);

    impl ModelFamily for Stub {
        fn name(&self) -> &str {
            self.0
        }

        fn architectures(&self) -> Vec<String> {
            vec!["stub".to_owned(), "StubForVision".to_owned()]
        }

        fn open(&self, _: &Path, _: Value) -> Result<Opened> {
            let vision = VisionConfig { hidden_size: self.1, ..VisionConfig::default() };
            Ok(Opened::new(Contents::Vision(vision), StoredTensors::default()))
        }
    }

    fn opened(families: &Families, config: &str, preferred: Option<&str>) -> Result<String> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("config.json"), config).unwrap();
        families.open(folder.path(), preferred).map(|(family, _)| family.name().to_owned())
    }

    #[test]
    fn the_last_family_that_reads_a_checkpoint_opens_it_unless_another_is_preferred() {
        let mut families = Families::default();
        families.register(Arc::new(Stub("first", 1)));
        families.register(Arc::new(Stub("second", 2)));
        for config in [r#"{"model_type": "stub"}"#, r#"{"architectures": ["Other", "StubForVision"]}"#] {
            assert_eq!(opened(&families, config, None).unwrap(), "second");
            assert_eq!(opened(&families, config, Some("first")).unwrap(), "first");
            assert_eq!(opened(&families, config, Some("llava")).unwrap(), "second");
        }
        let error = opened(&families, r#"{"model_type": "bert"}"#, None).unwrap_err().to_string();
        assert!(error.contains("bert") && error.contains("llava_llama") && error.contains("stub"), "{error}");
    }

    #[test]
    fn a_family_replaces_the_one_of_its_name() {
        let mut families = Families::empty();
        families.register(Arc::new(Stub("a", 1)));
        families.register(Arc::new(Stub("b", 1)));
        families.register(Arc::new(Stub("a", 2)));
        assert_eq!(families.names(), ["b", "a"]);
    }

    #[test]
    fn exports_use_the_layout_that_can_express_the_projector() {
        let families = Families::default();
        let mut config = VlmConfig::default();
        for (family, kind, layout) in [
            ("llava", ProjectorKind::Mlp2xGelu, "llava"),
            ("llava", ProjectorKind::Linear, "vila"),
            ("vila", ProjectorKind::Mlp2xGelu, "llava"),
            ("vila", ProjectorKind::MlpDownsample, "vila"),
        ] {
            config.projector.kind = kind;
            let family = families.get(family).unwrap();
            assert_eq!(families.exporter(&family, &config).unwrap().name(), layout);
        }
    }
}
