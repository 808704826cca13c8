//! What can be said of a picture without a model: its size and its colours.

/// Name, and the RGB value it stands for.
const COLOURS: [(&str, [i32; 3]); 11] = [
    ("赤", [210, 45, 45]),
    ("青", [40, 90, 200]),
    ("緑", [50, 150, 75]),
    ("黄色", [245, 205, 45]),
    ("紫", [130, 70, 170]),
    ("橙色", [243, 140, 36]),
    ("桃色", [244, 150, 180]),
    ("白", [245, 245, 242]),
    ("黒", [35, 35, 40]),
    ("灰色", [140, 140, 140]),
    ("水色", [150, 205, 235]),
];
/// The picture is looked at in this many steps a side.
const STEPS: u32 = 32;

/// Size and colours by how much of the picture they fill.
#[derive(Debug)]
pub(super) struct Seen {
    size: Option<(u32, u32)>,
    colours: Vec<&'static str>,
}

impl Seen {
    pub(super) fn new(bytes: &[u8]) -> Self {
        let Ok(picture) = image::load_from_memory(bytes) else {
            return Self { size: None, colours: vec!["白", "黒"] };
        };
        let rgb = picture.to_rgb8();
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
        Self { size: Some((width, height)), colours: order.into_iter().map(|at| COLOURS[at].0).collect() }
    }

    pub(super) fn sentence(&self) -> String {
        format!("この画像では{}が最も広く、次に{}が広く使われています。", self.colours[0], self.colours[1])
    }

    fn shape(&self) -> &'static str {
        match self.size {
            Some((width, height)) if width > height => "横長の画像です。",
            Some((width, height)) if width < height => "縦長の画像です。",
            Some(_) => "正方形の画像です。",
            None => "形は分かりません。",
        }
    }

    pub(super) fn conversation(&self) -> Vec<(String, String)> {
        vec![
            ("この写真の色合いを教えてください。".into(), self.sentence()),
            ("写真の形はどうですか。".into(), self.shape().into()),
        ]
    }

    pub(super) fn questions(&self) -> Vec<(String, String)> {
        vec![
            ("一番広い色は何ですか。".into(), self.colours[0].into()),
            ("どんな形ですか。".into(), self.shape().into()),
        ]
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
        let mut picture = image::RgbImage::from_pixel(40, 20, image::Rgb([40, 90, 200]));
        for x in 0..10 {
            picture.put_pixel(x, 0, image::Rgb([210, 45, 45]));
        }
        let mut bytes = std::io::Cursor::new(Vec::new());
        picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
        let seen = Seen::new(bytes.get_ref());
        assert_eq!((seen.colours[0], seen.shape()), ("青", "横長の画像です。"));
        assert!(!Seen::new(b"no picture").sentence().is_empty());
    }
}
