//! Comparing a model with another implementation: the same inputs in, everything worth comparing out.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tch::{Device, Kind, Tensor};
use tsumugi_torch_ext::{AdamW, Slot, clip_global_norm, grad};

use crate::checkpoint::{Checkpoint, Contents, read_safetensors, write_safetensors};
use crate::config::ImageTokenId;
use crate::context::{Batch, Context, Output};
use crate::error::{Error, Result};
use crate::families::Families;
use crate::generate::{GenerateOptions, generate};
use crate::model::Vlm;
use crate::unit::{Acts, ParamDef, Part};
use crate::weights::Weights;

/// What to compute besides logits, loss, features and hidden states.
#[derive(Debug, Clone)]
pub struct ParityOptions {
    /// The gradient of every parameter, as `grad.NAME`.
    pub gradients: bool,
    /// Greedy continuation by this many tokens, as `output_ids`.
    pub generate: Option<usize>,
    /// The parameters after these optimiser steps.
    pub steps: Option<Steps>,
    /// The model families that can read the checkpoint.
    pub families: Families,
    /// The device to compute on.
    pub device: Device,
    /// The kind to compute in.
    pub kind: Kind,
}

impl Default for ParityOptions {
    fn default() -> Self {
        Self {
            gradients: false,
            generate: None,
            steps: None,
            families: Families::default(),
            device: Device::Cpu,
            kind: Kind::Float,
        }
    }
}

/// Optimiser steps (a JSON file): AdamW over some parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Steps {
    /// Each step's learning rate.
    pub lr: Vec<f64>,
    /// Files of inputs, relative to this file, used in turn, `accumulate` for each step. If empty, the given inputs.
    pub batches: Vec<PathBuf>,
    /// Batches of a step.
    pub accumulate: usize,
    /// Whether the batches of a step are weighted by their tokens with loss; else each batch's mean counts equally.
    pub token_weighted: bool,
    /// Decay rates of the moments.
    pub betas: (f64, f64),
    /// Added to the root of the square.
    pub eps: f64,
    /// Weight decay.
    pub weight_decay: f64,
    /// Whether weight decay applies to biases and norms too.
    pub decay_all: bool,
    /// Clips the norm of all gradients together to this.
    pub max_grad_norm: Option<f64>,
    /// Prefixes of the names of frozen parameters.
    pub frozen: Vec<String>,
}

impl Default for Steps {
    fn default() -> Self {
        Self {
            lr: vec![1e-3; 3],
            batches: Vec::new(),
            accumulate: 1,
            token_weighted: true,
            betas: (0.9, 0.999),
            eps: 1e-8,
            weight_decay: 0.0,
            decay_all: true,
            max_grad_norm: None,
            frozen: vec!["vision_tower.".to_owned()],
        }
    }
}

/// Reads a file of inputs: `input_ids` and, if present, `attention_mask`, `labels`, `pixel_values` and `seqlens` (the
/// lengths of the segments of packed rows, row after row).
///
/// # Errors
/// Those of [`read_safetensors`]; [`Error::Batch`].
pub fn read_batch(path: &Path) -> Result<Batch> {
    let mut tensors: BTreeMap<String, Tensor> = read_safetensors(path)?.into_iter().collect();
    let mut rows = |name: &str| -> Result<Option<Tensor>> {
        let Some(tensor) = tensors.remove(name) else { return Ok(None) };
        let tensor = tensor.f_to_kind(Kind::Int64)?;
        Ok(Some(if tensor.dim() == 1 { tensor.f_unsqueeze(0)? } else { tensor }))
    };
    let input_ids = rows("input_ids")?;
    let (attention_mask, labels) = (rows("attention_mask")?, rows("labels")?);
    let lengths = rows("seqlens")?;
    let pixel_values = tensors.remove("pixel_values");
    // A vision tower alone needs no text.
    let input_ids = match (input_ids, &pixel_values) {
        (Some(ids), _) => ids,
        (None, Some(_)) => Tensor::f_zeros([1, 1], (Kind::Int64, Device::Cpu))?,
        (None, None) => {
            return Err(Error::Batch {
                reason: format!("{} has neither input_ids nor pixel_values", path.display()),
            });
        }
    };
    let segments = match lengths {
        None => None,
        Some(lengths) => Some(segments(&Vec::try_from(lengths.f_view(-1)?)?, input_ids.size()[1])),
    };
    Ok(Batch { input_ids, attention_mask, labels, segments, pixel_values })
}

