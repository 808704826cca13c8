//! The language model one position at a time, with a cache of keys and values.

use tch::{Device, Kind, Tensor};

use crate::config::LlamaConfig;
use crate::context::{Batch, Context, Output};
use crate::error::Result;
use crate::head::Head;
use crate::llama::{DecoderLayer, LayerCache};
use crate::model::{Part, Vlm};
use crate::rope;
use crate::splice::{EMBEDDING, embed};
use crate::unit::{Acts, Params, Unit};
use crate::weights::Weights;

/// A batch of rows in the middle of being continued. Rows of different lengths are padded at their start.
pub(crate) struct Decoder<'a> {
    config: &'a LlamaConfig,
    weights: &'a Weights,
    layers: Vec<(DecoderLayer, Params)>,
    head: (Head, Params),
    caches: Vec<Option<LayerCache>>,
    /// Real tokens before each row's next one.
    lengths: Vec<i64>,
    /// Which cached positions are no pads, `[b,t]`; none if all are real.
    real: Option<Tensor>,
    /// Logits for the next token of each row, `[b,v]`, float32.
    logits: Tensor,
    device: Device,
    kind: Kind,
}

impl<'a> Decoder<'a> {
    /// Runs the prompts.
    pub(crate) fn start(
        vlm: &'a Vlm,
        weights: &'a Weights,
        rows: &[Vec<i64>],
        pixels: Option<&Tensor>,
    ) -> Result<Self> {
        let config = &vlm.config().language;
        let table = weights.get(EMBEDDING)?;
        let (device, kind) = (table.device(), table.kind());
        let (ids, real) = pad_left(rows, config.pad_token_id)?;
        let context = Context::new(vlm.config(), &Batch::of_ids(ids), Output::Hidden, device, kind)?;
        let language = vlm.start_of(Part::Language);
        let features = match pixels {
            Some(pixels) if pixels.numel() > 0 => {
                Acts::new(vlm.image_features(weights, &pixels.f_to_device(device)?, &context)?)
            }
            _ => Acts::empty(device),
        };
        let x = vlm.run(weights, language..language + 1, features, &context)?.x;
        let mut layers = Vec::new();
        for index in 0..config.num_hidden_layers {
            let layer = DecoderLayer::new(config, index);
            let params = weights.params_of(&layer)?;
            layers.push((layer, params));
        }
        let head = Head::new(config);
        let params = weights.params_of(&head as &dyn Unit)?;
        let mut decoder = Self {
            config,
            weights,
            caches: layers.iter().map(|_| None).collect(),
            layers,
            head: (head, params),
            lengths: rows.iter().map(|_| 0).collect(),
            real: None,
            logits: Tensor::f_zeros([0], (Kind::Float, device))?,
            device,
            kind,
        };
        decoder.prefill(&x, rows, real)?;
        Ok(decoder)
    }

    fn prefill(&mut self, x: &Tensor, rows: &[Vec<i64>], real: Option<Tensor>) -> Result<()> {
        let length = x.size()[1];
        let positions = match &real {
            Some(real) => real.f_cumsum(1, Kind::Int64)?.f_sub_scalar(1)?.f_clamp_min(0)?,
            None => Tensor::f_arange(length, (Kind::Int64, Device::Cpu))?.f_view([1, length])?,
        };
        let mask = match &real {
            Some(real) => Some(prefill_mask(real)?.f_to_device(self.device)?),
            None => None,
        };
        self.real = match real {
            Some(real) => Some(real.f_to_device(self.device)?),
            None => None,
        };
        self.lengths = rows.iter().map(|row| row.len() as i64).collect();
        self.advance(x, &positions, mask.as_ref())
    }

    fn advance(&mut self, x: &Tensor, positions: &Tensor, mask: Option<&Tensor>) -> Result<()> {
        let rope = rope::tables(self.config, positions, self.device, self.kind)?;
        let mut x = x.shallow_clone();
        for ((layer, params), cache) in self.layers.iter().zip(&mut self.caches) {
            x = layer.step(params, &x, &rope, mask, cache)?;
        }
        let last = x.f_select(1, -1)?;
        let (head, params) = &self.head;
        self.logits = head.logits(params, &head.norm(params, &last)?)?.f_to_kind(Kind::Float)?;
        Ok(())
    }

    /// Logits for the next token of a row, `[v]`, float32.
    pub(crate) fn logits(&self, row: i64) -> Result<Tensor> {
        Ok(self.logits.f_get(row)?)
    }

    /// Appends one token to each row.
    pub(crate) fn step(&mut self, tokens: &[i64]) -> Result<()> {
        let rows = tokens.len() as i64;
        let ids = Tensor::f_from_slice(tokens)?.f_view([rows, 1])?.f_to_device(self.device)?;
        let x = embed(self.weights.get(EMBEDDING)?, &ids)?;
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
        self.advance(&x, &positions, mask.as_ref())
    }

    /// Replaces the rows by those of these indices: how beams split and die.
    pub(crate) fn pick(&mut self, rows: &[i64]) -> Result<()> {
        let index = Tensor::f_from_slice(rows)?.f_to_device(self.device)?;
        for cache in self.caches.iter_mut().flatten() {
            cache.keys = cache.keys.f_index_select(0, &index)?;
            cache.values = cache.values.f_index_select(0, &index)?;
        }
        if let Some(real) = &mut self.real {
            *real = real.f_index_select(0, &index)?;
        }
        self.logits = self.logits.f_index_select(0, &index)?;
        self.lengths = rows.iter().map(|&row| self.lengths[row as usize]).collect();
        Ok(())
    }

    /// Ids that end an answer.
    pub(crate) fn ends(&self, stop: bool) -> Vec<i64> {
        if stop { self.config.eos_token_ids.clone() } else { Vec::new() }
    }

    /// Id that fills rows.
    pub(crate) fn pad(&self) -> i64 {
        self.config.pad_token_id
    }
}

/// Rows of one length, padded at their start, with a mask of what is real where there is padding.
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

/// Causal, and nothing but itself sees a pad, `[b,1,t,t]`.
fn prefill_mask(real: &Tensor) -> Result<Tensor> {
    let (rows, length) = real.size2()?;
    let options = (Kind::Bool, Device::Cpu);
    let causal = Tensor::f_ones([length, length], options)?.f_tril(0)?;
    let own = Tensor::f_eye(length, options)?;
    Ok(real.f_view([rows, 1, 1, length])?.f_logical_and(&causal)?.f_logical_or(&own)?)
}
