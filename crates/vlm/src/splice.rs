//! Token embedding, with the features of images in place of image tokens.

use tch::Tensor;

use crate::config::LlamaConfig;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::unit::{Acts, ParamDef, ParamSpec, Params, Unit, Work};

/// Prefix of the language model's parameters in a checkpoint.
pub(crate) const PREFIX: &str = "language_model.model";

/// Full name of the embedding matrix.
pub(crate) const EMBEDDING: &str = "language_model.model.embed_tokens.weight";

/// Features `[n,f,d]` (or none) and the context's ids to hidden states `[b,t,d]`.
#[derive(Debug)]
pub(crate) struct Splice {
    name: String,
    config: LlamaConfig,
}

impl Splice {
    pub(crate) fn new(config: &LlamaConfig) -> Self {
        Self { name: format!("{PREFIX}.embed_tokens"), config: config.clone() }
    }
}

/// Puts features where the context has image tokens. If it has none, the features are a dummy and are added with weight
/// zero, so that the graph is the same on every rank.
fn place(embedded: &Tensor, features: &Tensor, context: &Context) -> Result<Tensor> {
    let (b, t, d) = embedded.size3()?;
    let places = context.image_places.size1()?;
    let flat = features.f_reshape([-1, d])?.f_to_kind(embedded.kind())?;
    if places == 0 {
        return Ok(embedded.f_add(&flat.f_sum(embedded.kind())?.f_mul_scalar(0.0)?)?);
    }
    let found = flat.size()[0];
    if found != places {
        return Err(Error::ImageCount { places, features: found });
    }
    let spliced = embedded.f_reshape([b * t, d])?.f_index_copy(0, &context.image_places, &flat)?;
    Ok(spliced.f_view([b, t, d])?)
}

impl Unit for Splice {
    fn name(&self) -> &str {
        &self.name
    }

    fn spec(&self) -> ParamSpec {
        let c = &self.config;
        ParamSpec(vec![ParamDef::matrix(EMBEDDING, &[c.vocab_size, c.hidden_size], c.initializer_range)])
    }

    fn forward(&self, params: &Params, acts: Acts, context: &Context) -> Result<Acts> {
        let embedded = Tensor::f_embedding(params.get(EMBEDDING)?, &context.input_ids, -1, false, false)?;
        if acts.x.numel() > 0 {
            return Ok(Acts::new(place(&embedded, &acts.x, context)?));
        }
        match context.image_places.size1()? {
            0 => Ok(Acts::new(embedded)),
            places => Err(Error::ImageCount { places, features: 0 }),
        }
    }

    /// A lookup multiplies nothing.
    fn flops(&self, _: &Work) -> f64 {
        0.0
    }
}
