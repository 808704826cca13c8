//! Generation of text: greedy, sampled, or by beams.

mod beams;
mod decoder;
mod sample;

use serde::{Deserialize, Serialize};
use tch::Tensor;

use crate::error::{Error, Result};
use crate::model::Vlm;
use crate::weights::Weights;
use decoder::Decoder;
use sample::Sampler;

/// How to generate. The defaults are greedy, which is what the paper evaluates with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GenerateOptions {
    /// Most tokens of an answer.
    pub max_new_tokens: usize,
    /// Temperature of sampling; zero takes the most likely token.
    pub temperature: f64,
    /// Only the most likely tokens that together have this probability are sampled.
    pub top_p: f64,
    /// Only this many most likely tokens are sampled; zero: all.
    pub top_k: usize,
    /// Seed of sampling. Row `i` of a batch has its own stream, so that answers do not depend on the batch.
    pub seed: u64,
    /// Beams; one: no search.
    pub num_beams: usize,
    /// Divides positive logits of tokens that are in the row already, and multiplies negative ones.
    pub repetition_penalty: f64,
    /// Power of the length by which the score of a beam is divided.
    pub length_penalty: f64,
    /// Whether tokens that end a text end the answer.
    pub stop: bool,
}

impl Default for GenerateOptions {
    fn default() -> Self {
        Self {
            max_new_tokens: 256,
            temperature: 0.0,
            top_p: 1.0,
            top_k: 0,
            seed: 0,
            num_beams: 1,
            repetition_penalty: 1.0,
            length_penalty: 1.0,
            stop: true,
        }
    }
}

impl GenerateOptions {
    fn validate(&self) -> Result<()> {
        let rules = [
            (self.temperature >= 0.0, "temperature is negative"),
            (self.top_p > 0.0 && self.top_p <= 1.0, "top_p is not in (0, 1]"),
            (self.num_beams >= 1, "num_beams is zero"),
            (self.repetition_penalty > 0.0, "repetition_penalty is not positive"),
            (self.num_beams == 1 || self.temperature == 0.0, "beams are not sampled: set temperature to 0"),
        ];
        match rules.iter().find(|(holds, _)| !holds) {
            Some((_, reason)) => Err(Error::config(*reason)),
            None => Ok(()),
        }
    }
}

/// Generates an answer for each row of ids (pictures expanded to one id a feature, without padding). `pixels`
/// `[n,3,h,w]` fill the rows in order. `on_token` hears each token as it is chosen, with the number of its row, and says
/// whether the row is to go on (with beams, tokens come at the end). The answers have no end token.
///
/// # Errors
/// [`Error::Config`] for impossible options; [`Error::ImageCount`]; [`Error::Torch`].
pub fn generate(
    vlm: &Vlm,
    weights: &Weights,
    rows: &[Vec<i64>],
    pixels: Option<&Tensor>,
    options: &GenerateOptions,
    on_token: &mut dyn FnMut(usize, i64) -> bool,
) -> Result<Vec<Vec<i64>>> {
    options.validate()?;
    if rows.iter().any(Vec::is_empty) {
        return Err(Error::Batch { reason: "a prompt has no token".to_owned() });
    }
    if rows.is_empty() || options.max_new_tokens == 0 {
        return Ok(vec![Vec::new(); rows.len()]);
    }
    let _guard = tch::no_grad_guard();
    let mut decoder = Decoder::start(vlm, weights, rows, pixels)?;
    if options.num_beams > 1 {
        let answers = beams::search(&mut decoder, rows, options)?;
        for (row, answer) in answers.iter().enumerate() {
            let _ = answer.iter().all(|&token| on_token(row, token));
        }
        return Ok(answers);
    }
    one_by_one(&mut decoder, rows, options, on_token)
}

fn one_by_one(
    decoder: &mut Decoder<'_>,
    rows: &[Vec<i64>],
    options: &GenerateOptions,
    on_token: &mut dyn FnMut(usize, i64) -> bool,
) -> Result<Vec<Vec<i64>>> {
    let ends = decoder.ends(options.stop);
    let mut samplers: Vec<Sampler> = (0..rows.len()).map(|row| Sampler::new(options, row)).collect();
    let mut answers: Vec<Vec<i64>> = vec![Vec::new(); rows.len()];
    let mut alive = vec![true; rows.len()];
    for step in 0..options.max_new_tokens {
        let mut next = vec![decoder.pad(); rows.len()];
        for row in 0..rows.len() {
            if !alive[row] {
                continue;
            }
            let token = samplers[row].choose(&decoder.logits(row as i64)?, &rows[row], &answers[row])?;
            if ends.contains(&token) {
                alive[row] = false;
                continue;
            }
            answers[row].push(token);
            next[row] = token;
            alive[row] = on_token(row, token);
        }
        if step + 1 == options.max_new_tokens || !alive.contains(&true) {
            break;
        }
        decoder.step(&next)?;
    }
    Ok(answers)
}
