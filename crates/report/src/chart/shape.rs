//! What charts are drawn with.

use serde::Serialize;

use super::axis::Axis;
use crate::format::{fitted, width};

/// Size of the text in charts, in pixels of the drawing.
pub(super) const FONT: f64 = 13.0;
/// Number of colours; after them, series repeat the colours with dashes.
pub(super) const COLOURS: usize = 8;

/// A finished drawing.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Drawing {
    width: f64,
    height: f64,
    /// What the chart shows, in words, for readers who cannot see it.
    label: String,
    /// Whether the script follows the pointer.
    follow: bool,
    shapes: Vec<Shape>,
}

/// A shape. Classes name the styles of `style.css`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(super) enum Shape {
    Segment { x1: f64, y1: f64, x2: f64, y2: f64, class: String },
    Path { d: String, class: String, name: String, points: String },
    Polygon { points: String, class: String, title: String },
    Rect { x: f64, y: f64, width: f64, height: f64, class: String, title: String },
    Circle { x: f64, y: f64, r: f64, class: String, title: String },
    Text { x: f64, y: f64, anchor: &'static str, class: &'static str, text: String, title: String },
}

/// A drawing in the making.
#[derive(Debug)]
pub(super) struct Canvas {
    pub(super) width: f64,
    pub(super) shapes: Vec<Shape>,
}

impl Canvas {
    pub(super) fn new(width: f64) -> Self {
        Self { width, shapes: Vec::new() }
    }

    pub(super) fn segment(&mut self, from: (f64, f64), to: (f64, f64), class: impl Into<String>) {
        let ((x1, y1), (x2, y2)) = (rounded(from), rounded(to));
        self.shapes.push(Shape::Segment { x1, y1, x2, y2, class: class.into() });
    }

    pub(super) fn rect(&mut self, at: (f64, f64), size: (f64, f64), class: impl Into<String>, title: String) {
        let ((x, y), (width, height)) = (rounded(at), rounded(size));
        self.shapes.push(Shape::Rect { x, y, width, height, class: class.into(), title });
    }

    pub(super) fn circle(&mut self, at: (f64, f64), r: f64, class: impl Into<String>, title: String) {
        let (x, y) = rounded(at);
        self.shapes.push(Shape::Circle { x, y, r, class: class.into(), title });
    }

    pub(super) fn polygon(&mut self, points: &[(f64, f64)], class: impl Into<String>, title: String) {
        let points: Vec<String> = points.iter().map(|point| pair(*point)).collect();
        self.shapes.push(Shape::Polygon { points: points.join(" "), class: class.into(), title });
    }

    /// Text with `at` on its baseline.
    pub(super) fn text(
        &mut self,
        at: (f64, f64),
        anchor: Anchor,
        class: &'static str,
        text: impl Into<String>,
    ) {
        let (x, y) = rounded(at);
        let anchor = anchor.name();
        self.shapes.push(Shape::Text { x, y, anchor, class, text: text.into(), title: String::new() });
    }

    /// Text cut to a width; the whole of it is shown on hover.
    pub(super) fn cut_text(
        &mut self,
        at: (f64, f64),
        anchor: Anchor,
        class: &'static str,
        text: &str,
        room: f64,
    ) {
        let (x, y) = rounded(at);
        let short = fitted(text, room / FONT);
        let title = if short == text { String::new() } else { text.to_owned() };
        self.shapes.push(Shape::Text { x, y, anchor: anchor.name(), class, text: short, title });
    }

    /// Vertical lines at the ticks of a horizontal axis between `left` and `right`, with labels below `bottom`.
    pub(super) fn ticks_below(&mut self, axis: &Axis, (left, right): (f64, f64), (top, bottom): (f64, f64)) {
        let mut free = f64::MIN;
        for tick in &axis.ticks {
            let Some(place) = axis.place(tick.value) else { continue };
            let x = left + place * (right - left);
            self.segment((x, top), (x, bottom), "grid");
            let half = width(&tick.label) * FONT / 2.0;
            // Labels that would touch the one before are left out.
            if x - half > free {
                self.text((x, bottom + FONT + 3.0), Anchor::Middle, "tick", tick.label.clone());
                free = x + half + 4.0;
            }
        }
    }

    /// Names of series in rows, from `top` on. Returns where the rows end.
    pub(super) fn legend<'a>(&mut self, names: impl Iterator<Item = &'a str>, left: f64, top: f64) -> f64 {
        const SWATCH: f64 = 16.0;
        const GAP: f64 = 14.0;
        let room = self.width - left;
        let (mut x, mut y) = (left, top + FONT);
        for (number, name) in names.enumerate() {
            let text = (width(name) * FONT).min(room - SWATCH - 6.0);
            let whole = SWATCH + 5.0 + text;
            if x > left && x + whole > self.width {
                x = left;
                y += FONT + 6.0;
            }
            let at = y - FONT * 0.35;
            self.segment((x, at), (x + SWATCH, at), format!("line {}", colour(number)));
            self.cut_text((x + SWATCH + 5.0, y), Anchor::Start, "label", name, text + 1.0);
            x += whole + GAP;
        }
        y + 4.0
    }

    pub(super) fn finish(self, height: f64, label: String, follow: bool) -> Drawing {
        Drawing { width: self.width, height: height.ceil(), label, follow, shapes: self.shapes }
    }
}

/// Where a text stands beside its place.
#[derive(Debug, Clone, Copy)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

impl Anchor {
    fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Middle => "middle",
            Self::End => "end",
        }
    }
}

/// Class of a series by its number: a colour, dashed from the second round of colours on.
pub(super) fn colour(number: usize) -> String {
    let dashes = if number >= COLOURS { " dashed" } else { "" };
    format!("c{}{dashes}", number % COLOURS)
}

/// Tenths of a pixel are finer than a screen shows.
fn rounded((a, b): (f64, f64)) -> (f64, f64) {
    let tenths = |value: f64| (value * 10.0).round() / 10.0;
    (tenths(a), tenths(b))
}

pub(super) fn pair(point: (f64, f64)) -> String {
    let (x, y) = rounded(point);
    format!("{x},{y}")
}
