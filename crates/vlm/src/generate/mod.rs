//! Generation of text: greedy, sampled, or by beam search.

mod beams;
mod config;
mod decoder;
mod options;
mod sample;

use tch::Tensor;

use crate::error::{Error, Result};
use crate::model::Vlm;
use crate::weights::Weights;
pub use config::GenerationConfig;
use decoder::Decoder;
pub use options::GenerateOptions;
use sample::Sampler;

/// Generates an answer for each row of ids (images expanded to one id a feature, without padding). `pixels` `[n,3,h,w]`
/// fill the rows in order. `on_token` receives each token as it is chosen, with the index of its row, and returns whether
/// the row continues (with beam search, tokens come at the end). Answers have no end token.
///
/// The language model's units are run by [`Unit::step`](crate::Unit::step), whatever their family.
///
/// # Errors
/// [`Error::Config`] for invalid options; [`Error::ImageCount`]; [`Error::Torch`].
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
        return Err(Error::Batch { reason: "a prompt has no tokens".to_owned() });
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
