//! The one table of all commands.

use crate::command::Command;
#[cfg(feature = "data")]
use crate::command::StepCommand;
#[cfg(feature = "data")]
use crate::steps::{
    build_interleaved::BuildInterleaved, build_pairs::BuildPairs, extract_documents::ExtractDocuments,
    fetch_images::FetchImages, filter_documents::FilterDocuments,
};

#[cfg(feature = "eval")]
use crate::steps::evaluate::Evaluate;
#[cfg(feature = "synth")]
use crate::steps::synthesize::Synthesize;

/// All commands that this build has, in the order in which a project runs them. The binary, its workers and the documentation
/// are made from this table; a program of one's own can add commands to it.
pub fn steps() -> Vec<&'static dyn Command> {
    let mut commands: Vec<&'static dyn Command> = vec![
        #[cfg(feature = "data")]
        &StepCommand::<ExtractDocuments>::COMMAND,
        #[cfg(feature = "data")]
        &StepCommand::<FilterDocuments>::COMMAND,
        #[cfg(feature = "data")]
        &StepCommand::<FetchImages>::COMMAND,
        #[cfg(feature = "data")]
        &StepCommand::<BuildPairs>::COMMAND,
        #[cfg(feature = "data")]
        &StepCommand::<BuildInterleaved>::COMMAND,
        #[cfg(feature = "synth")]
        &StepCommand::<Synthesize>::COMMAND,
        #[cfg(feature = "eval")]
        &StepCommand::<Evaluate>::COMMAND,
    ];
    commands.extend(crate::tools::tools());
    commands
}
