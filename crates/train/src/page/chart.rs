//! Line charts as SVG: curves over steps, with axes and a legend.

use std::fmt::Write;

use super::escape;

/// A curve of a chart.
#[derive(Debug, Clone)]
pub struct Line {
    /// Its name.
    pub name: String,
    /// Its points, by growing x.
    pub points: Vec<(f64, f64)>,
}

const WIDTH: f64 = 420.0;
const HEIGHT: f64 = 220.0;
const LEFT: f64 = 46.0;
const BOTTOM: f64 = 26.0;
const TOP: f64 = 8.0;
/// A page may set its own colours; the second value is for pages that do not.
const COLOURS: [&str; 6] = [
    "var(--thread, #b3382c)",
    "var(--kept, #2b6f4b)",
    "var(--gone, #7a5c9e)",
    "var(--soft, #6b6b6b)",
    "var(--blue, #2f6690)",
    "var(--ochre, #b8860b)",
];
/// Room for the names of several curves, right of the plot.
const LEGEND: f64 = 70.0;

/// Curves over common axes, as an inline SVG figure. Points that are no numbers are left out; several curves are named
/// below.
///
/// ```
/// use tsumugi_train::page::{Line, line_chart};
///
/// let loss = Line { name: "loss".into(), points: vec![(1.0, 3.2), (2.0, 2.1)] };
/// assert!(line_chart("A stage", "step", &[loss]).starts_with("<figure><svg"));
/// ```
pub fn line_chart(caption: &str, x_label: &str, lines: &[Line]) -> String {
    match line_svg(x_label, lines) {
        Some(svg) => format!("<figure>{svg}<figcaption>{}</figcaption></figure>", escape(caption)),
        None => format!("<figure><figcaption>{}: no points</figcaption></figure>", escape(caption)),
    }
}

/// The same without a caption, as a picture that can stand in a file of its own. None where there is no point.
pub fn line_svg(x_label: &str, lines: &[Line]) -> Option<String> {
    let finite = |p: &&(f64, f64)| p.0.is_finite() && p.1.is_finite();
    let all: Vec<(f64, f64)> = lines.iter().flat_map(|l| &l.points).filter(finite).copied().collect();
    if all.is_empty() {
        return None;
    }
    let bounds = |f: fn(&(f64, f64)) -> f64| {
        all.iter().map(f).fold((f64::MAX, f64::MIN), |(lo, hi), v| (lo.min(v), hi.max(v)))
    };
    let (x0, x1) = widen(bounds(|p| p.0));
    let (low, y1) = widen(bounds(|p| p.1));
    // Losses are read against zero, where it is near.
    let y0 = if low > 0.0 && low < y1 * 0.6 { 0.0 } else { low };
    let x = |v: f64| LEFT + (v - x0) / (x1 - x0) * (WIDTH - LEFT - 8.0);
    let y = |v: f64| TOP + (y1 - v) / (y1 - y0) * (HEIGHT - TOP - BOTTOM);
    let whole = if lines.len() > 1 { WIDTH + LEGEND } else { WIDTH };
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {whole} {HEIGHT}\" role=\"img\" \
         font-family=\"sans-serif\" font-size=\"11\">"
    );
    for step in 0..=4 {
        let value = y0 + (y1 - y0) * f64::from(step) / 4.0;
        let at = y(value);
        let _ = write!(
            svg,
            "<line x1=\"{LEFT}\" x2=\"{WIDTH}\" y1=\"{at:.1}\" y2=\"{at:.1}\" stroke=\"var(--line, #d8d4cc)\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            LEFT - 5.0,
            at + 4.0,
            label(value)
        );
    }
    for (value, anchor) in [(x0, "start"), (x1, "end")] {
        let _ = write!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{}</text>",
            x(value),
            HEIGHT - 8.0,
            label(value)
        );
    }
    let _ = write!(
        svg,
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
        (LEFT + WIDTH) / 2.0,
        HEIGHT - 8.0,
        escape(x_label)
    );
    for (line, colour) in lines.iter().zip(COLOURS.iter().cycle()) {
        let points: Vec<String> =
            line.points.iter().filter(finite).map(|p| format!("{:.1},{:.1}", x(p.0), y(p.1))).collect();
        let _ = write!(
            svg,
            "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.6\" points=\"{}\"><title>{}</title></polyline>",
            points.join(" "),
            escape(&line.name)
        );
    }
    if lines.len() > 1 {
        legend(&mut svg, lines);
    }
    svg.push_str("</svg>");
    Some(svg)
}

/// Names of the curves in their colours, right of the plot.
fn legend(svg: &mut String, lines: &[Line]) {
    for (number, (line, colour)) in lines.iter().zip(COLOURS.iter().cycle()).enumerate() {
        let _ = write!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" fill=\"{colour}\">{}</text>",
            WIDTH + 8.0,
            TOP + 12.0 + 13.0 * number as f64,
            escape(&line.name)
        );
    }
}

fn widen((low, high): (f64, f64)) -> (f64, f64) {
    if high > low { (low, high) } else { (low - 0.5, high + 0.5) }
}

fn label(value: f64) -> String {
    let text = if value.abs() >= 100.0 || value.fract() == 0.0 {
        format!("{value:.0}")
    } else if value.abs() < 0.1 {
        // Learning rates.
        format!("{value:.1e}")
    } else {
        format!("{value:.2}")
    };
    if text == "-0" { "0".into() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_falling_loss_falls_on_the_page() {
        let line = Line { name: "loss".into(), points: vec![(1.0, 4.0), (2.0, f64::NAN), (3.0, 1.0)] };
        let svg = line_chart("align", "step", &[line]);
        let points = svg.split("points=\"").nth(1).unwrap().split('"').next().unwrap();
        let y: Vec<f64> = points.split(' ').map(|p| p.split(',').nth(1).unwrap().parse().unwrap()).collect();
        assert_eq!(y.len(), 2);
        assert!(y[1] > y[0], "the y axis of SVG points down");
    }

    #[test]
    fn labels_are_short_and_tell_values_apart() {
        for (value, expected) in
            [(0.0, "0"), (-0.2, "-0.20"), (1.5e-3, "1.5e-3"), (3.0, "3"), (1234.5, "1234")]
        {
            assert_eq!(label(value), expected);
        }
    }

    #[test]
    fn constant_and_empty_lines_have_a_chart() {
        let line = Line { name: "c".into(), points: vec![(0.0, 2.0)] };
        assert!(line_chart("c", "step", &[line]).contains("polyline"));
        assert!(line_chart("none", "step", &[]).contains("no points"));
    }
}
