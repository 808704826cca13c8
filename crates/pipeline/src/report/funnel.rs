use std::fmt::Write;

use super::escape;
use crate::runner::Summary;

/// The funnel of each step: what came in, what went on, what was dropped and why.
pub fn funnel_section(summaries: &[Summary]) -> String {
    let mut html = String::new();
    for summary in summaries {
        let rows: Vec<String> = summary.rows.iter().map(|(kind, n)| format!("{n} {kind}")).collect();
        let wrote = if rows.is_empty() { String::new() } else { format!("wrote {}", rows.join(", ")) };
        let _ = writeln!(html, "<h3>{} <small>{}</small></h3>", escape(&summary.step), escape(&wrote));
        html.push_str(&stages(summary));
        let counts: Vec<String> = summary.counts.iter().map(|(k, v)| format!("{}: {v}", escape(k))).collect();
        if !counts.is_empty() {
            let _ = writeln!(html, "<p class=\"why\">{}</p>", counts.join(" · "));
        }
    }
    html
}

fn stages(summary: &Summary) -> String {
    let mut html = String::new();
    if summary.funnel.stages.is_empty() {
        return html;
    }
    html.push_str(
        "<table><tr><th>stage</th><th></th><th class=\"n\">in</th>\
             <th class=\"n\">kept</th><th class=\"n\">dropped</th><th>why</th></tr>",
    );
    for stage in &summary.funnel.stages {
        let dropped: u64 = stage.dropped.values().sum();
        let share = |n: u64| if stage.input == 0 { 0.0 } else { n as f64 * 100.0 / stage.input as f64 };
        let mut reasons: Vec<(&String, &u64)> = stage.dropped.iter().collect();
        reasons.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
        let reasons: Vec<String> = reasons.iter().map(|(r, n)| format!("{} {n}", escape(r))).collect();
        let _ = write!(
            html,
            "<tr><td>{} <small>{}</small></td><td><div class=\"bar\"><i style=\"width:{:.2}%\"></i>\
                 <b style=\"width:{:.2}%\"></b></div></td><td class=\"n\">{}</td><td class=\"n\">{}</td>\
                 <td class=\"n\">{}</td><td class=\"why\">{}</td></tr>",
            escape(&stage.name),
            escape(&stage.unit),
            share(stage.kept),
            share(dropped),
            stage.input,
            stage.kept,
            dropped,
            reasons.join(" · ")
        );
    }
    html.push_str("</table>\n");
    html
}
