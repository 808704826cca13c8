//! The engine: a model's parameters in flat buffers, forward and backward by unit, and the optimiser.

mod flat;
mod optimizer;
mod pass;
mod state;
mod tune;

use std::sync::Arc;

use tch::{Device, Kind};
use tsumugi_vlm::{ParamDef, Part, Unit, Vlm, Weights};

pub use flat::{Group, Treatment, UnitBuffers};
pub(crate) use optimizer::synchronize;
pub use state::EngineState;
pub use tune::{check_patterns, names};

use crate::collective::Collective;
use crate::objective::Objective;
use crate::recipe::{Precision, StageConfig};
use crate::{Error, Result};

/// A model in training.
///
/// The parameters of each unit lie in one or two long tensors (with and without weight decay; frozen ones apart). A
/// gradient comes out as long as its buffer, so that clipping, the optimiser and checkpoints each touch a handful of
/// tensors.
pub struct Engine {
    model: Vlm,
    units: Vec<Arc<dyn Unit>>,
    buffers: Vec<UnitBuffers>,
    borrowed: Vec<Vec<Owner>>,
    objective: Box<dyn Objective>,
    precision: Precision,
    kind: Kind,
    device: Device,
    recompute: usize,
}

/// Where a borrowed parameter lies.
#[derive(Debug, Clone)]
struct Owner {
    unit: usize,
    group: usize,
    start: i64,
    def: ParamDef,
}

/// What an update did.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Updated {
    /// Norm of all gradients before clipping.
    pub grad_norm: f64,
    /// True where nothing was updated, since loss or gradient was no number.
    pub skipped: bool,
}

impl Engine {
    /// Lays out a model for a stage.
    ///
    /// # Errors
    /// [`Error::Recipe`] if a pattern of `tune` names nothing; [`Error::Model`] if `weights` lacks a parameter.
    pub fn new(
        model: Vlm,
        weights: &Weights,
        stage: &StageConfig,
        objective: Box<dyn Objective>,
        device: Device,
    ) -> Result<Self> {
        let named: Vec<(Part, String)> =
            model.parameters().into_iter().map(|(part, _, def)| (part, def.name)).collect();
        check_patterns(stage, &named)?;
        let mut units: Vec<Arc<dyn Unit>> = Vec::new();
        let mut buffers = Vec::new();
        for (part, unit) in model.units() {
            let treat = |def: &ParamDef| tune::treatment(stage, *part, &def.name, def.decay);
            buffers.push(UnitBuffers::new(unit.as_ref(), weights, &treat, stage.precision, device)?);
            units.push(unit.clone());
        }
        let borrowed = units.iter().map(|u| owners(u.as_ref(), &buffers)).collect::<Result<_>>()?;
        if let Some(head) = units.pop() {
            units.push(objective.last_unit(head));
        }
        let kind = if stage.precision == Precision::F32 { Kind::Float } else { Kind::BFloat16 };
        let (precision, recompute) = (stage.precision, stage.recompute);
        Ok(Self { model, units, buffers, borrowed, objective, precision, kind, device, recompute })
    }

    /// Sizes and units.
    pub fn model(&self) -> &Vlm {
        &self.model
    }

    /// What is minimised.
    pub fn objective(&self) -> &dyn Objective {
        self.objective.as_ref()
    }

    /// Where the model is.
    pub fn device(&self) -> Device {
        self.device
    }

    /// All groups in order.
    pub fn groups(&self) -> impl Iterator<Item = &Group> {
        self.buffers.iter().flat_map(|b| &b.groups)
    }

    fn groups_mut(&mut self) -> impl Iterator<Item = &mut Group> {
        self.buffers.iter_mut().flat_map(|b| &mut b.groups)
    }

    /// Number of parameters: all, and those that are trained.
    pub fn sizes(&self) -> (u64, u64) {
        let size = |g: &Group| g.weight.numel() as u64;
        (self.groups().map(size).sum(), self.groups().filter(|g| g.treatment.trained).map(size).sum())
    }

    /// Adds up the gradients of all ranks.
    ///
    /// # Errors
    /// Where a rank is lost.
    pub fn reduce(&mut self, ranks: &dyn Collective) -> Result<()> {
        self.groups_mut().filter_map(|g| g.grad.as_mut()).try_for_each(|grad| ranks.all_reduce(grad))
    }

    /// The weights by name, as views of the buffers.
    ///
    /// # Errors
    /// Where LibTorch refuses.
    pub fn weights(&self) -> Result<Weights> {
        let mut weights = Weights::default();
        for group in self.groups() {
            let params = tsumugi_vlm::Params::split(&group.defs, &group.weight.detach())?;
            for (name, tensor) in params.iter() {
                weights.insert(name.clone(), tensor.shallow_clone());
            }
        }
        Ok(weights)
    }
}

fn owners(unit: &dyn Unit, buffers: &[UnitBuffers]) -> Result<Vec<Owner>> {
    let find = |name: String| {
        for (unit, buffer) in buffers.iter().enumerate() {
            for (group, candidate) in buffer.groups.iter().enumerate() {
                if let Some((start, def)) = candidate.place_of(&name) {
                    return Ok(Owner { unit, group, start, def });
                }
            }
        }
        Err(Error::Model(tsumugi_vlm::Error::MissingParameter { name }))
    };
    unit.borrows().into_iter().map(find).collect()
}
