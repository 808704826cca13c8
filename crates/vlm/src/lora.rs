//! Low-rank adapters (LoRA, arXiv 2106.09685): a matrix `W` is used as `W + alpha / rank * B A`, where only the low-rank
//! factors `A` and `B` are trained.
//!
//! The sum is computed before the unit runs, so that any [`Unit`] can be adapted without code of its own, and the adapted
//! model computes what the merged one does. The price is one more matrix of the same size while the unit runs.

use std::sync::Arc;

use tch::Tensor;

use crate::context::Context;
use crate::error::{Error, Result};
use crate::model::Vlm;
use crate::unit::{Acts, Cache, Init, ParamDef, ParamSpec, Params, Part, Unit, Work};
use crate::weights::Weights;

/// Suffixes of the factors' names, in place of `weight`: PEFT's names.
const ENDS: [&str; 2] = ["lora_A.weight", "lora_B.weight"];

/// Rank and scale of adapters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adapter {
    /// Columns of `B` and rows of `A`.
    pub rank: i64,
    /// The product is multiplied by `alpha / rank`.
    pub alpha: f64,
}

impl Adapter {
    fn scale(self) -> f64 {
        self.alpha / self.rank as f64
    }

    /// `W + alpha / rank * B A`, in the kind of `W`.
    fn apply(self, name: &str, params: &dyn Fn(&str) -> Result<Tensor>) -> Result<Tensor> {
        let weight = params(name)?;
        let [a, b] = names_for(name);
        let product = params(&b)?.f_matmul(&params(&a)?)?;
        Ok(weight.f_add(&product.f_mul_scalar(self.scale())?.f_to_kind(weight.kind())?)?)
    }
}

/// True for the name of a low-rank factor.
#[must_use]
pub fn is_adapter(name: &str) -> bool {
    ENDS.iter().any(|end| name.ends_with(end))
}

/// Names of `A` and `B` of a matrix.
fn names_for(matrix: &str) -> [String; 2] {
    let stem = matrix.strip_suffix("weight").map_or_else(|| format!("{matrix}."), str::to_owned);
    ENDS.map(|end| format!("{stem}{end}"))
}

/// A unit some of whose matrices are adapted.
#[derive(Debug)]
struct Adapted {
    inner: Arc<dyn Unit>,
    matrices: Vec<ParamDef>,
    adapter: Adapter,
}

impl Adapted {
    /// The inner unit's parameters, with the change of each adapted matrix added.
    fn merged(&self, params: &Params) -> Result<Params> {
        let mut merged = Params::new();
        for (name, tensor) in params.iter() {
            merged.insert(name.clone(), tensor.shallow_clone());
        }
        for matrix in &self.matrices {
            let get = |name: &str| Ok(params.get(name)?.shallow_clone());
            merged.insert(matrix.name.clone(), self.adapter.apply(&matrix.name, &get)?);
        }
        Ok(merged)
    }
}

impl Unit for Adapted {
    fn name(&self) -> &str {
        self.inner.name()
    }

    /// The unit's own parameters, then `A` (small random numbers) and `B` (zeros) of each adapted matrix, so that an adapter
    /// changes nothing at first.
    fn spec(&self) -> ParamSpec {
        let mut defs = self.inner.spec().0;
        for matrix in &self.matrices {
            let [a, b] = names_for(&matrix.name);
            let (rank, [to, from]) = (self.adapter.rank, [matrix.shape[0], matrix.shape[1]]);
            defs.push(ParamDef::matrix(a, &[rank, from], (1.0 / from as f64).sqrt()));
            defs.push(ParamDef { init: Init::Zeros, ..ParamDef::matrix(b, &[to, rank], 0.0) });
        }
        ParamSpec(defs)
    }

    fn borrows(&self) -> Vec<String> {
        self.inner.borrows()
    }

    fn forward(&self, params: &Params, acts: Acts, context: &Context) -> Result<Acts> {
        self.inner.forward(&self.merged(params)?, acts, context)
    }

    fn step(&self, params: &Params, acts: Acts, context: &Context, cache: &mut Cache) -> Result<Acts> {
        self.inner.step(&self.merged(params)?, acts, context, cache)
    }

    fn flops(&self, work: &Work) -> f64 {
        self.inner.flops(work)
    }
}

