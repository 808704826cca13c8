use tsumugi_report::{Facts, Funnel, Section, Stage};

use crate::runner::Summary;

/// What each step read, kept, and dropped by reason.
pub fn funnel_section(summaries: &[Summary]) -> Section {
    summaries.iter().map(step).fold(Section::new("Data funnel"), Section::with)
}

fn step(summary: &Summary) -> Section {
    let mut section = Section::new(&summary.step);
    if !summary.rows.is_empty() {
        let rows: Vec<String> = summary.rows.iter().map(|(kind, rows)| format!("{rows} {kind}")).collect();
        section.push(format!("Wrote {}.", rows.join(", ")));
    }
    if !summary.funnel.stages.is_empty() {
        let mut funnel = Funnel::new();
        for stage in &summary.funnel.stages {
            let shown = Stage::new(&stage.name, stage.input, stage.kept).unit(&stage.unit);
            funnel
                .push(stage.dropped.iter().fold(shown, |shown, (reason, rows)| shown.dropped(reason, *rows)));
        }
        section.push(funnel);
    }
    if !summary.counts.is_empty() {
        let facts = summary.counts.iter().map(|(name, count)| (name, *count));
        section.push(facts.fold(Facts::new(), |facts, (name, count)| facts.with(name, count)));
    }
    section
}
