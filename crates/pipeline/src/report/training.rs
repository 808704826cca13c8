use std::fmt::Write;
use std::path::Path;

use tsumugi_train::page::{Line, line_chart};
use tsumugi_train::{Summary, read_metrics};

use super::escape;
use crate::Error;

/// Loss curves and figures of the stages.
///
/// # Errors
/// Where the metrics cannot be read.
pub fn training_section(summary: &Summary, metrics: &Path) -> Result<String, Error> {
    let mut charts = String::from("<div class=\"charts\">");
    let mut table = String::from(
        "<table><tr><th>stage</th><th class=\"n\">steps</th><th class=\"n\">samples</th><th class=\"n\">images</th>\
         <th class=\"n\">tokens</th><th class=\"n\">loss at first</th><th class=\"n\">at last</th>\
         <th class=\"n\">tokens/s</th><th class=\"n\">images/s</th><th>dropped</th></tr>",
    );
    for stage in &summary.stages {
        let steps = read_metrics(metrics, &stage.name)
            .map_err(Error::step("report", metrics.display().to_string()))?;
        let points = steps.iter().map(|m| (m.step as f64, m.loss)).collect();
        let caption = format!("{}: loss by step", stage.name);
        charts.push_str(&line_chart(&caption, "step", &[Line { name: stage.name.clone(), points }]));
        let dropped: Vec<String> = stage.dropped.iter().map(|(r, n)| format!("{} {n}", escape(r))).collect();
        let _ = write!(
            table,
            "<tr><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td>\
             <td class=\"n\">{:.3}</td><td class=\"n\">{:.3}</td><td class=\"n\">{:.0}</td><td class=\"n\">{:.1}</td>\
             <td class=\"why\">{}</td></tr>",
            escape(&stage.name),
            stage.steps,
            stage.samples,
            stage.images,
            stage.tokens,
            stage.first_loss,
            stage.final_loss,
            stage.tokens_per_second,
            stage.images_per_second,
            dropped.join(" · ")
        );
    }
    charts.push_str("</div>");
    table.push_str("</table>");
    Ok(format!("<p>{} parameters, {:.0} s of steps.</p>{charts}{table}", summary.parameters, summary.seconds))
}
