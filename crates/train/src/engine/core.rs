//! A model in training: its parameters in flat buffers.

use std::sync::Arc;

use tch::{Device, Kind, Tensor};
use tsumugi_vlm::lora::{self, Adapter};
use tsumugi_vlm::{ParamDef, Unit, Vlm, Weights};

use super::flat::{Group, UnitBuffers};
use super::tune;
use crate::collate::Counts;
use crate::collective::Collective;
use crate::flops::{Passes, step_flops};
use crate::objective::Objective;
use crate::recipe::{Precision, StageConfig};
use crate::{Error, Result};

/// A model in training.
///
/// The parameters of each unit are views of one or two long tensors (with and without weight decay; frozen ones apart).
/// Gradients have the shape of these buffers, so that clipping, the optimiser and checkpoints each touch a handful of
/// tensors.
pub struct Engine {
    /// The model without adapters.
    pub(super) model: Vlm,
    adapter: Option<Adapter>,
    pub(super) units: Vec<Arc<dyn Unit>>,
    pub(super) buffers: Vec<UnitBuffers>,
    pub(super) borrowed: Vec<Vec<Owner>>,
    pub(super) objective: Box<dyn Objective>,
    pub(super) precision: Precision,
    pub(super) kind: Kind,
    pub(super) device: Device,
    pub(super) recompute: usize,
}

/// The place of a borrowed parameter in its owner's buffers.
#[derive(Debug, Clone)]
pub(super) struct Owner {
    pub(super) unit: usize,
    pub(super) group: usize,
    pub(super) start: i64,
    pub(super) def: ParamDef,
}

/// What an update did.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Updated {
    /// Norm of all gradients before clipping.
    pub grad_norm: f64,
    /// True if nothing was updated because the loss or a gradient was not finite.
    pub skipped: bool,
}

impl Engine {
    /// Lays out a model for a stage. If the stage has adapters (`lora`), they are added to the model and change nothing at
    /// first.
    ///
    /// # Errors
    /// [`Error::Recipe`] if a pattern of `tune`, `lora` or `multipliers` matches nothing, or `tune` and `lora` match the same
    /// parameter;
    /// [`Error::Model`] if `weights` lacks a parameter.
    pub fn new(
        model: Vlm,
        weights: &Weights,
        stage: &StageConfig,
        objective: Box<dyn Objective>,
        device: Device,
    ) -> Result<Self> {
        let (adapted, adapter) = tune::planned(&model, stage)?;
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

    /// The model without adapters.
    pub fn model(&self) -> &Vlm {
        &self.model
    }

    /// The objective.
    pub fn objective(&self) -> &dyn Objective {
        self.objective.as_ref()
    }

    /// The device.
    pub fn device(&self) -> Device {
        self.device
    }

    /// The kind that the units compute in.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// All groups in order.
    pub fn groups(&self) -> impl Iterator<Item = &Group> {
        self.buffers.iter().flat_map(|b| &b.groups)
    }

    pub(super) fn groups_mut(&mut self) -> impl Iterator<Item = &mut Group> {
        self.buffers.iter_mut().flat_map(|b| &mut b.groups)
    }

    /// The name of the first group whose values are not all finite, if there is one.
    ///
    /// # Errors
    /// [`Error::Torch`] if LibTorch refuses.
    pub fn not_finite(&self) -> Result<Option<&str>> {
        for group in self.groups() {
            if group.weight.f_isfinite()?.f_all()?.f_int64_value(&[])? == 0 {
                return Ok(Some(&group.name));
            }
        }
        Ok(None)
    }

    /// Number of parameters, and of trained parameters.
    pub fn sizes(&self) -> (u64, u64) {
        let size = |g: &Group| g.weight.numel() as u64;
        (self.groups().map(size).sum(), self.groups().filter(|g| g.treatment.trained).map(size).sum())
    }

    /// Sums the gradients over all ranks.
    ///
    /// # Errors
    /// [`Error::Torch`] if a rank is lost.
    pub fn reduce(&mut self, ranks: &dyn Collective) -> Result<()> {
        self.groups_mut().filter_map(|g| g.grad.as_mut()).try_for_each(|grad| ranks.all_reduce(grad))
    }

    /// The weights by name, as views of the buffers, with adapters merged.
    ///
    /// # Errors
    /// [`Error::Torch`] if LibTorch refuses.
    pub fn weights(&self) -> Result<Weights> {
        self.named(|group| group.weight.detach())
    }

    /// The weights in the kind that the units compute in, to run the model as it is now.
    ///
    /// # Errors
    /// [`Error::Torch`] if LibTorch refuses.
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

    /// Floating-point operations of a step on these batches: three passes over trained units, two over frozen units after
    /// the first trained one, one over those before it.
    pub fn flops(&self, counts: &Counts) -> f64 {
        let first = (0..self.units.len()).find(|&i| self.needs_grad(i)).unwrap_or(self.units.len());
        let passes = |index: usize| {
            let after = f64::from(u8::from(index > first));
            Passes(1.0 + after + f64::from(u8::from(self.needs_grad(index))))
        };
        let parts = self.model.units().iter().map(|(part, _)| *part);
        let units = self.units.iter().zip(parts).enumerate();
        step_flops(
            &self.model,
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
