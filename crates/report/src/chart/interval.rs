use super::axis::{Axis, Fit};
use super::line::titled_value;
use super::shape::{Anchor, Canvas, Drawing, FONT};
use crate::format::{number, width};

#[derive(Debug, Clone, PartialEq)]
struct Row {
    label: String,
    value: f64,
    low: f64,
    high: f64,
}

/// Values as dots with their intervals as lines, one below the other. Made by
/// [`Chart::interval`](super::Chart::interval).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct IntervalChart {
    pub(super) caption: String,
    unit: String,
    zero: bool,
    rows: Vec<Row>,
}

const WIDTH: f64 = 460.0;
const ROW: f64 = 24.0;

impl IntervalChart {
    pub(super) fn new(caption: impl Into<String>) -> Self {
        Self { caption: caption.into(), ..Self::default() }
    }

    /// Unit of the values.
    #[must_use]
    pub fn unit(mut self, unit: impl Into<String>) -> Self {
        self.unit = unit.into();
        self
    }

    /// Draws a line at zero, for differences.
    #[must_use]
    pub fn zero(mut self) -> Self {
        self.zero = true;
        self
    }

    /// Adds a value with the ends of its interval. Rows with a number that is not finite are left out of the drawing.
    pub fn push(&mut self, label: impl Into<String>, value: f64, (low, high): (f64, f64)) {
        self.rows.push(Row { label: label.into(), value, low, high });
    }

    /// Adds a value with the ends of its interval and returns the chart.
    #[must_use]
    pub fn with(mut self, label: impl Into<String>, value: f64, interval: (f64, f64)) -> Self {
        self.push(label, value, interval);
        self
    }

    /// Whether there is no row that can be drawn.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.drawn().next().is_none()
    }

    fn drawn(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| [row.value, row.low, row.high].iter().all(|number| number.is_finite()))
    }

    pub(super) fn drawing(&self) -> Option<Drawing> {
        if self.is_empty() {
            return None;
        }
        let numbers = self.drawn().flat_map(|row| [row.value, row.low, row.high]);
        let axis = Axis::linear(numbers.chain(self.zero.then_some(0.0)), Fit::Round, 5)?;
        let longest = self.drawn().map(|row| width(&row.label)).fold(0.0, f64::max) * FONT;
        let left = longest.min(WIDTH * 0.4) + 16.0;
        let values = self.drawn().map(|row| width(&number(row.value, Some(2)))).fold(0.0, f64::max) * FONT;
        let right = WIDTH - values - 22.0;
        let rows = self.drawn().count();
        let bottom = ROW * rows as f64 + 4.0;
        let mut canvas = Canvas::new(WIDTH);
        canvas.ticks_below(&axis, (left, right), (2.0, bottom));
        let x = |value: f64| left + axis.place(value).unwrap_or(0.0) * (right - left);
        if self.zero {
            canvas.segment((x(0.0), 2.0), (x(0.0), bottom), "zero");
        }
        canvas.segment((left, bottom), (right, bottom), "axis");
        for (order, row) in self.drawn().enumerate() {
            let y = ROW * (order as f64 + 0.5) + 2.0;
            let base = y + FONT * 0.35;
            canvas.cut_text((left - 12.0, base), Anchor::End, "label", &row.label, left - 14.0);
            canvas.segment((x(row.low), y), (x(row.high), y), "interval c0");
            canvas.circle((x(row.value), y), 4.5, "dot c0", self.row_words(row));
            canvas.text((WIDTH - 2.0, base), Anchor::End, "value", number(row.value, Some(2)));
        }
        let mut below = bottom + FONT + 6.0;
        if !self.unit.is_empty() {
            below += FONT + 4.0;
            canvas.text(((left + right) / 2.0, below - 2.0), Anchor::Middle, "label", self.unit.clone());
        }
        let rows: Vec<String> = self.drawn().map(|row| self.row_words(row)).collect();
        let words = format!("Values with intervals: {}. {}.", self.caption, rows.join(", "));
        Some(canvas.finish(below + 2.0, words, false))
    }

    fn row_words(&self, row: &Row) -> String {
        let ends = format!("{} to {}", number(row.low, None), titled_value(row.high, &self.unit));
        format!("{}: {} ({ends})", row.label, titled_value(row.value, &self.unit))
    }
}
