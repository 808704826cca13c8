//! Draws a subject: the background, then the things, side by side with some disorder.

use super::canvas::{Canvas, Colour, darker, lighter, mix};
use super::random::Random;
use super::subject::{Kind, Light, Subject};
use super::things;
use image::RgbImage;
use std::f32::consts::TAU;

/// Draws `subject` on `width` x `height` pixels.
pub(super) fn draw(subject: &Subject, width: u32, height: u32, random: &mut Random) -> RgbImage {
    let mut canvas = Canvas::new(width, height, [255, 255, 255]);
    background(&mut canvas, subject, random);
    let paint = subject.paint.rgb;
    for (x, y, size) in places(subject, &canvas, random) {
        match subject.kind {
            Kind::Boat => things::boat(&mut canvas, x, y, size, paint),
            Kind::Flower => things::flower(&mut canvas, x, y, size, paint),
            Kind::Lantern => things::lantern(&mut canvas, x, y, size, paint),
            Kind::Fish => things::fish(&mut canvas, x, y, size, paint, random.below(2) == 0),
            Kind::Apple => things::apple(&mut canvas, x, y, size, paint),
            Kind::House => things::house(&mut canvas, x, y, size, paint),
            Kind::Tree => things::tree(&mut canvas, x, y, size, paint),
            Kind::Circle => canvas.circle(x, y, size * 0.42, paint),
            Kind::Star => things::star(&mut canvas, x, y, size * 0.5, paint, random.between(-0.3, 0.3)),
            Kind::Carp => things::carp(&mut canvas, x, y, size, paint),
            Kind::Umbrella => things::umbrella(&mut canvas, x, y, size, paint),
            Kind::Cup => things::cup(&mut canvas, x, y, size, paint),
            Kind::Balloon => things::balloon(&mut canvas, x, y, size, paint),
            Kind::Train => things::train(&mut canvas, x, y, size, paint),
            Kind::Mountain => things::mountain(&mut canvas, x, y, size, paint),
            Kind::Bird => things::bird(&mut canvas, x, y, size, paint),
            Kind::Lighthouse => things::lighthouse(&mut canvas, x, y, size, paint),
            Kind::Snowman => things::snowman(&mut canvas, x, y, size, paint),
        }
    }
    if subject.kind == Kind::Umbrella {
        rain(&mut canvas, random);
    }
    canvas.finish()
}

/// How a kind is spread: the middle height of its row, how far it may leave it, and the largest size, as shares of
/// the image's height.
fn row(kind: Kind) -> (f32, f32, f32) {
    match kind {
        Kind::Boat => (0.68, 0.08, 0.34),
        Kind::Flower => (0.66, 0.08, 0.36),
        Kind::Lantern => (0.40, 0.05, 0.34),
        Kind::Fish => (0.50, 0.26, 0.34),
        Kind::Apple => (0.60, 0.03, 0.34),
        Kind::House => (0.64, 0.04, 0.42),
        Kind::Tree => (0.62, 0.05, 0.52),
        Kind::Circle | Kind::Star => (0.50, 0.24, 0.40),
        Kind::Carp => (0.36, 0.16, 0.40),
        Kind::Umbrella => (0.56, 0.08, 0.44),
        Kind::Cup => (0.58, 0.03, 0.36),
        Kind::Balloon => (0.38, 0.14, 0.44),
        Kind::Train => (0.50, 0.00, 0.30),
        Kind::Mountain => (0.74, 0.02, 0.66),
        Kind::Bird => (0.36, 0.18, 0.28),
        Kind::Lighthouse => (0.56, 0.02, 0.62),
        Kind::Snowman => (0.64, 0.04, 0.50),
    }
}

/// A place and a size for each of the things; they never cover one another.
fn places(subject: &Subject, canvas: &Canvas, random: &mut Random) -> Vec<(f32, f32, f32)> {
    let (middle, spread, largest) = row(subject.kind);
    let (width, height) = (canvas.width, canvas.height);
    let count = subject.count as f32;
    if subject.kind == Kind::Train {
        let size = (width * 0.28).min(width * 0.9 / count);
        let start = width / 2.0 - size * (count - 1.0) / 2.0 + random.between(-0.03, 0.03) * width;
        return (0..subject.count).map(|at| (start + at as f32 * size, height * middle, size)).collect();
    }
    let cell = width * 0.94 / count;
    (0..subject.count)
        .map(|at| {
            let room = (height * largest).min(cell * 0.94);
            let size = room * random.between(0.80, 1.0);
            let free = (cell - size).max(0.0) / 2.0;
            let x = width * 0.03 + (at as f32 + 0.5) * cell + random.between(-free, free);
            (x, height * (middle + random.between(-spread, spread)), size)
        })
        .collect()
}

