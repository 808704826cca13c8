//! Units: the parts that a model is made of, and the contract between models and trainers.
//!
//! A model is a chain of [`Unit`]s: patch embedding, each vision layer, projector, token embedding with splice, each
//! decoder layer, final norm with head and loss. A unit is a **pure function** of its parameters, its input and the
//! batch. It owns no tensor, so it is `Send + Sync` and can be shared, and its runner decides where the parameters live.
//!
//! ```text
//! pixels [n,3,h,w] -> vision units -> projector -> features [n,f,d] --+
//!                                                                     v
//! Context::input_ids [b,t] ------------------------------> splice -> x [b,t,d] -> decoder layers -> head -> loss or logits
//! ```
//!
//! What a runner may rely on:
//!
//! - **One chain.** The output of a unit is the input of the next. A batch without images starts at the first unit of
//!   [`Part::Language`], with [`Acts::empty`] as its input. A rank that must run the vision units anyway (so that
//!   sharded ranks stay in step) feeds them a dummy image: features for which [`Context`] has no places are added with
//!   weight zero.
//! - **Parameters by name.** [`Unit::spec`] lists what a unit owns, under the names of the checkpoint. [`Params`] holds
//!   separate tensors ([`Params::insert`], for inference) or views of one flat buffer ([`Params::split`], for training):
//!   the backward of one split is one concatenation, so the gradient is flat too.
//! - **Borrowed parameters.** A tied head lists the embedding in [`Unit::borrows`]. The runner puts the owner's tensor
//!   into the borrower's `Params` and adds the two gradients.
//! - **Frozen units.** No unit asks whether it is trained. Units before the first trained one run under
//!   `tch::no_grad`; later frozen ones run on parameters without `requires_grad`.
//! - **Recomputation.** `forward` has no state and no randomness, so running it again on the detached input gives the
//!   same numbers.
//! - **Generation.** [`Unit::step`] continues rows by new positions. Units that mix positions keep what they need of
//!   earlier ones in a [`Cache`].
//! - **Precision.** A unit computes in the kind of its parameters (`Float` or `BFloat16`), norms and the loss in
//!   float32. The first unit that reads an input of another kind casts it.

use std::collections::HashMap;

use tch::{Kind, Tensor};

use crate::context::Context;
use crate::error::{Error, Result};

/// The parts of a vision-language model, in the order data flows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part {
    /// The vision tower.
    Vision,
    /// The projector from its features to the language model.
    Projector,
    /// The language model, from the token embedding to the head.
    Language,
}

/// How a parameter is initialised if no checkpoint holds it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Init {
    /// All zeros (biases).
    Zeros,
    /// All ones (norm weights).
    Ones,
    /// Normal distribution around zero.
    Normal {
        /// Standard deviation.
        std: f64,
    },
}

/// One parameter of a unit.
#[derive(Debug, Clone, PartialEq)]
pub struct ParamDef {
    /// Full name in a checkpoint, such as `language_model.model.layers.0.self_attn.q_proj.weight`.
    pub name: String,
    /// Sizes of the dimensions.
    pub shape: Vec<i64>,
    /// Initial value if no checkpoint holds it.
    pub init: Init,
    /// Whether weight decay applies: true for matrices, false for biases and norms.
    pub decay: bool,
}

impl ParamDef {
    /// A matrix (or a convolution, or an embedding): normally distributed, with weight decay.
    #[must_use]
    pub fn matrix(name: impl Into<String>, shape: &[i64], std: f64) -> Self {
        Self { name: name.into(), shape: shape.to_vec(), init: Init::Normal { std }, decay: true }
    }

    /// A bias: zero, without weight decay.
    #[must_use]
    pub fn bias(name: impl Into<String>, size: i64) -> Self {
        Self { name: name.into(), shape: vec![size], init: Init::Zeros, decay: false }
    }

    /// A norm's weight: one, without weight decay.
    #[must_use]
    pub fn norm(name: impl Into<String>, size: i64) -> Self {
        Self { name: name.into(), shape: vec![size], init: Init::Ones, decay: false }
    }

    /// Number of elements.
    #[must_use]
    pub fn numel(&self) -> i64 {
        self.shape.iter().product()
    }
}

/// The parameters a unit owns, in a fixed order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ParamSpec(pub Vec<ParamDef>);

impl ParamSpec {
    /// Number of elements of all parameters together.
    #[must_use]
    pub fn numel(&self) -> i64 {
        self.0.iter().map(ParamDef::numel).sum()
    }

    /// The parameters in order.
    pub fn iter(&self) -> std::slice::Iter<'_, ParamDef> {
        self.0.iter()
    }
}

impl<'a> IntoIterator for &'a ParamSpec {
    type Item = &'a ParamDef;
    type IntoIter = std::slice::Iter<'a, ParamDef>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

/// The tensors of one unit by full name: handles, not copies.
#[derive(Debug, Default)]
pub struct Params(HashMap<String, Tensor>);

impl Params {
    /// An empty set.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Splits a flat buffer into the tensors of `defs`, in their order, by one split and views: the buffer's gradient is
    /// then one concatenation.
    ///
    /// # Errors
    /// [`Error::Torch`] if the buffer is not one-dimensional or its length is not the sum of the parameters' sizes.
    pub fn split<'a>(defs: impl IntoIterator<Item = &'a ParamDef>, flat: &Tensor) -> Result<Self> {
        let mut params = Self::new();
        params.add_split(defs, flat)?;
        Ok(params)
    }

