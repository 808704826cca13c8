//! Choosing the next token.

use tch::{Kind, Tensor};

use super::options::GenerateOptions;
use crate::error::Result;
use crate::init::Stream;

/// Chooses tokens for one row.
#[derive(Debug)]
pub(crate) struct Sampler {
    temperature: f64,
    top_p: f64,
    top_k: usize,
    penalty: f64,
    stream: Stream,
}

/// Makes tokens that the row already has less likely: logits `[v]`.
pub(crate) fn penalise(logits: &Tensor, before: &[i64], penalty: f64) -> Result<Tensor> {
    if penalty == 1.0 || before.is_empty() {
        return Ok(logits.shallow_clone());
    }
    let ids = Tensor::f_from_slice(before)?.f_to_device(logits.device())?;
    let old = logits.f_gather(-1, &ids, false)?;
    let new = old.f_div_scalar(penalty)?.f_where_self(&old.f_ge(0.0)?, &old.f_mul_scalar(penalty)?)?;
    Ok(logits.f_scatter(-1, &ids, &new)?)
}

impl Sampler {
    pub(crate) fn new(options: &GenerateOptions, row: usize) -> Self {
        Self {
            temperature: options.temperature,
            top_p: options.top_p,
            top_k: options.top_k,
            penalty: options.repetition_penalty,
            stream: Stream::new(options.seed, &format!("row {row}")),
        }
    }

    /// The next token of a row, given its logits `[v]`, prompt and answer so far.
    pub(crate) fn choose(&mut self, logits: &Tensor, prompt: &[i64], answer: &[i64]) -> Result<i64> {
        let before: Vec<i64> = prompt.iter().chain(answer).copied().collect();
        let logits = penalise(logits, &before, self.penalty)?;
        if self.temperature == 0.0 {
            return Ok(i64::try_from(logits.f_argmax(-1, false)?)?);
        }
        let logits = logits.f_to_kind(Kind::Double)?.f_div_scalar(self.temperature)?;
        let (sorted, ids) = logits.f_softmax(-1, Kind::Double)?.f_sort(-1, true)?;
        let probabilities: Vec<f64> = Vec::try_from(sorted.f_to_device(tch::Device::Cpu)?)?;
        let kept = keep(&probabilities, self.top_k, self.top_p);
        let total: f64 = probabilities[..kept].iter().sum();
        let mut left = self.stream.unit() * total;
        let mut place = kept - 1;
        for (index, p) in probabilities[..kept].iter().enumerate() {
            left -= p;
            if left <= 0.0 {
                place = index;
                break;
            }
        }
        Ok(ids.f_int64_value(&[place as i64])?)
    }
}

/// How many of the sorted probabilities to keep: at most `top_k`, and of these the fewest that have the share `top_p` of
/// their sum, as in transformers; at least one.
fn keep(probabilities: &[f64], top_k: usize, top_p: f64) -> usize {
    let limit = if top_k == 0 { probabilities.len() } else { top_k.min(probabilities.len()) };
    let share = top_p * probabilities[..limit].iter().sum::<f64>();
    let mut sum = 0.0;
    let reached = probabilities[..limit].iter().position(|p| {
        sum += p;
        sum >= share
    });
    reached.map_or(limit, |index| index + 1).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kept_candidates() {
        let p = [0.5, 0.3, 0.15, 0.05];
        assert_eq!(keep(&p, 0, 1.0), 4);
        assert_eq!(keep(&p, 2, 1.0), 2);
        assert_eq!(keep(&p, 0, 0.7), 2);
        assert_eq!(keep(&p, 1, 0.7), 1);
        assert_eq!(keep(&p, 0, 0.1), 1);
        // Of the two best, the first has 0.5 / 0.8 of the sum.
        assert_eq!(keep(&p, 2, 0.6), 1);
    }

    #[test]
    fn penalty_lowers_both_signs() {
        let logits = Tensor::from_slice(&[2.0_f32, -2.0, 1.0]);
        let lowered: Vec<f32> = Vec::try_from(penalise(&logits, &[0, 1, 0], 2.0).unwrap()).unwrap();
        assert_eq!(lowered, [1.0, -4.0, 1.0]);
    }

    #[test]
    fn sampling_follows_the_probabilities_and_the_seed() {
        let options = GenerateOptions { temperature: 1.0, ..GenerateOptions::default() };
        let logits = Tensor::from_slice(&[0.0_f32, 1.0, 2.0]);
        let draw = |seed| {
            let mut sampler = Sampler::new(&GenerateOptions { seed, ..options.clone() }, 0);
            (0..2000).map(|_| sampler.choose(&logits, &[], &[]).unwrap()).collect::<Vec<_>>()
        };
        let drawn = draw(1);
        assert_eq!(drawn, draw(1));
        assert_ne!(drawn, draw(2));
        let share = drawn.iter().filter(|&&t| t == 2).count() as f64 / 2000.0;
        assert!((share - 0.665).abs() < 0.05, "{share}");
    }
}
