//! The VILA trainer: stages, mixtures, packing, optimiser, checkpoints, callbacks.
