//! Lowering: rows of every table become [`Sample`](crate::Sample)s.
//!
//! Each function is pure: it turns a row and a template into a sample or the reason for dropping the row.

mod conversation;
mod llava;
mod template;
mod web;

pub use conversation::lower_conversation;
pub(crate) use conversation::write_messages;
pub use llava::{LlavaItem, LlavaTurn, Names, lower_llava};
pub(crate) use template::IMAGE_MARK;
pub use template::{Lowered, Template, TurnFormat};
pub use web::{lower_interleaved, lower_pair};
