//! The engine: a model's parameters in flat buffers, forward and backward by unit, and the optimiser.

mod core;
mod flat;
mod optimizer;
mod pass;
mod state;
mod tune;

pub use self::core::{Engine, Updated};
pub use flat::{Group, Treatment, UnitBuffers};
pub use state::EngineState;
pub use tune::names;
pub(crate) use tune::planned;
