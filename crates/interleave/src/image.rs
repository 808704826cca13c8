//! Rules that look at one image's size and place only.

use tsumugi_images::PHash;
use tsumugi_record::{Node, Role};

use crate::config::{FrequencyRules, ImageRules};

/// The facts about an image that the rules need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageFacts {
    /// A number by which the caller finds the image again.
    pub key: usize,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Perceptual hash.
    pub phash: PHash,
}

impl ImageFacts {
    fn pixels(&self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }
}

/// Why an image slot or its image is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ImageDrop {
    /// The page forbids its use.
    OptOut,
    /// It is part of a menu, a footer or the like.
    Boilerplate,
    /// No image was found for it.
    NoImage,
    /// A side is too short.
    TooSmall,
    /// A side is too long.
    TooLarge,
    /// One side is too long for the other.
    Aspect,
    /// The document has the same image, or nearly, in higher resolution or earlier.
    DuplicateInDocument,
    /// The image is frequent across documents.
    Frequent,
    /// The NSFW classifier gives it too high a probability.
    Nsfw,
    /// Its similarity to every sentence is too low.
    LowSimilarity,
    /// There are more images than sentences.
    Surplus,
}

impl ImageDrop {
    /// The reason as tables and funnels write it.
    pub fn as_str(self) -> &'static str {
        match self {
            ImageDrop::OptOut => "opt_out",
            ImageDrop::Boilerplate => "boilerplate",
            ImageDrop::NoImage => "no_image",
            ImageDrop::TooSmall => "too_small",
            ImageDrop::TooLarge => "too_large",
            ImageDrop::Aspect => "aspect",
            ImageDrop::DuplicateInDocument => "duplicate_in_document",
            ImageDrop::Frequent => "frequent_image",
            ImageDrop::Nsfw => "nsfw",
            ImageDrop::LowSimilarity => "low_similarity",
            ImageDrop::Surplus => "surplus_image",
        }
    }
}

impl ImageRules {
    /// The image of a node if its slot may be used and the image has a good size; `None` for a node without an image slot.
    /// `find` returns the image of a URL.
    pub fn check(
        &self,
        node: &Node,
        find: &dyn Fn(&str) -> Option<ImageFacts>,
    ) -> Option<Result<ImageFacts, ImageDrop>> {
        let slot = node.image.as_ref()?;
        if slot.opt_out {
            return Some(Err(ImageDrop::OptOut));
        }
        if self.skip_boilerplate && node.role == Role::Boilerplate {
            return Some(Err(ImageDrop::Boilerplate));
        }
        let Some(image) = find(&slot.url) else { return Some(Err(ImageDrop::NoImage)) };
        Some(self.check_size(image.width, image.height).map(|()| image))
    }

    /// Whether an image of this size in pixels is used.
    ///
    /// # Errors
    /// The reason why not.
    pub fn check_size(&self, width: u32, height: u32) -> Result<(), ImageDrop> {
        let aspect = f64::from(width) / f64::from(height.max(1));
        if width.min(height) < self.min_side {
            Err(ImageDrop::TooSmall)
        } else if width.max(height) > self.max_side {
            Err(ImageDrop::TooLarge)
        } else if aspect < self.min_aspect || aspect > self.max_aspect {
            Err(ImageDrop::Aspect)
        } else {
            Ok(())
        }
    }
}

impl FrequencyRules {
    /// Whether frequent images are dropped at all.
    pub fn is_on(&self) -> bool {
        self.count > 0 && self.sample > 0
    }
}

/// Which images of one document stay: of those whose perceptual hashes differ in at most `distance` bits the one of highest
/// resolution, and of equally large ones the first. Images are taken from the largest down, so a chain of near neighbours
/// does not lose all its members.
pub fn distinct(images: &[ImageFacts], distance: u32) -> Vec<bool> {
    let mut order: Vec<usize> = (0..images.len()).collect();
    order.sort_by_key(|&at| (std::cmp::Reverse(images[at].pixels()), at));
    let mut keep = vec![false; images.len()];
    let mut kept: Vec<PHash> = Vec::new();
    for at in order {
        let hash = images[at].phash;
        if kept.iter().all(|other| hash.distance(*other) > distance) {
            kept.push(hash);
            keep[at] = true;
        }
    }
    keep
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(side: u32, phash: u64) -> ImageFacts {
        ImageFacts { key: 0, width: side, height: side, phash: PHash(phash) }
    }

    #[test]
    fn the_highest_resolution_stays() {
        let images = [image(200, 0), image(400, 0b11111), image(300, 0xFFFF), image(400, 0b11110)];
        assert_eq!(distinct(&images, 5), [false, true, true, false]);
        assert_eq!(distinct(&images, 0), [true; 4]);
    }

    #[test]
    fn sizes_at_the_limit_stay() {
        let rules = ImageRules::default();
        for (width, height, expected) in [
            (150, 150, Ok(())),
            (149, 200, Err(ImageDrop::TooSmall)),
            (300, 150, Ok(())),
            (301, 150, Err(ImageDrop::Aspect)),
            (150, 301, Err(ImageDrop::Aspect)),
            (20_001, 20_000, Err(ImageDrop::TooLarge)),
        ] {
            assert_eq!(rules.check_size(width, height), expected, "{width}x{height}");
        }
    }
}
