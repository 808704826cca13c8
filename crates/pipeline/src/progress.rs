use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Progress bars on standard error, with rate and time left. Nothing is drawn if standard error is not a terminal.
#[derive(Debug, Clone)]
pub struct Progress {
    bars: MultiProgress,
    #[cfg(feature = "train")]
    hidden: bool,
}

impl Default for Progress {
    fn default() -> Self {
        Progress {
            bars: MultiProgress::new(),
            #[cfg(feature = "train")]
            hidden: false,
        }
    }
}

impl Progress {
    /// Bars on standard error.
    pub fn new() -> Self {
        Self::default()
    }

    /// No bars at all, for tests and for callers with their own display.
    pub fn hidden() -> Self {
        Progress {
            bars: MultiProgress::with_draw_target(ProgressDrawTarget::hidden()),
            #[cfg(feature = "train")]
            hidden: true,
        }
    }

    /// A new bar below the others: of a known length, or a counter where the length is unknown.
    pub fn bar(&self, label: &str, total: Option<u64>, unit: &str) -> ProgressBar {
        let bar = match total {
            Some(total) => ProgressBar::new(total),
            None => ProgressBar::no_length(),
        };
        let bar = self.bars.add(bar);
        let template = match total {
            Some(_) => "{prefix:<32} {wide_bar} {pos}/{len} {msg} {per_sec} left {eta}",
            None => "{prefix:<32} {spinner} {pos} {msg} {per_sec} {elapsed}",
        };
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        bar.set_style(style);
        bar.set_prefix(label.to_owned());
        bar.set_message(unit.to_owned());
        bar.enable_steady_tick(Duration::from_millis(200));
        bar
    }

    /// A new bar that counts bytes, of a length that may be set later.
    pub fn bytes(&self, label: &str) -> ProgressBar {
        let bar = self.bars.add(ProgressBar::no_length());
        let template = "{prefix:<32} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} left {eta}";
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        bar.set_style(style);
        bar.set_prefix(label.to_owned());
        bar.enable_steady_tick(Duration::from_millis(200));
        bar
    }

    /// The same display for a training run: its bar appears below the others.
    #[cfg(feature = "train")]
    pub fn training(&self) -> tsumugi_train::Progress {
        if self.hidden {
            tsumugi_train::Progress::hidden()
        } else {
            tsumugi_train::Progress::with_bars(self.bars.clone())
        }
    }

    /// Writes a line above the bars (to standard error, also where it is not a terminal).
    pub fn line(&self, text: &str) {
        if self.bars.is_hidden() || self.bars.println(text).is_err() {
            eprintln!("{text}");
        }
    }
}
