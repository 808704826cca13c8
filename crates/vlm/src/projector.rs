//! Projectors: from the vision tower's features to the language model's width.

use std::sync::Arc;

use tch::Tensor;

use crate::config::{ProjectorKind, VlmConfig};
use crate::context::Context;
use crate::error::Result;
use crate::unit::{Acts, ParamDef, ParamSpec, Params, Unit};

const NAME: &str = "multi_modal_projector";

/// The projectors of LLaVA and VILA. One unit, `[n,f,d_vision]` to `[n,f',d_language]`.
#[derive(Debug, Clone)]
pub struct VilaProjector {
    kind: ProjectorKind,
    from: i64,
    to: i64,
    grid: i64,
}

impl VilaProjector {
    /// The projector of a model of these sizes.
    #[must_use]
    pub fn new(config: &VlmConfig) -> Self {
        Self {
            kind: config.projector.kind,
            from: config.vision.hidden_size,
            to: config.language.hidden_size,
            grid: config.vision.grid(),
        }
    }

    /// Its only unit.
    #[must_use]
    pub fn units(&self) -> Vec<Arc<dyn Unit>> {
        vec![Arc::new(self.clone())]
    }
}

impl Unit for VilaProjector {
    fn name(&self) -> &str {
        NAME
    }

    fn spec(&self) -> ParamSpec {
        let mut defs = Vec::new();
        let mut linear = |name: &str, from: i64, to: i64| {
            let std = (1.0 / from as f64).sqrt();
            defs.push(ParamDef::matrix(format!("{NAME}.{name}.weight"), &[to, from], std));
            defs.push(ParamDef::bias(format!("{NAME}.{name}.bias"), to));
        };
        match self.kind {
            ProjectorKind::Linear => linear("linear_1", self.from, self.to),
            ProjectorKind::Mlp2xGelu => {
                linear("linear_1", self.from, self.to);
                linear("linear_2", self.to, self.to);
            }
            ProjectorKind::MlpDownsample => {
                linear("linear_1", 4 * self.from, self.to);
                linear("linear_2", self.to, self.to);
                defs.push(ParamDef::norm(format!("{NAME}.norm.weight"), 4 * self.from));
                defs.push(ParamDef::bias(format!("{NAME}.norm.bias"), 4 * self.from));
            }
        }
        ParamSpec(defs)
    }

    fn forward(&self, params: &Params, acts: Acts, _: &Context) -> Result<Acts> {
        let get = |name: &str| params.at(NAME, name);
        let linear = |x: &Tensor, name: &str| -> Result<Tensor> {
            Ok(x.f_linear(get(&format!("{name}.weight"))?, Some(get(&format!("{name}.bias"))?))?)
        };
        let x = acts.x.f_to_kind(get("linear_1.weight")?.kind())?;
        let x = match self.kind {
            ProjectorKind::Linear => return Ok(Acts::new(linear(&x, "linear_1")?)),
            ProjectorKind::Mlp2xGelu => x,
            ProjectorKind::MlpDownsample => {
                let joined = join_squares(&x, self.grid)?;
                let (weight, bias) = (get("norm.weight")?, get("norm.bias")?);
                joined.f_layer_norm([4 * self.from], Some(weight), Some(bias), 1e-5, true)?
            }
        };
        Ok(Acts::new(linear(&linear(&x, "linear_1")?.f_gelu("none")?, "linear_2")?))
    }
}

/// Concatenates each square of 2 x 2 features; an odd grid is padded with zeros.
fn join_squares(x: &Tensor, grid: i64) -> Result<Tensor> {
    let (n, _, d) = x.size3()?;
    let odd = grid % 2;
    let even = grid + odd;
    let x = x.f_reshape([n, grid, grid, d])?.f_constant_pad_nd([0, 0, 0, odd, 0, odd])?;
    let half = even / 2;
    let x = x.f_reshape([n, even, half, 2 * d])?.f_permute([0, 2, 1, 3])?.f_contiguous()?;
    Ok(x.f_reshape([n, half * half, 4 * d])?)
}
