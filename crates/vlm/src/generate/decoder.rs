//! The language model a few positions at a time, with a cache for each unit.

use std::sync::Arc;

use tch::{Device, Kind, Tensor};

use crate::context::{Batch, Context, Output, image_places};
use crate::error::{Error, Result};
use crate::model::Vlm;
use crate::unit::{Acts, Cache, Params, Part, Unit};
use crate::weights::Weights;

/// A batch of rows that are being continued. Rows of different lengths are padded at their start.
pub(crate) struct Decoder<'a> {
    vlm: &'a Vlm,
    units: Vec<Stepper>,
    /// Tokens of each row so far.
    lengths: Vec<i64>,
    /// True for cached positions that are not padding, `[b,t]`; none if all are tokens.
    real: Option<Tensor>,
    /// Logits for the next token of each row, `[b,v]`, float32.
    logits: Tensor,
    device: Device,
    kind: Kind,
}

/// A unit of the language model with its parameters and what it remembers.
struct Stepper {
    unit: Arc<dyn Unit>,
    params: Params,
    cache: Cache,
}

impl<'a> Decoder<'a> {
    /// Runs the prompts.
    pub(crate) fn start(
        vlm: &'a Vlm,
        weights: &Weights,
        rows: &[Vec<i64>],
        pixels: Option<&Tensor>,
    ) -> Result<Self> {
        let (device, kind) = place_of(vlm, weights)?;
        let mut units = Vec::new();
        for (_, unit) in &vlm.units()[vlm.start_of(Part::Language)..] {
            let params = weights.params_of(unit.as_ref())?;
            units.push(Stepper { unit: unit.clone(), params, cache: Cache::default() });
        }
        let mut decoder = Self {
            vlm,
            units,
            lengths: rows.iter().map(|row| row.len() as i64).collect(),
            real: None,
            logits: Tensor::f_zeros([0], (Kind::Float, device))?,
            device,
            kind,
        };
        decoder.prefill(weights, rows, pixels)?;
        Ok(decoder)
    }

    fn prefill(&mut self, weights: &Weights, rows: &[Vec<i64>], pixels: Option<&Tensor>) -> Result<()> {
        let (ids, real) = pad_left(rows, self.pad())?;
        let features = match pixels {
            Some(pixels) if pixels.numel() > 0 => {
                let batch = Batch::of_ids(ids.shallow_clone());
                let context =
                    Context::new(self.vlm.config(), &batch, Output::Hidden, self.device, self.kind)?;
                let pixels = pixels.f_to_device(self.device)?;
                Acts::new(self.vlm.image_features(weights, &pixels, &context)?)
            }
            _ => Acts::empty(self.device),
        };
        let length = ids.size()[1];
        let (positions, mask) = match &real {
            Some(real) => (
                real.f_cumsum(1, Kind::Int64)?.f_sub_scalar(1)?.f_clamp_min(0)?,
                Some(prefill_mask(real)?.f_to_device(self.device)?),
            ),
            None => (Tensor::f_arange(length, (Kind::Int64, Device::Cpu))?.f_view([1, length])?, None),
        };
        self.real = match real {
            Some(real) => Some(real.f_to_device(self.device)?),
            None => None,
        };
        let places = image_places(self.vlm.config(), &ids)?;
        self.advance(features, &ids, &positions, mask, places)
    }

    fn advance(
        &mut self,
        features: Acts,
        ids: &Tensor,
        positions: &Tensor,
        mask: Option<Tensor>,
        places: Tensor,
    ) -> Result<()> {
        let place = (self.device, self.kind);
        let context = Context::continuing(self.vlm.config(), ids, positions, mask, places, place)?;
        let last = self.units.len() - 1;
        let mut acts = features;
        for (index, Stepper { unit, params, cache }) in self.units.iter_mut().enumerate() {
            if index == last {
                // Only the last position predicts the next token.
                acts.x = acts.x.f_narrow(1, acts.x.size()[1] - 1, 1)?;
            }
            acts = unit.step(params, acts, &context, cache)?;
        }
        self.logits = acts.x.f_select(1, -1)?.f_to_kind(Kind::Float)?;
        Ok(())
    }

