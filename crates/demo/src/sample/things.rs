//! The things themselves. Each is centred on (`x`, `y`) and at most `s` wide and about as high.

use super::canvas::{Canvas, Colour, darker, lighter, mix};
use std::f32::consts::PI;

type Point = (f32, f32);

pub(super) fn boat(canvas: &mut Canvas, x: f32, y: f32, s: f32, paint: Colour) {
    let hull: [Point; 4] =
        [(x - 0.5 * s, y), (x + 0.5 * s, y), (x + 0.34 * s, y + 0.2 * s), (x - 0.34 * s, y + 0.2 * s)];
    canvas.rect(x - 0.16 * s, y - 0.2 * s, 0.32 * s, 0.21 * s, [238, 238, 232]);
    canvas.rect(x - 0.1 * s, y - 0.14 * s, 0.08 * s, 0.08 * s, [80, 120, 160]);
    canvas.rect(x + 0.03 * s, y - 0.14 * s, 0.08 * s, 0.08 * s, [80, 120, 160]);
    canvas.line((x, y - 0.2 * s), (x, y - 0.5 * s), 0.03 * s, [70, 56, 48]);
    canvas.polygon(&[(x, y - 0.5 * s), (x + 0.2 * s, y - 0.42 * s), (x, y - 0.34 * s)], lighter(paint, 0.2));
    canvas.polygon(&hull, paint);
    canvas.line((x - 0.46 * s, y + 0.03 * s), (x + 0.46 * s, y + 0.03 * s), 0.035 * s, lighter(paint, 0.6));
    canvas.line((x - 0.4 * s, y + 0.21 * s), (x + 0.4 * s, y + 0.21 * s), 0.03 * s, [226, 240, 250]);
}

pub(super) fn flower(canvas: &mut Canvas, x: f32, y: f32, s: f32, paint: Colour) {
    let green = [56, 124, 60];
    canvas.line((x, y), (x, y + 0.62 * s), 0.05 * s, green);
    canvas.ellipse(x + 0.13 * s, y + 0.42 * s, 0.13 * s, 0.05 * s, green);
    canvas.ellipse(x - 0.13 * s, y + 0.5 * s, 0.13 * s, 0.05 * s, green);
    for petal in 0..6 {
        let angle = PI * petal as f32 / 3.0;
        canvas.circle(x + 0.22 * s * angle.cos(), y + 0.22 * s * angle.sin(), 0.155 * s, darker(paint, 0.12));
        canvas.circle(x + 0.21 * s * angle.cos(), y + 0.21 * s * angle.sin(), 0.135 * s, paint);
    }
    canvas.circle(
        x,
        y,
        0.13 * s,
        if paint[2] < 90 && paint[1] > 180 { [150, 92, 40] } else { [250, 210, 70] },
    );
}

pub(super) fn lantern(canvas: &mut Canvas, x: f32, y: f32, s: f32, paint: Colour) {
    canvas.line((x, y - s), (x, y - 0.4 * s), 0.025 * s, [60, 50, 46]);
    canvas.glow(x, y, 0.85 * s, mix(paint, [255, 230, 160], 0.5), 0.7);
    canvas.ellipse(x, y, 0.36 * s, 0.44 * s, paint);
    canvas.ellipse(x, y, 0.2 * s, 0.36 * s, mix(paint, [255, 240, 190], 0.45));
    for rib in -2i8..=2 {
        let dy = 0.15 * s * f32::from(rib);
        let half = 0.36 * s * (1.0 - (dy / (0.44 * s)).powi(2)).sqrt();
        canvas.line((x - half, y + dy), (x + half, y + dy), 0.014 * s, darker(paint, 0.35));
    }
    for dy in [-0.46, 0.4] {
        canvas.rect(x - 0.17 * s, y + dy * s, 0.34 * s, 0.07 * s, [44, 36, 36]);
    }
    canvas.line((x, y + 0.46 * s), (x, y + 0.6 * s), 0.03 * s, darker(paint, 0.2));
}

pub(super) fn fish(canvas: &mut Canvas, x: f32, y: f32, s: f32, paint: Colour, left: bool) {
    let way = if left { -1.0 } else { 1.0 };
    let tail = [(x - way * 0.24 * s, y), (x - way * 0.5 * s, y - 0.2 * s), (x - way * 0.5 * s, y + 0.2 * s)];
    canvas.polygon(&tail, darker(paint, 0.15));
    let fin = [
        (x - way * 0.1 * s, y - 0.1 * s),
        (x - way * 0.05 * s, y - 0.34 * s),
        (x + way * 0.15 * s, y - 0.1 * s),
    ];
    canvas.polygon(&fin, darker(paint, 0.2));
    canvas.ellipse(x + way * 0.06 * s, y, 0.38 * s, 0.2 * s, paint);
    canvas.ellipse(x + way * 0.06 * s, y + 0.07 * s, 0.28 * s, 0.1 * s, lighter(paint, 0.35));
    canvas.circle(x + way * 0.28 * s, y - 0.05 * s, 0.055 * s, [255, 255, 255]);
    canvas.circle(x + way * 0.29 * s, y - 0.05 * s, 0.03 * s, [20, 20, 30]);
}

