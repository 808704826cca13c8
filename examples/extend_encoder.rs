//! Adds a vision encoder: `cargo run --example extend_encoder -- --out FOLDER`.
//!
//! A model family says which units a model has and how images become its input. Registered once, it is trained, exported,
//! loaded and generated from. Override its `open` and `write` for pretrained weights or another checkpoint layout.

#[path = "common/squares.rs"]
mod squares;

use std::path::PathBuf;
use std::sync::Arc;

use clap::Parser;
use tch::{Device, Kind, Tensor};
use tsumugi::train::data::ListSource;
use tsumugi::train::{Part, Progress, Recipe, Registry, Trainer};
use tsumugi::vlm::{
    Acts, Context, GenerateOptions, ImageProcessor, Model, ModelFamily, Normalization, ParamDef, ParamSpec,
    Params, Question, Result, Unit, Units, VlmConfig,
};

#[derive(Parser)]
struct Args {
    #[arg(long)]
    out: PathBuf,
}

/// Projects the mean colour of each patch and puts a class token before the patches: `[n,3,h,w]` to `[n,1+patches,d]`.
#[derive(Debug)]
struct PatchColours {
    patch: i64,
    width: i64,
}

impl Unit for PatchColours {
    fn name(&self) -> &str {
        "vision_tower.colours"
    }

    fn spec(&self) -> ParamSpec {
        ParamSpec(vec![
            ParamDef::matrix("vision_tower.colours.weight", &[self.width, 3], 0.5),
            ParamDef::matrix("vision_tower.class_token", &[1, 1, self.width], 0.02),
        ])
    }

    fn forward(&self, params: &Params, acts: Acts, _: &Context) -> Result<Acts> {
        let weight = params.get("vision_tower.colours.weight")?;
        let (size, pixels) = ([self.patch; 2], acts.x.f_to_kind(weight.kind())?);
        let means = pixels.f_avg_pool2d(size, size, [0, 0], false, true, None::<i64>)?;
        let patches = means.f_flatten(2, -1)?.f_transpose(1, 2)?.f_linear(weight, None::<&Tensor>)?;
        let class =
            params.get("vision_tower.class_token")?.f_expand([patches.size()[0], 1, self.width], false)?;
        Ok(Acts::new(Tensor::f_cat(&[class, patches], 1)?))
    }
}

/// The encoder above, with VILA's projector and Llama.
#[derive(Debug)]
struct ColourVlm;

impl ModelFamily for ColourVlm {
    fn name(&self) -> &str {
        "colour_vlm"
    }

    fn vision(&self, config: &VlmConfig) -> Result<Units> {
        let (patch, width) = (config.vision.patch_size, config.vision.hidden_size);
        Ok(vec![Arc::new(PatchColours { patch, width })])
    }

    fn image_tokens(&self, config: &VlmConfig) -> i64 {
        1 + config.vision.tokens()
    }

    fn image_processor(&self, config: &VlmConfig) -> ImageProcessor {
        let (mean, std) = ([0.48, 0.46, 0.41], [0.27, 0.26, 0.28]);
        ImageProcessor::new(config.vision.image_size).normalization(Normalization::MeanStd { mean, std })
    }
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let mut registry = Registry::default();
    registry.source("squares", |_| Ok(Box::new(ListSource::new(squares::samples()))));
    registry.family(Arc::new(ColourVlm));
    let families = registry.families().clone();

    let mut recipe = Recipe::from_toml(&squares::recipe(""), &["model.family=colour_vlm".to_owned()])?;
    recipe.out = args.out;
    let summary = Trainer::new(recipe).registry(registry).progress(Progress::stderr()).run()?;

    let folder = summary.model.display().to_string();
    let model = Model::load_with(&families, &folder, Device::Cpu, Kind::Float)?;
    let Part::Image(image) = squares::samples()[0].parts[0].clone() else { anyhow::bail!("no image") };
    let question = Question::new("What colour?", vec![image]);
    let answer = model.answer(&[question], &GenerateOptions::default(), &mut |_, _| {})?;
    println!("{}", serde_json::json!({ "training": summary, "answer": answer }));
    Ok(())
}
