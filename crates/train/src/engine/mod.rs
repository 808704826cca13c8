//! The engine: a model's parameters in flat buffers, forward and backward by unit, and the optimiser.

mod flat;
mod optimizer;
mod pass;
mod state;
mod tune;

use std::sync::Arc;

use tch::{Device, Kind, Tensor};
use tsumugi_vlm::lora::{self, Adapter};
use tsumugi_vlm::{ParamDef, Part, Unit, Vlm, Weights};

pub use flat::{Group, Treatment, UnitBuffers};
pub(crate) use optimizer::synchronize;
pub use state::EngineState;
pub use tune::{check_patterns, names};

use crate::collate::Counts;
use crate::collective::Collective;
use crate::flops::{Passes, step_flops};
use crate::objective::Objective;
use crate::recipe::{Precision, StageConfig};
use crate::{Error, Result};

/// A model in training.
///
/// The parameters of each unit lie in one or two long tensors (with and without weight decay; frozen ones apart). A
/// gradient comes out as long as its buffer, so that clipping, the optimiser and checkpoints each touch a handful of
/// tensors.
pub struct Engine {
    /// As others see it: without adapters.
    model: Vlm,
    adapter: Option<Adapter>,
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
    /// Lays out a model for a stage. Where the stage has adapters (`lora`), they are added to the model and begin as
    /// nothing.
    ///
    /// # Errors
    /// [`Error::Recipe`] if a pattern of `tune` or `lora` names nothing, or both name the same; [`Error::Model`] if
    /// `weights` lacks a parameter.
    pub fn new(
        model: Vlm,
        weights: &Weights,
        stage: &StageConfig,
        objective: Box<dyn Objective>,
        device: Device,
    ) -> Result<Self> {
        let adapter = stage.lora.as_ref().map(|l| Adapter { rank: l.rank, alpha: l.alpha });
        let adapted = match (&stage.lora, adapter) {
            (Some(lora), Some(adapter)) => tune::adapted(&model, stage, &lora.of, adapter)?,
            _ => model.clone(),
        };
        let named: Vec<(Part, String)> =
            adapted.parameters().into_iter().map(|(part, _, def)| (part, def.name)).collect();
        check_patterns(stage, &named)?;
        let mut units: Vec<Arc<dyn Unit>> = Vec::new();
        let mut buffers = Vec::new();
        for (part, unit) in adapted.units() {
            let treat = |def: &ParamDef| tune::treatment(stage, *part, &def.name, def.decay);
            let value = |def: &ParamDef| match (&stage.lora, lora::is_adapter(&def.name)) {
                (Some(lora), true) => Ok(def.first_value(lora.seed)?),
                _ => Ok(weights.get(&def.name)?.shallow_clone()),
            };
            buffers.push(UnitBuffers::new(unit.as_ref(), &value, &treat, stage.precision, device)?);
            units.push(unit.clone());
        }
        let borrowed = units.iter().map(|u| owners(u.as_ref(), &buffers)).collect::<Result<_>>()?;
        if let Some(head) = units.pop() {
            units.push(objective.last_unit(head));
        }
        let kind = if stage.precision == Precision::F32 { Kind::Float } else { Kind::BFloat16 };
        let (precision, recompute) = (stage.precision, stage.recompute);
        Ok(Self { model, adapter, units, buffers, borrowed, objective, precision, kind, device, recompute })
    }

    /// Sizes and units, without adapters.
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

    /// What it computes in.
    pub fn kind(&self) -> Kind {
        self.kind
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

    /// The weights by name, as views of the buffers; adapted ones with their change.
    ///
    /// # Errors
    /// Where LibTorch refuses.
    pub fn weights(&self) -> Result<Weights> {
        self.named(|group| group.weight.detach())
    }

    /// The weights in the number type the stage computes in: to run the model as it stands.
    ///
    /// # Errors
    /// Where LibTorch refuses.
    pub fn computing_weights(&self) -> Result<Weights> {
        self.named(Group::compute)
    }

    fn named(&self, values: impl Fn(&Group) -> Tensor) -> Result<Weights> {
        let mut weights = Weights::default();
        for group in self.groups() {
            let params = tsumugi_vlm::Params::split(&group.defs, &values(group))?;
            for (name, tensor) in params.iter() {
                weights.insert(name.clone(), tensor.shallow_clone());
            }
        }
        match self.adapter {
            Some(adapter) => Ok(lora::merge(&weights, adapter)?),
            None => Ok(weights),
        }
    }

    /// Floating-point operations that a step on these batches needs: three passes over what is trained, two over frozen
    /// units behind it, one over those before.
    pub fn flops(&self, counts: &Counts) -> f64 {
        let first = (0..self.units.len()).find(|&i| self.needs_grad(i)).unwrap_or(self.units.len());
        let passes = |index: usize| {
            let behind = f64::from(u8::from(index > first));
            Passes(1.0 + behind + f64::from(u8::from(self.needs_grad(index))))
        };
        let parts = self.model.units().iter().map(|(part, _)| *part);
        let units = self.units.iter().zip(parts).enumerate();
        step_flops(
            self.model.config(),
            units.map(|(index, (unit, part))| (part, unit.as_ref(), passes(index))),
            counts,
        )
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
