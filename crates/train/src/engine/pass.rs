//! Forward and backward, unit by unit.
//!
//! Each unit runs on a detached input and keeps its own small graph, or keeps only the input and runs again in the
//! backward pass. The gradient of a unit's flat buffer is added up as soon as the unit is done.

use tch::{Kind, Tensor, no_grad};
use tsumugi_vlm::{Acts, Context, Output, Params, Part};

use super::core::{Engine, Owner};
use crate::Result;
use crate::collate::Batch;

/// Tensors of a unit for one run, and the leaves that receive gradients.
struct UnitRun {
    params: Params,
    leaves: Vec<(Target, Tensor)>,
}

/// The target of a leaf's gradient.
enum Target {
    /// A group of the unit itself.
    Group(usize),
    /// A parameter of another unit.
    Borrowed(Owner),
}

/// What a unit keeps for the backward pass.
struct Kept {
    index: usize,
    input: Acts,
    graph: Option<(UnitRun, Acts)>,
}

impl Engine {
    /// Runs a batch forward and backward, and adds the gradients of `scale` times the loss to the groups. Returns the
    /// summed loss.
    ///
    /// # Errors
    /// Those of [`Unit::forward`](tsumugi_vlm::Unit::forward).
    pub fn accumulate(&mut self, batch: &Batch, scale: f64) -> Result<f64> {
        let context = self.context(batch)?;
        let (first, acts) = self.start(batch)?;
        let last = self.units.len() - 1;
        // Units before the first trained one need no graph.
        let trained = (first..=last).find(|&i| self.needs_grad(i)).unwrap_or(last + 1);
        let mut acts = self.run_frozen(first..trained, acts, &context)?;
        if trained > last {
            return Ok(f64::try_from(acts.x)?);
        }
        let mut kept = Vec::with_capacity(last + 1 - trained);
        for index in trained..=last {
            let input = as_leaves(&acts, index > trained);
            let run = self.unit_run(index, true)?;
            let out = self.units[index].forward(&run.params, handles(&input), &context)?;
            acts = out.detach();
            // A unit that is recomputed runs with a graph too, which is dropped here: without one, LibTorch may choose
            // other kernels on a GPU, whose last bits differ from those of the second run.
            let graph = if self.recomputes(index) && index < last { None } else { Some((run, out)) };
            kept.push(Kept { index, input, graph });
        }
        let loss = f64::try_from(&acts.x)?;
        if context.target_count > 0 {
            let seed = acts.x.f_full_like(scale)?;
            drop(acts);
            self.backward(kept, vec![seed], &context)?;
        }
        Ok(loss)
    }

    /// The mean loss of a batch, without gradients.
    ///
    /// # Errors
    /// Those of [`Unit::forward`](tsumugi_vlm::Unit::forward).
    pub fn evaluate(&self, batch: &Batch) -> Result<f64> {
        let (first, acts) = self.start(batch)?;
        let sum = self.run_frozen(first..self.units.len(), acts, &self.context(batch)?)?;
        Ok(f64::try_from(sum.x)? / self.objective.weight(batch).max(1.0))
    }

    fn context(&self, batch: &Batch) -> Result<Context> {
        Ok(Context::new(self.model.config(), &batch.model, Output::Loss, self.device, self.kind)?)
    }

    /// The first unit of a batch, and its input.
    fn start(&self, batch: &Batch) -> Result<(usize, Acts)> {
        Ok(match &batch.model.pixel_values {
            Some(pixels) => (0, Acts::new(pixels.f_to_device(self.device)?.f_to_kind(self.kind)?)),
            None => (self.model.start_of(Part::Language), Acts::empty(self.device)),
        })
    }

    fn run_frozen(&self, range: std::ops::Range<usize>, acts: Acts, context: &Context) -> Result<Acts> {
        no_grad(|| {
            range.into_iter().try_fold(acts, |acts, index| {
                let run = self.unit_run(index, false)?;
                Ok(self.units[index].forward(&run.params, acts, context)?)
            })
        })
    }

