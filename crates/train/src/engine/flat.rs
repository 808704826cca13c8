//! Flat buffers: the parameters of a unit as a few long tensors.

use std::collections::BTreeMap;

use tch::{Device, Kind, Tensor};
use tsumugi_vlm::{ParamDef, Unit};

use crate::Result;
use crate::recipe::Precision;

/// How a parameter is trained.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Treatment {
    /// Whether it is trained at all.
    pub trained: bool,
    /// Whether weight decay applies.
    pub decay: bool,
    /// Factor of the learning rate.
    pub rate: f64,
}

/// Parameters of one unit that share a [`Treatment`], concatenated in one tensor.
#[derive(Debug)]
pub struct Group {
    /// Name in checkpoints: the unit's name and the number of the group.
    pub name: String,
    /// How they are trained.
    pub treatment: Treatment,
    /// The parameters in order.
    pub defs: Vec<ParamDef>,
    /// All values: float32 or bfloat16, depending on the stage's precision.
    pub weight: Tensor,
    /// The values in bfloat16 to compute with, if `weight` is float32 and the stage computes in bfloat16.
    pub shadow: Option<Tensor>,
    /// Sum of the gradients since the last update, float32. None if no batch has reached the unit.
    pub grad: Option<Tensor>,
    /// First and second moments, after the first update.
    pub moments: Option<(Tensor, Tensor)>,
    /// Number of updates.
    pub updates: i64,
}

impl Group {
    /// The values to compute with, without history.
    pub fn compute(&self) -> Tensor {
        self.shadow.as_ref().unwrap_or(&self.weight).detach()
    }

    /// Adds a gradient of all values.
    ///
    /// # Errors
    /// [`Error::Torch`](crate::Error::Torch) if there is no memory.
    pub fn add_grad(&mut self, grad: Tensor) -> Result<()> {
        match &mut self.grad {
            Some(sum) => {
                let _ = sum.f_add_(&grad)?;
            }
            // A first gradient in float32 is moved, not copied.
            none => *none = Some(grad.f_to_kind(Kind::Float)?),
        }
        Ok(())
    }

    /// Adds a gradient of the values from `start`.
    ///
    /// # Errors
    /// [`Error::Torch`](crate::Error::Torch) if there is no memory.
    pub fn add_part_grad(&mut self, start: i64, grad: &Tensor) -> Result<()> {
        if self.grad.is_none() {
            self.grad =
                Some(Tensor::f_zeros([self.weight.numel() as i64], (Kind::Float, self.weight.device()))?);
        }
        if let Some(sum) = &mut self.grad {
            let _ = sum.f_narrow(0, start, grad.numel() as i64)?.f_add_(&grad.f_view(-1)?)?;
        }
        Ok(())
    }

    /// Offset of a parameter, and its definition.
    pub fn place_of(&self, name: &str) -> Option<(i64, ParamDef)> {
        let before = self.defs.iter().position(|d| d.name == name)?;
        Some((self.defs[..before].iter().map(ParamDef::numel).sum(), self.defs[before].clone()))
    }
}

/// The parameters of one unit.
#[derive(Debug)]
pub struct UnitBuffers {
    /// Groups in a fixed order.
    pub groups: Vec<Group>,
}

impl UnitBuffers {
    /// Lays out a unit's parameters with the initial values that `value` gives.
    ///
    /// # Errors
    /// [`Error::Model`](crate::Error::Model) if a value is missing.
    pub fn new(
        unit: &dyn Unit,
        value: &dyn Fn(&ParamDef) -> Result<Tensor>,
        treat: &dyn Fn(&ParamDef) -> Treatment,
        precision: Precision,
        device: Device,
    ) -> Result<Self> {
        let mut members: BTreeMap<(bool, bool, u64), (Treatment, Vec<ParamDef>)> = BTreeMap::new();
        for def in unit.spec().0 {
            let treatment = treat(&def);
            // Frozen parameters need no further division.
            let key = match treatment.trained {
                true => (true, treatment.decay, treatment.rate.to_bits()),
                false => (false, false, 0),
            };
            members.entry(key).or_insert_with(|| (treatment, Vec::new())).1.push(def);
        }
        let groups = members
            .into_values()
            .enumerate()
            .map(|(number, (treatment, defs))| {
                group(format!("{}/{number}", unit.name()), treatment, defs, value, precision, device)
            })
            .collect::<Result<_>>()?;
        Ok(Self { groups })
    }

    /// True if any group is trained.
    pub fn is_trained(&self) -> bool {
        self.groups.iter().any(|g| g.treatment.trained)
    }
}

fn group(
    name: String,
    treatment: Treatment,
    defs: Vec<ParamDef>,
    value: &dyn Fn(&ParamDef) -> Result<Tensor>,
    precision: Precision,
    device: Device,
) -> Result<Group> {
    let kind = match (precision, treatment.trained) {
        (Precision::F32, _) | (Precision::Bf16, true) => Kind::Float,
        _ => Kind::BFloat16,
    };
    let mut pieces = Vec::with_capacity(defs.len());
    for def in &defs {
        pieces.push(value(def)?.f_detach()?.f_to_device(device)?.f_to_kind(kind)?.f_reshape([-1])?);
    }
    // `cat` copies even a single tensor, which is needed: the trainer writes into its buffers.
    let weight = Tensor::f_cat(&pieces, 0)?;
    let shadowed = precision == Precision::Bf16 && treatment.trained;
    let shadow = if shadowed { Some(weight.f_to_kind(Kind::BFloat16)?) } else { None };
    Ok(Group { name, treatment, defs, weight, shadow, grad: None, moments: None, updates: 0 })
}
