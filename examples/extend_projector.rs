//! Adds a projector: `cargo run --example extend_projector -- --out FOLDER`.
//!
//! A unit states its parameters and computes its output from its input. Flat buffers, freezing, recomputation, the
//! optimiser, checkpoints and resuming then treat it like the built-in ones. A model family puts the unit into a model; its
//! other parts are the defaults.

#[path = "common/squares.rs"]
mod squares;

use std::path::PathBuf;
use std::sync::Arc;

use clap::Parser;
use tch::Tensor;
use tsumugi::train::data::ListSource;
use tsumugi::train::{Progress, Recipe, Registry, Trainer};
use tsumugi::vlm::{Acts, Context, ModelFamily, ParamDef, ParamSpec, Params, Result, Unit, Units, VlmConfig};

#[derive(Parser)]
struct Args {
    /// Folder of the run.
    #[arg(long)]
    out: PathBuf,
}

/// A linear layer, and a gate for each output dimension.
#[derive(Debug)]
struct Gated {
    from: i64,
    to: i64,
}

impl Unit for Gated {
    fn name(&self) -> &str {
        "gated"
    }

    fn spec(&self) -> ParamSpec {
        let std = (1.0 / self.from as f64).sqrt();
        let matrix =
            |name: &str| ParamDef::matrix(format!("gated.{name}.weight"), &[self.to, self.from], std);
        ParamSpec(vec![matrix("value"), matrix("gate"), ParamDef::bias("gated.value.bias", self.to)])
    }

    fn forward(&self, params: &Params, acts: Acts, _: &Context) -> Result<Acts> {
        let x = acts.x.f_to_kind(params.get("gated.value.weight")?.kind())?;
        let value = x.f_linear(params.get("gated.value.weight")?, Some(params.get("gated.value.bias")?))?;
        let gate = x.f_linear(params.get("gated.gate.weight")?, None::<&Tensor>)?.f_sigmoid()?;
        Ok(Acts::new(value.f_mul(&gate)?))
    }
}

/// SigLIP, the gated projector, and Llama.
#[derive(Debug)]
struct GatedLlava;

impl ModelFamily for GatedLlava {
    fn name(&self) -> &str {
        "gated_llava"
    }

    fn projector(&self, config: &VlmConfig) -> Result<Units> {
        Ok(vec![Arc::new(Gated { from: config.vision.hidden_size, to: config.language.hidden_size })])
    }
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let mut registry = Registry::default();
    registry.source("squares", |_| Ok(Box::new(ListSource::new(squares::samples()))));
    registry.family(Arc::new(GatedLlava));

    let mut recipe = Recipe::from_toml(&squares::recipe(""), &["model.family=gated_llava".to_owned()])?;
    recipe.out = args.out;
    let summary = Trainer::new(recipe).registry(registry).progress(Progress::stderr()).run()?;
    println!("{}", serde_json::to_string(&summary)?);
    Ok(())
}