pub(super) fn apple(canvas: &mut Canvas, x: f32, y: f32, s: f32, paint: Colour) {
    canvas.ellipse(x, y + 0.36 * s, 0.4 * s, 0.07 * s, [196, 196, 192]);
    canvas.circle(x - 0.16 * s, y, 0.31 * s, paint);
    canvas.circle(x + 0.16 * s, y, 0.31 * s, paint);
    canvas.ellipse(x, y + 0.14 * s, 0.34 * s, 0.26 * s, paint);
    canvas.ellipse(x, y - 0.26 * s, 0.1 * s, 0.05 * s, darker(paint, 0.45));
    canvas.line((x, y - 0.24 * s), (x + 0.06 * s, y - 0.46 * s), 0.045 * s, [96, 64, 40]);
    canvas.ellipse(x + 0.18 * s, y - 0.4 * s, 0.13 * s, 0.055 * s, [70, 140, 66]);
    canvas.ellipse(x - 0.22 * s, y - 0.1 * s, 0.06 * s, 0.1 * s, lighter(paint, 0.55));
}

pub(super) fn house(canvas: &mut Canvas, x: f32, y: f32, s: f32, paint: Colour) {
    let wall = [240, 230, 208];
    canvas.rect(x - 0.38 * s, y - 0.05 * s, 0.76 * s, 0.48 * s, wall);
    canvas.rect(x + 0.16 * s, y - 0.42 * s, 0.1 * s, 0.22 * s, [150, 110, 90]);
    canvas.polygon(&[(x - 0.5 * s, y), (x, y - 0.42 * s), (x + 0.5 * s, y)], paint);
    canvas.line((x - 0.49 * s, y), (x + 0.49 * s, y), 0.04 * s, darker(paint, 0.3));
    canvas.rect(x - 0.08 * s, y + 0.17 * s, 0.17 * s, 0.26 * s, [128, 86, 56]);
    for side in [-0.28, 0.15] {
        canvas.rect(x + side * s, y + 0.1 * s, 0.14 * s, 0.14 * s, [120, 176, 210]);
        canvas.line(
            (x + (side + 0.07) * s, y + 0.1 * s),
            (x + (side + 0.07) * s, y + 0.24 * s),
            0.014 * s,
            wall,
        );
    }
}

pub(super) fn tree(canvas: &mut Canvas, x: f32, y: f32, s: f32, paint: Colour) {
    canvas.rect(x - 0.06 * s, y, 0.12 * s, 0.42 * s, [112, 76, 50]);
    for (dx, dy, r) in [(0.0, -0.2, 0.3), (-0.22, 0.0, 0.25), (0.22, 0.0, 0.25), (0.0, 0.06, 0.24)] {
        canvas.circle(x + dx * s, y + dy * s, r * s, darker(paint, 0.18));
        canvas.circle(x + (dx - 0.03) * s, y + (dy - 0.03) * s, (r - 0.04) * s, paint);
    }
    for (dx, dy) in [(-0.1, -0.28), (0.14, -0.12), (-0.24, -0.04), (0.02, 0.04)] {
        canvas.circle(x + dx * s, y + dy * s, 0.05 * s, lighter(paint, 0.35));
    }
}

pub(super) fn star(canvas: &mut Canvas, x: f32, y: f32, radius: f32, paint: Colour, turn: f32) {
    let points: Vec<Point> = (0..10)
        .map(|at| {
            let angle = turn - PI / 2.0 + PI * at as f32 / 5.0;
            let length = if at % 2 == 0 { radius } else { radius * 0.42 };
            (x + length * angle.cos(), y + length * angle.sin())
        })
        .collect();
    canvas.polygon(&points, paint);
}

