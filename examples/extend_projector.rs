//! A projector of one's own: `cargo run --example extend_projector -- --out FOLDER`.
//!
//! A unit says what parameters it has and how its output comes from its input. That is all: flat buffers, freezing,
//! recomputation, the optimiser, checkpoints and resume then treat it like the built-in ones.

#[path = "common/squares.rs"]
mod squares;

use std::path::PathBuf;
use std::sync::Arc;

use clap::Parser;
use tch::Tensor;
use tsumugi::train::data::ListSource;
use tsumugi::train::{Error, Progress, Recipe, Registry, Trainer};
use tsumugi::vlm::{Acts, Context, Llama, ParamDef, ParamSpec, Params, Projector, Result, Siglip, Unit, Vlm};

#[derive(Parser)]
struct Args {
    /// Folder of the run.
    #[arg(long)]
    out: PathBuf,
}

/// One matrix, and a gate that lets each output dimension through or not.
#[derive(Debug, Clone)]
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

impl Projector for Gated {
    fn units(&self) -> Vec<Arc<dyn Unit>> {
        vec![Arc::new(self.clone())]
    }
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let mut registry = Registry::default();
    registry.source("squares", |_| Ok(Box::new(ListSource::new(squares::samples()))));
    registry.model("gated", |model| {
        let missing = || Error::recipe("model.config is needed for the builder \"gated\"");
        let config = model.config.clone().ok_or_else(missing)?;
        let projector = Gated { from: config.vision.hidden_size, to: config.language.hidden_size };
        let (vision, language) = (Siglip::new(config.vision.clone()), Llama::new(config.language.clone()));
        Ok(Vlm::assemble(config, &vision, &projector, &language)?)
    });

    let sets =
        ["model.builder=gated", "model.config.image_token_id=4", "model.config.language.pad_token_id=3"];
    let mut recipe = Recipe::from_toml(&squares::recipe(""), &sets.map(str::to_owned))?;
    recipe.out = args.out;
    let summary = Trainer::new(recipe).registry(registry).progress(Progress::stderr()).run()?;
    println!("{}", serde_json::to_string(&summary)?);
    Ok(())
}
