//! The last unit: final norm, head and loss.

use tch::Tensor;
use tsumugi_torch_ext::linear_cross_entropy;

use crate::config::LlamaConfig;
use crate::context::{Context, Output};
use crate::error::Result;
use crate::norm::rms_norm;
use crate::splice::{EMBEDDING, PREFIX};
use crate::unit::{Acts, ParamDef, ParamSpec, Params, Unit, Work};

/// Full name of the head's matrix, if it is not tied to the embedding.
pub(crate) const HEAD: &str = "language_model.lm_head.weight";

/// Logits that exist at one time (64 MB in float32), unless that leaves fewer than [`SMALLEST_CHUNK`] rows.
const CHUNK_LOGITS: i64 = 1 << 24;

/// The same on a GPU (1 GB), which needs larger products to be busy: with few rows it would spend most of its time adding
/// up the gradient of the matrix, once for each chunk.
const CHUNK_LOGITS_GPU: i64 = 1 << 28;

/// Fewest rows of a chunk: below that, matrix products get slow.
const SMALLEST_CHUNK: i64 = 256;

/// Turns hidden states `[b,t,d]` into what [`Context::output`] asks for.
#[derive(Debug)]
pub(crate) struct Head {
    name: String,
    config: LlamaConfig,
}

impl Head {
    pub(crate) fn new(config: &LlamaConfig) -> Self {
        Self { name: format!("{PREFIX}.norm"), config: config.clone() }
    }

    /// Name of the matrix that computes logits.
    fn matrix(&self) -> &'static str {
        if self.config.tie_word_embeddings { EMBEDDING } else { HEAD }
    }

    /// The final norm.
    fn norm(&self, params: &Params, x: &Tensor) -> Result<Tensor> {
        rms_norm(x, params.at(&self.name, "weight")?, self.config.rms_norm_eps)
    }

    /// Logits of normed hidden states.
    fn logits(&self, params: &Params, normed: &Tensor) -> Result<Tensor> {
        let none: Option<Tensor> = None;
        Ok(normed.f_linear(params.get(self.matrix())?, none)?)
    }

    /// Sum of the cross entropies, computed only where there are targets, a chunk at a time.
    fn loss(&self, params: &Params, x: &Tensor, context: &Context) -> Result<Tensor> {
        let (b, t, d) = x.size3()?;
        let rows = x.f_reshape([b * t, d])?.f_index_select(0, &context.target_places)?;
        let normed = self.norm(params, &rows)?;
        let matrix = params.get(self.matrix())?;
        let logits = if x.device().is_cuda() { CHUNK_LOGITS_GPU } else { CHUNK_LOGITS };
        let chunk = (logits / self.config.vocab_size).max(SMALLEST_CHUNK);
        Ok(linear_cross_entropy(&normed, matrix, &context.target_ids, chunk)?)
    }
}

impl Unit for Head {
    fn name(&self) -> &str {
        &self.name
    }

    fn spec(&self) -> ParamSpec {
        let c = &self.config;
        let mut defs = Vec::new();
        if !c.tie_word_embeddings {
            defs.push(ParamDef::matrix(HEAD, &[c.vocab_size, c.hidden_size], c.initializer_range));
        }
        defs.push(ParamDef::norm(format!("{}.weight", self.name), c.hidden_size));
        ParamSpec(defs)
    }

    fn borrows(&self) -> Vec<String> {
        if self.config.tie_word_embeddings { vec![EMBEDDING.to_owned()] } else { Vec::new() }
    }

    fn forward(&self, params: &Params, acts: Acts, context: &Context) -> Result<Acts> {
        Ok(Acts::new(match context.output {
            Output::Loss => self.loss(params, &acts.x, context)?,
            Output::Logits => self.logits(params, &self.norm(params, &acts.x)?)?,
            Output::Hidden => self.norm(params, &acts.x)?,
        }))
    }

    /// Training computes logits only where there is loss.
    fn flops(&self, work: &Work) -> f64 {
        2.0 * work.targets * (self.config.vocab_size * self.config.hidden_size) as f64
    }
}
