//! Loopback servers and fixtures that tests of several crates share.
//!
//! [`Server`] answers HTTP/1.1 on a free port of this machine with the [`Reply`] that a closure returns for a
//! [`Request`]. It misbehaves on demand: it cuts connections, stalls, lies about lengths, ignores ranges, drips bytes
//! or never ends. [`chat`] builds replies of an OpenAI-compatible API.
//!
//! ```
//! use std::io::{Read, Write};
//! use tsumugi_testkit::{Reply, Server};
//!
//! let server = Server::start(|_| Reply::new(200, "0123456789").cut_after(4));
//! let mut client = std::net::TcpStream::connect(server.authority())?;
//! client.write_all(b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n")?;
//! let mut answer = String::new();
//! client.read_to_string(&mut answer)?;
//! assert!(answer.ends_with("\r\n\r\n0123"));
//! # Ok::<(), std::io::Error>(())
//! ```
#![forbid(unsafe_code)]
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking, also in its helpers")]

pub mod chat;
mod fixtures;
mod forward;
mod reply;
mod request;
mod server;

pub use crate::fixtures::{Random, bitmap};
pub use crate::reply::Reply;
pub use crate::request::Request;
pub use crate::server::{Server, closed_port};

/// The README's example, compiled and run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
