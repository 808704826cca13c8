use std::f64::consts::TAU;

use super::axis::{Axis, Fit};
use super::shape::{Anchor, Canvas, Drawing, FONT, colour};
use crate::format::{number, width};

#[derive(Debug, Clone, PartialEq)]
struct Outline {
    name: String,
    values: Vec<f64>,
}

/// Values by category around a centre, one outline for each series. Made by [`Chart::radar`](super::Chart::radar).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RadarChart {
    pub(super) caption: String,
    categories: Vec<String>,
    most: Option<f64>,
    outlines: Vec<Outline>,
}

const WIDTH: f64 = 460.0;
const RADIUS: f64 = 110.0;
const CENTRE: (f64, f64) = (WIDTH / 2.0, RADIUS + 30.0);

impl RadarChart {
    pub(super) fn new<C: Into<String>>(
        caption: impl Into<String>,
        categories: impl IntoIterator<Item = C>,
    ) -> Self {
        let categories = categories.into_iter().map(Into::into).collect();
        Self { caption: caption.into(), categories, ..Self::default() }
    }

    /// The value at the rim. Without it, a round number above all values.
    #[must_use]
    pub fn most(mut self, value: f64) -> Self {
        self.most = Some(value);
        self
    }

    /// Adds a series: a value for each category. Missing values, NaN, and negative ones are drawn at the centre.
    pub fn push(&mut self, name: impl Into<String>, values: impl IntoIterator<Item = f64>) {
        self.outlines.push(Outline { name: name.into(), values: values.into_iter().collect() });
    }

    /// Adds a series and returns the chart.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, values: impl IntoIterator<Item = f64>) -> Self {
        self.push(name, values);
        self
    }

    /// Nothing is drawn with fewer than three categories, which make no area.
    pub(super) fn drawing(&self) -> Option<Drawing> {
        if self.categories.len() < 3 || self.outlines.is_empty() {
            return None;
        }
        let values = self.outlines.iter().flat_map(|outline| outline.values.iter().copied());
        let axis = match self.most.filter(|most| most.is_finite() && *most > 0.0) {
            Some(most) => Axis::linear([0.0, most], Fit::Tight, 5)?,
            None => Axis::linear(values.filter(|value| *value >= 0.0).chain([0.0]), Fit::Round, 5)?,
        };
        let mut canvas = Canvas::new(WIDTH);
        self.rings(&mut canvas, &axis);
        for (order, outline) in self.outlines.iter().enumerate() {
            self.outline(&mut canvas, outline, order, &axis);
        }
        let mut below = CENTRE.1 + RADIUS + 2.0 * FONT;
        if self.outlines.len() > 1 {
            below = canvas.legend(self.outlines.iter().map(|o| o.name.as_str()), 10.0, below);
        }
        Some(canvas.finish(below + 4.0, self.words(), false))
    }

    fn place(&self, category: usize, part: f64) -> (f64, f64) {
        let angle = TAU * category as f64 / self.categories.len() as f64 - TAU / 4.0;
        (CENTRE.0 + RADIUS * part * angle.cos(), CENTRE.1 + RADIUS * part * angle.sin())
    }

    fn rings(&self, canvas: &mut Canvas, axis: &Axis) {
        let all = 0..self.categories.len();
        for tick in &axis.ticks {
            let Some(part) = axis.place(tick.value).filter(|part| *part > 0.0) else { continue };
            let ring: Vec<(f64, f64)> = all.clone().map(|category| self.place(category, part)).collect();
            canvas.polygon(&ring, "ring", String::new());
        }
        for (category, name) in self.categories.iter().enumerate() {
            canvas.segment(CENTRE, self.place(category, 1.0), "grid");
            let (x, y) = self.place(category, 1.1);
            let anchor = match x - CENTRE.0 {
                beside if beside > 1.0 => Anchor::Start,
                beside if beside < -1.0 => Anchor::End,
                _ => Anchor::Middle,
            };
            let room = if matches!(anchor, Anchor::Middle) { WIDTH } else { CENTRE.0 - (x - CENTRE.0).abs() };
            let text = match self.outlines.as_slice() {
                [only] => format!("{name} {}", number(value(only, category), Some(1))),
                _ => name.clone(),
            };
            canvas.cut_text((x, y + FONT * 0.35), anchor, "label", &text, room - 4.0);
        }
        for tick in &axis.ticks {
            let Some(part) = axis.place(tick.value).filter(|part| *part > 0.0 && *part < 1.0) else {
                continue;
            };
            let (x, y) = self.place(0, part);
            let half = width(&tick.label) * FONT / 2.0;
            canvas.text((x - half - 4.0, y + FONT * 0.35), Anchor::Middle, "tick", tick.label.clone());
        }
    }

    fn outline(&self, canvas: &mut Canvas, outline: &Outline, order: usize, axis: &Axis) {
        let part = |category: usize| {
            let value = value(outline, category);
            axis.place(if value.is_finite() { value } else { 0.0 }).unwrap_or(0.0).clamp(0.0, 1.0)
        };
        let points: Vec<(f64, f64)> =
            (0..self.categories.len()).map(|category| self.place(category, part(category))).collect();
        canvas.polygon(&points, format!("area {}", colour(order)), outline.name.clone());
        for (category, (name, at)) in self.categories.iter().zip(&points).enumerate() {
            let title = format!("{}, {name}: {}", outline.name, number(value(outline, category), None));
            canvas.circle(*at, 3.0, format!("dot {}", colour(order)), title);
        }
    }

    fn words(&self) -> String {
        let describe = |outline: &Outline| {
            let values: Vec<String> = (0..self.categories.len())
                .map(|category| {
                    format!("{} {}", self.categories[category], number(value(outline, category), None))
                })
                .collect();
            format!("{}: {}.", outline.name, values.join(", "))
        };
        let outlines: Vec<String> = self.outlines.iter().map(describe).collect();
        format!("Radar chart: {}. {}", self.caption, outlines.join(" "))
    }
}

fn value(outline: &Outline, category: usize) -> f64 {
    outline.values.get(category).copied().unwrap_or(f64::NAN)
}
