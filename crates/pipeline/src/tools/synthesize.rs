//! `synthesize`: instruction data through an OpenAI-compatible API.

use serde_json::Value;

use crate::steps::synthesize::{SynthesizeConfig, synthesize};
use crate::{Context, Error, Group, Tool};

/// The command `synthesize`.
pub struct Synthesize;

impl Tool for Synthesize {
    const NAME: &'static str = "synthesize";
    const GROUP: Group = Group::Instructions;
    const ABOUT: &'static str = "Writes instruction data with a model behind an OpenAI-compatible API";
    type Settings = SynthesizeConfig;

    fn run(settings: SynthesizeConfig, context: &Context) -> Result<Value, Error> {
        let summary = synthesize(&settings, &context.progress)?;
        serde_json::to_value(summary).map_err(Error::step("synthesize", "summary"))
    }
}
