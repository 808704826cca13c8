//! The client against loopback servers.

mod faults;
mod resume;
mod server;