fn background(canvas: &mut Canvas, subject: &Subject, random: &mut Random) {
    let height = canvas.height;
    let light = subject.light.unwrap_or(Light::Day);
    match subject.kind {
        Kind::Boat => {
            sky(canvas, light, 0.45, random);
            sea(canvas, light, 0.45, random);
        }
        Kind::Lighthouse => {
            sky(canvas, light, 0.62, random);
            sea(canvas, light, 0.62, random);
            canvas.dome(
                canvas.width / 2.0,
                height,
                canvas.width * 0.42,
                height * 0.22,
                lit([92, 128, 84], light),
            );
        }
        Kind::Flower | Kind::Tree | Kind::House => {
            sky(canvas, light, 0.7, random);
            hills(canvas, lit([112, 170, 92], light), 0.62, random);
            hills(canvas, lit([96, 156, 80], light), 0.72, random);
        }
        Kind::Lantern => street(canvas, light, random),
        Kind::Fish => water(canvas, random),
        Kind::Apple | Kind::Cup => table(canvas, subject.kind == Kind::Apple, random),
        Kind::Circle => canvas.gradient(0.0, height, [252, 252, 248], [240, 240, 234]),
        Kind::Star => canvas.gradient(0.0, height, [30, 30, 40], [14, 14, 22]),
        Kind::Umbrella => {
            canvas.gradient(0.0, height * 0.72, [150, 160, 172], [188, 194, 200]);
            canvas.gradient(height * 0.72, height, [116, 122, 130], [86, 92, 102]);
            blocks(canvas, 0.72, [128, 138, 150], random);
        }
        Kind::Carp | Kind::Balloon | Kind::Bird => {
            sky(canvas, light, 0.9, random);
            hills(canvas, lit([90, 140, 110], light), 0.86, random);
        }
        Kind::Train => {
            sky(canvas, light, 0.8, random);
            hills(canvas, lit([104, 150, 116], light), 0.6, random);
            bridge(canvas, lit([120, 84, 72], light));
        }
        Kind::Mountain => {
            sky(canvas, light, 0.95, random);
            canvas.gradient(height * 0.72, height, lit([126, 176, 112], light), lit([88, 140, 84], light));
        }
        Kind::Snowman => {
            canvas.gradient(0.0, height * 0.75, [176, 200, 226], [224, 234, 244]);
            hills(canvas, [236, 240, 248], 0.58, random);
            hills(canvas, [248, 250, 255], 0.7, random);
            for _ in 0..40 {
                let (x, y) = (random.between(0.0, canvas.width), random.between(0.0, height * 0.8));
                canvas.circle(x, y, random.between(0.8, 2.0), [255, 255, 255]);
            }
        }
    }
}

/// A colour as it looks in this light.
fn lit(colour: Colour, light: Light) -> Colour {
    match light {
        Light::Day => colour,
        Light::Dusk => mix(colour, [210, 110, 70], 0.35),
        Light::Night => mix(colour, [14, 22, 58], 0.62),
        Light::Cloudy => mix(colour, [140, 146, 154], 0.35),
    }
}

fn sky(canvas: &mut Canvas, light: Light, until: f32, random: &mut Random) {
    let (width, height) = (canvas.width, canvas.height);
    let (top, bottom) = match light {
        Light::Day => ([92, 164, 236], [202, 230, 250]),
        Light::Dusk => ([206, 92, 88], [252, 196, 112]),
        Light::Night => ([10, 16, 52], [40, 56, 110]),
        Light::Cloudy => ([150, 158, 168], [206, 210, 214]),
    };
    canvas.gradient(0.0, height * (until + 0.15), top, bottom);
    let x = width * random.between(0.12, 0.88);
    match light {
        Light::Day => {
            let y = height * 0.13;
            canvas.glow(x, y, height * 0.3, [255, 250, 210], 0.8);
            canvas.circle(x, y, height * 0.06, [255, 244, 170]);
            clouds(canvas, 2, [255, 255, 255], random);
        }
        Light::Dusk => {
            let y = height * (until - 0.1).min(0.5);
            canvas.glow(x, y, height * 0.4, [255, 230, 150], 0.8);
            canvas.circle(x, y, height * 0.09, [255, 128, 64]);
        }
        Light::Night => {
            for _ in 0..36 {
                let (x, y) = (random.between(0.0, width), random.between(0.0, height * until * 0.9));
                canvas.circle(x, y, random.between(0.5, 1.3), [236, 240, 255]);
            }
            let y = height * 0.15;
            canvas.glow(x, y, height * 0.25, [220, 224, 255], 0.5);
            canvas.circle(x, y, height * 0.07, [248, 244, 214]);
        }
        Light::Cloudy => clouds(canvas, 5, [226, 228, 232], random),
    }
}

fn clouds(canvas: &mut Canvas, count: usize, colour: Colour, random: &mut Random) {
    for _ in 0..count {
        let (x, y) = (random.between(0.05, 0.95) * canvas.width, random.between(0.06, 0.28) * canvas.height);
        let size = random.between(0.05, 0.09) * canvas.height;
        for (dx, dy, share) in [(0.0, 0.0, 1.0), (-1.3, 0.25, 0.7), (1.3, 0.25, 0.75), (2.3, 0.4, 0.45)] {
            canvas.ellipse(x + dx * size, y + dy * size, size * share * 1.3, size * share * 0.8, colour);
        }
    }
}

