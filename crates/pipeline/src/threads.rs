//! How many threads a run uses.

use crate::Error;

/// Runs `work` on a rayon pool of `threads` threads; 0 is one a core.
///
/// # Errors
/// Where the threads cannot be made, or `work` fails.
pub fn with_threads<T: Send>(
    threads: usize,
    work: impl FnOnce() -> Result<T, Error> + Send,
) -> Result<T, Error> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    pool.map_err(Error::step("threads", threads.to_string()))?.install(work)
}
