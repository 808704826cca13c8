//! Charts of odd values, parsed again.

use crate::parse::{Element, all, parse};
use tsumugi_report::{Bar, Chart, Page, Series};

fn drawn(chart: impl Into<Chart>) -> Vec<Element> {
    let elements = parse(&Page::new("t").with(chart.into()).render().unwrap());
    for element in &elements {
        for (name, value) in &element.attributes {
            assert!(!value.contains("inf"), "{name}={value}");
            let place = matches!(
                name.as_str(),
                "x" | "y" | "x1" | "x2" | "y1" | "y2" | "cx" | "cy" | "r" | "width" | "height"
            );
            if place && element.name != "svg" {
                let number: f64 = value.parse().unwrap_or_else(|_| panic!("{name}={value}"));
                assert!((-2.0..2000.0).contains(&number), "{}: {name}={value}", element.name);
            }
        }
    }
    elements
}

fn ticks(elements: &[Element]) -> Vec<&str> {
    elements.iter().filter(|e| e.has_class("tick")).map(|e| e.text.as_str()).collect()
}

/// The places of a curve.
fn places(path: &Element) -> Vec<(f64, f64)> {
    let d = path.get("d").unwrap();
    let numbers = |pair: &str| {
        let (x, y) = pair.split_once(',').unwrap();
        (x.parse().unwrap(), y.parse().unwrap())
    };
    d.split(['M', 'L']).filter(|pair| !pair.is_empty()).map(numbers).collect()
}

#[test]
fn a_falling_loss_falls_on_the_page() {
    let series = Series::new("loss", [(1.0, 4.0), (2.0, f64::NAN), (3.0, 1.0), (4.0, 0.5)]);
    let elements = drawn(Chart::line("Loss by step").x("step").unit("nats").with(series));
    let path = all(&elements, "path").next().unwrap();
    let places = places(path);
    assert_eq!(places.len(), 3);
    assert!(places[1].1 > places[0].1 && places[2].1 > places[1].1, "the y axis of SVG points down");
    // The NaN is a gap, not a line across.
    assert_eq!(path.get("d").unwrap().matches('M').count(), 2);
    assert!(ticks(&elements).contains(&"0") && ticks(&elements).contains(&"4"));
    let svg = all(&elements, "svg").next().unwrap();
    let words = svg.get("aria-label").unwrap();
    assert!(words.contains("loss: 4 nats at first, 0.5 nats at last"), "{words}");
    let hover: Vec<&str> = all(&elements, "circle").map(|c| c.text.as_str()).collect();
    assert_eq!(hover, ["loss: 4 nats (step 1)", "loss: 1 nats (step 3)", "loss: 0.5 nats (step 4)"]);
    assert!(path.get("data-points").unwrap().ends_with("|4|0.5 nats"));
}

#[test]
fn odd_series_have_a_chart_or_say_that_there_is_none() {
    let huge = [(0.0, f64::MIN), (f64::MAX, f64::MAX)];
    let cases: [(&[(f64, f64)], bool); 9] = [
        (&[], false),
        (&[(f64::NAN, 1.0), (1.0, f64::INFINITY)], false),
        (&[(5.0, 2.0)], true),
        (&[(1.0, 0.0), (2.0, 0.0)], true),
        (&[(1.0, -3.0), (2.0, -3.0)], true),
        (&huge, true),
        (&[(-1e6, -1e-300), (1e6, 1e-300)], true),
        (&[(1.0, 1e-320), (2.0, 3e-320)], true),
        (&[(1e9, 1e15), (1e9 + 1.0, 1e15 + 1.0)], true),
    ];
    for (points, expected) in cases {
        let elements = drawn(Chart::line("c").with(Series::new("s", points.iter().copied())));
        assert_eq!(all(&elements, "path").count() == 1, expected, "{points:?}");
        assert_eq!(elements.iter().any(|e| e.has_class("nothing")), !expected, "{points:?}");
        if expected {
            assert!(ticks(&elements).len() >= 3, "{points:?}: {:?}", ticks(&elements));
        }
        for (log_x, log_y) in [(true, false), (false, true), (true, true)] {
            let mut chart = Chart::line("c").with(Series::new("s", points.iter().copied()));
            chart = if log_x { chart.log_x() } else { chart };
            drawn(if log_y { chart.log_y() } else { chart });
        }
    }
}

#[test]
fn several_series_have_a_legend_and_colours_of_their_own() {
    let mut chart = Chart::line("c");
    for n in 0..10 {
        chart.push(Series::new(format!("a rather long name {n}"), [(0.0, f64::from(n)), (1.0, 1.0)]));
    }
    let elements = drawn(chart);
    let classes: std::collections::BTreeSet<&str> =
        all(&elements, "path").filter_map(|p| p.get("class")).collect();
    assert_eq!(classes.len(), 10);
    let names = elements.iter().filter(|e| e.has_class("label") && e.text.starts_with("a rather long name"));
    assert_eq!(names.count(), 10);
    let one = drawn(Chart::line("c").with(Series::new("only", [(0.0, 1.0), (1.0, 2.0)])));
    assert!(!one.iter().any(|e| e.has_class("label") && e.text == "only"), "one series needs no legend");
}

