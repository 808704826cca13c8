//! `lab ENCODER OUT [ABORT_AFTER]`: trains five steps from a pretrained encoder; with a third argument the process aborts
//! after that many steps, as if it had been killed.

use std::path::PathBuf;
use std::sync::Arc;

use tsumugi_outside::{LabVlm, samples};
use tsumugi::train::data::ListSource;
use tsumugi::train::metrics::StepMetrics;
use tsumugi::train::{Action, Callback, CallbackContext, Recipe, Registry, Result, Trainer};

struct Abort {
    after: u64,
}

impl Callback for Abort {
    fn name(&self) -> &str {
        "abort"
    }

    fn step_done(&mut self, _: &CallbackContext<'_>, metrics: &StepMetrics) -> Result<Action> {
        if metrics.step == self.after {
            std::process::abort();
        }
        Ok(Action::default())
    }
}

const RECIPE: &str = r#"
tokenizer = { build = 300 }
[model.config.language]
hidden_size = 32
intermediate_size = 64
num_hidden_layers = 2
num_attention_heads = 4
num_key_value_heads = 2
vocab_size = 300
[[stages]]
name = "lab"
tune = ["projector", "language"]
template = "caption"
length = 48
duration = { steps = 5 }
batch = { rows = 4, micro = 2 }
optimizer = { lr = 3e-3 }
checkpoint = { every = 2 }
data = [{ source = "lab" }]
"#;

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let encoder = args.next().ok_or("the first argument is the folder of the encoder")?;
    let out = args.next().ok_or("the second argument is the folder of the run")?;
    let mut registry = Registry::default();
    registry.family(Arc::new(LabVlm));
    registry.source("lab", |_| Ok(Box::new(ListSource::new(samples()))));
    let mut recipe = Recipe::from_toml(RECIPE, &[format!("model.vision={encoder:?}")])?;
    recipe.out = PathBuf::from(out);
    let mut trainer = Trainer::new(recipe).registry(registry);
    if let Some(after) = args.next() {
        trainer = trainer.callback(Box::new(Abort { after: after.parse()? }));
    }
    println!("{}", serde_json::to_string(&trainer.run()?)?);
    Ok(())
}