    pub(super) fn needs_grad(&self, index: usize) -> bool {
        let owner_is_trained = |o: &Owner| self.buffers[o.unit].groups[o.group].treatment.trained;
        self.buffers[index].is_trained() || self.borrowed[index].iter().any(owner_is_trained)
    }

    fn recomputes(&self, index: usize) -> bool {
        self.recompute > 0 && index.is_multiple_of(self.recompute)
    }

    fn unit_run(&self, index: usize, with_leaves: bool) -> Result<UnitRun> {
        let mut run = UnitRun { params: Params::new(), leaves: Vec::new() };
        for (number, group) in self.buffers[index].groups.iter().enumerate() {
            let mut flat = group.compute();
            if with_leaves && group.treatment.trained {
                flat = flat.set_requires_grad(true);
                run.leaves.push((Target::Group(number), flat.shallow_clone()));
            }
            run.params.add_split(&group.defs, &flat)?;
        }
        for owner in &self.borrowed[index] {
            let group = &self.buffers[owner.unit].groups[owner.group];
            let part = group.compute().f_narrow(0, owner.start, owner.def.numel())?;
            let mut tensor = part.f_view(&owner.def.shape[..])?.f_detach()?;
            if with_leaves && group.treatment.trained {
                tensor = tensor.set_requires_grad(true);
                run.leaves.push((Target::Borrowed(owner.clone()), tensor.shallow_clone()));
            }
            run.params.insert(owner.def.name.clone(), tensor);
        }
        Ok(run)
    }

    fn backward(&mut self, mut kept: Vec<Kept>, mut grads: Vec<Tensor>, context: &Context) -> Result<()> {
        while let Some(Kept { index, input, graph }) = kept.pop() {
            let (UnitRun { params, leaves }, out) = match graph {
                Some(graph) => graph,
                None => {
                    let run = self.unit_run(index, true)?;
                    let out = self.units[index].forward(&run.params, handles(&input), context)?;
                    (run, out)
                }
            };
            let streams: Vec<&Tensor> = std::iter::once(&out.x).chain(&out.extra).collect();
            let (outputs, output_grads): (Vec<&Tensor>, Vec<&Tensor>) =
                streams.into_iter().zip(&grads).filter(|(t, _)| t.requires_grad()).unzip();
            let upstream: Vec<&Tensor> =
                std::iter::once(&input.x).chain(&input.extra).filter(|t| t.requires_grad()).collect();
            let wanted: Vec<&Tensor> =
                leaves.iter().map(|(_, leaf)| leaf).chain(upstream.iter().copied()).collect();
            let mut found = tsumugi_torch_ext::grad(&outputs, &output_grads, &wanted)?;
            // Frees the unit's parameters before its gradients are added up.
            drop(params);
            let of_inputs = found.split_off(leaves.len());
            grads = of_inputs
                .into_iter()
                .zip(&upstream)
                .map(|(grad, input)| grad.map_or_else(|| input.f_zeros_like(), Ok))
                .collect::<std::result::Result<_, _>>()?;
            drop(out);
            for ((target, _), grad) in leaves.into_iter().zip(found) {
                let Some(grad) = grad else { continue };
                match target {
                    Target::Group(number) => self.buffers[index].groups[number].add_grad(grad)?,
                    Target::Borrowed(owner) => {
                        self.buffers[owner.unit].groups[owner.group].add_part_grad(owner.start, &grad)?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// The same tensors without history. They receive gradients if a unit before them needs those.
fn as_leaves(acts: &Acts, with_grad: bool) -> Acts {
    // Integers cannot have a gradient.
    let leaf = |t: &Tensor| t.detach().set_requires_grad(with_grad && is_float(t));
    Acts { x: leaf(&acts.x), extra: acts.extra.iter().map(leaf).collect() }
}

fn is_float(tensor: &Tensor) -> bool {
    matches!(tensor.kind(), Kind::Float | Kind::BFloat16 | Kind::Half | Kind::Double)
}

fn handles(acts: &Acts) -> Acts {
    Acts { x: acts.x.shallow_clone(), extra: acts.extra.iter().map(Tensor::shallow_clone).collect() }
}
