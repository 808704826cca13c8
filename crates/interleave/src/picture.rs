//! Rules that look at a picture's facts only.

use tsumugi_images::PHash;
use tsumugi_record::{Node, Role};

use crate::{FrequencyRules, ImageRules};

/// The facts of a picture that was found for a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Picture {
    /// A number by which the caller finds the picture again.
    pub key: usize,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Perceptual hash.
    pub phash: PHash,
}

impl Picture {
    fn pixels(&self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }
}

/// Why a slot or picture is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum PictureDrop {
    /// The page forbids it.
    OptOut,
    /// It stands in a menu, footer or the like.
    Boilerplate,
    /// No picture was found for it.
    NoPicture,
    /// A side is too short.
    TooSmall,
    /// A side is too long.
    TooLarge,
    /// Too wide or too tall for its other side.
    Aspect,
    /// The same picture, or nearly, stands in the document in higher resolution or earlier.
    DuplicateInDocument,
    /// The picture is frequent across documents.
    Frequent,
    /// A probe takes it for not safe for work.
    Nsfw,
    /// No sentence fits it.
    LowSimilarity,
    /// More pictures than sentences.
    Surplus,
}

impl PictureDrop {
    /// The word that stands in tables and funnels.
    pub fn as_str(self) -> &'static str {
        match self {
            PictureDrop::OptOut => "opt_out",
            PictureDrop::Boilerplate => "boilerplate",
            PictureDrop::NoPicture => "no_picture",
            PictureDrop::TooSmall => "too_small",
            PictureDrop::TooLarge => "too_large",
            PictureDrop::Aspect => "aspect",
            PictureDrop::DuplicateInDocument => "duplicate_in_document",
            PictureDrop::Frequent => "frequent_image",
            PictureDrop::Nsfw => "nsfw",
            PictureDrop::LowSimilarity => "low_similarity",
            PictureDrop::Surplus => "surplus_image",
        }
    }
}

impl ImageRules {
    /// Whether a slot may be used and its picture is good by size. `None` is not an image node.
    pub fn check(
        &self,
        node: &Node,
        find: &dyn Fn(&str) -> Option<Picture>,
    ) -> Option<Result<Picture, PictureDrop>> {
        let slot = node.image.as_ref()?;
        if slot.opt_out {
            return Some(Err(PictureDrop::OptOut));
        }
        if self.skip_boilerplate && node.role == Role::Boilerplate {
            return Some(Err(PictureDrop::Boilerplate));
        }
        let Some(picture) = find(&slot.url) else { return Some(Err(PictureDrop::NoPicture)) };
        Some(self.check_size(picture.width, picture.height).map(|()| picture))
    }

    /// Whether a picture of this size is used.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check_size(&self, width: u32, height: u32) -> Result<(), PictureDrop> {
        let aspect = f64::from(width) / f64::from(height.max(1));
        if width.min(height) < self.min_side {
            Err(PictureDrop::TooSmall)
        } else if width.max(height) > self.max_side {
            Err(PictureDrop::TooLarge)
        } else if aspect < self.min_aspect || aspect > self.max_aspect {
            Err(PictureDrop::Aspect)
        } else {
            Ok(())
        }
    }
}

impl FrequencyRules {
    /// Whether the step is done at all.
    pub fn is_on(&self) -> bool {
        self.count > 0 && self.sample > 0
    }
}

/// Which pictures of one document stay: of those within `distance` bits of each other the one of highest resolution
/// (of equal ones the first). Pictures are taken from the largest down, so a chain of near neighbours does not lose
/// all its members.
pub fn distinct(pictures: &[Picture], distance: u32) -> Vec<bool> {
    let mut order: Vec<usize> = (0..pictures.len()).collect();
    order.sort_by_key(|&at| (std::cmp::Reverse(pictures[at].pixels()), at));
    let mut keep = vec![false; pictures.len()];
    let mut kept: Vec<PHash> = Vec::new();
    for at in order {
        let hash = pictures[at].phash;
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

    fn picture(side: u32, phash: u64) -> Picture {
        Picture { key: 0, width: side, height: side, phash: PHash(phash) }
    }

    #[test]
    fn the_highest_resolution_stays() {
        let pictures = [picture(200, 0), picture(400, 0b11111), picture(300, 0xFFFF), picture(400, 0b11110)];
        assert_eq!(distinct(&pictures, 5), [false, true, true, false]);
        assert_eq!(distinct(&pictures, 0), [true; 4]);
    }

    #[test]
    fn sizes_at_the_limit_stay() {
        let rules = ImageRules::default();
        for (width, height, expected) in [
            (150, 150, Ok(())),
            (149, 200, Err(PictureDrop::TooSmall)),
            (300, 150, Ok(())),
            (301, 150, Err(PictureDrop::Aspect)),
            (150, 301, Err(PictureDrop::Aspect)),
            (20_001, 20_000, Err(PictureDrop::TooLarge)),
        ] {
            assert_eq!(rules.check_size(width, height), expected, "{width}x{height}");
        }
    }
}
