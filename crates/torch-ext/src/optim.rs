//! Optimiser steps over a few long tensors.

use tch::Tensor;

use crate::error::{Error, Result};
use crate::ffi;

/// Constants of one AdamW step (Loshchilov and Hutter, 2019; the defaults are the paper's recipe).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamW {
    /// Learning rate.
    pub lr: f64,
    /// Decay rate of the first moment.
    pub beta1: f64,
    /// Decay rate of the second moment.
    pub beta2: f64,
    /// Added to the root of the second moment.
    pub eps: f64,
    /// Fraction of the parameter, times `lr`, that each step subtracts.
    pub weight_decay: f64,
}

impl Default for AdamW {
    fn default() -> Self {
        Self { lr: 1e-3, beta1: 0.9, beta2: 0.999, eps: 1e-8, weight_decay: 0.0 }
    }
}

/// The tensors of one parameter in a step. All four have the same shape, kind and device.
#[derive(Debug, Clone, Copy)]
pub struct Slot<'a> {
    /// The parameter, which is updated.
    pub param: &'a Tensor,
    /// Its gradient.
    pub grad: &'a Tensor,
    /// First moment, which is updated; zeros before the first step.
    pub mean: &'a Tensor,
    /// Second moment, which is updated; zeros before the first step.
    pub square: &'a Tensor,
}

impl AdamW {
    /// Updates all slots in place with LibTorch's fused kernel. `step` counts from one.
    ///
    /// # Errors
    /// [`Error::Argument`] if the tensors of a slot differ in shape or `step` is not positive; [`Error::Call`] if LibTorch
    /// refuses (kinds, devices).
    pub fn step(&self, slots: &[Slot<'_>], step: i64) -> Result<()> {
        const CALL: &str = "fused AdamW";
        if step < 1 {
            return Err(Error::Argument {
                call: CALL,
                reason: format!("step is {step} but counts from one"),
            });
        }
        for (index, slot) in slots.iter().enumerate() {
            let shape = slot.param.size();
            if [slot.grad, slot.mean, slot.square].iter().any(|t| t.size() != shape) {
                return Err(Error::Argument {
                    call: CALL,
                    reason: format!("the tensors of slot {index} differ in shape"),
                });
            }
        }
        if slots.is_empty() {
            return Ok(());
        }
        let params: Vec<&Tensor> = slots.iter().map(|s| s.param).collect();
        let grads: Vec<&Tensor> = slots.iter().map(|s| s.grad).collect();
        let means: Vec<&Tensor> = slots.iter().map(|s| s.mean).collect();
        let squares: Vec<&Tensor> = slots.iter().map(|s| s.square).collect();
        let constants = ffi::Step {
            step,
            lr: self.lr,
            beta1: self.beta1,
            beta2: self.beta2,
            eps: self.eps,
            weight_decay: self.weight_decay,
        };
        ffi::fused_adamw(&params, &grads, &means, &squares, &constants)
    }
}

/// Euclidean norm of all tensors taken as one vector, summed in float64 on the CPU.
///
/// # Errors
/// [`Error::Call`] if LibTorch refuses.
pub fn global_norm(tensors: &[&Tensor]) -> Result<f64> {
    ffi::global_norm(tensors)
}

/// Scales all tensors in place so that their [`global_norm`] is at most `limit`, and returns the norm before. The divisor is
/// `norm + 1e-6`, as in PyTorch's `clip_grad_norm_`. A NaN norm changes nothing.
///
/// # Errors
/// [`Error::Call`] if LibTorch refuses.
pub fn clip_global_norm(tensors: &[&Tensor], limit: f64) -> Result<f64> {
    let norm = global_norm(tensors)?;
    let factor = limit / (norm + 1e-6);
    if factor < 1.0 {
        scale(tensors, factor)?;
    }
    Ok(norm)
}

/// Multiplies all tensors in place.
///
/// # Errors
/// [`Error::Call`] if LibTorch refuses.
pub fn scale(tensors: &[&Tensor], factor: f64) -> Result<()> {
    if tensors.is_empty() { Ok(()) } else { ffi::scale(tensors, factor) }
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind};

    use super::*;

    fn random(seed: i64) -> Tensor {
        tch::manual_seed(seed);
        Tensor::randn([1000], (Kind::Float, Device::Cpu))
    }

    #[test]
    fn step_is_the_formula() -> Result<()> {
        let (param, grad) = (random(1), random(2));
        let (mean, square) = (param.zeros_like(), param.zeros_like());
        let adam = AdamW { lr: 1e-2, weight_decay: 0.1, ..AdamW::default() };
        let (mut p, mut m, mut v) =
            (param.to_kind(Kind::Double), mean.to_kind(Kind::Double), square.to_kind(Kind::Double));
        let g = grad.to_kind(Kind::Double);
        for step in 1..=3 {
            adam.step(&[Slot { param: &param, grad: &grad, mean: &mean, square: &square }], step)?;
            p = &p * (1.0 - 1e-2 * 0.1);
            m = &m * 0.9 + &g * 0.1;
            v = &v * 0.999 + &g * &g * 0.001;
            let (c1, c2) = (1.0 - 0.9_f64.powi(step as i32), 1.0 - 0.999_f64.powi(step as i32));
            p = &p - (&m / c1) / ((&v / c2).sqrt() + 1e-8) * 1e-2;
        }
        let far = (p - param).abs().max().double_value(&[]);
        assert!(far < 1e-6, "{far}");
        Ok(())
    }

    #[test]
    fn clipping_keeps_short_gradients_and_shortens_long_ones() -> Result<()> {
        let (a, b) = (Tensor::from_slice(&[3.0_f32]), Tensor::from_slice(&[0.0_f32, 4.0]));
        assert!((clip_global_norm(&[&a, &b], 10.0)? - 5.0).abs() < 1e-9);
        assert_eq!(a.double_value(&[0]), 3.0);
        clip_global_norm(&[&a, &b], 1.0)?;
        assert!((global_norm(&[&a, &b])? - 1.0).abs() < 1e-6);
        Ok(())
    }

    #[test]
    fn mismatched_slot_is_an_error() {
        let (a, b) = (random(1), Tensor::zeros([3], (Kind::Float, Device::Cpu)));
        let slot = Slot { param: &a, grad: &b, mean: &a, square: &a };
        assert!(matches!(AdamW::default().step(&[slot], 1), Err(Error::Argument { .. })));
        assert!(matches!(AdamW::default().step(&[], 0), Err(Error::Argument { .. })));
    }
}
