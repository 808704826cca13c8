//! Drawn pictures and what can be asked about them in Japanese.
//!
//! A picture shows one to five equal shapes of one colour, and a katakana in another colour. Everything follows from two
//! numbers, a seed and the picture's number, so that a set is written down by its seed.

use tsumugi::train::data::random;

use crate::kana::{KANA, Segment, segments};

/// Pixels of a side.
pub(crate) const SIZE: usize = 56;

pub(crate) const COLOURS: [(&str, [u8; 3]); 8] = [
    ("赤", [215, 30, 35]),
    ("青", [30, 60, 215]),
    ("緑", [25, 145, 60]),
    ("黄色", [225, 195, 20]),
    ("紫", [135, 40, 165]),
    ("黒", [20, 20, 20]),
    ("橙", [240, 125, 20]),
    ("水色", [90, 190, 235]),
];

pub(crate) const SHAPES: [&str; 5] = ["円", "四角", "三角", "ひし形", "十字"];

/// Largest number of shapes.
pub(crate) const MOST: usize = 5;

/// What is asked about each picture: name of the kind, and ways to say it.
pub(crate) const QUESTIONS: [(&str, [&str; 2]); 5] = [
    ("colour", ["図形は何色ですか?", "図形の色を答えてください。"]),
    ("shape", ["図形はどんな形ですか?", "図形の形を答えてください。"]),
    ("count", ["図形はいくつありますか?", "図形の数を答えてください。"]),
    ("kana", ["何という文字が書かれていますか?", "文字を読んでください。"]),
    ("ink", ["文字は何色ですか?", "文字の色を答えてください。"]),
];

/// What a picture shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scene {
    pub(crate) colour: usize,
    pub(crate) shape: usize,
    pub(crate) count: usize,
    pub(crate) kana: usize,
    pub(crate) ink: usize,
    /// Where the rest comes from: places, sizes, wording.
    seed: u64,
}

/// A stream of numbers.
struct Dice {
    seed: u64,
    thrown: u64,
}

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.thrown += 1;
        (random(self.seed, 31, self.thrown) % n as u64) as usize
    }

    fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.below(1 << 20) as f32 / (1 << 20) as f32
    }
}

impl Scene {
    /// The picture of this number. Of all combinations of what can be asked, one in ten is held out: it comes in no
    /// training picture, and test pictures show nothing else.
    pub(crate) fn new(seed: u64, number: u64, held_out: bool) -> Self {
        let mut dice = Dice { seed: random(seed, 30, number), thrown: 0 };
        loop {
            let colour = dice.below(COLOURS.len());
            let scene = Self {
                colour,
                shape: dice.below(SHAPES.len()),
                count: 1 + dice.below(MOST),
                kana: dice.below(KANA.len()),
                ink: (colour + 1 + dice.below(COLOURS.len() - 1)) % COLOURS.len(),
                seed: random(dice.seed, 32, 0),
            };
            if scene.is_held_out() == held_out {
                return scene;
            }
        }
    }

    fn is_held_out(&self) -> bool {
        let parts = [self.colour, self.shape, self.count, self.kana, self.ink];
        let code = parts.iter().fold(0_u64, |code, part| 64 * code + *part as u64);
        random(code, 33, 0).is_multiple_of(10)
    }

    /// The answer to a question of [`QUESTIONS`].
    pub(crate) fn answer(&self, question: usize) -> String {
        match question {
            0 => COLOURS[self.colour].0.to_owned(),
            1 => SHAPES[self.shape].to_owned(),
            2 => format!("{}個", self.count),
            3 => KANA[self.kana].0.to_string(),
            _ => COLOURS[self.ink].0.to_owned(),
        }
    }

    /// The questions in an order and wording of this picture's own, with their answers.
    pub(crate) fn talk(&self) -> Vec<(usize, &'static str, String)> {
        let mut dice = Dice { seed: self.seed, thrown: 1 << 32 };
        let mut order: Vec<usize> = (0..QUESTIONS.len()).collect();
        for last in (1..order.len()).rev() {
            order.swap(last, dice.below(last + 1));
        }
        order.into_iter().map(|q| (q, QUESTIONS[q].1[dice.below(2)], self.answer(q))).collect()
    }

    /// Draws the picture, as a BMP file.
    pub(crate) fn draw(&self) -> Vec<u8> {
        let mut dice = Dice { seed: self.seed, thrown: 0 };
        let light = |dice: &mut Dice| 225.0 + dice.between(0.0, 30.0);
        let mut canvas = Canvas::new([light(&mut dice), light(&mut dice), light(&mut dice)]);
        let side = dice.between(22.0, 28.0);
        let corner = [dice.between(2.0, 54.0 - side), dice.between(2.0, 54.0 - side)];
        let (slant, width) = (dice.between(-0.12, 0.12), dice.between(2.0, 3.2));
        let place = |p: [f32; 2]| [corner[0] + side * (p[0] + slant * (0.5 - p[1])), corner[1] + side * p[1]];
        let lines: Vec<Segment> = segments(self.kana).iter().map(|(a, b)| (place(*a), place(*b))).collect();
        canvas.paint(COLOURS[self.ink].1, |p| {
            let nearest = lines.iter().map(|line| distance(p, *line)).fold(f32::MAX, f32::min);
            width / 2.0 + 0.5 - nearest
        });
        let radius = dice.between(4.0, 5.5);
        for centre in free_places(&mut dice, self.count, radius, corner, side) {
            canvas.paint(COLOURS[self.colour].1, |p| {
                radius + 0.5 - size_of(self.shape, [p[0] - centre[0], p[1] - centre[1]], radius)
            });
        }
        canvas.bmp()
    }
}

