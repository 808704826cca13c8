//! The language gate: answers in another language than the reference count as empty.

use tsumugi_text::LanguageIdentifier;

/// Tells how likely a text is in a language. The tool of profile `sakana` asks fastText's lid.176; scores made with
/// another detector hold for that detector.
pub trait LanguageDetector {
    /// The name in results, with the version where that matters.
    fn name(&self) -> &str;

    /// The probability, 0 to 1, that `text` is in `language` (an ISO 639-1 code). The text has no line breaks.
    fn probability(&self, text: &str, language: &str) -> f64;
}

impl LanguageDetector for LanguageIdentifier {
    fn name(&self) -> &str {
        "tsumugi-text"
    }

    fn probability(&self, text: &str, language: &str) -> f64 {
        let found = self.identify(text);
        if found.code == language { found.score } else { 0.0 }
    }
}

/// Returns the prediction, or an empty text where the reference is in `language` (probability 0.5 or more) and the
/// prediction is not.
///
/// ```
/// use tsumugi_eval::rouge::{LanguageDetector, gated};
///
/// /// Takes whatever holds kana for Japanese.
/// struct Kana;
///
/// impl LanguageDetector for Kana {
///     fn name(&self) -> &str {
///         "kana"
///     }
///
///     fn probability(&self, text: &str, _language: &str) -> f64 {
///         f64::from(u8::from(text.contains(|c| ('\u{3041}'..='\u{30ff}').contains(&c))))
///     }
/// }
///
/// assert_eq!(gated(&Kana, "ja", "A cat.", "猫がいます。"), "");
/// assert_eq!(gated(&Kana, "ja", "猫です。", "猫がいます。"), "猫です。");
/// assert_eq!(gated(&Kana, "ja", "A cat.", "cat"), "A cat.");
/// ```
pub fn gated<'p>(
    detector: &(impl LanguageDetector + ?Sized),
    language: &str,
    prediction: &'p str,
    reference: &str,
) -> &'p str {
    let is_of_language = |text: &str| detector.probability(&text.replace('\n', ""), language) >= 0.5;
    if is_of_language(reference) && !is_of_language(prediction) { "" } else { prediction }
}