    /// Like [`Params::split`], into a set that already has members (a unit's decayed and undecayed buffers).
    ///
    /// # Errors
    /// As [`Params::split`].
    pub fn add_split<'a>(
        &mut self,
        defs: impl IntoIterator<Item = &'a ParamDef>,
        flat: &Tensor,
    ) -> Result<()> {
        let defs: Vec<&ParamDef> = defs.into_iter().collect();
        let sizes: Vec<i64> = defs.iter().map(|d| d.numel()).collect();
        if defs.is_empty() {
            return Ok(());
        }
        for (def, piece) in defs.iter().zip(flat.f_split_with_sizes(&sizes[..], 0)?) {
            self.0.insert(def.name.clone(), piece.f_view(&def.shape[..])?);
        }
        Ok(())
    }

    /// Adds or replaces one tensor.
    pub fn insert(&mut self, name: impl Into<String>, tensor: Tensor) {
        self.0.insert(name.into(), tensor);
    }

    /// The tensor of this full name.
    ///
    /// # Errors
    /// [`Error::MissingParameter`] naming it.
    pub fn get(&self, name: &str) -> Result<&Tensor> {
        self.0.get(name).ok_or_else(|| Error::MissingParameter { name: name.to_owned() })
    }

    /// The tensor `prefix.name`.
    ///
    /// # Errors
    /// As [`Params::get`].
    pub fn at(&self, prefix: &str, name: &str) -> Result<&Tensor> {
        let mut full = String::with_capacity(prefix.len() + 1 + name.len());
        full.push_str(prefix);
        full.push('.');
        full.push_str(name);
        self.get(&full)
    }

    /// All tensors, in arbitrary order.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &Tensor)> {
        self.0.iter()
    }
}

/// Activations: what flows from unit to unit. All of it is differentiable: a runner that cuts the graph between units
/// detaches each of these tensors and passes their gradients back.
#[derive(Debug)]
pub struct Acts {
    /// The main stream: pixels `[n,3,h,w]`, features `[n,f,d]`, hidden states `[b,t,d]`, logits `[b,t,v]` or the loss.
    pub x: Tensor,
    /// Further streams of models that have them; empty in the models of this crate.
    pub extra: Vec<Tensor>,
}

impl Acts {
    /// A single stream.
    #[must_use]
    pub fn new(x: Tensor) -> Self {
        Self { x, extra: Vec::new() }
    }

    /// The input of the first language unit for a batch without images: no features.
    #[must_use]
    pub fn empty(device: tch::Device) -> Self {
        Self::new(Tensor::zeros([0, 0, 0], (Kind::Float, device)))
    }

    /// The same tensors without their history.
    #[must_use]
    pub fn detach(&self) -> Self {
        Self { x: self.x.detach(), extra: self.extra.iter().map(Tensor::detach).collect() }
    }
}

/// The work that a batch gives a unit, as far as it decides the number of operations.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Work {
    /// Vectors that go through the unit: patches of all images, or tokens.
    pub positions: f64,
    /// Pairs of positions that attend to each other before any mask: the sum of the squared lengths of images or
    /// samples.
    pub pairs: f64,
    /// Positions with loss.
    pub targets: f64,
}

/// What a unit remembers of the earlier positions of rows that are being continued, such as keys and values.
#[derive(Debug, Default)]
pub struct Cache {
    /// Any tensors whose first dimension is the row.
    pub tensors: Vec<Tensor>,
}

impl Cache {
    /// Replaces the rows by those of these indices `[b]`: how beams split and die.
    pub(crate) fn select(&mut self, rows: &Tensor) -> Result<()> {
        for tensor in &mut self.tensors {
            *tensor = tensor.f_index_select(0, rows)?;
        }
        Ok(())
    }
}

/// One part of a model: a pure function of parameters, input and batch.
///
/// An implementation holds sizes and names only. Everything else that it needs of the batch (token ids, attention,
/// positions) is in the [`Context`].
pub trait Unit: Send + Sync + std::fmt::Debug {
    /// Unique in its model, such as `language_model.model.layers.0`.
    fn name(&self) -> &str;

    /// The parameters the unit owns. The order is fixed: flat buffers are laid out by it.
    fn spec(&self) -> ParamSpec;

    /// Full names of parameters which `forward` reads but another unit owns (a tied head: the embedding).
    fn borrows(&self) -> Vec<String> {
        Vec::new()
    }

    /// Floating-point operations of one forward pass, counting a multiplication and its addition as two. The default
    /// multiplies every matrix of the unit with every position once, which is right for linear layers.
    fn flops(&self, work: &Work) -> f64 {
        let matrices = self.spec().0.into_iter().filter(|def| def.shape.len() > 1);
        2.0 * work.positions * matrices.map(|def| def.numel() as f64).sum::<f64>()
    }

    /// Runs the unit.
    ///
    /// # Errors
    /// [`Error::MissingParameter`] if `params` lacks one of the unit's, [`Error::ImageCount`] if features and places do
    /// not agree, [`Error::Torch`] if LibTorch refuses (shapes, memory).
    fn forward(&self, params: &Params, acts: Acts, context: &Context) -> Result<Acts>;

    /// Runs the unit on the next positions of rows that are being continued. The context describes the new positions
    /// only. A mask in it is `[b,1,t_new,t_all]`; without one, the new positions are causal among themselves and attend
    /// to all before.
    ///
    /// The default is right for units that treat each position by itself. A unit that mixes positions reads earlier ones
    /// from `cache`, which is empty at first, and adds the new ones to it.
    ///
    /// # Errors
    /// As [`Unit::forward`].
    fn step(&self, params: &Params, acts: Acts, context: &Context, cache: &mut Cache) -> Result<Acts> {
        let _ = cache;
        self.forward(params, acts, context)
    }
}
