use super::axis::{Axis, Fit};
use super::line::titled_value;
use super::shape::{Anchor, Canvas, Drawing, FONT};
use crate::format::width;

/// A bar of a [`BarChart`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Bar {
    label: String,
    value: f64,
    parts: Vec<(String, f64)>,
}

impl Bar {
    /// A bar. NaN has a row without a bar.
    #[must_use]
    pub fn new(label: impl Into<String>, value: impl Into<f64>) -> Self {
        Self { label: label.into(), value: value.into(), parts: Vec::new() }
    }

    /// Adds a named part of the value. What the parts leave over is shown as `other`. Parts that are not positive are left
    /// out.
    #[must_use]
    pub fn part(mut self, name: impl Into<String>, value: impl Into<f64>) -> Self {
        self.parts.push((name.into(), value.into()));
        self
    }
}

/// Horizontal bars from zero. Made by [`Chart::bar`](super::Chart::bar).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BarChart {
    pub(super) caption: String,
    unit: String,
    bars: Vec<Bar>,
}

const WIDTH: f64 = 460.0;
const ROW: f64 = 24.0;
const THICK: f64 = 16.0;
/// Shades of parts, in turn.
const SHADES: usize = 4;

impl BarChart {
    pub(super) fn new(caption: impl Into<String>) -> Self {
        Self { caption: caption.into(), ..Self::default() }
    }

    /// Unit of the values.
    #[must_use]
    pub fn unit(mut self, unit: impl Into<String>) -> Self {
        self.unit = unit.into();
        self
    }

    /// Adds a bar.
    pub fn push(&mut self, bar: Bar) {
        self.bars.push(bar);
    }

    /// Adds a bar and returns the chart.
    #[must_use]
    pub fn with(mut self, bar: Bar) -> Self {
        self.push(bar);
        self
    }

    pub(super) fn drawing(&self) -> Option<Drawing> {
        let values = self.bars.iter().map(|bar| bar.value);
        let axis = Axis::linear(values.chain([0.0]), Fit::Round, 5)?;
        if self.bars.is_empty() {
            return None;
        }
        let longest = self.bars.iter().map(|bar| width(&bar.label)).fold(0.0, f64::max) * FONT;
        let left = longest.min(WIDTH * 0.4) + 10.0;
        let value_room = self.bars.iter().map(|bar| width(&self.value(bar))).fold(0.0, f64::max) * FONT;
        let right = WIDTH - value_room.min(WIDTH * 0.25) - 10.0;
        let bottom = ROW * self.bars.len() as f64 + 4.0;
        let mut canvas = Canvas::new(WIDTH);
        canvas.ticks_below(&axis, (left, right), (2.0, bottom));
        let zero = axis.place(0.0).unwrap_or(0.0);
        let x = |value: f64| axis.place(value).map(|place| left + place * (right - left));
        for (row, bar) in self.bars.iter().enumerate() {
            let top = 4.0 + ROW * row as f64;
            let base = top + THICK / 2.0 + FONT * 0.35;
            canvas.cut_text((left - 6.0, base), Anchor::End, "label", &bar.label, left - 8.0);
            let origin = left + zero * (right - left);
            let end = x(bar.value).unwrap_or(origin);
            if bar.parts.is_empty() || bar.value <= 0.0 {
                let (from, to) = (origin.min(end), origin.max(end));
                let title = format!("{}: {}", bar.label, self.value(bar));
                canvas.rect((from, top), (to - from, THICK), "bar c0", title);
            } else {
                self.parts(&mut canvas, bar, top, &x);
            }
            canvas.text((origin.max(end) + 5.0, base), Anchor::Start, "value", self.value(bar));
        }
        canvas.segment((left + zero * (right - left), 2.0), (left + zero * (right - left), bottom), "axis");
        let mut below = bottom + FONT + 6.0;
        if !self.unit.is_empty() {
            below += FONT + 4.0;
            canvas.text(((left + right) / 2.0, below - 2.0), Anchor::Middle, "label", self.unit.clone());
        }
        Some(canvas.finish(below + 2.0, self.words(), false))
    }

    fn parts(&self, canvas: &mut Canvas, bar: &Bar, top: f64, x: &impl Fn(f64) -> Option<f64>) {
        let mut from = 0.0;
        let mut piece = |canvas: &mut Canvas, name: &str, value: f64, class: String| {
            let (Some(start), Some(end)) = (x(from), x(from + value)) else { return };
            from += value;
            let title = format!("{} {name}: {}", bar.label, titled_value(value, &self.unit));
            canvas.rect((start, top), (end - start, THICK), class, title);
            if width(name) * FONT + 6.0 <= end - start {
                let at = (start + 3.0, top + THICK / 2.0 + FONT * 0.35);
                canvas.text(at, Anchor::Start, "part", name);
            }
        };
        let positive = bar.parts.iter().filter(|(_, value)| *value > 0.0 && value.is_finite());
        let mut left = bar.value;
        for (order, (name, value)) in positive.enumerate() {
            let value = value.min(left);
            left -= value;
            piece(canvas, name, value, format!("piece shade{}", order % SHADES));
        }
        if left > bar.value * 1e-9 {
            piece(canvas, "other", left, "piece rest".into());
        }
    }

    fn value(&self, bar: &Bar) -> String {
        if bar.value.is_finite() { titled_value(bar.value, "") } else { "no value".into() }
    }

    fn words(&self) -> String {
        let bars: Vec<String> = self
            .bars
            .iter()
            .map(|bar| format!("{}: {}", bar.label, titled_value(bar.value, &self.unit)))
            .collect();
        format!("Bar chart: {}. {}.", self.caption, bars.join(", "))
    }
}