fn sea(canvas: &mut Canvas, light: Light, from: f32, random: &mut Random) {
    let (width, height) = (canvas.width, canvas.height);
    let (near, far) = (lit([24, 84, 158], light), lit([84, 158, 214], light));
    canvas.gradient(height * from, height, far, near);
    for _ in 0..28 {
        let depth = random.between(from + 0.03, 0.98);
        let (x, y) = (random.between(0.0, width), depth * height);
        let half = width * 0.03 * (0.5 + (depth - from) * 2.0);
        canvas.line((x - half, y), (x + half, y), 1.2, lighter(mix(far, near, depth), 0.28));
    }
}

fn hills(canvas: &mut Canvas, colour: Colour, from: f32, random: &mut Random) {
    let (width, height) = (canvas.width, canvas.height);
    let (phase, waves) = (random.between(0.0, TAU), random.between(0.7, 1.6));
    canvas.below(|x| height * (from + 0.05 * (phase + waves * TAU * x / width).sin()), colour);
}

fn street(canvas: &mut Canvas, light: Light, random: &mut Random) {
    let height = canvas.height;
    sky(canvas, light, 0.75, random);
    blocks(canvas, 0.81, lit([96, 78, 74], light), random);
    canvas.gradient(height * 0.8, height, lit([132, 120, 112], light), lit([90, 84, 84], light));
    canvas.line((0.0, height * 0.2), (canvas.width, height * 0.2), 1.6, [60, 50, 46]);
}

/// Houses as a dark row along a street.
fn blocks(canvas: &mut Canvas, ground: f32, colour: Colour, random: &mut Random) {
    let (width, height) = (canvas.width, canvas.height);
    let mut x = 0.0;
    while x < width {
        let wide = width * random.between(0.12, 0.22);
        let tall = height * random.between(0.22, 0.38);
        let top = height * ground - tall;
        let wall = darker(colour, random.between(0.0, 0.25));
        canvas.rect(x, top, wide - 2.0, tall, wall);
        canvas.polygon(
            &[(x - 4.0, top), (x + wide / 2.0, top - height * 0.06), (x + wide + 2.0, top)],
            darker(wall, 0.4),
        );
        canvas.rect(
            x + wide * 0.3,
            top + tall * 0.35,
            wide * 0.34,
            tall * 0.25,
            mix(wall, [255, 226, 150], 0.6),
        );
        x += wide;
    }
}

fn water(canvas: &mut Canvas, random: &mut Random) {
    let (width, height) = (canvas.width, canvas.height);
    canvas.gradient(0.0, height, [120, 204, 226], [20, 84, 140]);
    canvas.below(|x| height * (0.92 + 0.02 * (x / width * 9.0).sin()), [214, 190, 140]);
    for _ in 0..7 {
        let x = random.between(0.0, width);
        for step in 0..5 {
            let y = height * (0.93 - 0.035 * step as f32);
            let lean = if step % 2 == 0 { 3.0 } else { -3.0 };
            canvas.line((x + lean, y), (x - lean, y - height * 0.035), 2.6, [48, 136, 96]);
        }
    }
    for _ in 0..14 {
        let (x, y) = (random.between(0.0, width), random.between(0.0, height * 0.85));
        canvas.circle(x, y, random.between(1.0, 3.0), [206, 238, 246]);
    }
}

fn table(canvas: &mut Canvas, plate: bool, random: &mut Random) {
    let (width, height) = (canvas.width, canvas.height);
    let wall = *random.pick(&[[236, 224, 200], [214, 226, 222], [230, 214, 214]]);
    canvas.gradient(0.0, height * 0.5, lighter(wall, 0.2), wall);
    canvas.gradient(height * 0.5, height, [196, 142, 90], [150, 100, 58]);
    for at in 1..5 {
        let y = height * (0.5 + 0.1 * at as f32);
        canvas.line((0.0, y), (width, y), 1.0, [136, 90, 52]);
    }
    if plate {
        canvas.ellipse(width / 2.0, height * 0.76, width * 0.47, height * 0.14, [206, 206, 204]);
        canvas.ellipse(width / 2.0, height * 0.745, width * 0.47, height * 0.13, [250, 250, 248]);
        canvas.ellipse(width / 2.0, height * 0.745, width * 0.38, height * 0.09, [236, 238, 240]);
    }
}

fn bridge(canvas: &mut Canvas, colour: Colour) {
    let (width, height) = (canvas.width, canvas.height);
    canvas.rect(0.0, height * 0.62, width, height * 0.05, colour);
    for at in 0..6 {
        let x = width * (at as f32 + 0.5) / 6.0;
        canvas.rect(x - 3.0, height * 0.66, 6.0, height * 0.34, darker(colour, 0.2));
        canvas.line((x, height * 0.67), (x + width / 12.0, height * 0.78), 2.0, colour);
        canvas.line((x, height * 0.67), (x - width / 12.0, height * 0.78), 2.0, colour);
    }
}

fn rain(canvas: &mut Canvas, random: &mut Random) {
    for _ in 0..60 {
        let (x, y) = (random.between(0.0, canvas.width), random.between(0.0, canvas.height));
        canvas.line((x, y), (x - 2.0, y + 8.0), 0.9, [220, 230, 240]);
    }
}