    /// Logits for the next token of a row, `[v]`, float32.
    pub(crate) fn logits(&self, row: i64) -> Result<Tensor> {
        Ok(self.logits.f_get(row)?)
    }

    /// Appends one token to each row.
    pub(crate) fn step(&mut self, tokens: &[i64]) -> Result<()> {
        let rows = tokens.len() as i64;
        let ids = Tensor::f_from_slice(tokens)?.f_view([rows, 1])?;
        let positions = Tensor::f_from_slice(&self.lengths)?.f_view([rows, 1])?;
        let mask = match self.real.take() {
            None => None,
            Some(real) => {
                let one = Tensor::f_ones([rows, 1], (Kind::Bool, self.device))?;
                let real = Tensor::f_cat(&[&real, &one], 1)?;
                let mask = real.f_unsqueeze(1)?.f_unsqueeze(1)?;
                self.real = Some(real);
                Some(mask)
            }
        };
        for length in &mut self.lengths {
            *length += 1;
        }
        // A generated image token has no image: it is embedded like any other.
        let none = Tensor::f_zeros([0], (Kind::Int64, self.device))?;
        self.advance(Acts::empty(self.device), &ids, &positions, mask, none)
    }

    /// Replaces the rows by those of these indices: how beams split and die.
    pub(crate) fn pick(&mut self, rows: &[i64]) -> Result<()> {
        let index = Tensor::f_from_slice(rows)?.f_to_device(self.device)?;
        self.units.iter_mut().try_for_each(|unit| unit.cache.select(&index))?;
        if let Some(real) = &mut self.real {
            *real = real.f_index_select(0, &index)?;
        }
        self.logits = self.logits.f_index_select(0, &index)?;
        self.lengths = rows.iter().map(|&row| self.lengths[row as usize]).collect();
        Ok(())
    }

    /// Ids that end an answer.
    pub(crate) fn ends(&self, stop: bool) -> Vec<i64> {
        if stop { self.vlm.config().language.eos_token_ids.clone() } else { Vec::new() }
    }

    /// Id of the padding token.
    pub(crate) fn pad(&self) -> i64 {
        self.vlm.config().language.pad_token_id
    }
}

/// Device and kind of the language model's first parameter.
fn place_of(vlm: &Vlm, weights: &Weights) -> Result<(Device, Kind)> {
    let first = vlm.parameters().into_iter().find(|(part, ..)| *part == Part::Language);
    let (.., def) = first.ok_or_else(|| Error::config("a model without a language model cannot generate"))?;
    let tensor = weights.get(&def.name)?;
    Ok((tensor.device(), tensor.kind()))
}

/// Rows padded at their start to equal length, with a mask of the tokens if there is any padding.
fn pad_left(rows: &[Vec<i64>], pad: i64) -> Result<(Tensor, Option<Tensor>)> {
    let length = rows.iter().map(Vec::len).max().unwrap_or(0);
    let shape = [rows.len() as i64, length as i64];
    let mut ids = Vec::with_capacity(rows.len() * length);
    let mut real = Vec::with_capacity(rows.len() * length);
    for row in rows {
        let missing = length - row.len();
        ids.extend(std::iter::repeat_n(pad, missing).chain(row.iter().copied()));
        real.extend((0..length).map(|place| place >= missing));
    }
    let padded = real.contains(&false);
    let mask = if padded { Some(Tensor::f_from_slice(&real)?.f_view(shape)?) } else { None };
    Ok((Tensor::f_from_slice(&ids)?.f_view(shape)?, mask))
}

/// A causal mask `[b,1,t,t]` in which padding is attended to only by itself.
fn prefill_mask(real: &Tensor) -> Result<Tensor> {
    let (rows, length) = real.size2()?;
    let options = (Kind::Bool, Device::Cpu);
    let causal = Tensor::f_ones([length, length], options)?.f_tril(0)?;
    let own = Tensor::f_eye(length, options)?;
    Ok(real.f_view([rows, 1, 1, length])?.f_logical_and(&causal)?.f_logical_or(&own)?)
}