/// Distributes lengths over rows.
fn segments(lengths: &[i64], row: i64) -> Vec<Vec<i64>> {
    let mut rows = vec![Vec::new()];
    for &length in lengths.iter().filter(|&&n| n > 0) {
        if rows.last().is_some_and(|r: &Vec<i64>| r.iter().sum::<i64>() >= row) {
            rows.push(Vec::new());
        }
        if let Some(last) = rows.last_mut() {
            last.push(length);
        }
    }
    rows
}

/// Computes and writes everything that `options` asks for. Parameter names are those of the checkpoint's own kind: a
/// Llama's begin with `model.`, a LLaVA's are the legacy ones.
///
/// # Errors
/// Those of loading, running and writing.
pub fn run(model: &Path, inputs: &Path, out: &Path, options: &ParityOptions) -> Result<()> {
    let checkpoint = Checkpoint::open_with(&options.families, model, None)?;
    let batch = read_batch(inputs)?;
    let vlm = with_image_id(checkpoint.vlm()?, &batch)?;
    let defs: Vec<ParamDef> = vlm.parameters().into_iter().map(|(_, _, def)| def).collect();
    let weights = checkpoint.load(&defs, options.device, options.kind)?;
    let mut outputs: Vec<(String, Tensor)> = Vec::new();
    tch::no_grad(|| forward(&vlm, &weights, &batch, options, &mut outputs))?;
    if options.gradients {
        let (_, grads) = backward(&vlm, &weights, &batch, options, |_| true)?;
        outputs
            .extend(grads.into_iter().map(|(name, g)| (format!("grad.{}", own_name(&checkpoint, &name)), g)));
    }
    if let Some(tokens) = options.generate {
        outputs.push(("output_ids".to_owned(), continued(&vlm, &weights, &batch, tokens)?));
    }
    if let Some(steps) = &options.steps {
        let trained = train(&vlm, &weights, &batch, inputs, steps, options)?;
        outputs.extend(trained.into_iter().map(|(name, t)| (own_name(&checkpoint, &name), t)));
    }
    let outputs: Vec<(String, Tensor)> = outputs
        .into_iter()
        .map(|(name, tensor)| {
            let floating = tensor.is_floating_point();
            let tensor = if floating { tensor.f_to_kind(Kind::Float)? } else { tensor };
            Ok((name, tensor.f_to_device(Device::Cpu)?.f_contiguous()?))
        })
        .collect::<Result<_>>()?;
    write_safetensors(out, outputs.iter().map(|(name, tensor)| (name.as_str(), tensor)))
}

/// VILA's layout does not store the id of `<image>`. It is then the id that occurs as often as there are features.
fn with_image_id(vlm: Vlm, batch: &Batch) -> Result<Vlm> {
    let Some(pixels) = batch.pixel_values.as_ref().filter(|_| is_complete(&vlm)) else { return Ok(vlm) };
    let ids: Vec<i64> = Vec::try_from(batch.input_ids.f_contiguous()?.f_view(-1)?)?;
    let count = |id: i64| ids.iter().filter(|&&other| other == id).count() as i64;
    let wanted = pixels.size()[0] * vlm.image_tokens();
    let mut config = vlm.config().clone();
    if count(config.image_token_id.0) == 0
        && let Some(&id) = ids.iter().find(|&&id| count(id) == wanted)
    {
        config.image_token_id = ImageTokenId(id);
    }
    Vlm::of_family(vlm.family().clone(), config)
}

/// True for a model with a vision tower and a language model.
fn is_complete(vlm: &Vlm) -> bool {
    let language = vlm.start_of(Part::Language);
    language > 0 && language < vlm.units().len()
}

fn own_name(checkpoint: &Checkpoint, name: &str) -> String {
    let prefix = match checkpoint.contents() {
        Contents::Vlm(_) => "",
        Contents::Language(_) => "language_model.",
        Contents::Vision(_) => "vision_tower.",
    };
    name.strip_prefix(prefix).unwrap_or(name).to_owned()
}

