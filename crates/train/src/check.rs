//! What is checked before anything is trained: every stage's patterns, components, data and held-out rows.

use std::collections::BTreeMap;

use crate::data::{Member, Mixture};
use crate::engine::planned;
use crate::evaluate::Evaluation;
use crate::prepare::Preparer;
use crate::recipe::{Recipe, StageConfig};
use crate::registry::Registry;
use crate::stage::shape;
use crate::start::{Data, Start};
use crate::{Drawn, Error, Result};

/// Checks the stages from an index on.
///
/// # Errors
/// For all of them, [`Error::is_usage`] is true but if a hub or a disk fails.
pub(crate) fn stages(
    recipe: &Recipe,
    from: usize,
    registry: &Registry,
    start: &Start,
    data: Data,
) -> Result<()> {
    for stage in recipe.stages.iter().skip(from) {
        let unusable = |key: &str| Error::unusable(Some(&stage.name), key);
        planned(start.model(), stage)?;
        registry.make_objective(&stage.objective).map_err(unusable("objective"))?;
        let preparer = start.preparer(stage.length);
        let shape = shape(stage, preparer.ids());
        registry.make_collator(&stage.batch.collator, shape, 0).map_err(unusable("batch.collator"))?;
        if data == Data::Ready {
            first_usable(stage, registry.members(stage)?, &preparer)?;
            if let Some(config) = &stage.evaluation {
                let members = registry.held_out(stage, config)?;
                let (name, out) = (&stage.name, &recipe.out);
                Evaluation { config, members, preparer, shape, stage: name, out }.check()?;
            }
        }
    }
    Ok(())
}

/// Draws rows until one can be trained on, so that the format of the data, templates, lengths and images are seen to fit.
fn first_usable(stage: &StageConfig, members: Vec<Member>, preparer: &Preparer) -> Result<()> {
    let names: Vec<String> = members.iter().map(|member| member.name.clone()).collect();
    let in_stage = |error| Error::unusable(Some(&stage.name), "data")(error);
    let mut mixture = Mixture::new(members, 0).map_err(in_stage)?;
    let mut dropped: BTreeMap<String, u64> = BTreeMap::new();
    // As many as the loader draws before it gives up.
    let most = 2 * mixture.rows() + 1;
    for _ in 0..most {
        let (source, drawn) = mixture.next_row().map_err(in_stage)?;
        let reason = match drawn {
            Drawn::Sample(sample) => match preparer.prepare(&sample) {
                Ok(_) => return Ok(()),
                Err(reason) => reason,
            },
            Drawn::Dropped { reason, .. } => reason,
        };
        *dropped.entry(format!("{}: {reason}", names[source])).or_default() += 1;
    }
    let reasons: Vec<String> = dropped.iter().map(|(reason, n)| format!("{reason} {n}")).collect();
    Err(Error::NoSamples { stage: stage.name.clone(), drawn: most, reasons: reasons.join(", ") })
}
