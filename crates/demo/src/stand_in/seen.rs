//! What can be said of an image without a model: its size and its colours.

use crate::language::{Language, fill};

/// Name, and the RGB value that it stands for.
const COLOURS: [(&str, [i32; 3]); 11] = [
    ("red", [210, 45, 45]),
    ("blue", [40, 90, 200]),
    ("green", [50, 150, 75]),
    ("yellow", [245, 205, 45]),
    ("purple", [130, 70, 170]),
    ("orange", [243, 140, 36]),
    ("pink", [244, 150, 180]),
    ("white", [245, 245, 242]),
    ("black", [35, 35, 40]),
    ("grey", [140, 140, 140]),
    ("aqua", [150, 205, 235]),
];
/// Points of the image that are looked at on each side.
const STEPS: u32 = 32;

/// Size and colours by how much of the image they fill.
#[derive(Debug)]
pub(super) struct Seen {
    language: &'static Language,
    size: Option<(u32, u32)>,
    colours: Vec<&'static str>,
}

impl Seen {
    pub(super) fn new(language: &'static Language, bytes: &[u8]) -> Self {
        let Ok(image) = image::load_from_memory(bytes) else {
            return Self { language, size: None, colours: vec!["white", "black"] };
        };
        let rgb = image.to_rgb8();
        let (width, height) = rgb.dimensions();
        let mut counts = [0_u32; COLOURS.len()];
        for y in 0..STEPS.min(height) {
            for x in 0..STEPS.min(width) {
                let pixel = rgb.get_pixel(x * width / STEPS.min(width), y * height / STEPS.min(height));
                counts[nearest(pixel.0)] += 1;
            }
        }
        let mut order: Vec<usize> = (0..COLOURS.len()).collect();
        order.sort_by_key(|at| std::cmp::Reverse(counts[*at]));
        let colours = order.into_iter().map(|at| COLOURS[at].0).collect();
        Self { language, size: Some((width, height)), colours }
    }

    /// The name of the colour with this rank.
    fn colour(&self, rank: usize) -> &'static str {
        self.language.stand_in.seen.get(self.colours[rank]).map_or("", String::as_str)
    }

    pub(super) fn sentence(&self) -> String {
        let values = [("first", self.colour(0)), ("second", self.colour(1))];
        fill(&self.language.stand_in.seen_sentence, &values)
    }

    fn shape(&self) -> &'static str {
        let words = &self.language.stand_in;
        match self.size {
            Some((width, height)) if width > height => &words.wide,
            Some((width, height)) if width < height => &words.tall,
            Some(_) => &words.square,
            None => &words.shapeless,
        }
    }

    pub(super) fn conversation(&self) -> Vec<(String, String)> {
        let words = &self.language.stand_in;
        vec![(words.ask_colours.clone(), self.sentence()), (words.ask_shape.clone(), self.shape().into())]
    }

    pub(super) fn questions(&self) -> Vec<(String, String)> {
        let words = &self.language.stand_in;
        vec![(words.ask_widest.clone(), self.colour(0).into()), (words.ask_form.clone(), self.shape().into())]
    }
}

fn nearest(pixel: [u8; 3]) -> usize {
    let distance = |colour: &[i32; 3]| -> i32 {
        colour.iter().zip(pixel).map(|(a, b)| (a - i32::from(b)) * (a - i32::from(b))).sum()
    };
    (0..COLOURS.len()).min_by_key(|at| distance(&COLOURS[*at].1)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_widest_colour_is_named_first() {
        let mut image = image::RgbImage::from_pixel(40, 20, image::Rgb([40, 90, 200]));
        for x in 0..10 {
            image.put_pixel(x, 0, image::Rgb([210, 45, 45]));
        }
        let mut bytes = std::io::Cursor::new(Vec::new());
        image.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
        let seen = Seen::new(Language::named("ja").unwrap(), bytes.get_ref());
        assert_eq!((seen.colour(0), seen.shape()), ("青", "横長の画像です。"));
        assert!(!Seen::new(Language::named("ja").unwrap(), b"no image").sentence().is_empty());
    }
}
