//! Drawn images and what can be asked about them in Japanese.
//!
//! An image shows one to four equal shapes of one colour, or one katakana. Everything follows from two numbers, a seed and
//! the image's number, so that a set is written down by its seed.

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
pub(crate) const MOST: usize = 4;

/// What is asked: name of the kind, and ways to say it. The first three are about shapes, the others about a katakana.
pub(crate) const QUESTIONS: [(&str, [&str; 2]); 5] = [
    ("colour", ["図形は何色ですか?", "図形の色を答えてください。"]),
    ("shape", ["図形はどんな形ですか?", "図形の形を答えてください。"]),
    ("count", ["図形はいくつありますか?", "図形の数を答えてください。"]),
    ("kana", ["何という文字が書かれていますか?", "文字を読んでください。"]),
    ("ink", ["文字は何色ですか?", "文字の色を答えてください。"]),
];

/// What an image shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Content {
    Shapes { shape: usize, count: usize },
    Kana(usize),
}

/// An image to be drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scene {
    pub(crate) content: Content,
    pub(crate) colour: usize,
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
    /// The image of this number. Of all combinations of what can be asked, one in ten is held out: it comes in no
    /// training image, and test images show nothing else.
    pub(crate) fn new(seed: u64, number: u64, held_out: bool) -> Self {
        let mut dice = Dice { seed: random(seed, 30, number), thrown: 0 };
        let shows_kana = dice.below(2) == 1;
        loop {
            let content = if shows_kana {
                Content::Kana(dice.below(KANA.len()))
            } else {
                Content::Shapes { shape: dice.below(SHAPES.len()), count: 1 + dice.below(MOST) }
            };
            let scene = Self { content, colour: dice.below(COLOURS.len()), seed: random(dice.seed, 32, 0) };
            if scene.is_held_out() == held_out {
                return scene;
            }
        }
    }

    fn is_held_out(&self) -> bool {
        let code = match self.content {
            Content::Shapes { shape, count } => 64 * shape + count,
            Content::Kana(kana) => 1024 + kana,
        };
        random((4096 * self.colour + code) as u64, 33, 0).is_multiple_of(10)
    }

    /// Questions and answers: which of [`QUESTIONS`], in words and an order of this image's own.
    pub(crate) fn talk(&self) -> Vec<(usize, &'static str, String)> {
        let colour = COLOURS[self.colour].0.to_owned();
        let mut answers = match self.content {
            Content::Shapes { shape, count } => {
                vec![(0, colour), (1, SHAPES[shape].to_owned()), (2, format!("{count}個"))]
            }
            Content::Kana(kana) => vec![(3, KANA[kana].0.to_string()), (4, colour)],
        };
        let mut dice = Dice { seed: self.seed, thrown: 1 << 32 };
        for last in (1..answers.len()).rev() {
            answers.swap(last, dice.below(last + 1));
        }
        answers.into_iter().map(|(kind, answer)| (kind, QUESTIONS[kind].1[dice.below(2)], answer)).collect()
    }

    /// Draws the image, as a BMP file.
    pub(crate) fn draw(&self) -> Vec<u8> {
        let mut dice = Dice { seed: self.seed, thrown: 0 };
        // Every colour is darker than the ground, so that what is drawn shows in one and the same direction.
        let light = |dice: &mut Dice| dice.between(225.0, 255.0);
        let mut canvas = Canvas::new([light(&mut dice), light(&mut dice), light(&mut dice)]);
        let colour = COLOURS[self.colour].1;
        match self.content {
            Content::Kana(kana) => draw_kana(&mut canvas, &mut dice, kana, colour),
            Content::Shapes { shape, count } => {
                let radius = dice.between(8.0, 9.5);
                for centre in free_places(&mut dice, count, radius) {
                    canvas.paint(colour, |p| {
                        radius + 0.5 - size_of(shape, [p[0] - centre[0], p[1] - centre[1]], radius)
                    });
                }
            }
        }
        canvas.bmp()
    }
}

fn draw_kana(canvas: &mut Canvas, dice: &mut Dice, kana: usize, colour: [u8; 3]) {
    let side = dice.between(42.0, 48.0);
    let room = SIZE as f32 - 4.0 - side;
    let corner = [2.0 + dice.between(0.0, room), 2.0 + dice.between(0.0, room)];
    let (slant, width) = (dice.between(-0.06, 0.06), dice.between(3.5, 5.0));
    let place = |p: [f32; 2]| [corner[0] + side * (p[0] + slant * (0.5 - p[1])), corner[1] + side * p[1]];
    let lines: Vec<Segment> = segments(kana).iter().map(|(a, b)| (place(*a), place(*b))).collect();
    canvas.paint(colour, |p| {
        let nearest = lines.iter().map(|line| distance(p, *line)).fold(f32::MAX, f32::min);
        width / 2.0 + 0.5 - nearest
    });
}

/// Places for the shapes, apart from each other.
fn free_places(dice: &mut Dice, count: usize, radius: f32) -> Vec<[f32; 2]> {
    let mut places: Vec<[f32; 2]> = Vec::with_capacity(count);
    while places.len() < count {
        places.clear();
        // A bad beginning is given up, since it may leave no room.
        for _ in 0..200 {
            let at = [0, 1].map(|_| dice.between(radius + 0.5, SIZE as f32 - radius - 0.5));
            let apart = |other: &[f32; 2]| (0..2).any(|i| (at[i] - other[i]).abs() > 2.0 * radius + 1.5);
            if places.iter().all(apart) {
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
        "三角" => (y * 1.1).max(x * 2.0 - y),
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
        let shown = |scene: Scene| (scene.colour, scene.content);
        let tested: std::collections::HashSet<_> =
            (0..2_000).map(|n| shown(Scene::new(7, n, true))).collect();
        assert!(tested.len() > 30);
        assert!((0..5_000).all(|n| !tested.contains(&shown(Scene::new(1, n, false)))));
    }

    #[test]
    fn images_differ_and_answers_fit_them() {
        let images: std::collections::HashSet<Vec<u8>> =
            (0..200).map(|n| Scene::new(1, n, false).draw()).collect();
        assert_eq!(images.len(), 200);
        let scene = |content| Scene { content, colour: 0, seed: 5 };
        let answers = |scene: Scene| {
            let mut talk = scene.talk();
            talk.sort_unstable();
            talk.into_iter().map(|(.., answer)| answer).collect::<Vec<_>>()
        };
        let triangles = scene(Content::Shapes { shape: 2, count: 3 });
        assert_eq!(answers(triangles), ["赤", "三角", "3個"]);
        assert_eq!(answers(scene(Content::Kana(0))), ["ア", "赤"]);
        // Three triangles on a light ground, and nothing else.
        let red = triangles.draw()[54..].chunks(3).filter(|p| p[2] > 180 && p[0] < 90 && p[1] < 90).count();
        assert!((150..600).contains(&red), "{red}");
    }
}
