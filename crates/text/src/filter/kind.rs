//! The filters by name, as profiles write them.

use serde::{Deserialize, Serialize};

use super::{
    BoardMarks, CharRepetition, Classifier, Compression, DuplicateNgrams, DuplicateParts, EllipsisLines,
    FileName, Filter, GopherQuality, HasJapanese, JapaneseLetters, KanaHead, Length, LineBreaks,
    LinearLanguage, NgWords, NotEmpty, Perplexity, RareKuten, RequireLanguage, SentenceLength,
    SentencesWithEllipsis, ShortLines, SingleCharRun, TopNgrams, WordShare,
};

/// Calls the macro with each variant, so that the list stands once.
macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {
        /// A filter with its configuration; in TOML `type` names it.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "type", rename_all = "kebab-case")]
        #[non_exhaustive]
        pub enum FilterConfig {
            $($(#[$doc])* $name($name),)+
        }

        impl FilterConfig {
            /// The filter itself.
            pub(crate) fn filter(&self) -> &dyn Filter {
                match self {
                    $(Self::$name(filter) => filter,)+
                }
            }

            /// The same, to read its files.
            pub(crate) fn filter_mut(&mut self) -> &mut dyn Filter {
                match self {
                    $(Self::$name(filter) => filter,)+
                }
            }
        }
    };
}

kinds! {
    /// See [`NotEmpty`].
    NotEmpty,
    /// See [`RequireLanguage`].
    RequireLanguage,
    /// See [`LinearLanguage`].
    LinearLanguage,
    /// See [`KanaHead`].
    KanaHead,
    /// See [`HasJapanese`].
    HasJapanese,
    /// See [`FileName`].
    FileName,
    /// See [`Length`].
    Length,
    /// See [`JapaneseLetters`].
    JapaneseLetters,
    /// See [`SentenceLength`].
    SentenceLength,
    /// See [`SentencesWithEllipsis`].
    SentencesWithEllipsis,
    /// See [`RareKuten`].
    RareKuten,
    /// See [`DuplicateParts`].
    DuplicateParts,
    /// See [`TopNgrams`].
    TopNgrams,
    /// See [`DuplicateNgrams`].
    DuplicateNgrams,
    /// See [`CharRepetition`].
    CharRepetition,
    /// See [`SingleCharRun`].
    SingleCharRun,
    /// See [`EllipsisLines`].
    EllipsisLines,
    /// See [`ShortLines`].
    ShortLines,
    /// See [`LineBreaks`].
    LineBreaks,
    /// See [`Compression`].
    Compression,
    /// See [`NgWords`].
    NgWords,
    /// See [`WordShare`].
    WordShare,
    /// See [`BoardMarks`].
    BoardMarks,
    /// See [`GopherQuality`].
    GopherQuality,
    /// See [`Perplexity`].
    Perplexity,
    /// See [`Classifier`].
    Classifier,
}
