//! What the tch bindings lack: fused optimiser steps, autocast dtypes, collectives.

mod error;

pub use error::{Error, Result};
