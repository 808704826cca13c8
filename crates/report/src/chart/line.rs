use super::axis::{Axis, Fit};
use super::shape::{Anchor, Canvas, Drawing, FONT, Shape, colour, pair};
use crate::format::{number, width};

/// A curve of a [`LineChart`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Series {
    name: String,
    points: Vec<(f64, f64)>,
}

impl Series {
    /// A curve through points by growing x. NaN, infinite values, and values that are not positive on a logarithmic axis
    /// leave a gap.
    #[must_use]
    pub fn new(name: impl Into<String>, points: impl IntoIterator<Item = (f64, f64)>) -> Self {
        Self { name: name.into(), points: points.into_iter().collect() }
    }

    /// Adds a point.
    pub fn push(&mut self, x: f64, y: f64) {
        self.points.push((x, y));
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether there is no point.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    /// At most `count` points, each the mean of the neighbours that it stands for: long runs become readable, and pages
    /// small.
    ///
    /// ```
    /// use tsumugi_report::Series;
    ///
    /// let series = Series::new("loss", [(1.0, 4.0), (2.0, 2.0), (3.0, 1.0), (4.0, 1.0)]);
    /// assert_eq!(series.averaged(2), Series::new("loss", [(1.5, 3.0), (3.5, 1.0)]));
    /// ```
    #[must_use]
    pub fn averaged(mut self, count: usize) -> Self {
        let size = self.points.len().div_ceil(count.max(1)).max(1);
        let mean = |part: &[(f64, f64)]| {
            let sum = part.iter().fold((0.0, 0.0), |sum, point| (sum.0 + point.0, sum.1 + point.1));
            (sum.0 / part.len() as f64, sum.1 / part.len() as f64)
        };
        self.points = self.points.chunks(size).map(mean).collect();
        self
    }
}

/// Curves over common axes. Made by [`Chart::line`](super::Chart::line).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LineChart {
    pub(super) caption: String,
    x: String,
    y: String,
    unit: String,
    log_x: bool,
    log_y: bool,
    series: Vec<Series>,
}

const WIDTH: f64 = 460.0;
const PLOT: f64 = 210.0;
const RIGHT: f64 = 14.0;
/// Series with at most so many points get a dot for each.
const DOTS: usize = 30;

impl LineChart {
    pub(super) fn new(caption: impl Into<String>) -> Self {
        Self { caption: caption.into(), ..Self::default() }
    }

    /// Names the horizontal axis.
    #[must_use]
    pub fn x(mut self, label: impl Into<String>) -> Self {
        self.x = label.into();
        self
    }

    /// Names the vertical axis, where the caption does not say it.
    #[must_use]
    pub fn y(mut self, label: impl Into<String>) -> Self {
        self.y = label.into();
        self
    }

    /// Unit of the vertical axis.
    #[must_use]
    pub fn unit(mut self, unit: impl Into<String>) -> Self {
        self.unit = unit.into();
        self
    }

    /// Makes the horizontal axis logarithmic.
    #[must_use]
    pub fn log_x(mut self) -> Self {
        self.log_x = true;
        self
    }

    /// Makes the vertical axis logarithmic.
    #[must_use]
    pub fn log_y(mut self) -> Self {
        self.log_y = true;
        self
    }

    /// Adds a curve.
    pub fn push(&mut self, series: Series) {
        self.series.push(series);
    }

    /// Adds a curve and returns the chart.
    #[must_use]
    pub fn with(mut self, series: Series) -> Self {
        self.push(series);
        self
    }

    pub(super) fn drawing(&self) -> Option<Drawing> {
        let (x_axis, y_axis) = self.axes()?;
        let y_title = titled(&self.y, &self.unit);
        let top = if y_title.is_empty() { 10.0 } else { FONT + 12.0 };
        let labels = y_axis.ticks.iter().map(|tick| width(&tick.label)).fold(0.0, f64::max);
        let area = Area { left: labels * FONT + 10.0, right: WIDTH - RIGHT, top, bottom: top + PLOT };
        let mut canvas = Canvas::new(WIDTH);
        for tick in &y_axis.ticks {
            let Some(place) = y_axis.place(tick.value) else { continue };
            let y = area.bottom - place * PLOT;
            canvas.segment((area.left, y), (area.right, y), "grid");
            canvas.text((area.left - 6.0, y + FONT * 0.35), Anchor::End, "tick", tick.label.clone());
        }
        canvas.ticks_below(&x_axis, (area.left, area.right), (area.top, area.bottom));
        canvas.segment((area.left, area.bottom), (area.right, area.bottom), "axis");
        canvas.text((2.0, FONT), Anchor::Start, "label", y_title);
        let mut below = area.bottom + FONT + 6.0;
        if !self.x.is_empty() {
            below += FONT + 4.0;
            canvas.text(
                ((area.left + area.right) / 2.0, below - 2.0),
                Anchor::Middle,
                "label",
                self.x.clone(),
            );
        }
        for (number, series) in self.series.iter().enumerate() {
            self.curve(&mut canvas, series, number, (&x_axis, &y_axis), &area);
        }
        if self.series.len() > 1 {
            below = canvas.legend(self.series.iter().map(Series::name), area.left, below + 6.0);
        }
        Some(canvas.finish(below + 4.0, self.words(), true))
    }