/// Places for the shapes, apart from each other and from the kana's box.
fn free_places(dice: &mut Dice, count: usize, radius: f32, corner: [f32; 2], side: f32) -> Vec<[f32; 2]> {
    let mut places: Vec<[f32; 2]> = Vec::with_capacity(count);
    while places.len() < count {
        places.clear();
        // A bad beginning is given up, since it may leave no room.
        for _ in 0..200 {
            let at = [0, 1].map(|_| dice.between(radius + 0.5, SIZE as f32 - radius - 0.5));
            let in_box =
                (0..2).all(|i| (corner[i] - radius - 1.5..corner[i] + side + radius + 1.5).contains(&at[i]));
            let apart = |other: &[f32; 2]| (0..2).any(|i| (at[i] - other[i]).abs() > 2.0 * radius + 1.5);
            if !in_box && places.iter().all(apart) {
                places.push(at);
                if places.len() == count {
                    break;
                }
            }
        }
    }
    places
}

/// How large the shape would have to be to reach a point, measured like its radius.
fn size_of(shape: usize, [x, y]: [f32; 2], radius: f32) -> f32 {
    let (x, y) = (x.abs(), if SHAPES[shape] == "三角" { y } else { y.abs() });
    match SHAPES[shape] {
        "円" => x.hypot(y),
        "四角" => x.max(y) * 1.1,
        // Its tip at the top, its foot at the bottom.
        "三角" => (y * 1.1).max((x * 2.0 - y) / 1.0),
        "ひし形" => x + y,
        _ => {
            let thin = radius * 0.36;
            if x.min(y) <= thin { x.max(y) } else { x.max(y) + 4.0 * (x.min(y) - thin) }
        }
    }
}

fn distance([x, y]: [f32; 2], ([ax, ay], [bx, by]): Segment) -> f32 {
    let (dx, dy) = (bx - ax, by - ay);
    let along = (((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy).max(1e-6)).clamp(0.0, 1.0);
    (x - ax - along * dx).hypot(y - ay - along * dy)
}

struct Canvas {
    pixels: Vec<[f32; 3]>,
}

impl Canvas {
    fn new(ground: [f32; 3]) -> Self {
        Self { pixels: vec![ground; SIZE * SIZE] }
    }

    /// Mixes a colour in, as far as `cover` says for the middle of each pixel (below 0 not at all, above 1 wholly).
    fn paint(&mut self, colour: [u8; 3], cover: impl Fn([f32; 2]) -> f32) {
        for (index, pixel) in self.pixels.iter_mut().enumerate() {
            let share = cover([(index % SIZE) as f32 + 0.5, (index / SIZE) as f32 + 0.5]).clamp(0.0, 1.0);
            for (value, new) in pixel.iter_mut().zip(colour) {
                *value += share * (f32::from(new) - *value);
            }
        }
    }

    fn bmp(&self) -> Vec<u8> {
        let mut file = b"BM".to_vec();
        for word in [54 + 3 * SIZE * SIZE, 0, 54, 40, SIZE, SIZE, 1 | 24 << 16, 0, 0, 2835, 2835, 0, 0] {
            file.extend((word as u32).to_le_bytes());
        }
        // Rows stand from the bottom up, colours as blue, green, red; 56 x 3 bytes need no filling.
        for row in self.pixels.chunks(SIZE).rev() {
            file.extend(row.iter().flat_map(|[r, g, b]| [*b, *g, *r].map(|value| value.round() as u8)));
        }
        file
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn held_out_scenes_are_in_no_training_set() {
        let code = |scene: &Scene| (scene.colour, scene.shape, scene.count, scene.kana, scene.ink);
        let tested: std::collections::HashSet<_> = (0..500).map(|n| code(&Scene::new(7, n, true))).collect();
        assert!(tested.len() > 400);
        assert!((0..5_000).all(|n| !tested.contains(&code(&Scene::new(1, n, false)))));
    }

    #[test]
    fn pictures_differ_and_answers_fit_them() {
        let pictures: std::collections::HashSet<Vec<u8>> =
            (0..200).map(|n| Scene::new(1, n, false).draw()).collect();
        assert_eq!(pictures.len(), 200);
        let scene = Scene { colour: 0, shape: 2, count: 3, kana: 0, ink: 1, seed: 5 };
        let mut talk = scene.talk();
        talk.sort_unstable();
        let answers: Vec<&str> = talk.iter().map(|(.., answer)| answer.as_str()).collect();
        assert_eq!(answers, ["赤", "三角", "3個", "ア", "青"]);
        // The shapes' colour covers three triangles and nothing else.
        let red = scene.draw()[54..].chunks(3).filter(|p| p[2] > 180 && p[0] < 90 && p[1] < 90).count();
        assert!((60..260).contains(&red), "{red}");
    }
}