#[test]
fn logarithmic_places_are_equal_for_equal_factors() {
    let series = Series::new("s", [(1.0, 1e-4), (10.0, 1e-2), (100.0, 1.0), (1000.0, 0.0)]);
    let elements = drawn(Chart::line("c").log_x().log_y().with(series));
    let places = places(all(&elements, "path").next().unwrap());
    assert_eq!(places.len(), 3, "zero has no place on a logarithmic axis");
    let (a, b) = (places[1].0 - places[0].0, places[2].0 - places[1].0);
    assert!((a - b).abs() <= 0.21, "{a} {b}");
    assert!(ticks(&elements).contains(&"0.01"));
}

#[test]
fn bars_start_at_zero() {
    let chart = Chart::bar("Dropped by reason")
        .unit("rows")
        .with(Bar::new("svg", 10.0))
        .with(Bar::new("broken", -5.0))
        .with(Bar::new("unknown", f64::NAN));
    let elements = drawn(chart);
    let bars: Vec<(f64, f64)> = all(&elements, "rect")
        .map(|r| (r.get("x").unwrap().parse().unwrap(), r.get("width").unwrap().parse().unwrap()))
        .collect();
    assert!((bars[0].1 - 2.0 * bars[1].1).abs() < 0.3, "{bars:?}");
    assert!((bars[1].0 + bars[1].1 - bars[0].0).abs() < 0.3, "{bars:?}");
    assert!(elements.iter().any(|e| e.text == "no value"));
    assert_eq!(all(&elements, "rect").next().unwrap().text, "svg: 10");
    assert!(drawn(Chart::bar("none")).iter().any(|e| e.has_class("nothing")));
    drawn(Chart::bar("huge").with(Bar::new("a", f64::MAX)).with(Bar::new("b", f64::MIN)));
    drawn(Chart::bar("zero").with(Bar::new("a", 0.0)));
}

#[test]
fn parts_of_a_bar_add_up() {
    let bar = Bar::new("what", 10.0).part("is", 6.0).part("no", 0.0).part("are", 3.0);
    let elements = drawn(Chart::bar("c").with(bar).with(Bar::new("how", 2.0).part("many", 5.0)));
    let titles: Vec<&str> = all(&elements, "rect").map(|r| r.text.as_str()).collect();
    assert_eq!(titles, ["what is: 6", "what are: 3", "what other: 1", "how many: 2"]);
    let width =
        |n: usize| all(&elements, "rect").nth(n).unwrap().get("width").unwrap().parse::<f64>().unwrap();
    assert!((width(0) - 2.0 * width(1)).abs() < 0.3);
}

#[test]
fn intervals_lie_around_their_values() {
    let chart = Chart::interval("Scores").zero().with("a", 2.0, (1.0, 3.0)).with("b", f64::NAN, (0.0, 1.0));
    let elements = drawn(chart);
    let line = elements.iter().find(|e| e.has_class("interval")).unwrap();
    let at = |name: &str| line.get(name).unwrap().parse::<f64>().unwrap();
    let dot: f64 = all(&elements, "circle").next().unwrap().get("cx").unwrap().parse().unwrap();
    assert!((dot - (at("x1") + at("x2")) / 2.0).abs() < 0.2);
    assert_eq!(all(&elements, "circle").count(), 1);
    assert!(elements.iter().any(|e| e.has_class("zero")));
    let empty = Chart::interval("none").with("b", 1.0, (f64::NEG_INFINITY, 1.0));
    assert!(empty.is_empty());
    assert!(drawn(empty).iter().any(|e| e.has_class("nothing")));
}

#[test]
fn radar_outlines_reach_the_rim_at_most() {
    let chart = Chart::radar("Judge", ["conv", "detail", "com<plex"]).most(100.0);
    let alone = drawn(chart.clone().with("a", [100.0, 50.0, f64::NAN]));
    let areas =
        |elements: &[Element]| elements.iter().filter(|e| e.has_class("area")).cloned().collect::<Vec<_>>();
    let first = areas(&alone)[0].get("points").unwrap().split(' ').next().unwrap().to_owned();
    assert_eq!(first, "230,30");
    assert!(alone.iter().any(|e| e.text == "conv 100.0") && alone.iter().any(|e| e.text == "com<plex NaN"));
    let beyond = drawn(chart.clone().with("a", [1e9, -5.0, 50.0]));
    assert!(areas(&beyond)[0].get("points").unwrap().starts_with("230,30 230,140"), "{:?}", areas(&beyond));
    let both = drawn(chart.with("a", [1.0]).with("b", [1.0, 2.0, 3.0, 4.0]));
    assert_eq!(areas(&both).len(), 2);
    assert!(both.iter().any(|e| e.has_class("label") && e.text == "b"));
    assert!(
        drawn(Chart::radar("two", ["a", "b"]).with("x", [1.0, 2.0])).iter().any(|e| e.has_class("nothing"))
    );
}

#[test]
fn a_chart_is_a_file_of_its_own() {
    let svg = Chart::from(Chart::line("c").with(Series::new("s", [(0.0, 1.0), (1.0, 2.0)])))
        .svg()
        .unwrap()
        .unwrap();
    assert!(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"460"));
    assert!(svg.contains("prefers-color-scheme"));
    parse(&svg);
    assert_eq!(Chart::from(Chart::line("c")).svg().unwrap(), None);
}
