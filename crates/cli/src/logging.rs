//! One logger for all crates: lines on standard error, above the progress bars.

use std::io::{IsTerminal as _, Write};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tsumugi_pipeline::Progress;

/// Starts logging. `RUST_LOG` says what is logged; without it `-q` leaves errors only, and each `-v` adds detail.
pub(crate) fn start(quiet: bool, verbose: u8, progress: &Progress) {
    let level = match (quiet, verbose) {
        (true, _) => "error",
        (false, 0) => "info",
        (false, 1) => "info,tsumugi=debug",
        (false, 2) => "debug,tsumugi=trace",
        (false, _) => "trace",
    };
    let filter = match std::env::var(EnvFilter::DEFAULT_ENV) {
        Ok(filter) if !filter.is_empty() => EnvFilter::new(filter),
        _ => EnvFilter::new(level),
    };
    let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(colour)
        .with_writer(Above(progress.clone()));
    // Where a logger is set already, as in a program that calls this one, it stays.
    let _ = if verbose == 0 { lines.without_time().with_target(false).try_init() } else { lines.try_init() };
}

/// Writes above the progress bars.
struct Above(Progress);

impl<'a> MakeWriter<'a> for Above {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line { progress: &self.0, text: Vec::new() }
    }
}

/// One event on its way out: it is written as a whole when it is complete.
struct Line<'a> {
    progress: &'a Progress,
    text: Vec<u8>,
}

impl Write for Line<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        let text = String::from_utf8_lossy(&self.text);
        if !text.trim_end().is_empty() {
            self.progress.line(text.trim_end());
        }
    }
}
