//! What units need of a batch besides their input.

use tch::{Device, Kind, Tensor};

use crate::config::VlmConfig;
use crate::error::{Error, Result};
use crate::rope::{self, RopeTables};

/// Label of a token without loss.
pub const IGNORE: i64 = -100;

/// Which positions attend to which.
#[derive(Debug)]
pub enum Attention {
    /// Each position attends to itself and all before it. Also right for rows padded at their end, whose tokens never
    /// attend to padding.
    Causal,
    /// True where a position may attend to another, `[b,1,t,t]`.
    Masked(Tensor),
    /// Several texts in a row, each attending only to itself: the lengths of the segments of each row, which sum to `t`.
    Packed(Vec<Vec<i64>>),
}

/// What the head computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// Logits of every position `[b,t,v]`.
    Logits,
    /// The **sum** of the cross entropies of all positions with a target, in float32 and without dimension. Divide by
    /// [`Context::target_count`] (or by the count of several batches) to get a mean: with the sum, accumulation over
    /// batches stays weighted by tokens.
    Loss,
    /// Hidden states after the final norm `[b,t,d]`.
    Hidden,
}

/// A batch of rows of equal length, as it comes from a collator.
#[derive(Debug)]
pub struct Batch {
    /// Token ids `[b,t]`, with one image token for each feature of an image. Images fill the rows in order.
    pub input_ids: Tensor,
    /// 1 for tokens and 0 for padding, `[b,t]`; without it all are tokens.
    pub attention_mask: Option<Tensor>,
    /// The ids again, [`IGNORE`] where there is no loss, `[b,t]`. Not shifted: position `i` predicts label `i + 1`.
    pub labels: Option<Tensor>,
    /// Lengths of the segments of packed rows; excludes `attention_mask`.
    pub segments: Option<Vec<Vec<i64>>>,
    /// Images `[n,3,h,w]`, normalised.
    pub pixel_values: Option<Tensor>,
}

impl Batch {
    /// Rows without padding, labels or images.
    #[must_use]
    pub fn of_ids(input_ids: Tensor) -> Self {
        Self { input_ids, attention_mask: None, labels: None, segments: None, pixel_values: None }
    }
}

/// What units need of a batch besides their input. All tensors are on one device.
#[derive(Debug)]
pub struct Context {
    /// Token ids `[b,t]`.
    pub input_ids: Tensor,
    /// Which positions attend to which.
    pub attention: Attention,
    /// Rotary tables for the positions of this batch.
    pub rope: RopeTables,
    /// Positions of image tokens, as indices into the flattened rows `[b*t]`.
    pub image_places: Tensor,
    /// Positions with loss, as indices into the flattened rows `[b*t]`.
    pub target_places: Tensor,
    /// The id that each of `target_places` predicts.
    pub target_ids: Tensor,
    /// Number of positions with loss.
    pub target_count: i64,
    /// What the head computes.
    pub output: Output,
}

impl Context {
    /// Prepares a batch: positions, masks, targets.
    ///
    /// `kind` is what the units compute in. Positions count from the start of each segment or row.
    ///
    /// # Errors
    /// [`Error::Batch`] if ids, mask, labels and segments differ in extent, or a batch has both segments and a mask.
    pub fn new(
        config: &VlmConfig,
        batch: &Batch,
        output: Output,
        device: Device,
        kind: Kind,
    ) -> Result<Self> {
        // Everything is computed on the CPU, where the collator made it, and moved once.
        let ids = batch.input_ids.f_to_device(Device::Cpu)?;
        let (rows, length) = ids.size2().map_err(|_| misfit("input_ids must be [rows, length]"))?;
        let attention = attention(batch, rows, length)?;
        let positions = positions(&attention, length)?;
        let (places, target_ids) = targets(batch, &attention, rows, length)?;
        let image_places = image_places(config, &ids)?;
        let attention = match attention {
            Attention::Masked(mask) => Attention::Masked(mask.f_to_device(device)?),
            other => other,
        };
        Ok(Self {
            attention,
            rope: rope::tables(&config.language, &positions, device, kind)?,
            image_places: image_places.f_to_device(device)?,
            target_count: places.numel() as i64,
            target_places: places.f_to_device(device)?,
            target_ids: target_ids.f_to_device(device)?,
            input_ids: ids.f_to_device(device)?,
            output,
        })
    }

    /// Describes new positions `[b,t]` of rows that are being continued, for [`Unit::step`](crate::Unit::step). The head
    /// computes logits. Only the first call has image tokens: later ones are text, whatever id was generated.
    pub(crate) fn continuing(
        config: &VlmConfig,
        ids: &Tensor,
        positions: &Tensor,
        mask: Option<Tensor>,
        image_places: Tensor,
        (device, kind): (Device, Kind),
    ) -> Result<Self> {
        let none = || Tensor::f_zeros([0], (Kind::Int64, device));
        Ok(Self {
            attention: mask.map_or(Attention::Causal, Attention::Masked),
            rope: rope::tables(&config.language, positions, device, kind)?,
            image_places: image_places.f_to_device(device)?,
            target_count: 0,
            target_places: none()?,
            target_ids: none()?,
            input_ids: ids.f_to_device(device)?,
            output: Output::Logits,
        })
    }
}

