//! The client against loopback servers.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod batches;
mod faults;
mod killed;
mod refusals;
mod resume;
mod server;
mod shelf;
