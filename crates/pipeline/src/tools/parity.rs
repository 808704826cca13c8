//! `parity`: a checkpoint against another implementation.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tch::Device;
use tsumugi_vlm::parity::{ParityOptions, run as compute};
use tsumugi_vlm::torch_ext;

use super::Precision;
use crate::{Context, Error, Group, Tool};

/// Runs a checkpoint on given inputs and writes what can be compared with another implementation: logits, loss, image
/// features, hidden states; and where asked for gradients, greedy tokens, parameters after optimiser steps.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Folder of the checkpoint: LLaVA, VILA, Llama or SigLIP.
    #[schemars(extend("x-required" = true, "x-value-name" = "DIR"))]
    pub model: PathBuf,
    /// A safetensors file with `input_ids`, and where they are needed `attention_mask`, `labels`, `pixel_values` and `seqlens`
    /// (packed rows).
    #[schemars(extend("x-required" = true, "x-value-name" = "FILE"))]
    pub inputs: PathBuf,
    /// The safetensors file that is written.
    #[schemars(extend("x-required" = true, "x-value-name" = "FILE"))]
    pub out: PathBuf,
    /// Write the gradient of every parameter.
    pub gradients: bool,
    /// Continue the rows greedily by this many tokens.
    #[schemars(extend("x-value-name" = "TOKENS"))]
    pub generate: Option<usize>,
    /// Write the parameters after the optimiser steps of this JSON file.
    #[schemars(extend("x-value-name" = "FILE"))]
    pub steps: Option<PathBuf>,
    /// Precision of the computation.
    pub dtype: Precision,
    /// Where to compute.
    pub device: Where,
}

/// The device of a computation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Where {
    /// The processor.
    #[default]
    Cpu,
    /// The first CUDA device.
    Cuda,
    /// The first CUDA device where there is one.
    Auto,
}

/// The command `parity`.
pub struct Parity;

impl Tool for Parity {
    const NAME: &'static str = "parity";
    const GROUP: Group = Group::Training;
    const ABOUT: &'static str =
        "Writes the tensors of a checkpoint for comparison with another implementation";
    type Settings = Settings;

    fn run(settings: Settings, _: &Context) -> Result<Value, Error> {
        run(&settings)
    }
}

fn run(settings: &Settings) -> Result<Value, Error> {
    let steps = match &settings.steps {
        None => None,
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(Error::io("reading", path))?;
            let place = path.display().to_string();
            Some(serde_json::from_str(&text).map_err(Error::step("parity", place))?)
        }
    };
    let device = match settings.device {
        Where::Cuda => {
            torch_ext::load_cuda().map_err(Error::step("parity", "device"))?;
            Device::Cuda(0)
        }
        Where::Auto => torch_ext::best_device(),
        Where::Cpu => Device::Cpu,
    };
    torch_ext::set_numerics(true, false).map_err(Error::step("parity", "numerics"))?;
    let kind = settings.dtype.kind();
    let options = ParityOptions {
        gradients: settings.gradients,
        generate: settings.generate,
        steps,
        device,
        kind,
        ..ParityOptions::default()
    };
    let place = settings.model.display().to_string();
    compute(&settings.model, &settings.inputs, &settings.out, &options)
        .map_err(Error::step("parity", place))?;
    Ok(json!({"out": settings.out}))
}
