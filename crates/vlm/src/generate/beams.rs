//! Beam search.

use tch::{Kind, Tensor};

use super::decoder::Decoder;
use super::options::GenerateOptions;
use super::sample::penalise;
use crate::error::Result;

/// A finished answer with its score.
struct Finished {
    score: f64,
    tokens: Vec<i64>,
}

/// The beams of one row.
struct Row {
    beams: Vec<(f64, Vec<i64>)>,
    finished: Vec<Finished>,
    done: bool,
}

/// Continues each row by `num_beams` beams and returns the best answer of each. Scores are sums of log-probabilities
/// divided by a power of the answer's length. A row is done when no open beam can beat its finished ones, as in
/// transformers with `early_stopping = False`.
pub(crate) fn search(
    decoder: &mut Decoder<'_>,
    prompts: &[Vec<i64>],
    options: &GenerateOptions,
) -> Result<Vec<Vec<i64>>> {
    let width = options.num_beams;
    let ends = decoder.ends(options.stop);
    let copies: Vec<i64> =
        (0..prompts.len() as i64).flat_map(|row| std::iter::repeat_n(row, width)).collect();
    decoder.pick(&copies)?;
    // All beams of a row are equal at first: only one of them may be continued.
    let open = |beam| if beam == 0 { 0.0 } else { f64::NEG_INFINITY };
    let fresh = || (0..width).map(|beam| (open(beam), Vec::new())).collect();
    let mut rows: Vec<Row> =
        prompts.iter().map(|_| Row { beams: fresh(), finished: Vec::new(), done: false }).collect();
    for step in 0..options.max_new_tokens {
        let mut origins = Vec::with_capacity(rows.len() * width);
        let mut tokens = Vec::with_capacity(rows.len() * width);
        for (index, row) in rows.iter_mut().enumerate() {
            let first = (index * width) as i64;
            if row.done {
                origins.extend((0..width as i64).map(|beam| first + beam));
                tokens.extend(std::iter::repeat_n(decoder.pad(), width));
                continue;
            }
            let candidates = candidates(decoder, row, first, &prompts[index], &ends, options)?;
            for (origin, token) in row.advance(candidates, step, &ends, options) {
                origins.push(first + origin as i64);
                tokens.push(token);
            }
        }
        if step + 1 == options.max_new_tokens || rows.iter().all(|row| row.done) {
            break;
        }
        decoder.pick(&origins)?;
        decoder.step(&tokens)?;
    }
    Ok(rows.into_iter().map(|row| row.best(options)).collect())
}

/// The best continuations of a row's beams: score, beam, token. Enough that at least `num_beams` of them do not end.
fn candidates(
    decoder: &Decoder<'_>,
    row: &Row,
    first: i64,
    prompt: &[i64],
    ends: &[i64],
    options: &GenerateOptions,
) -> Result<Vec<(f64, usize, i64)>> {
    let mut scores = Vec::with_capacity(row.beams.len());
    for (beam, (score, tokens)) in row.beams.iter().enumerate() {
        let logits = decoder.logits(first + beam as i64)?.f_log_softmax(-1, Kind::Float)?;
        let before: Vec<i64> = prompt.iter().chain(tokens).copied().collect();
        scores.push(penalise(&logits, &before, options.repetition_penalty)?.f_add_scalar(*score)?);
    }
    let vocabulary = scores.first().map_or(1, |s| s.size()[0]);
    let all = Tensor::f_cat(&scores, 0)?;
    let count = ((ends.len() + 1).max(2) * row.beams.len()) as i64;
    let (values, places) = all.f_topk(count.min(all.size()[0]), -1, true, true)?;
    let values: Vec<f64> = Vec::try_from(values.f_to_kind(Kind::Double)?.f_to_device(tch::Device::Cpu)?)?;
    let places: Vec<i64> = Vec::try_from(places.f_to_device(tch::Device::Cpu)?)?;
    let found = values.into_iter().zip(places);
    Ok(found.map(|(score, place)| (score, (place / vocabulary) as usize, place % vocabulary)).collect())
}

impl Row {
    /// Takes the best continuations as the new beams, and returns the old beam and the token of each.
    fn advance(
        &mut self,
        candidates: Vec<(f64, usize, i64)>,
        step: usize,
        ends: &[i64],
        options: &GenerateOptions,
    ) -> Vec<(usize, i64)> {
        let width = options.num_beams;
        let length = |tokens: usize| (tokens as f64).powf(options.length_penalty);
        let mut beams = Vec::with_capacity(width);
        let mut moves = Vec::with_capacity(width);
        for (rank, (score, beam, token)) in candidates.into_iter().enumerate() {
            if ends.contains(&token) {
                // An end counts only among the best `width`: a worse one would not have become a beam.
                if rank < width && score.is_finite() {
                    let tokens = self.beams[beam].1.clone();
                    self.finished.push(Finished { score: score / length(step + 1), tokens });
                }
            } else if beams.len() < width {
                let mut tokens = self.beams[beam].1.clone();
                tokens.push(token);
                beams.push((score, tokens));
                moves.push((beam, token));
            }
        }
        self.beams = beams;
        self.finished.sort_by(|a, b| b.score.total_cmp(&a.score));
        self.finished.truncate(width);
        let best = self.beams.first().map_or(f64::NEG_INFINITY, |beam| beam.0);
        let worst = self.finished.last().map_or(f64::NEG_INFINITY, |f| f.score);
        self.done = self.finished.len() >= width && worst >= best / length(step + 1);
        moves
    }

    /// The best finished answer; if too few are finished, open beams compete too.
    fn best(mut self, options: &GenerateOptions) -> Vec<i64> {
        if !self.done {
            for (score, tokens) in self.beams {
                let length = (tokens.len() as f64).powf(options.length_penalty);
                self.finished.push(Finished { score: score / length, tokens });
            }
        }
        self.finished
            .into_iter()
            .max_by(|a, b| a.score.total_cmp(&b.score))
            .map(|finished| finished.tokens)
            .unwrap_or_default()
    }
}
