//! What the tch bindings lack: fused optimiser steps, autocast dtypes, collectives.