fn context(vlm: &Vlm, batch: &Batch, output: Output, options: &ParityOptions) -> Result<Context> {
    Context::new(vlm.config(), batch, output, options.device, options.kind)
}

/// Runs unit by unit and records what flows between them.
fn forward(
    vlm: &Vlm,
    weights: &Weights,
    batch: &Batch,
    options: &ParityOptions,
    outputs: &mut Vec<(String, Tensor)>,
) -> Result<()> {
    let hidden = context(vlm, batch, Output::Hidden, options)?;
    let (projector, language) = (vlm.start_of(Part::Projector), vlm.start_of(Part::Language));
    let complete = is_complete(vlm);
    let mut acts = Acts::empty(options.device);
    if let (Some(pixels), true) = (&batch.pixel_values, language > 0) {
        acts = Acts::new(pixels.f_to_device(options.device)?);
        for index in 0..projector {
            acts = vlm.run(weights, index..index + 1, acts, &hidden)?;
            let name = if complete { "vision_hidden_states" } else { "hidden_states" };
            outputs.push((format!("{name}.{index}"), acts.x.shallow_clone()));
        }
        if complete {
            acts = vlm.run(weights, projector..language, acts, &hidden)?;
            outputs.push(("image_features".to_owned(), acts.x.f_flatten(0, 1)?));
        }
    }
    if language == vlm.units().len() {
        return Ok(());
    }
    // The last hidden state is that after the final norm, as in transformers.
    for (state, index) in (language..vlm.units().len()).enumerate() {
        let before = acts.x.shallow_clone();
        if index + 1 == vlm.units().len() {
            let normed = vlm.run(weights, index..index + 1, Acts::new(before.shallow_clone()), &hidden)?.x;
            outputs.retain(|(name, _)| *name != format!("hidden_states.{}", state - 1));
            outputs.push((format!("hidden_states.{}", state - 1), normed));
            let head = context(vlm, batch, Output::Logits, options)?;
            outputs.push((
                "logits".to_owned(),
                vlm.run(weights, index..index + 1, Acts::new(before.shallow_clone()), &head)?.x,
            ));
            if batch.labels.is_some() {
                let head = context(vlm, batch, Output::Loss, options)?;
                let sum = vlm.run(weights, index..index + 1, Acts::new(before), &head)?.x;
                outputs
                    .push(("loss".to_owned(), sum.f_div_scalar(head.target_count as f64)?.f_reshape([1])?));
            }
            break;
        }
        acts = vlm.run(weights, index..index + 1, acts, &hidden)?;
        outputs.push((format!("hidden_states.{state}"), acts.x.shallow_clone()));
    }
    Ok(())
}

/// The summed loss of a batch with the number of its targets, and the gradients of the **mean** for the chosen
/// parameters.
#[expect(clippy::type_complexity, reason = "a private pair of a pair and a list")]
fn backward(
    vlm: &Vlm,
    weights: &Weights,
    batch: &Batch,
    options: &ParityOptions,
    chosen: impl Fn(&str) -> bool,
) -> Result<((Tensor, i64), Vec<(String, Tensor)>)> {
    let leaves: Weights = weights
        .iter()
        .map(|(name, tensor)| (name.clone(), tensor.detach().set_requires_grad(chosen(name))))
        .collect();
    let context = context(vlm, batch, Output::Loss, options)?;
    let pixels = match &batch.pixel_values {
        Some(pixels) => Some(pixels.f_to_device(options.device)?),
        None => None,
    };
    let loss = vlm.forward(&leaves, pixels.as_ref(), &context)?;
    let names: Vec<&String> = leaves.iter().map(|(name, _)| name).filter(|name| chosen(name)).collect();
    let inputs = names.iter().map(|name| leaves.get(name)).collect::<Result<Vec<_>>>()?;
    let weight = Tensor::f_ones_like(&loss)?.f_div_scalar(context.target_count.max(1) as f64)?;
    let found = grad(&[&loss], &[&weight], &inputs)?;
    // A parameter that the batch did not reach (the projector for a text-only batch) has no gradient.
    let grads = names.into_iter().zip(found).filter_map(|(name, g)| Some((name.clone(), g?))).collect();
    Ok(((loss.detach(), context.target_count), grads))
}

