//! A guess at the language of Latin text by function words.
//!
//! The archive's languages matter here only as "not Japanese", so the guess is cheap: it counts the commonest words
//! of a handful of languages in the first few kilobytes.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};

/// Bytes of a text that are looked at.
const LOOK: usize = 4096;

/// Frequent words that few of the other languages in the list share.
const WORDS: [(&str, &[&str]); 10] = [
    (
        "en",
        &[
            "the", "and", "of", "to", "is", "that", "for", "with", "you", "this", "are", "not", "by", "it",
            "be",
        ],
    ),
    (
        "fr",
        &[
            "le", "les", "et", "des", "une", "est", "dans", "pour", "que", "qui", "vous", "avec", "sur",
            "du", "pas",
        ],
    ),
    (
        "de",
        &[
            "der", "die", "und", "das", "ist", "nicht", "mit", "ein", "eine", "den", "von", "auf", "sie",
            "werden", "zu",
        ],
    ),
    (
        "es",
        &[
            "el", "los", "las", "una", "es", "por", "con", "del", "para", "se", "como", "y", "más", "que",
            "lo",
        ],
    ),
    (
        "it",
        &[
            "il", "di", "che", "gli", "della", "sono", "è", "per", "del", "nel", "con", "una", "le", "alla",
            "questo",
        ],
    ),
    (
        "pt",
        &["o", "os", "não", "uma", "para", "com", "do", "da", "em", "por", "são", "que", "ao", "dos", "você"],
    ),
    (
        "nl",
        &[
            "het", "een", "van", "niet", "zijn", "met", "voor", "op", "dat", "ook", "wordt", "en", "u", "te",
            "aan",
        ],
    ),
    (
        "id",
        &[
            "yang", "dan", "untuk", "dengan", "dari", "ini", "pada", "adalah", "tidak", "dalam", "akan",
            "atau", "anda", "itu", "oleh",
        ],
    ),
    (
        "vi",
        &[
            "và", "của", "là", "không", "được", "cho", "các", "một", "với", "trong", "này", "những", "có",
            "người", "bạn",
        ],
    ),
    (
        "pl",
        &[
            "się", "nie", "jest", "na", "że", "do", "oraz", "dla", "przez", "przy", "lub", "które", "jak",
            "po", "czy",
        ],
    ),
];

static FINDER: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let patterns = WORDS.iter().flat_map(|(_, words)| words.iter());
    AhoCorasick::builder()
        .match_kind(MatchKind::LeftmostLongest)
        .ascii_case_insensitive(true)
        .build(patterns)
        .ok()
});

/// The language with the most function words in the first kilobytes of `text` and its share of them, or none.
pub(super) fn guess(text: &str) -> Option<(&'static str, f64)> {
    let text = super::prefix(text, LOOK);
    let mut hits = [0_u32; WORDS.len()];
    for word in text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty()) {
        let found = FINDER.as_ref()?.find(word);
        if !found.is_some_and(|m| m.start() == 0 && m.end() == word.len()) {
            continue;
        }
        // A word may belong to several languages, so every list is asked once the word is known to be in one.
        for (count, (_, words)) in hits.iter_mut().zip(WORDS) {
            *count += u32::from(words.iter().any(|known| known.eq_ignore_ascii_case(word)));
        }
    }
    let total: u32 = hits.iter().sum();
    let (best, count) = hits.iter().enumerate().max_by_key(|&(at, count)| (*count, std::cmp::Reverse(at)))?;
    (*count > 0).then(|| (WORDS[best].0, f64::from(*count) / f64::from(total)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_common_languages() {
        let check = |text: &str, expected: &str| assert_eq!(guess(text).unwrap().0, expected, "{text}");
        check("The quick fox is not lazy and it jumps over the dog.", "en");
        check("Le renard est dans la maison avec les enfants et le chien.", "fr");
        check("Der Hund und die Katze sind nicht auf dem Dach.", "de");
        check("El perro y los gatos no están en la casa con las niñas.", "es");
        assert_eq!(guess("Zzyzx"), None);
        assert_eq!(guess(""), None);
    }
}
