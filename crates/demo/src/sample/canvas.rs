//! A small rasteriser: shapes on twice the final resolution, averaged down at the end.
//!
//! Positions and sizes are in pixels of the final image, y downwards.

use image::{Rgb, RgbImage};

/// Red, green and blue.
pub(super) type Colour = [u8; 3];

/// Samples a pixel and axis.
const SCALE: f32 = 2.0;

/// The image while it is drawn.
pub(super) struct Canvas {
    pixels: RgbImage,
    /// Width of the final image.
    pub(super) width: f32,
    /// Height of the final image.
    pub(super) height: f32,
}

impl Canvas {
    pub(super) fn new(width: u32, height: u32, colour: Colour) -> Self {
        let pixels = RgbImage::from_pixel(width * SCALE as u32, height * SCALE as u32, Rgb(colour));
        Self { pixels, width: width as f32, height: height as f32 }
    }

    /// The finished image.
    pub(super) fn finish(&self) -> RgbImage {
        image::imageops::thumbnail(&self.pixels, self.width as u32, self.height as u32)
    }

    /// Paints every sample in the box where `cover` gives an opacity above zero.
    fn paint(&mut self, bounds: [f32; 4], colour: Colour, cover: impl Fn(f32, f32) -> f32) {
        let limit = |value: f32, end: u32| (value * SCALE).clamp(0.0, end as f32) as u32;
        let (x0, y0) = (limit(bounds[0], self.pixels.width()), limit(bounds[1], self.pixels.height()));
        let (x1, y1) =
            (limit(bounds[2] + 1.0, self.pixels.width()), limit(bounds[3] + 1.0, self.pixels.height()));
        for y in y0..y1 {
            for x in x0..x1 {
                let opacity = cover((x as f32 + 0.5) / SCALE, (y as f32 + 0.5) / SCALE);
                if opacity >= 1.0 {
                    self.pixels.put_pixel(x, y, Rgb(colour));
                } else if opacity > 0.0 {
                    let pixel = self.pixels.get_pixel_mut(x, y);
                    pixel.0 = mix(pixel.0, colour, opacity);
                }
            }
        }
    }

    /// A vertical gradient over the full width between two heights.
    pub(super) fn gradient(&mut self, top: f32, bottom: f32, from: Colour, to: Colour) {
        let height = (bottom - top).max(1.0);
        let (y0, y1) = ((top * SCALE).max(0.0) as u32, ((bottom * SCALE) as u32).min(self.pixels.height()));
        for y in y0..y1 {
            let colour = mix(from, to, ((y as f32 / SCALE - top) / height).clamp(0.0, 1.0));
            for x in 0..self.pixels.width() {
                self.pixels.put_pixel(x, y, Rgb(colour));
            }
        }
    }

    pub(super) fn rect(&mut self, x: f32, y: f32, width: f32, height: f32, colour: Colour) {
        self.paint([x, y, x + width, y + height], colour, |px, py| {
            on(px >= x && px < x + width && py >= y && py < y + height)
        });
    }

    pub(super) fn ellipse(&mut self, x: f32, y: f32, rx: f32, ry: f32, colour: Colour) {
        self.paint([x - rx, y - ry, x + rx, y + ry], colour, |px, py| {
            on(((px - x) / rx).powi(2) + ((py - y) / ry).powi(2) <= 1.0)
        });
    }

    pub(super) fn circle(&mut self, x: f32, y: f32, radius: f32, colour: Colour) {
        self.ellipse(x, y, radius, radius, colour);
    }

    /// A soft disc of light.
    pub(super) fn glow(&mut self, x: f32, y: f32, radius: f32, colour: Colour, strength: f32) {
        self.paint([x - radius, y - radius, x + radius, y + radius], colour, |px, py| {
            let distance = ((px - x).powi(2) + (py - y).powi(2)).sqrt() / radius;
            strength * (1.0 - distance).max(0.0).powi(2)
        });
    }

    /// A filled polygon (even-odd rule).
    pub(super) fn polygon(&mut self, points: &[(f32, f32)], colour: Colour) {
        let bound = |pick: fn(&(f32, f32)) -> f32, join: fn(f32, f32) -> f32, start| {
            points.iter().map(pick).fold(start, join)
        };
        let bounds = [
            bound(|p| p.0, f32::min, f32::MAX),
            bound(|p| p.1, f32::min, f32::MAX),
            bound(|p| p.0, f32::max, f32::MIN),
            bound(|p| p.1, f32::max, f32::MIN),
        ];
        self.paint(bounds, colour, |px, py| {
            let mut inside = false;
            for (at, &(x1, y1)) in points.iter().enumerate() {
                let (x0, y0) = points[(at + points.len() - 1) % points.len()];
                if (y0 > py) != (y1 > py) && px < (x1 - x0) * (py - y0) / (y1 - y0) + x0 {
                    inside = !inside;
                }
            }
            on(inside)
        });
    }

    /// A line with round ends.
    pub(super) fn line(&mut self, from: (f32, f32), to: (f32, f32), width: f32, colour: Colour) {
        let half = width / 2.0;
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let length = (dx * dx + dy * dy).max(1e-6);
        let bounds = [
            from.0.min(to.0) - half,
            from.1.min(to.1) - half,
            from.0.max(to.0) + half,
            from.1.max(to.1) + half,
        ];
        self.paint(bounds, colour, |px, py| {
            let along = (((px - from.0) * dx + (py - from.1) * dy) / length).clamp(0.0, 1.0);
            let (x, y) = (from.0 + along * dx, from.1 + along * dy);
            on((px - x).powi(2) + (py - y).powi(2) <= half * half)
        });
    }

    /// The part of an ellipse above its middle: domes, umbrellas, hills.
    pub(super) fn dome(&mut self, x: f32, y: f32, rx: f32, ry: f32, colour: Colour) {
        self.paint([x - rx, y - ry, x + rx, y], colour, |px, py| {
            on(py <= y && ((px - x) / rx).powi(2) + ((py - y) / ry).powi(2) <= 1.0)
        });
    }

    /// Everything below a curve.
    pub(super) fn below(&mut self, curve: impl Fn(f32) -> f32, colour: Colour) {
        for x in 0..self.pixels.width() {
            let top = (curve((x as f32 + 0.5) / SCALE) * SCALE).max(0.0) as u32;
            for y in top..self.pixels.height() {
                self.pixels.put_pixel(x, y, Rgb(colour));
            }
        }
    }
}

fn on(inside: bool) -> f32 {
    if inside { 1.0 } else { 0.0 }
}

/// `share` of `to` over `from`.
pub(super) fn mix(from: Colour, to: Colour, share: f32) -> Colour {
    std::array::from_fn(|at| {
        (f32::from(from[at]) + (f32::from(to[at]) - f32::from(from[at])) * share).round() as u8
    })
}

/// The colour with less light.
pub(super) fn darker(colour: Colour, share: f32) -> Colour {
    mix(colour, [20, 20, 40], share)
}

/// The colour with more light.
pub(super) fn lighter(colour: Colour, share: f32) -> Colour {
    mix(colour, [255, 255, 255], share)
}
