//! Charts as SVG.
//!
//! A chart becomes a [`Drawing`], a list of shapes with places and texts, which a template writes as SVG.

mod axis;
mod bar;
mod interval;
mod line;
mod radar;
mod shape;

use serde::{Serialize, Serializer};

pub use bar::{Bar, BarChart};
pub use interval::IntervalChart;
pub use line::{LineChart, Series};
pub use radar::RadarChart;

use crate::{Error, render};
use shape::Drawing;

/// A chart of any kind.
///
/// Charts scale with the width of the page. Values are shown where the reader points; series have colours that readers
/// with colour-blindness can tell apart, also in dark mode.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Chart {
    /// Curves over common axes.
    Line(LineChart),
    /// Horizontal bars.
    Bar(BarChart),
    /// Values with intervals.
    Interval(IntervalChart),
    /// Values by category around a centre.
    Radar(RadarChart),
}

impl Chart {
    /// A line chart without series.
    #[must_use]
    pub fn line(caption: impl Into<String>) -> LineChart {
        LineChart::new(caption)
    }

    /// A bar chart without bars.
    #[must_use]
    pub fn bar(caption: impl Into<String>) -> BarChart {
        BarChart::new(caption)
    }

    /// A chart of values with intervals, without rows.
    #[must_use]
    pub fn interval(caption: impl Into<String>) -> IntervalChart {
        IntervalChart::new(caption)
    }

    /// A radar chart over categories, without series.
    #[must_use]
    pub fn radar<C: Into<String>>(
        caption: impl Into<String>,
        categories: impl IntoIterator<Item = C>,
    ) -> RadarChart {
        RadarChart::new(caption, categories)
    }

    /// The chart as an SVG file that needs no page: it has its own style, for light and dark. None where there is nothing to
    /// draw.
    ///
    /// # Errors
    /// [`Error::Template`] where the template of this crate fails.
    pub fn svg(&self) -> Result<Option<String>, Error> {
        #[derive(Serialize)]
        struct Standalone<'a> {
            drawing: &'a Drawing,
            own_style: &'static str,
        }
        let Some(drawing) = self.drawing() else { return Ok(None) };
        render::template("chart.svg", Standalone { drawing: &drawing, own_style: render::CHART_STYLE })
            .map(Some)
    }

    fn caption(&self) -> &str {
        match self {
            Self::Line(chart) => &chart.caption,
            Self::Bar(chart) => &chart.caption,
            Self::Interval(chart) => &chart.caption,
            Self::Radar(chart) => &chart.caption,
        }
    }

    fn drawing(&self) -> Option<Drawing> {
        match self {
            Self::Line(chart) => chart.drawing(),
            Self::Bar(chart) => chart.drawing(),
            Self::Interval(chart) => chart.drawing(),
            Self::Radar(chart) => chart.drawing(),
        }
    }
}

#[derive(Serialize)]
struct View<'a> {
    caption: &'a str,
    drawing: Option<Drawing>,
}

impl Serialize for Chart {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        View { caption: self.caption(), drawing: self.drawing() }.serialize(serializer)
    }
}

macro_rules! from_charts {
    ($($kind:ident $chart:ident)*) => {$(
        impl From<$chart> for Chart {
            fn from(chart: $chart) -> Self {
                Self::$kind(chart)
            }
        }
    )*};
}

from_charts!(Line LineChart Bar BarChart Interval IntervalChart Radar RadarChart);
