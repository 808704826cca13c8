use std::path::Path;

use tsumugi_report::{Block, Chart, Column, Section, Series, Table};
use tsumugi_train::{Summary, read_metrics};

use crate::Error;

/// Points of a curve at most.
const POINTS: usize = 400;

/// Loss curves and figures of the stages.
///
/// # Errors
/// Where the metrics cannot be read.
pub fn training_section(summary: &Summary, metrics: &Path) -> Result<Section, Error> {
    let mut charts = Vec::new();
    let mut table = Table::new([
        Column::text("stage"),
        Column::number("steps"),
        Column::number("samples"),
        Column::number("images"),
        Column::number("tokens"),
        Column::number("loss at first").decimals(3),
        Column::number("loss at last").decimals(3),
        Column::number("tokens per second").decimals(0),
        Column::number("images per second").decimals(1),
        Column::text("dropped by reason"),
    ]);
    for stage in &summary.stages {
        let steps = read_metrics(metrics, &stage.name)
            .map_err(Error::step("report", metrics.display().to_string()))?;
        let points = steps.iter().map(|step| (step.step as f64, step.loss));
        let loss = Series::new(&stage.name, points).averaged(POINTS);
        charts.push(Block::from(Chart::line(format!("Loss by step: {}", stage.name)).x("step").with(loss)));
        let dropped: Vec<String> =
            stage.dropped.iter().map(|(reason, rows)| format!("{reason} {rows}")).collect();
        table.push((
            &stage.name,
            stage.steps,
            stage.samples,
            stage.images,
            stage.tokens,
            stage.first_loss,
            stage.final_loss,
            stage.tokens_per_second,
            stage.images_per_second,
            dropped.join(", "),
        ));
    }
    let figures = format!("{} parameters, {:.0} s of steps.", summary.parameters, summary.seconds);
    Ok(Section::new("Training").with(figures).with(Block::grid(charts)).with(table))
}