/// Rows with their greedy continuations, padded as the rows are.
fn continued(vlm: &Vlm, weights: &Weights, batch: &Batch, tokens: usize) -> Result<Tensor> {
    let (count, _) = batch.input_ids.size2()?;
    let mut rows = Vec::new();
    for row in 0..count {
        let mut ids: Vec<i64> = Vec::try_from(batch.input_ids.f_get(row)?)?;
        if let Some(mask) = &batch.attention_mask {
            let real: Vec<i64> = Vec::try_from(mask.f_get(row)?)?;
            let mut real = real.into_iter();
            ids.retain(|_| real.next().is_some_and(|r| r != 0));
        }
        rows.push(ids);
    }
    let options = GenerateOptions { max_new_tokens: tokens, stop: false, ..GenerateOptions::default() };
    let answers = generate(vlm, weights, &rows, batch.pixel_values.as_ref(), &options, &mut |_, _| true)?;
    let flat: Vec<i64> = answers.into_iter().flatten().collect();
    let new = Tensor::f_from_slice(&flat)?.f_view([count, tokens as i64])?;
    Ok(Tensor::f_cat(&[&batch.input_ids, &new], 1)?)
}

/// The parameters after the steps of AdamW.
fn train(
    vlm: &Vlm,
    weights: &Weights,
    given: &Batch,
    inputs: &Path,
    steps: &Steps,
    options: &ParityOptions,
) -> Result<Vec<(String, Tensor)>> {
    let home = inputs.parent().unwrap_or(Path::new("."));
    let files = steps.batches.iter().map(|file| read_batch(&home.join(file))).collect::<Result<Vec<_>>>()?;
    let chosen = |name: &str| !steps.frozen.iter().any(|start| name.starts_with(start.as_str()));
    let defs: BTreeMap<String, ParamDef> =
        vlm.parameters().into_iter().map(|(_, _, def)| (def.name.clone(), def)).collect();
    let current = weights.to_owned_copy()?;
    let mut moments: BTreeMap<String, (i64, Tensor, Tensor)> = BTreeMap::new();
    let mut taken = 0;
    for &lr in &steps.lr {
        let mut sums: BTreeMap<String, Tensor> = BTreeMap::new();
        let mut counts = 0.0;
        for _ in 0..steps.accumulate.max(1) {
            let batch = if files.is_empty() { given } else { &files[taken % files.len()] };
            taken += 1;
            let ((_, count), grads) = backward(vlm, &current, batch, options, chosen)?;
            let share = if steps.token_weighted { count as f64 } else { 1.0 };
            counts += share;
            for (name, g) in grads {
                let g = g.f_mul_scalar(share)?;
                let sum = match sums.remove(&name) {
                    Some(sum) => sum.f_add(&g)?,
                    None => g,
                };
                sums.insert(name, sum);
            }
        }
        for sum in sums.values_mut() {
            *sum = sum.f_div_scalar(counts)?;
        }
        if let Some(limit) = steps.max_grad_norm {
            clip_global_norm(&sums.values().collect::<Vec<_>>(), limit)?;
        }
        for (name, sum) in &sums {
            let param = current.get(name)?;
            // Bias correction counts the steps of each parameter, as PyTorch's optimiser does.
            let (count, mean, square) = match moments.remove(name) {
                Some((count, mean, square)) => (count + 1, mean, square),
                None => (1, param.f_zeros_like()?, param.f_zeros_like()?),
            };
            let decayed = steps.decay_all || defs.get(name).is_some_and(|def| def.decay);
            let adam = AdamW {
                lr,
                beta1: steps.betas.0,
                beta2: steps.betas.1,
                eps: steps.eps,
                weight_decay: if decayed { steps.weight_decay } else { 0.0 },
            };
            adam.step(&[Slot { param, grad: sum, mean: &mean, square: &square }], count)?;
            moments.insert(name.clone(), (count, mean, square));
        }
    }
    let trained = current.iter().filter(|(name, _)| chosen(name));
    Ok(trained.map(|(name, tensor)| (name.clone(), tensor.shallow_clone())).collect())
}