impl Vlm {
    /// The same model with adapters on the matrices that `chosen` names.
    ///
    /// # Errors
    /// [`Error::Config`] if the rank is not positive, if nothing is chosen, or if another unit borrows a chosen matrix (a
    /// tied embedding: the borrower would not see the change).
    pub fn adapted(&self, adapter: Adapter, chosen: impl Fn(Part, &ParamDef) -> bool) -> Result<Self> {
        if adapter.rank < 1 || !adapter.alpha.is_finite() {
            return Err(Error::config("adapters need a rank of at least 1 and a finite alpha"));
        }
        let borrowed: Vec<String> = self.units().iter().flat_map(|(_, unit)| unit.borrows()).collect();
        let mut found = 0;
        let adapt = |part: Part, unit: &Arc<dyn Unit>| -> Result<Arc<dyn Unit>> {
            let matrices: Vec<ParamDef> =
                unit.spec().0.into_iter().filter(|def| def.shape.len() == 2 && chosen(part, def)).collect();
            if let Some(shared) = matrices.iter().find(|def| borrowed.contains(&def.name)) {
                return Err(Error::config(format!(
                    "{} is shared by two units and cannot have an adapter",
                    shared.name
                )));
            }
            found += matrices.len();
            Ok(if matrices.is_empty() {
                unit.clone()
            } else {
                Arc::new(Adapted { inner: unit.clone(), matrices, adapter })
            })
        };
        let model = self.map_units(adapt)?;
        if found == 0 {
            return Err(Error::config("the patterns for adapters match no matrix"));
        }
        Ok(model)
    }
}

/// The weights of the model without adapters: each adapted matrix includes its change, and the factors are gone.
///
/// # Errors
/// [`Error::MissingParameter`] if one factor of a pair is missing.
pub fn merge(weights: &Weights, adapter: Adapter) -> Result<Weights> {
    let mut merged = Weights::default();
    let get = |name: &str| Ok(weights.get(name)?.f_detach()?);
    for (name, tensor) in weights.iter().filter(|(name, _)| !is_adapter(name)) {
        let adapted = names_for(name).iter().any(|thin| weights.get(thin).is_ok());
        let tensor = if adapted { adapter.apply(name, &get)? } else { tensor.shallow_clone() };
        merged.insert(name.clone(), tensor);
    }
    Ok(merged)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Batch, ImageTokenId, LlamaConfig, Output, VisionConfig, VlmConfig};
    use tch::{Device, Kind};

    fn model(tie_word_embeddings: bool) -> Vlm {
        let vision = VisionConfig {
            hidden_size: 16,
            intermediate_size: 32,
            num_hidden_layers: 1,
            num_attention_heads: 2,
            image_size: 28,
            ..VisionConfig::default()
        };
        let language = LlamaConfig {
            hidden_size: 16,
            intermediate_size: 32,
            num_hidden_layers: 2,
            num_attention_heads: 2,
            num_key_value_heads: 1,
            vocab_size: 32,
            tie_word_embeddings,
            ..LlamaConfig::default()
        };
        let config = VlmConfig { vision, language, image_token_id: ImageTokenId(31), ..VlmConfig::default() };
        Vlm::new(config).unwrap()
    }

    fn logits(model: &Vlm, weights: &Weights) -> Tensor {
        let batch = Batch::of_ids(Tensor::from_slice(&[1_i64, 31, 31, 31, 31, 7, 8]).view([1, 7]));
        let context = Context::new(model.config(), &batch, Output::Logits, Device::Cpu, Kind::Float).unwrap();
        let image = Tensor::ones([1, 3, 28, 28], (Kind::Float, Device::Cpu));
        model.forward(weights, Some(&image), &context).unwrap()
    }

    #[test]
    fn an_adapter_changes_nothing_at_first_and_merges_exactly() {
        let plain = model(false);
        let adapter = Adapter { rank: 2, alpha: 6.0 };
        let projections = |part: Part, def: &ParamDef| part == Part::Language && def.name.contains("_proj");
        let adapted = plain.adapted(adapter, projections).unwrap();
        assert_eq!(adapted.parameters().len() - plain.parameters().len(), 2 * 7 * 2);
        let base = plain.init(3, Device::Cpu, Kind::Float).unwrap();
        let mut weights = adapted.init(3, Device::Cpu, Kind::Float).unwrap();
        let before = logits(&plain, &base);
        assert_eq!(logits(&adapted, &weights), before);

        for (_, _, def) in adapted.parameters().iter().filter(|(.., def)| def.name.ends_with(ENDS[1])) {
            let changed = ParamDef { init: Init::Normal { std: 0.3 }, ..def.clone() }.first_value(5).unwrap();
            weights.insert(def.name.clone(), changed);
        }
        let after = logits(&adapted, &weights);
        assert!((&after - &before).abs().max().double_value(&[]) > 1e-3);
        let merged = merge(&weights, adapter).unwrap();
        assert_eq!(merged.len(), base.len());
        assert_eq!(logits(&plain, &merged), after);
    }

    #[test]
    fn what_cannot_be_adapted_is_refused() {
        let adapter = Adapter { rank: 2, alpha: 4.0 };
        let embedding = |_: Part, def: &ParamDef| def.name.contains("embed_tokens");
        assert!(model(true).adapted(adapter, embedding).unwrap_err().to_string().contains("two units"));
        assert!(model(false).adapted(adapter, embedding).is_ok());
        assert!(model(false).adapted(adapter, |_, _| false).is_err());
        assert!(model(false).adapted(Adapter { rank: 0, alpha: 1.0 }, |_, _| true).is_err());
    }
}
