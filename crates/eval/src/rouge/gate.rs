//! The language gate of profile `sakana`: answers in another language than the reference count as empty.

use tsumugi_text::LanguageIdentifier;

/// How likely a text is Japanese. The reference asks fastText's lid.176; any detector may stand in its place, and the
/// scores then hold for that detector.
pub trait LanguageDetector {
    /// What results call it, with its version where that matters.
    fn name(&self) -> &str;

    /// 0 to 1. The text has no line breaks.
    fn japanese(&self, text: &str) -> f64;
}

impl LanguageDetector for LanguageIdentifier {
    fn name(&self) -> &str {
        "tsumugi-text"
    }

    fn japanese(&self, text: &str) -> f64 {
        let language = self.identify(text);
        if language.code == "ja" { language.score } else { 0.0 }
    }
}

/// The prediction as the gated scores (`rougeL_ja`) see it: empty where the reference is Japanese (0.5 or more) and
/// the prediction is not.
///
/// ```
/// use tsumugi_eval::rouge::{LanguageDetector, gated};
///
/// struct Kana;
/// impl LanguageDetector for Kana {
///     fn name(&self) -> &str {
///         "kana"
///     }
///
///     fn japanese(&self, text: &str) -> f64 {
///         f64::from(u8::from(text.contains(|c| ('ぁ'..='ヿ').contains(&c))))
///     }
/// }
/// assert_eq!(gated(&Kana, "A cat.", "猫がいます。"), "");
/// assert_eq!(gated(&Kana, "猫です。", "猫がいます。"), "猫です。");
/// assert_eq!(gated(&Kana, "A cat.", "cat"), "A cat.");
/// ```
pub fn gated<'p>(
    detector: &(impl LanguageDetector + ?Sized),
    prediction: &'p str,
    reference: &str,
) -> &'p str {
    let is_japanese = |text: &str| detector.japanese(&text.replace('\n', "")) >= 0.5;
    if is_japanese(reference) && !is_japanese(prediction) { "" } else { prediction }
}