pub(super) fn carp(canvas: &mut Canvas, x: f32, y: f32, s: f32, paint: Colour) {
    canvas.line((x - 0.5 * s, y - 0.5 * s), (x - 0.5 * s, canvas.height), 0.03 * s, [150, 130, 110]);
    let body = [
        (x - 0.47 * s, y - 0.15 * s),
        (x + 0.24 * s, y - 0.1 * s),
        (x + 0.48 * s, y - 0.2 * s),
        (x + 0.38 * s, y + 0.02 * s),
        (x + 0.46 * s, y + 0.2 * s),
        (x + 0.22 * s, y + 0.12 * s),
        (x - 0.47 * s, y + 0.17 * s),
    ];
    canvas.polygon(&body, paint);
    canvas.ellipse(x - 0.46 * s, y, 0.03 * s, 0.16 * s, lighter(paint, 0.75));
    canvas.circle(x - 0.33 * s, y - 0.03 * s, 0.075 * s, [255, 255, 255]);
    canvas.circle(x - 0.33 * s, y - 0.03 * s, 0.04 * s, [20, 20, 26]);
    for column in 0..4 {
        for (dy, shift) in [(-0.06, 0.0), (0.05, 0.06)] {
            canvas.ellipse(
                x + (-0.16 + 0.12 * column as f32 + shift) * s,
                y + dy * s,
                0.045 * s,
                0.035 * s,
                lighter(paint, 0.5),
            );
        }
    }
}

pub(super) fn umbrella(canvas: &mut Canvas, x: f32, y: f32, s: f32, paint: Colour) {
    canvas.line((x, y - 0.42 * s), (x, y + 0.44 * s), 0.03 * s, [90, 66, 50]);
    canvas.circle(x + 0.06 * s, y + 0.45 * s, 0.07 * s, [90, 66, 50]);
    canvas.dome(x, y, 0.48 * s, 0.4 * s, paint);
    canvas.dome(x, y, 0.17 * s, 0.4 * s, lighter(paint, 0.25));
    for side in [-0.32, 0.0, 0.32] {
        canvas.ellipse(x + side * s, y, 0.16 * s, 0.045 * s, darker(paint, 0.25));
    }
}

pub(super) fn cup(canvas: &mut Canvas, x: f32, y: f32, s: f32, paint: Colour) {
    canvas.ellipse(x, y + 0.4 * s, 0.36 * s, 0.07 * s, [116, 76, 42]);
    let side = [
        (x - 0.34 * s, y - 0.28 * s),
        (x + 0.34 * s, y - 0.28 * s),
        (x + 0.26 * s, y + 0.38 * s),
        (x - 0.26 * s, y + 0.38 * s),
    ];
    canvas.polygon(&side, darker(paint, 0.08));
    canvas.line(
        (x - 0.3 * s, y - 0.08 * s),
        (x + 0.3 * s, y - 0.08 * s),
        0.05 * s,
        mix(paint, [120, 120, 150], 0.45),
    );
    canvas.ellipse(x, y - 0.28 * s, 0.34 * s, 0.09 * s, lighter(paint, 0.35));
    canvas.ellipse(x, y - 0.27 * s, 0.28 * s, 0.065 * s, [126, 150, 60]);
    for dx in [-0.1, 0.1] {
        canvas.line(
            (x + dx * s, y - 0.42 * s),
            (x + (dx + 0.04) * s, y - 0.58 * s),
            0.025 * s,
            [255, 255, 255],
        );
    }
}

pub(super) fn balloon(canvas: &mut Canvas, x: f32, y: f32, s: f32, paint: Colour) {
    for dx in [-0.2, 0.2] {
        canvas.line((x + dx * s, y + 0.1 * s), (x + dx * 0.4 * s, y + 0.52 * s), 0.016 * s, [110, 90, 70]);
    }
    canvas.ellipse(x, y - 0.1 * s, 0.4 * s, 0.42 * s, paint);
    canvas.polygon(&[(x - 0.3 * s, y + 0.15 * s), (x + 0.3 * s, y + 0.15 * s), (x, y + 0.5 * s)], paint);
    canvas.ellipse(x, y - 0.1 * s, 0.16 * s, 0.42 * s, lighter(paint, 0.55));
    canvas.rect(x - 0.1 * s, y + 0.48 * s, 0.2 * s, 0.13 * s, [150, 104, 60]);
}

pub(super) fn train(canvas: &mut Canvas, x: f32, y: f32, s: f32, paint: Colour) {
    let (half, high) = (0.47 * s, 0.36 * s);
    let bottom = canvas.height * 0.605;
    let _ = y;
    canvas.rect(x - half, bottom - high, 2.0 * half, high, paint);
    canvas.rect(x - half, bottom - high, 2.0 * half, 0.05 * s, [210, 212, 214]);
    canvas.rect(x - half, bottom - 0.1 * s, 2.0 * half, 0.04 * s, lighter(paint, 0.7));
    for window in 0..3 {
        let left = x - half + (0.07 + 0.28 * window as f32) * s;
        canvas.rect(left, bottom - 0.27 * s, 0.21 * s, 0.13 * s, [196, 226, 240]);
    }
    for wheel in [-0.28, 0.28] {
        canvas.circle(x + wheel * s, bottom, 0.06 * s, [50, 50, 56]);
    }
}

