//! Axes: from values to places, with ticks at round values.

use crate::format::grouped;

/// An axis from its low to its high end.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Axis {
    low: f64,
    high: f64,
    logarithmic: bool,
    pub(super) ticks: Vec<Tick>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tick {
    pub(super) value: f64,
    pub(super) label: String,
}

/// Where the ends of an axis lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    /// At the first and last value.
    Tight,
    /// At the next ticks outside.
    Round,
}

/// Ranges narrower than this part of their values count as constant: ticks within could not be told apart.
const NARROW: f64 = 1e-9;

impl Axis {
    /// A linear axis over the finite ones of `values` with about `count` ticks. None where there is no finite value.
    pub(super) fn linear(values: impl IntoIterator<Item = f64>, fit: Fit, count: usize) -> Option<Self> {
        let (low, high) = bounds(values.into_iter().filter(|value| value.is_finite()))?;
        let (low, high) = widened(low, high);
        let step = Step::nice(low, high, count);
        let first = if fit == Fit::Round { step.floor(low) } else { step.ceil(low) };
        let last = if fit == Fit::Round { step.ceil(high) } else { step.floor(high) };
        let values: Vec<f64> = step.values(first, last).filter(|value| value.is_finite()).collect();
        let low = values.first().map_or(low, |first| first.min(low));
        let high = values.last().map_or(high, |last| last.max(high));
        Some(Self { low, high, logarithmic: false, ticks: labelled(&values, step.exponent) })
    }

    /// A logarithmic axis over the positive ones of `values`. None where there is none.
    pub(super) fn logarithmic(values: impl IntoIterator<Item = f64>, fit: Fit) -> Option<Self> {
        /// Decades with a tick each at most.
        const DECADES: i32 = 8;
        let positive = values.into_iter().filter(|value| value.is_finite() && *value > 0.0);
        let (low, high) = bounds(positive)?;
        let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
        let power = |exponent: i32| format!("1e{exponent}").parse().unwrap_or(f64::MAX);
        if last - first < 2 {
            // Within a decade or so, ticks of a linear axis are rounder than powers of ten.
            let mut axis = Self::linear([low, high], fit, 5)?;
            axis.ticks.retain(|tick| tick.value > 0.0);
            axis.low = if axis.low > 0.0 { axis.low } else { low.min(high / 2.0) };
            axis.logarithmic = true;
            return Some(axis);
        }
        let stride = ((last - first) / DECADES + 1) as usize;
        let (low, high) = match fit {
            Fit::Tight => (low, high),
            Fit::Round => (power(first).min(low), power(last).max(high)),
        };
        let tick = |exponent: i32| {
            let value = power(exponent);
            let inside = value > 0.0 && (low..=high).contains(&value);
            inside.then(|| Tick { value, label: label(value, value, exponent) })
        };
        let ticks = (first..=last).step_by(stride).filter_map(tick).collect();
        Some(Self { low, high, logarithmic: true, ticks })
    }

    /// Place of a value: 0 at the low end, 1 at the high end. None where the axis has no place for it.
    pub(super) fn place(&self, value: f64) -> Option<f64> {
        let place = if self.logarithmic {
            (value.log10() - self.low.log10()) / (self.high.log10() - self.low.log10())
        } else {
            // Halves, since the difference of two numbers can be larger than any number.
            (value / 2.0 - self.low / 2.0) / (self.high / 2.0 - self.low / 2.0)
        };
        place.is_finite().then_some(place)
    }
}

fn bounds(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.fold(None, |bounds, value| match bounds {
        None => Some((value, value)),
        Some((low, high)) => Some((value.min(low), value.max(high))),
    })
}

/// Gives a constant an extent, so that it is drawn in the middle.
fn widened(low: f64, high: f64) -> (f64, f64) {
    let size = low.abs().max(high.abs());
    if high / 2.0 - low / 2.0 > size * NARROW {
        (low, high)
    } else if size < f64::MIN_POSITIVE / NARROW {
        (-1.0, 1.0)
    } else {
        ((low - size / 2.0).max(f64::MIN), (high + size / 2.0).min(f64::MAX))
    }
}

/// A distance between ticks: 1, 2 or 5 times a power of ten.
#[derive(Debug, Clone, Copy)]
struct Step {
    digit: f64,
    exponent: i32,
}

impl Step {
    fn nice(low: f64, high: f64, count: usize) -> Self {
        let rough = (high / 2.0 - low / 2.0) / count.max(1) as f64 * 2.0;
        let exponent = rough.log10().floor() as i32;
        let digit = rough / power_of_ten(exponent);
        let (digit, exponent) = match digit {
            d if d <= 1.0 + 1e-9 => (1.0, exponent),
            d if d <= 2.0 + 1e-9 => (2.0, exponent),
            d if d <= 5.0 + 1e-9 => (5.0, exponent),
            _ => (1.0, exponent + 1),
        };
        Self { digit, exponent }
    }

    /// Number of the last tick not above a value.
    fn floor(self, value: f64) -> f64 {
        (self.number(value) + 1e-9).floor()
    }

    /// Number of the first tick not below a value.
    fn ceil(self, value: f64) -> f64 {
        (self.number(value) - 1e-9).ceil()
    }

    fn number(self, value: f64) -> f64 {
        value / power_of_ten(self.exponent) / self.digit
    }

    /// The ticks from one number to another.
    fn values(self, first: f64, last: f64) -> impl Iterator<Item = f64> {
        let count = (last - first).clamp(0.0, 100.0) as usize;
        // Parsed from digits, so that 3 * 0.1 is the number that is written 0.3.
        (0..=count)
            .map(move |at| (first + at as f64) * self.digit)
            .filter_map(move |digits| format!("{digits:.0}e{}", self.exponent).parse().ok())
    }
}

