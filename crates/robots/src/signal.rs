//! The ways to opt out, and which of them count.

use serde::{Deserialize, Serialize};

/// A way in which a site, a page or an image says that it must not be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Signal {
    /// `noindex`, or `none`, which includes it. It speaks of search engines; img2dataset obeys it.
    Noindex,
    /// `noml`: no use for machine learning.
    Noml,
    /// `noai`: no use for machine learning (DeviantArt's directive).
    Noai,
    /// `noimageai`: as `noai`, for images alone.
    Noimageai,
    /// `noimageindex`: no image of the page may be indexed.
    Noimageindex,
    /// The header or `<meta>` `tdm-reservation: 1` (TDMRep).
    TdmReservation,
    /// The file `/.well-known/tdmrep.json` (TDMRep).
    Tdmrep,
    /// The file `/ai.txt` (Spawning).
    AiTxt,
    /// `Content-Signal: ai-train=no` in `robots.txt` or as a header (Cloudflare).
    ContentSignal,
    /// `Content-Usage: train-ai=n` in `robots.txt` or as a header (drafts of the IETF's AI Preferences group).
    ContentUsage,
}

impl Signal {
    /// All ways.
    pub const ALL: [Signal; 10] = [
        Signal::Noindex,
        Signal::Noml,
        Signal::Noai,
        Signal::Noimageai,
        Signal::Noimageindex,
        Signal::TdmReservation,
        Signal::Tdmrep,
        Signal::AiTxt,
        Signal::ContentSignal,
        Signal::ContentUsage,
    ];

    /// The name in settings and tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Signal::Noindex => "noindex",
            Signal::Noml => "noml",
            Signal::Noai => "noai",
            Signal::Noimageai => "noimageai",
            Signal::Noimageindex => "noimageindex",
            Signal::TdmReservation => "tdm-reservation",
            Signal::Tdmrep => "tdmrep",
            Signal::AiTxt => "ai-txt",
            Signal::ContentSignal => "content-signal",
            Signal::ContentUsage => "content-usage",
        }
    }

    /// Whether it speaks of images alone.
    #[must_use]
    pub fn is_for_images_alone(self) -> bool {
        matches!(self, Signal::Noimageai | Signal::Noimageindex)
    }
}

/// What is said of training, in the vocabulary of a `Content-Signal` or `Content-Usage` statement: `Some(true)` forbids
/// it, `Some(false)` allows it, `None` says nothing.
///
/// Both are dictionaries (`ai-train=no, search=yes`; `train-ai=n`). Drafts have named the use in several ways; of several
/// names in one statement the most specific counts.
pub(crate) fn forbids_training(statement: &[u8]) -> Option<bool> {
    const NAMES: [&[u8]; 9] = [
        b"train-genai",
        b"genai",
        b"train-ai",
        b"ai-train",
        b"foundation-model-production",
        b"ai",
        b"tdm",
        b"bots",
        b"all",
    ];
    // Parameters (`;name=value`) have other names, and some sites separate members by semicolons.
    let members = || statement.split(|octet| matches!(octet, b',' | b';')).map(member);
    NAMES.iter().find_map(|wanted| {
        // Of a name that stands twice, the last counts (RFC 9651, 3.2).
        let said = members().rfind(|(name, _)| name.eq_ignore_ascii_case(wanted))?;
        match said.1.to_ascii_lowercase().as_slice() {
            b"n" | b"no" | b"?0" => Some(true),
            b"y" | b"yes" | b"?1" => Some(false),
            _ => None,
        }
    })
}

/// Name and value of `name=value`.
fn member(text: &[u8]) -> (&[u8], &[u8]) {
    let at = memchr::memchr(b'=', text).unwrap_or(text.len());
    let value = text.get(at + 1..).unwrap_or_default();
    (text[..at].trim_ascii(), value.trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_settings() {
        for signal in Signal::ALL {
            assert_eq!(serde_json::to_value(signal).unwrap(), signal.name());
        }
    }

    #[test]
    fn reads_statements() {
        for (text, expected) in [
            ("ai-train=no", Some(true)),
            ("search=yes, ai-train=no", Some(true)),
            ("search=yes,ai-input=no", None),
            ("search=yes; ai-train=no", Some(true)),
            ("AI-Train = NO", Some(true)),
            ("ai-train=yes", Some(false)),
            ("train-ai=n", Some(true)),
            ("train-ai=y;allow=n", Some(false)),
            ("train-ai=n, train-ai=y", Some(false)),
            ("bots=n", Some(true)),
            ("bots=n, train-ai=y", Some(false)),
            ("ai=n, train-genai=y", Some(false)),
            ("train-ai=maybe", None),
            ("train-ai", None),
            ("", None),
        ] {
            assert_eq!(forbids_training(text.as_bytes()), expected, "{text}");
        }
    }
}