pub(super) fn mountain(canvas: &mut Canvas, x: f32, y: f32, s: f32, paint: Colour) {
    let top = y - 0.75 * s;
    canvas.polygon(&[(x - 0.6 * s, y + 0.04 * s), (x, top), (x + 0.6 * s, y + 0.04 * s)], paint);
    canvas
        .polygon(&[(x, top), (x + 0.6 * s, y + 0.04 * s), (x + 0.12 * s, y + 0.04 * s)], darker(paint, 0.22));
    let snow = [
        (x, top),
        (x + 0.17 * s, top + 0.22 * s),
        (x + 0.08 * s, top + 0.17 * s),
        (x, top + 0.25 * s),
        (x - 0.08 * s, top + 0.17 * s),
        (x - 0.17 * s, top + 0.22 * s),
    ];
    canvas.polygon(&snow, [250, 252, 255]);
}

pub(super) fn bird(canvas: &mut Canvas, x: f32, y: f32, s: f32, paint: Colour) {
    let wing =
        |way: f32| [(x, y - 0.06 * s), (x + way * 0.5 * s, y - 0.3 * s), (x + way * 0.16 * s, y + 0.08 * s)];
    canvas.polygon(&wing(-1.0), darker(paint, 0.15));
    canvas.polygon(&wing(1.0), paint);
    canvas.ellipse(x, y, 0.2 * s, 0.1 * s, paint);
    canvas.circle(x + 0.2 * s, y - 0.05 * s, 0.08 * s, paint);
    canvas.polygon(
        &[(x + 0.27 * s, y - 0.08 * s), (x + 0.37 * s, y - 0.04 * s), (x + 0.27 * s, y - 0.01 * s)],
        [240, 170, 50],
    );
    canvas.circle(x + 0.22 * s, y - 0.07 * s, 0.018 * s, [20, 20, 20]);
}

pub(super) fn lighthouse(canvas: &mut Canvas, x: f32, y: f32, s: f32, paint: Colour) {
    let tower = [
        (x - 0.1 * s, y - 0.3 * s),
        (x + 0.1 * s, y - 0.3 * s),
        (x + 0.16 * s, y + 0.42 * s),
        (x - 0.16 * s, y + 0.42 * s),
    ];
    canvas.glow(x, y - 0.38 * s, 0.5 * s, [255, 246, 180], 0.6);
    canvas.polygon(&tower, paint);
    canvas.polygon(
        &[(x, y - 0.3 * s), (x + 0.1 * s, y - 0.3 * s), (x + 0.16 * s, y + 0.42 * s), (x, y + 0.42 * s)],
        darker(paint, 0.14),
    );
    canvas.rect(x - 0.14 * s, y - 0.33 * s, 0.28 * s, 0.04 * s, [70, 70, 80]);
    canvas.rect(x - 0.075 * s, y - 0.45 * s, 0.15 * s, 0.12 * s, [255, 240, 160]);
    canvas.dome(x, y - 0.45 * s, 0.1 * s, 0.08 * s, [70, 70, 80]);
    canvas.rect(x - 0.035 * s, y + 0.3 * s, 0.07 * s, 0.12 * s, [90, 70, 60]);
    canvas.rect(x - 0.03 * s, y - 0.1 * s, 0.05 * s, 0.07 * s, [80, 110, 140]);
}

pub(super) fn snowman(canvas: &mut Canvas, x: f32, y: f32, s: f32, paint: Colour) {
    let shade = [206, 216, 230];
    canvas.ellipse(x, y + 0.46 * s, 0.32 * s, 0.05 * s, [214, 222, 236]);
    canvas.circle(x, y + 0.2 * s, 0.29 * s, shade);
    canvas.circle(x - 0.02 * s, y + 0.19 * s, 0.27 * s, [255, 255, 255]);
    canvas.circle(x, y - 0.18 * s, 0.2 * s, shade);
    canvas.circle(x - 0.015 * s, y - 0.185 * s, 0.185 * s, [255, 255, 255]);
    canvas.rect(x - 0.2 * s, y - 0.36 * s, 0.4 * s, 0.05 * s, darker(paint, 0.25));
    canvas.polygon(
        &[
            (x - 0.15 * s, y - 0.34 * s),
            (x + 0.15 * s, y - 0.34 * s),
            (x + 0.11 * s, y - 0.55 * s),
            (x - 0.11 * s, y - 0.55 * s),
        ],
        paint,
    );
    for (dx, dy) in [(-0.07, -0.22), (0.06, -0.22), (0.0, 0.1), (0.0, 0.22)] {
        canvas.circle(x + dx * s, y + dy * s, 0.024 * s, [40, 40, 48]);
    }
    canvas.polygon(&[(x, y - 0.18 * s), (x + 0.14 * s, y - 0.14 * s), (x, y - 0.12 * s)], [240, 140, 50]);
}