/// Positions of image tokens in ids `[b,t]`, as indices into the flattened rows.
pub(crate) fn image_places(config: &VlmConfig, ids: &Tensor) -> Result<Tensor> {
    Ok(ids.f_eq(config.image_token_id.0)?.f_contiguous()?.f_view(-1)?.f_nonzero()?.f_view(-1)?)
}

fn misfit(reason: impl Into<String>) -> Error {
    Error::Batch { reason: reason.into() }
}

fn same_shape(name: &str, tensor: &Tensor, rows: i64, length: i64) -> Result<Tensor> {
    if tensor.size() != [rows, length] {
        return Err(misfit(format!("{name} is {:?}, but input_ids are {:?}", tensor.size(), [rows, length])));
    }
    Ok(tensor.f_to_device(Device::Cpu)?)
}

fn attention(batch: &Batch, rows: i64, length: i64) -> Result<Attention> {
    if let Some(segments) = &batch.segments {
        if batch.attention_mask.is_some() {
            return Err(misfit(
                "a batch has both segments and an attention_mask; packed rows take segments only",
            ));
        }
        let fits = segments.len() as i64 == rows
            && segments.iter().all(|row| row.iter().sum::<i64>() == length && row.iter().all(|&n| n > 0));
        if !fits {
            return Err(misfit(format!(
                "segments {segments:?} do not fill {rows} rows of {length} tokens exactly"
            )));
        }
        return Ok(Attention::Packed(segments.clone()));
    }
    let Some(mask) = &batch.attention_mask else { return Ok(Attention::Causal) };
    let real = same_shape("attention_mask", mask, rows, length)?.f_ne(0)?;
    if bool::try_from(real.f_all()?)? {
        return Ok(Attention::Causal);
    }
    let causal = Tensor::f_ones([length, length], (Kind::Bool, Device::Cpu))?.f_tril(0)?;
    let allowed = real.f_view([rows, 1, 1, length])?.f_logical_and(&causal)?;
    // Padding before the first token attends to nothing, and a softmax over nothing is NaN: let it attend to itself.
    let blind = allowed.f_any_dim(-1, true)?.f_logical_not()?;
    let own = Tensor::f_eye(length, (Kind::Bool, Device::Cpu))?;
    Ok(Attention::Masked(allowed.f_logical_or(&blind.f_logical_and(&own)?)?))
}

/// Positions `[b or 1, t]`: from the start of each segment, else from the start of the row. Rotary positions are
/// relative, so padding at the start of a row shifts nothing.
fn positions(attention: &Attention, length: i64) -> Result<Tensor> {
    if let Attention::Packed(rows) = attention {
        let counted: Vec<i64> = rows.iter().flatten().flat_map(|&n| 0..n).collect();
        return Ok(Tensor::f_from_slice(&counted)?.f_view([-1, length])?);
    }
    Ok(Tensor::f_arange(length, (Kind::Int64, Device::Cpu))?.f_view([1, length])?)
}

/// Positions with loss and the ids they predict. A segment's last position predicts nothing: another text follows it.
fn targets(batch: &Batch, attention: &Attention, rows: i64, length: i64) -> Result<(Tensor, Tensor)> {
    let none = || Tensor::f_zeros([0], (Kind::Int64, Device::Cpu));
    let Some(labels) = &batch.labels else { return Ok((none()?, none()?)) };
    let labels = same_shape("labels", labels, rows, length)?.f_to_kind(Kind::Int64)?;
    let mut next: Vec<i64> = vec![IGNORE; (rows * length) as usize];
    let flat: Vec<i64> = Vec::try_from(labels.f_contiguous()?.f_view(-1)?)?;
    let whole: Vec<Vec<i64>> = vec![vec![length]; rows as usize];
    let segments = if let Attention::Packed(segments) = attention { segments } else { &whole };
    let mut start = 0_usize;
    for &segment in segments.iter().flatten() {
        let end = start + segment as usize;
        next[start..end - 1].copy_from_slice(&flat[start + 1..end]);
        start = end;
    }
    let places: Vec<i64> = (0..next.len()).filter(|&i| next[i] != IGNORE).map(|i| i as i64).collect();
    let ids: Vec<i64> = next.into_iter().filter(|&id| id != IGNORE).collect();
    Ok((Tensor::f_from_slice(&places)?, Tensor::f_from_slice(&ids)?))
}
