//! A small C++ shim over LibTorch for what the tch bindings lack: fused optimiser steps, gradients of parts of a graph, a
//! cross entropy that never holds all logits, autocast kinds, and loading LibTorch's CUDA libraries.
//!
//! All unsafe code is in one private module. Every function of the shim catches C++ exceptions and returns them as
//! [`Error`].
//!
//! ```
//! use tch::{Device, Kind, Tensor};
//! use tsumugi_torch_ext::{AdamW, Slot};
//!
//! let param = Tensor::ones([4], (Kind::Float, Device::Cpu));
//! let grad = Tensor::ones([4], (Kind::Float, Device::Cpu));
//! let (mean, square) = (param.zeros_like(), param.zeros_like());
//! let adam = AdamW { lr: 0.1, ..AdamW::default() };
//! adam.step(&[Slot { param: &param, grad: &grad, mean: &mean, square: &square }], 1)?;
//! assert!((param.double_value(&[0]) - 0.9).abs() < 1e-6);
//! # Ok::<(), tsumugi_torch_ext::Error>(())
//! ```

mod autograd;
mod error;
mod ffi;
mod optim;
mod runtime;

pub use autograd::{grad, linear_cross_entropy};
pub use error::{Error, Result};
pub use optim::{AdamW, Slot, clip_global_norm, global_norm, scale};
pub use runtime::{autocast, best_device, keep_freed_memory, load_cuda, set_numerics};
