//! Progress of a run.

use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::metrics::StepMetrics;

/// Where the progress of a run is shown.
#[derive(Debug, Clone)]
pub struct Progress {
    bars: Option<MultiProgress>,
}

impl Progress {
    /// A bar on standard error, or a line every few seconds if standard error is not a terminal.
    pub fn stderr() -> Self {
        Self::with_bars(MultiProgress::with_draw_target(ProgressDrawTarget::stderr()))
    }

    /// A bar below those of a caller that already shows some, or lines on standard error if it is not a terminal.
    pub fn with_bars(bars: MultiProgress) -> Self {
        Self { bars: Some(bars) }
    }

    /// Shows nothing.
    pub fn hidden() -> Self {
        Self { bars: None }
    }

    /// Writes a line.
    pub fn line(&self, text: &str) {
        match &self.bars {
            Some(bars) if !bars.is_hidden() => {
                let _ = bars.println(text);
            }
            Some(_) => eprintln!("{text}"),
            None => {}
        }
    }

    /// The bar of a stage that begins or resumes at a fraction of its duration.
    pub(crate) fn stage(&self, label: &str, at: f64) -> StageProgress {
        let bar = match &self.bars {
            Some(bars) if !bars.is_hidden() => bars.add(ProgressBar::new(PARTS)),
            _ => ProgressBar::hidden(),
        };
        if let Ok(style) = ProgressStyle::with_template("{prefix:<14} {bar:24} {msg}") {
            bar.set_style(style);
        }
        bar.set_prefix(label.to_owned());
        let lines = self.bars.is_some() && bar.is_hidden();
        let now = Instant::now();
        StageProgress {
            bar,
            label: label.to_owned(),
            lines,
            began: now,
            began_at: at,
            last_line: None,
            rate: Rate::default(),
        }
    }
}

/// Steps of a bar.
const PARTS: u64 = 1000;
/// Time between two lines if there is no terminal.
const BETWEEN_LINES: Duration = Duration::from_secs(5);

pub(crate) struct StageProgress {
    bar: ProgressBar,
    label: String,
    lines: bool,
    began: Instant,
    began_at: f64,
    last_line: Option<Instant>,
    rate: Rate,
}

impl StageProgress {
    /// Shows a step; `done` is the finished fraction of the stage.
    pub(crate) fn step(&mut self, metrics: &StepMetrics, done: f64) {
        self.rate.add(metrics);
        let elapsed = self.began.elapsed().as_secs_f64();
        let advanced = done - self.began_at;
        let left = if advanced > 0.0 { elapsed * (1.0 - done).max(0.0) / advanced } else { 0.0 };
        let (tokens, images) = self.rate.per_second();
        let text = format!(
            "step {} loss {:.4} {tokens:.0} tokens/s {images:.1} images/s MFU {:.0}% {} MiB left {}",
            metrics.step,
            metrics.loss,
            100.0 * metrics.mfu,
            metrics.peak_memory_mib,
            clock(left)
        );
        self.bar.set_position((done * PARTS as f64) as u64);
        self.bar.set_message(text.clone());
        if self.lines && self.last_line.is_none_or(|at| at.elapsed() >= BETWEEN_LINES) {
            eprintln!("{} {:.0}% {text}", self.label, 100.0 * done);
            self.last_line = Some(Instant::now());
        }
    }

    pub(crate) fn finish(&self, text: &str) {
        self.bar.finish_with_message(text.to_owned());
        if self.lines {
            eprintln!("{} done: {text}", self.label);
        }
    }
}

/// An exponentially weighted rate over about the last ten steps.
#[derive(Default)]
struct Rate {
    tokens: f64,
    images: f64,
    seconds: f64,
}

impl Rate {
    fn add(&mut self, metrics: &StepMetrics) {
        const KEPT: f64 = 0.9;
        self.tokens = self.tokens * KEPT + metrics.tokens as f64;
        self.images = self.images * KEPT + metrics.images as f64;
        self.seconds = self.seconds * KEPT + metrics.seconds;
    }

    fn per_second(&self) -> (f64, f64) {
        let seconds = self.seconds.max(1e-9);
        (self.tokens / seconds, self.images / seconds)
    }
}

fn clock(seconds: f64) -> String {
    let s = seconds.round() as u64;
    match s {
        0..60 => format!("{s}s"),
        60..3600 => format!("{}m{:02}s", s / 60, s % 60),
        _ => format!("{}h{:02}m", s / 3600, s % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use indicatif::TermLike;

    use super::*;

    /// A terminal that keeps what is written to it.
    #[derive(Debug, Clone, Default)]
    struct Screen(Arc<Mutex<String>>);

    impl TermLike for Screen {
        fn width(&self) -> u16 {
            120
        }

        fn move_cursor_up(&self, _: usize) -> std::io::Result<()> {
            Ok(())
        }

        fn move_cursor_down(&self, _: usize) -> std::io::Result<()> {
            Ok(())
        }

        fn move_cursor_right(&self, _: usize) -> std::io::Result<()> {
            Ok(())
        }

        fn move_cursor_left(&self, _: usize) -> std::io::Result<()> {
            Ok(())
        }

        fn write_line(&self, text: &str) -> std::io::Result<()> {
            self.write_str(text)
        }

        fn write_str(&self, text: &str) -> std::io::Result<()> {
            self.0.lock().unwrap().push_str(text);
            Ok(())
        }

        fn clear_line(&self) -> std::io::Result<()> {
            Ok(())
        }

        fn flush(&self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_stage_is_shown_on_the_callers_bars() {
        let screen = Screen::default();
        let target = ProgressDrawTarget::term_like(Box::new(screen.clone()));
        let progress = Progress::with_bars(MultiProgress::with_draw_target(target));
        let mut stage = progress.stage("align", 0.0);
        let metrics = StepMetrics { step: 3, loss: 1.25, seconds: 1.0, ..Default::default() };
        stage.step(&metrics, 0.5);
        stage.bar.tick();
        progress.line("model written");
        let shown = screen.0.lock().unwrap().clone();
        assert!(shown.contains("align") && shown.contains("loss 1.2500"), "{shown}");
        assert!(shown.contains("model written"), "{shown}");
    }
}