fn power_of_ten(exponent: i32) -> f64 {
    // `powi` loses the last digit, and all of them below 1e-308.
    format!("1e{exponent}").parse().unwrap_or(1.0)
}

fn labelled(values: &[f64], exponent: i32) -> Vec<Tick> {
    let size = values.iter().fold(0.0_f64, |size, value| size.max(value.abs()));
    values.iter().map(|value| Tick { value: *value, label: label(*value, size, exponent) }).collect()
}

/// A tick's label. `size` is the largest tick's, so that all labels of an axis are written alike; `exponent` is the power of
/// ten of the last digit that differs.
fn label(value: f64, size: f64, exponent: i32) -> String {
    /// Suffixes as the field writes parameters and tokens: 7B, 1.4T.
    const SUFFIXES: [(f64, i32, &str); 4] = [(1e12, 12, "T"), (1e9, 9, "B"), (1e6, 6, "M"), (1e4, 3, "k")];
    if value == 0.0 {
        return "0".into();
    }
    let decimals = |exponent: i32| usize::try_from(-exponent).unwrap_or(0);
    if !(1e-3..1e15).contains(&size) {
        return format!("{value:e}");
    }
    for (from, power, suffix) in SUFFIXES {
        // More digits than these would be longer than the number itself.
        if size >= from && power - exponent <= 2 {
            return format!("{:.1$}{suffix}", value / power_of_ten(power), decimals(exponent - power));
        }
    }
    grouped(&format!("{value:.0$}", decimals(exponent)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|tick| tick.label.as_str()).collect()
    }

    #[test]
    fn ticks_are_round() {
        let cases: [(f64, f64, &[&str]); 10] = [
            (0.0, 7.35, &["0", "2", "4", "6", "8"]),
            (0.0, 1.0, &["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
            (-3.0, 3.0, &["-4", "-2", "0", "2", "4"]),
            (0.0, 0.000_5, &["0", "1e-4", "2e-4", "3e-4", "4e-4", "5e-4"]),
            (4_893.0, 8_252.0, &["4,000", "5,000", "6,000", "7,000", "8,000", "9,000"]),
            (0.0, 149_881.0, &["0", "50k", "100k", "150k"]),
            (0.0, 2.5e9, &["0", "0.5B", "1.0B", "1.5B", "2.0B", "2.5B"]),
            (-5e-324, 5e-324, &["-1.0", "-0.5", "0", "0.5", "1.0"]),
            (1e15, 1e15 + 1.0, &["4e14", "6e14", "8e14", "1e15", "1.2e15", "1.4e15", "1.6e15"]),
            (20_000.0, 20_004.0, &["20,000", "20,001", "20,002", "20,003", "20,004"]),
        ];
        for (low, high, expected) in cases {
            let axis = Axis::linear([low, high], Fit::Round, 5).unwrap();
            let expected: Vec<&str> = expected.iter().map(|e| if *e == "0.0" { "0" } else { *e }).collect();
            assert_eq!(labels(&axis), expected, "{low} {high}");
        }
    }

    #[test]
    fn odd_ranges_have_places_within_the_axis() {
        let ranges: [&[f64]; 9] = [
            &[2.0],
            &[0.0, 0.0],
            &[-7.0],
            &[f64::NAN, 1.0, f64::INFINITY],
            &[f64::MIN, f64::MAX],
            &[f64::MAX],
            &[f64::MIN_POSITIVE],
            &[5e-324, 1.0],
            &[-1e-12, 3e300],
        ];
        for values in ranges {
            for fit in [Fit::Tight, Fit::Round] {
                let axis = Axis::linear(values.iter().copied(), fit, 5).unwrap();
                assert!(axis.ticks.len() <= 12, "{values:?} {:?}", axis.ticks);
                for value in values.iter().filter(|value| value.is_finite()) {
                    let place = axis.place(*value).unwrap();
                    assert!((-1e-9..=1.0 + 1e-9).contains(&place), "{values:?}: {value} at {place}");
                }
                let distinct: std::collections::BTreeSet<_> = labels(&axis).into_iter().collect();
                assert_eq!(distinct.len(), axis.ticks.len(), "{values:?} {:?}", axis.ticks);
            }
        }
        assert_eq!(Axis::linear([], Fit::Round, 5), None);
        assert_eq!(Axis::linear([f64::NAN, f64::INFINITY], Fit::Round, 5), None);
    }

    #[test]
    fn logarithmic_axes_have_powers_of_ten() {
        let axis = Axis::logarithmic([3e-5, 2.0, -1.0, 0.0, f64::NAN], Fit::Round).unwrap();
        assert_eq!(labels(&axis), ["1e-5", "1e-4", "0.001", "0.01", "0.1", "1", "10"]);
        assert!((axis.place(0.01).unwrap() - 0.5).abs() < 1e-9);
        assert_eq!((axis.place(0.0), axis.place(-1.0)), (None, None));
        let narrow = Axis::logarithmic([2.0, 4.0], Fit::Round).unwrap();
        assert!(narrow.ticks.len() >= 3 && narrow.place(2.0).is_some());
        let wide = Axis::logarithmic([f64::MIN_POSITIVE, f64::MAX], Fit::Round).unwrap();
        assert!((2..=12).contains(&wide.ticks.len()), "{:?}", labels(&wide));
        assert!(Axis::logarithmic([1.0], Fit::Tight).unwrap().place(1.0).is_some());
        assert_eq!(Axis::logarithmic([0.0, -3.0], Fit::Round), None);
    }
}
