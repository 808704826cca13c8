//! The client against loopback servers.

mod batches;
mod faults;
mod killed;
mod resume;
mod server;
