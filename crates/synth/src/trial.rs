//! Ends a run early where every reply to a task is dropped, before more is paid for.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{Semaphore, SemaphorePermit};
use tsumugi_record::Excluded;

use crate::Error;
use crate::outcome::{Outcome, Verdict};
use crate::task::Task;

/// Replies to a task that may all be dropped before the run ends. This project's choice: of a task that keeps one reply in
/// five, all of the first twenty are dropped in 1 run of 87.
pub(crate) const TRIAL: usize = 20;
/// Characters of a reply that the error shows.
const EXAMPLE_CHARS: usize = 400;
/// Reasons of a server that gave no reply, for one request.
const BY_SERVER: [&str; 3] = ["content_filter", "rejected_by_server", "context_too_long"];

/// The first replies to each task.
#[derive(Debug)]
pub(crate) struct Trials(BTreeMap<Task, Trial>);

#[derive(Debug)]
struct Trial {
    /// As many requests at once as there are replies on trial; closed when the trial is over.
    places: Semaphore,
    /// What was dropped so far, by reason.
    dropped: Mutex<BTreeMap<String, usize>>,
}

impl Trials {
    pub(crate) fn new(tasks: impl Iterator<Item = Task>) -> Self {
        let trial = || Trial { places: Semaphore::new(TRIAL), dropped: Mutex::default() };
        Self(tasks.map(|task| (task, trial())).collect())
    }

    /// Waits until a request for the task may be sent. What is returned is handed to [`Trials::note`] with its outcome.
    pub(crate) async fn enter(&self, task: Task) -> Option<SemaphorePermit<'_>> {
        self.0.get(&task)?.places.acquire().await.ok()
    }

    /// Whether the trial of a task is over.
    pub(crate) fn is_over(&self, task: Task) -> bool {
        self.0.get(&task).is_none_or(|trial| trial.places.is_closed())
    }

    /// Ends the trial of a task.
    pub(crate) fn end(&self, task: Task) {
        if let Some(trial) = self.0.get(&task) {
            trial.places.close();
        }
    }

    /// Counts an outcome. The place of a dropped reply is not given to another, so that no more are paid for than are on trial.
    ///
    /// # Errors
    /// [`Error::AllDropped`] where it is the last reply on trial and all were dropped.
    pub(crate) fn note(&self, outcome: &Outcome, place: Option<SemaphorePermit<'_>>) -> Result<(), Error> {
        match &outcome.verdict {
            Verdict::Kept(_) => self.end(outcome.task),
            Verdict::Rejected(row)
                if !outcome.calls.is_empty() || BY_SERVER.contains(&row.reason.as_str()) =>
            {
                self.count(outcome.task, row, place)?;
            }
            Verdict::Rejected(_) => {}
        }
        Ok(())
    }

    /// Counts what an earlier run dropped.
    ///
    /// # Errors
    /// As [`Trials::note`].
    pub(crate) fn recall(&self, task: Task, row: &Excluded) -> Result<(), Error> {
        let has_reply = row.value.as_deref().is_some_and(|value| reply_of(value).is_some());
        if !has_reply && !BY_SERVER.contains(&row.reason.as_str()) {
            return Ok(());
        }
        let place = self.0.get(&task).and_then(|trial| trial.places.try_acquire().ok());
        self.count(task, row, place)
    }

    fn count(&self, task: Task, row: &Excluded, place: Option<SemaphorePermit<'_>>) -> Result<(), Error> {
        let Some(trial) = self.0.get(&task).filter(|trial| !trial.places.is_closed()) else {
            return Ok(());
        };
        if let Some(place) = place {
            place.forget();
        }
        let mut dropped = locked(&trial.dropped);
        *dropped.entry(row.reason.clone()).or_default() += 1;
        if dropped.values().sum::<usize>() < TRIAL {
            return Ok(());
        }
        // Whoever waits for a place finds that the client has stopped.
        trial.places.close();
        let reasons: Vec<String> =
            dropped.iter().map(|(reason, count)| format!("{reason} {count}")).collect();
        Err(Error::AllDropped {
            task,
            replies: TRIAL,
            reasons: reasons.join(", "),
            reason: row.reason.clone(),
            example: example(row.value.as_deref().unwrap_or_default()),
        })
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The reply in the value of an excluded row.
fn reply_of(value: &str) -> Option<String> {
    let object: serde_json::Value = serde_json::from_str(value).ok()?;
    Some(object.get("reply")?.as_str()?.to_owned())
}

/// The beginning of a dropped reply, in one line.
fn example(value: &str) -> String {
    let reply = reply_of(value).filter(|reply| !reply.trim().is_empty());
    let text = reply.as_deref().unwrap_or(value);
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(EXAMPLE_CHARS) {
        Some((at, _)) => format!("{}...", &line[..at]),
        None => line,
    }
}
