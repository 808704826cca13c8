//! When the next request to a host may start.

use std::time::Duration;

use tokio::time::Instant;

/// The pace of requests to a host.
#[derive(Debug, Default)]
pub(super) struct Pace {
    paused_until: Option<Instant>,
    last_start: Option<Instant>,
    /// When the host last asked for fewer requests.
    slowed_at: Option<Instant>,
    /// Time between two requests that `robots.txt` asks for.
    crawl_delay: Duration,
    /// Time between two requests because the host was overloaded.
    slowdown: Duration,
}

/// Why a request may not start yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hold {
    /// The host is paused until then.
    Paused(Instant),
    /// The next request may start then.
    Next(Instant),
}

impl Pace {
    /// Starts a request, unless it is too early for one.
    pub(super) fn start(&mut self, now: Instant) -> Result<(), Hold> {
        if let Some(until) = self.paused_until.filter(|until| *until > now) {
            return Err(Hold::Paused(until));
        }
        let next = self.last_start.map(|last| last + self.crawl_delay.max(self.slowdown));
        if let Some(next) = next.filter(|next| *next > now) {
            return Err(Hold::Next(next));
        }
        self.last_start = Some(now);
        Ok(())
    }

    /// Whether the host is paused.
    pub(super) fn is_paused(&self, now: Instant) -> bool {
        self.paused_until.is_some_and(|until| until > now)
    }

    /// Pauses the host. A longer pause from before stays in effect.
    pub(super) fn pause(&mut self, until: Instant) {
        self.paused_until = self.paused_until.max(Some(until));
    }

    /// Keeps at least this time between two requests.
    pub(super) fn keep_delay(&mut self, delay: Duration) {
        self.crawl_delay = self.crawl_delay.max(delay);
    }

    /// Doubles the time between two requests, from `first` up to `longest`, because the host is overloaded. The answers to
    /// requests from before the last time (`sent`) are one complaint with it.
    pub(super) fn slow_down(&mut self, sent: Instant, now: Instant, first: Duration, longest: Duration) {
        if self.slowed_at.is_some_and(|at| sent <= at) {
            return;
        }
        self.slowed_at = Some(now);
        self.slowdown = self.slowdown.saturating_mul(2).max(first).min(longest);
        self.pause(now + self.slowdown);
    }

    /// Halves the time between two requests after an answer, and forgets it below `first`.
    pub(super) fn speed_up(&mut self, first: Duration) {
        self.slowdown /= 2;
        if self.slowdown < first {
            self.slowdown = Duration::ZERO;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Duration = Duration::from_secs(1);
    const LONGEST: Duration = Duration::from_secs(5);

    #[tokio::test]
    async fn an_overloaded_host_is_asked_less_often_until_it_answers() {
        let (mut pace, start) = (Pace::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(pace.start(at(0)), Ok(()));
        assert_eq!(pace.start(at(0)), Ok(()));
        // Both requests fail, which is one complaint.
        pace.slow_down(at(0), at(1), FIRST, LONGEST);
        pace.slow_down(at(0), at(1), FIRST, LONGEST);
        assert_eq!(pace.start(at(1)), Err(Hold::Paused(at(2))));
        assert_eq!(pace.start(at(2)), Ok(()));
        for until in [5, 10, 15] {
            let sent = at(until - 2);
            pace.slow_down(sent, sent, FIRST, LONGEST);
            let wait = pace.slowdown;
            assert_eq!(pace.start(sent), Err(Hold::Paused(sent + wait)));
        }
        assert_eq!(pace.slowdown, LONGEST);
        assert_eq!(pace.start(at(20)), Ok(()));
        pace.speed_up(FIRST);
        assert_eq!(pace.start(at(21)), Err(Hold::Next(at(20) + LONGEST / 2)));
        pace.speed_up(FIRST);
        pace.speed_up(FIRST);
        assert_eq!(pace.start(at(21)), Ok(()));
    }

    #[tokio::test]
    async fn a_crawl_delay_is_kept_between_requests() {
        let (mut pace, start) = (Pace::default(), Instant::now());
        pace.keep_delay(Duration::from_secs(3));
        pace.keep_delay(Duration::from_secs(2));
        assert_eq!(pace.start(start), Ok(()));
        assert_eq!(pace.start(start + FIRST), Err(Hold::Next(start + 3 * FIRST)));
        pace.speed_up(FIRST);
        assert_eq!(pace.start(start + FIRST), Err(Hold::Next(start + 3 * FIRST)));
        assert_eq!(pace.start(start + 3 * FIRST), Ok(()));
        pace.pause(start + 9 * FIRST);
        pace.pause(start + 5 * FIRST);
        assert_eq!(pace.start(start + 6 * FIRST), Err(Hold::Paused(start + 9 * FIRST)));
    }
}
