//! The report of a whole run: one self-contained HTML page.

mod funnel;
mod html;
mod picture;
mod samples;
mod sheet;
#[cfg(all(feature = "train", feature = "eval"))]
mod training;
#[cfg(feature = "eval")]
mod verdict;

pub use funnel::funnel_section;
pub use html::{Page, escape};
pub use picture::data_url;
pub use samples::{conversation_samples, interleaved_samples, pair_samples};
pub use sheet::contact_sheet;
#[cfg(all(feature = "train", feature = "eval"))]
pub use training::training_section;
#[cfg(feature = "eval")]
pub use verdict::verdict_section;