    fn axes(&self) -> Option<(Axis, Axis)> {
        let drawn = |point: &&(f64, f64)| {
            let shown = |value: f64, log: bool| value.is_finite() && (!log || value > 0.0);
            shown(point.0, self.log_x) && shown(point.1, self.log_y)
        };
        let all: Vec<(f64, f64)> =
            self.series.iter().flat_map(|s| &s.points).filter(drawn).copied().collect();
        let (xs, ys) = (all.iter().map(|point| point.0), all.iter().map(|point| point.1));
        let x_axis =
            if self.log_x { Axis::logarithmic(xs, Fit::Tight)? } else { Axis::linear(xs, Fit::Tight, 6)? };
        if self.log_y {
            return Some((x_axis, Axis::logarithmic(ys, Fit::Round)?));
        }
        let (low, high) = ys.clone().fold((f64::MAX, f64::MIN), |(low, high), y| (low.min(y), high.max(y)));
        // Losses are read against zero, where it is near.
        let zero = (low > 0.0 && low < high * 0.6).then_some(0.0);
        Some((x_axis, Axis::linear(ys.chain(zero), Fit::Round, 5)?))
    }

    fn curve(&self, canvas: &mut Canvas, series: &Series, order: usize, axes: (&Axis, &Axis), area: &Area) {
        let place = |&(x, y): &(f64, f64)| -> Option<(f64, f64)> {
            let (at_x, at_y) = (axes.0.place(x)?, axes.1.place(y)?);
            Some((area.left + at_x * (area.right - area.left), area.bottom - at_y * (area.bottom - area.top)))
        };
        let value = |y: f64| titled_value(y, &self.unit);
        let (mut d, mut points) = (String::new(), Vec::new());
        let mut gap = true;
        for point in &series.points {
            let Some(at) = place(point) else {
                gap = true;
                continue;
            };
            d.push_str(if gap { "M" } else { "L" });
            d.push_str(&pair(at));
            gap = false;
            let fields = [pair(at), number(point.0, None), value(point.1)];
            points.push(fields.join("|"));
        }
        if d.is_empty() {
            return;
        }
        let dots = points.len() <= DOTS;
        let class = format!("line {}", colour(order));
        let name = series.name.clone();
        canvas.shapes.push(Shape::Path { d, class, name, points: points.join(";") });
        let places: Vec<Option<(f64, f64)>> = series.points.iter().map(place).collect();
        for (index, (x, y)) in series.points.iter().enumerate() {
            let alone = |index: Option<usize>| index.and_then(|i| *places.get(i)?).is_none();
            let isolated = alone(index.checked_sub(1)) && alone(Some(index + 1));
            if let Some(at) = places[index].filter(|_| dots || isolated) {
                let x_name = if self.x.is_empty() { "x" } else { &self.x };
                let title = format!("{}: {} ({x_name} {})", series.name, value(*y), number(*x, None));
                canvas.circle(at, 2.5, format!("dot {}", colour(order)), title);
            }
        }
    }

    /// The chart in words.
    fn words(&self) -> String {
        let describe = |series: &Series| {
            let values: Vec<f64> =
                series.points.iter().map(|point| point.1).filter(|y| y.is_finite()).collect();
            let (first, last) = (values.first()?, values.last()?);
            let low = values.iter().copied().fold(f64::MAX, f64::min);
            let high = values.iter().copied().fold(f64::MIN, f64::max);
            let value = |y: f64| titled_value(y, &self.unit);
            Some(format!(
                "{}: {} at first, {} at last, between {} and {}.",
                series.name,
                value(*first),
                value(*last),
                value(low),
                value(high)
            ))
        };
        let series: Vec<String> = self.series.iter().filter_map(describe).collect();
        format!("Line chart: {}. {}", self.caption, series.join(" "))
    }
}

/// The rectangle that curves are drawn in.
struct Area {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

/// An axis's name with its unit.
fn titled(name: &str, unit: &str) -> String {
    match (name.is_empty(), unit.is_empty()) {
        (_, true) => name.to_owned(),
        (true, false) => unit.to_owned(),
        (false, false) => format!("{name} ({unit})"),
    }
}

/// A value with its unit.
pub(super) fn titled_value(value: f64, unit: &str) -> String {
    let text = number(value, None);
    if unit.is_empty() { text } else { format!("{text} {unit}") }
}
