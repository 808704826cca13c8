//! The templates, and the one place that turns data into markup.

use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use serde::Serialize;

use crate::Error;

/// Colours of pages and charts, and the shapes of charts.
pub(crate) const CHART_STYLE: &str = include_str!("templates/chart.css");
pub(crate) const STYLE: &str =
    concat!(include_str!("templates/chart.css"), include_str!("templates/page.css"));
pub(crate) const SCRIPT: &str = include_str!("templates/script.js");

const TEMPLATES: [(&str, &str); 7] = [
    ("page.html", include_str!("templates/page.html")),
    ("blocks.html", include_str!("templates/blocks.html")),
    ("table.html", include_str!("templates/table.html")),
    ("cards.html", include_str!("templates/cards.html")),
    ("funnel.html", include_str!("templates/funnel.html")),
    ("macros.html", include_str!("templates/macros.html")),
    ("chart.svg", include_str!("templates/chart.svg")),
];

/// Renders a template with every value escaped.
pub(crate) fn template(name: &str, view: impl Serialize) -> Result<String, Error> {
    // Parsing the templates takes less than a page takes to render, so nothing is kept between pages.
    Ok(environment()?.get_template(name)?.render(view)?)
}

fn environment() -> Result<Environment<'static>, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_trim_blocks(true);
    environment.set_lstrip_blocks(true);
    for (name, source) in TEMPLATES {
        environment.add_template(name, source)?;
    }
    Ok(environment)
}
