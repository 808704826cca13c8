//! Dictionaries and models that scorers share.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use tsumugi_text::LanguageIdentifier;
use tsumugi_text::mecab::Dictionary;

use crate::Error;
use crate::rouge::LanguageDetector;

/// Dictionaries and models that scorers share. Each is loaded when the first scorer asks for it.
pub struct Resources {
    dictionary_folder: Option<PathBuf>,
    dictionary: OnceLock<Dictionary>,
    detector: Arc<dyn LanguageDetector + Send + Sync>,
}

impl Default for Resources {
    /// The dictionary where [`Dictionary::find`] looks for it, and the language detector of `tsumugi-text`.
    fn default() -> Self {
        Self {
            dictionary_folder: None,
            dictionary: OnceLock::new(),
            detector: Arc::new(LanguageIdentifier::default()),
        }
    }
}

impl fmt::Debug for Resources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Resources");
        shown.field("dictionary_folder", &self.dictionary_folder).field("detector", &self.detector.name());
        shown.finish_non_exhaustive()
    }
}

impl Resources {
    /// Reads the MeCab dictionary from this folder.
    #[must_use]
    pub fn with_dictionary(mut self, folder: impl Into<PathBuf>) -> Self {
        self.dictionary_folder = Some(folder.into());
        self
    }

    /// Asks this language detector.
    #[must_use]
    pub fn with_detector(mut self, detector: impl LanguageDetector + Send + Sync + 'static) -> Self {
        self.detector = Arc::new(detector);
        self
    }

    /// The MeCab dictionary unidic-lite, opened at the first call.
    ///
    /// # Errors
    /// Where there is none, or it cannot be used.
    pub fn dictionary(&self) -> Result<&Dictionary, Error> {
        if let Some(dictionary) = self.dictionary.get() {
            return Ok(dictionary);
        }
        let dictionary = Dictionary::find(self.dictionary_folder.as_deref())?;
        Ok(self.dictionary.get_or_init(|| dictionary))
    }

    /// The language detector.
    #[must_use]
    pub fn detector(&self) -> &dyn LanguageDetector {
        &*self.detector
    }
}
