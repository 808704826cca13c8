use std::collections::HashMap;
use std::fmt::Write;

use tsumugi_eval::bench::Benchmark;
use tsumugi_eval::results::{Item, Results};
use tsumugi_record::{Judgement, Prediction};

use super::escape;
use super::picture::img;

/// Scores of a benchmark and its first answers beside question, reference and picture.
pub fn verdict_section(
    benchmark: &Benchmark,
    results: &Results,
    predictions: &[Prediction],
    judgements: &[Judgement],
    count: usize,
) -> String {
    let mut html = format!(
        "<p>{} questions of <code>{}</code>, answered by <code>{}</code>, profile <code>{}</code>.</p>\
         <table><tr><th>metric</th><th class=\"n\">score</th><th>95 % interval</th></tr>",
        results.questions,
        escape(&results.benchmark),
        escape(&results.model),
        results.profile
    );
    for score in &results.scores {
        let _ = write!(
            html,
            "<tr><td>{}</td><td class=\"n\">{:.2}</td><td>{:.2} to {:.2}</td></tr>",
            escape(&score.title),
            score.score,
            score.interval.low,
            score.interval.high
        );
    }
    html.push_str("</table><h3>Answers</h3><table><tr><th>picture</th><th>question</th><th>reference</th><th>answer</th><th class=\"n\">ROUGE-L</th><th class=\"n\">judge</th></tr>");
    let items: HashMap<&str, &Item> = results.items.iter().map(|i| (i.question_id.as_str(), i)).collect();
    let questions: HashMap<&str, _> = benchmark.questions.iter().map(|q| (q.id.as_str(), q)).collect();
    for prediction in predictions.iter().take(count) {
        let id = prediction.question_id.as_str();
        let picture = questions.get(id).and_then(|q| q.image.as_ref()).map(|p| p.bytes.as_ref());
        let reply = judgements.iter().find(|j| j.question_id == id).map_or("", |j| j.reply.as_str());
        let item = items.get(id);
        let points = item.and_then(|i| i.points.first().copied().flatten());
        let _ = write!(
            html,
            "<tr><td>{}</td><td>{} <small>{}</small></td><td>{}</td><td>{}</td><td class=\"n\">{}</td>\
             <td class=\"n\" title=\"{}\">{}</td></tr>",
            img(picture),
            escape(&prediction.question),
            escape(&prediction.category),
            escape(&prediction.reference),
            escape(&prediction.answer),
            item.map_or(String::new(), |i| i
                .scores
                .get("rouge-l")
                .map_or(String::new(), |value| format!("{value:.1}"))),
            escape(reply),
            points.map_or("–".into(), |p| format!("{p}"))
        );
    }
    html.push_str("</table>");
    html
}
