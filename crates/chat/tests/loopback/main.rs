//! The client against loopback servers.

mod faults;
mod killed;
mod resume;
mod server;
