//! AdamW on flat buffers.

use tch::{Kind, Tensor, no_grad};
use tsumugi_torch_ext::{AdamW, Slot, global_norm, scale};

use super::core::{Engine, Updated};
use super::flat::Group;
use crate::Result;
use crate::data::random;
use crate::recipe::{OptimizerConfig, Precision};

impl Engine {
    /// Ends a step: clips, updates, and drops the gradients. If `loss` or a gradient is not finite, nothing is updated.
    ///
    /// A group that no batch of the step reached stays as it is, with its moments, as parameters without gradient do in
    /// PyTorch.
    ///
    /// # Errors
    /// [`Error::Torch`](crate::Error::Torch) if LibTorch refuses.
    pub fn update(&mut self, config: &OptimizerConfig, lr: f64, loss: f64, seed: u64) -> Result<Updated> {
        let grads: Vec<&Tensor> = self.groups().filter_map(|g| g.grad.as_ref()).collect();
        let grad_norm = global_norm(&grads)?;
        if !(loss.is_finite() && grad_norm.is_finite()) {
            self.groups_mut().for_each(|g| g.grad = None);
            return Ok(Updated { grad_norm, skipped: true });
        }
        if let Some(clip) = config.clip {
            // The form of torch.nn.utils.clip_grad_norm_.
            let factor = clip / (grad_norm + 1e-6);
            if factor < 1.0 {
                scale(&grads, factor)?;
            }
        }
        let precision = self.precision;
        no_grad(|| {
            self.groups_mut().enumerate().try_for_each(|(number, group)| {
                let Some(grad) = group.grad.take() else { return Ok(()) };
                group.updates += 1;
                let adam = constants(config, group, lr);
                match precision {
                    Precision::Bf16Stochastic => {
                        stochastic(group, &grad, &adam, random(seed, 5, number as u64))
                    }
                    Precision::F32 | Precision::Bf16 => exact(group, &grad, &adam),
                }
            })
        })?;
        Ok(Updated { grad_norm, skipped: false })
    }
}

fn constants(config: &OptimizerConfig, group: &Group, lr: f64) -> AdamW {
    let weight_decay = if group.treatment.decay { config.weight_decay } else { 0.0 };
    let [beta1, beta2] = config.betas;
    AdamW { lr: lr * group.treatment.rate, beta1, beta2, eps: config.eps, weight_decay }
}

fn exact(group: &mut Group, grad: &Tensor, adam: &AdamW) -> Result<()> {
    if group.moments.is_none() {
        group.moments = Some((group.weight.f_zeros_like()?, group.weight.f_zeros_like()?));
    }
    if let Some((mean, square)) = &group.moments {
        adam.step(&[Slot { param: &group.weight, grad, mean, square }], group.updates)?;
    }
    if let Some(shadow) = &mut group.shadow {
        shadow.f_copy_(&group.weight)?;
    }
    Ok(())
}

/// The update in float32, with stochastic rounding of the results, so that changes too small for bfloat16 are kept on
/// average.
fn stochastic(group: &mut Group, grad: &Tensor, adam: &AdamW, seed: u64) -> Result<()> {
    let param = group.weight.f_to_kind(Kind::Float)?;
    let (mean, square) = match &group.moments {
        Some((mean, square)) => (mean.f_to_kind(Kind::Float)?, square.f_to_kind(Kind::Float)?),
        None => (param.f_zeros_like()?, param.f_zeros_like()?),
    };
    adam.step(&[Slot { param: &param, grad, mean: &mean, square: &square }], group.updates)?;
    // The generator is seeded anew for each group and step, so that it has no state to keep.
    tch::manual_seed((seed >> 1) as i64);
    group.weight.f_copy_(&round_stochastically(&param)?)?;
    group.moments = Some((round_stochastically(&mean)?, round_stochastically(&square)?));
    Ok(())
}

/// Bfloat16 is the upper half of float32: adding random lower bits before truncation rounds up with a probability equal
/// to the distance from the lower neighbour.
fn round_stochastically(values: &Tensor) -> Result<Tensor> {
    let bits = values.f_view_dtype(Kind::Int)?;
    let noise = Tensor::f_randint(1 << 16, values.size(), (Kind::Int, values.device()))?;
    let cut = bits.f_add(&noise)?.f_bitwise_and(!0xffff_i64)?;
    Ok(cut.f_view_dtype(Kind::Float)?.f_to_kind(Kind::BFloat16)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stochastic_rounding_is_exact_on_average() {
        tch::manual_seed(1);
        // Between 1 and the next bfloat16, 1.0078125, a quarter of the way.
        let values =
            Tensor::f_full([40_000], 1.0 + 0.007_812_5 / 4.0, (Kind::Float, tch::Device::Cpu)).unwrap();
        let rounded = round_stochastically(&values).unwrap().to_kind(Kind::Double);
        let mean = rounded.mean(Kind::Double).double_value(&[]);
        assert!((mean - (1.0 + 0.007_812_5 / 4.0)).abs() < 1e-4, "{mean}");
        assert!(rounded.max().double_value(&[]) <= 1.007_812_5);
        let exact = Tensor::from_slice(&[-2.5_f32, 0.0, 3.0]);
        assert_eq!(round_stochastically(&exact).unwrap().to_kind(Kind::Float), exact);
    }
}
