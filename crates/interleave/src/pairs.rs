//! Candidate pairs of one document.

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use tsumugi_record::{Document, ImageSlot};

use crate::config::{PairConfig, TextSource};
use crate::image::{ImageDrop, ImageFacts};
use crate::text::{TextChecker, TextDrop, letters, tidy};

/// An image with a text about it, before documents are compared with each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairCandidate {
    /// Identifier: a hash of page, image, source and text.
    pub id: String,
    /// The image.
    pub image: ImageFacts,
    /// Its URL.
    pub image_url: String,
    /// The text as [`tidy`] returns it.
    pub text: String,
    /// Where the text comes from.
    pub source: TextSource,
}

/// An image or text that makes no pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairDrop {
    /// The identifier that the pair would have had.
    pub id: String,
    /// The reason: that of an [`ImageDrop`] or [`TextDrop`].
    pub reason: &'static str,
    /// The URL of the image and, after a space, the text if there is one.
    pub value: String,
}

/// The candidates of one document, and what was dropped.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PairCandidates {
    /// Pairs that passed the rules.
    pub candidates: Vec<PairCandidate>,
    /// Image slots without a usable image.
    pub dropped_images: Vec<PairDrop>,
    /// Texts of usable images that break a rule.
    pub dropped_texts: Vec<PairDrop>,
    /// Number of image slots with a usable image.
    pub images: u64,
}

/// The candidate pairs of a document. `find` returns the image of a URL.
pub fn pair_candidates(
    document: &Document,
    find: &dyn Fn(&str) -> Option<ImageFacts>,
    config: &PairConfig,
    checker: &TextChecker,
) -> PairCandidates {
    let mut out = PairCandidates::default();
    for node in &document.nodes {
        let (Some(slot), Some(found)) = (&node.image, config.images.check(node, find)) else { continue };
        match found {
            Ok(image) => {
                out.images += 1;
                out.add_texts(document, slot, image, config, checker);
            }
            Err(reason) => out.drop_image(&document.url, slot, reason),
        }
    }
    out
}

impl PairCandidates {
    fn drop_image(&mut self, page: &str, slot: &ImageSlot, reason: ImageDrop) {
        let id = pair_id(page, &slot.url, "", "");
        self.dropped_images.push(PairDrop { id, reason: reason.as_str(), value: slot.url.clone() });
    }

    fn add_texts(
        &mut self,
        document: &Document,
        slot: &ImageSlot,
        image: ImageFacts,
        config: &PairConfig,
        checker: &TextChecker,
    ) {
        let page = document.url.as_str();
        let mut any = false;
        let mut seen: Vec<String> = Vec::new();
        for &source in &config.text_sources {
            let text = match source {
                TextSource::Alt => &slot.alt,
                TextSource::Caption => &slot.caption,
            };
            let mut text = tidy(text.as_deref().unwrap_or_default());
            if source == TextSource::Caption && config.text.drop_figure_numbers {
                text = checker.pack().without_figure_number(&text).to_owned();
            }
            if text.is_empty() {
                continue;
            }
            any = true;
            let id = pair_id(page, &slot.url, source.as_str(), &text);
            let letters = letters(&text);
            let repeated = config.text.drop_repeated && seen.contains(&letters);
            match if repeated {
                Err(TextDrop::Repeated)
            } else {
                checker.check(&text, document.language.as_deref())
            } {
                Ok(()) => {
                    seen.push(letters);
                    let image_url = slot.url.clone();
                    self.candidates.push(PairCandidate { id, image, image_url, text, source });
                }
                Err(reason) => {
                    let value = format!("{} {text}", slot.url);
                    self.dropped_texts.push(PairDrop { id, reason: reason.as_str(), value });
                }
            }
        }
        if !any {
            let id = pair_id(page, &slot.url, "", "");
            let reason = TextDrop::NoText.as_str();
            self.dropped_texts.push(PairDrop { id, reason, value: slot.url.clone() });
        }
    }
}

/// 32 hexadecimal digits of the SHA-256 hash of the parts, separated by a byte that no UTF-8 text contains.
fn pair_id(page: &str, image: &str, source: &str, text: &str) -> String {
    let mut hash = Sha256::new();
    for part in [page, image, source, text] {
        hash.update(part.as_bytes());
        hash.update([0xFF]);
    }
    HEXLOWER.encode(&hash.finalize()[..16])
}

#[cfg(test)]
mod tests {
    use tsumugi_images::PHash;
    use tsumugi_record::{Node, Role};

    use super::*;

    fn slot(url: &str, alt: &str, caption: &str) -> Node {
        let text = |t: &str| (!t.is_empty()).then(|| t.to_owned());
        let image =
            ImageSlot { url: url.into(), alt: text(alt), caption: text(caption), ..Default::default() };
        Node { image: Some(image), ..Default::default() }
    }

    #[test]
    fn each_text_of_an_image_is_a_candidate_or_has_a_reason() {
        let mut menu = slot("http://a/menu", "メニューの絵です", "");
        menu.role = Role::Boilerplate;
        let mut closed = slot("http://a/closed", "使えない絵です", "");
        closed.image.as_mut().unwrap().opt_out = true;
        let document = Document {
            url: "http://a/".into(),
            nodes: vec![
                slot("http://a/1", " 東京タワーの\n夜景 ", "夜の東京タワーを見上げる"),
                slot("http://a/2", "tower", "図17.2 川に架かる橋"),
                slot("http://a/4", "「元の画像です」", "図3. 元の画像です。"),
                slot("http://a/3", "", ""),
                slot("http://a/small", "小さな絵の説明", ""),
                slot("http://a/gone", "消えた絵の説明", ""),
                menu,
                closed,
            ],
            ..Default::default()
        };
        let find = |url: &str| match url {
            "http://a/gone" => None,
            "http://a/small" => Some(ImageFacts { key: 9, width: 10, height: 10, phash: PHash(0) }),
            _ => Some(ImageFacts { key: 1, width: 200, height: 200, phash: PHash(0) }),
        };
        let config = PairConfig::default();
        let checker = TextChecker::new(&config).unwrap();
        let out = pair_candidates(&document, &find, &config, &checker);
        let texts: Vec<_> = out.candidates.iter().map(|c| (c.text.as_str(), c.source)).collect();
        assert_eq!(
            texts,
            [
                ("東京タワーの 夜景", TextSource::Alt),
                ("夜の東京タワーを見上げる", TextSource::Caption),
                ("川に架かる橋", TextSource::Caption),
                ("「元の画像です」", TextSource::Alt),
            ]
        );
        let reasons = |drops: &[PairDrop]| drops.iter().map(|d| d.reason).collect::<Vec<_>>();
        assert_eq!(reasons(&out.dropped_texts), ["wrong_language", "repeated", "no_text"]);
        assert_eq!(reasons(&out.dropped_images), ["too_small", "no_image", "boilerplate", "opt_out"]);
        assert_eq!(out.images, 4);
    }
}
