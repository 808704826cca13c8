//! Gradients of parts of a graph, and a loss that never holds all logits.

use tch::Tensor;

use crate::error::{Error, Result};
use crate::ffi;

/// Gradients of `inputs`, given the gradients of `outputs`; `None` for an input that no output depends on. Frees the graph.
/// This is the backward pass of one part of a model: nothing is added to `.grad()` of any tensor.
///
/// # Errors
/// [`Error::Argument`] unless there is one gradient for each output; [`Error::Call`] if LibTorch refuses, such as when an
/// input does not require a gradient.
pub fn grad(
    outputs: &[&Tensor],
    output_grads: &[&Tensor],
    inputs: &[&Tensor],
) -> Result<Vec<Option<Tensor>>> {
    if outputs.len() != output_grads.len() {
        return Err(Error::Argument {
            call: "gradient",
            reason: format!("{} outputs but {} gradients", outputs.len(), output_grads.len()),
        });
    }
    ffi::grad(outputs, output_grads, inputs)
}

/// Sum of the cross entropies of `hidden` `[n,d]` times the transposed `weight` `[v,d]` against `target` `[n]`: a scalar in
/// float32 (float64 for float64 input). Differentiable once in `hidden` and `weight`.
///
/// Logits and their gradients are computed for `chunk` rows at a time, so that memory does not grow with `n` times `v`. If
/// neither input requires a gradient, or under `no_grad`, only the loss is computed.
///
/// # Errors
/// [`Error::Call`] if LibTorch refuses (shapes, kinds, a target outside the vocabulary).
pub fn linear_cross_entropy(hidden: &Tensor, weight: &Tensor, target: &Tensor, chunk: i64) -> Result<Tensor> {
    ffi::linear_cross_entropy(hidden, weight, target, chunk)
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind};

    use super::*;

    fn leaves() -> (Tensor, Tensor, Tensor) {
        tch::manual_seed(5);
        let options = (Kind::Double, Device::Cpu);
        let hidden = Tensor::randn([7, 4], options).set_requires_grad(true);
        let weight = Tensor::randn([9, 4], options).set_requires_grad(true);
        (hidden, weight, Tensor::from_slice(&[0_i64, 8, 3, 3, 1, 5, 2]))
    }

    #[test]
    fn chunked_loss_and_gradients_equal_those_of_one_graph() -> Result<()> {
        let (h, w, t) = leaves();
        let weights: Option<Tensor> = None;
        let plain = h.matmul(&w.tr()).cross_entropy_loss(&t, weights, tch::Reduction::Sum, -100, 0.0);
        let half = Tensor::from(0.5_f64);
        let expected = grad(&[&plain], &[&half], &[&h, &w])?;
        for chunk in [1, 3, 7, 100] {
            let loss = linear_cross_entropy(&h, &w, &t, chunk)?;
            assert!((loss.double_value(&[]) - plain.double_value(&[])).abs() < 1e-12);
            let found = grad(&[&loss], &[&half], &[&h, &w])?;
            for (a, b) in expected.iter().zip(&found) {
                let far = (a.as_ref().unwrap() - b.as_ref().unwrap()).abs().max().double_value(&[]);
                assert!(far < 1e-12, "chunk {chunk}: {far}");
            }
        }
        Ok(())
    }

    #[test]
    fn no_rows_give_no_loss() -> Result<()> {
        let (h, w, t) = leaves();
        let loss = linear_cross_entropy(&h.narrow(0, 0, 0), &w, &t.narrow(0, 0, 0), 4)?;
        assert_eq!(loss.double_value(&[]), 0.0);
        Ok(())
    }

    #[test]
    fn exceptions_become_errors() {
        let (h, w, t) = leaves();
        let wrong = linear_cross_entropy(&h, &w, &t.narrow(0, 0, 3), 4);
        assert!(matches!(wrong, Err(Error::Call { .. })), "{wrong:?}");
        assert!(grad(&[&h], &[], &[&w]).is_err());
    }

    #[test]
    fn unused_inputs_have_no_gradient() -> Result<()> {
        let (h, w, _) = leaves();
        let y = h.sum(Kind::Double);
        let found = grad(&[&y], &[&Tensor::from(1.0_f64)], &[&h, &w])?;
        assert!(found[0].is_some() && found[1].is_none());
        Ok(())
    }
}
