//! Payloads: transfer and content codings removed, with a limit on memory.

pub(crate) mod chunked;
mod coding;
mod decode;
mod inflate;
mod stream;

pub use coding::{Coding, PayloadFault, PayloadLimits, PayloadNote};
pub use decode::Payload;
pub(crate) use stream::HEAD;
pub use stream::PayloadReader;
