//! Why a request gave no reply.

use std::path::PathBuf;

/// The error of another crate that caused one of ours.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why a request gave no reply. [`Error::is_fatal`] separates errors that stop a run from those that end one item.
///
/// What a server said is kept as text, not as the HTTP library's error: the text is searched for the API key, which some
/// servers echo, before it is stored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The configuration is invalid.
    #[error("{message}")]
    Config {
        /// What is wrong and what to do.
        message: String,
        /// The error of the parser or of the system, where there was one.
        source: Option<Cause>,
    },
    /// No server answers at the base URL.
    #[error(
        "no connection to {base_url}: {reason}. Check that the server is running and that the base URL (`base_url` or OPENAI_BASE_URL) is right"
    )]
    Connect {
        /// The base URL of the client.
        base_url: String,
        /// What the operating system or the TLS library said.
        reason: String,
    },
    /// The server does not accept the key.
    #[error(
        "{base_url} refused the API key (HTTP {status}): {message}. Set OPENAI_API_KEY to a valid key for this server"
    )]
    Auth {
        /// The base URL of the client.
        base_url: String,
        /// 401 or 403.
        status: u16,
        /// The server's words.
        message: String,
    },
    /// The account's quota or credit is used up.
    #[error(
        "the quota at {base_url} is used up: {message}. Replies so far are kept; run again when there is quota"
    )]
    Quota {
        /// The base URL of the client.
        base_url: String,
        /// The server's words.
        message: String,
    },
    /// The server asks for a wait longer than the time that one request may take.
    #[error(
        "{base_url} asks for a wait of {seconds} s ({message}), longer than the time for one request. Replies so far are kept; run again later"
    )]
    AskedToWait {
        /// The base URL of the client.
        base_url: String,
        /// The wait.
        seconds: u64,
        /// The server's words.
        message: String,
    },
    /// The server has accepted no request for a long time: it postponed each one until its deadline.
    #[error(
        "{base_url} postponed {requests} requests in a row for {seconds} s each ({last}). Replies so far are kept; run again later, or with a lower `concurrency`"
    )]
    PutOff {
        /// The base URL of the client.
        base_url: String,
        /// Requests in a row.
        requests: u32,
        /// The time that each may take.
        seconds: u64,
        /// The server's words.
        last: String,
    },
    /// The next request could overshoot the budget.
    #[error(
        "the budget of {budget_usd:.4} USD is used up: {spent_usd:.4} USD spent or in flight, and the next request may cost {next_usd:.4} USD. Replies so far are kept; run again with a higher budget"
    )]
    Budget {
        /// The budget given.
        budget_usd: f64,
        /// Spent, with what requests in flight may still cost.
        spent_usd: f64,
        /// The most the refused request may cost.
        next_usd: f64,
    },
    /// The server cannot serve any such request: an unknown model or path, or a parameter it does not take.
    #[error("{base_url} cannot serve this kind of request (HTTP {status}): {message}")]
    Unsupported {
        /// The base URL of the client.
        base_url: String,
        /// The HTTP status.
        status: u16,
        /// The server's words.
        message: String,
    },
    /// The messages are longer than the model's context.
    #[error("longer than the model's context: {message}")]
    ContextTooLong {
        /// The server's words.
        message: String,
    },
    /// The server's own filter blocked the request or its reply.
    #[error("blocked by the server's content filter: {message}")]
    Filtered {
        /// The server's words.
        message: String,
    },
    /// The server rejects this one request.
    #[error("rejected by the server (HTTP {status}): {message}")]
    Rejected {
        /// The HTTP status.
        status: u16,
        /// The server's words.
        message: String,
    },
    /// Every allowed attempt failed.
    #[error("gave up after {attempts} attempts: {last}")]
    GaveUp {
        /// Attempts made.
        attempts: u32,
        /// The last fault.
        last: String,
    },
    /// The time for one request ran out.
    #[error("not answered within {seconds} s ({attempts} attempts): {last}")]
    Deadline {
        /// The deadline.
        seconds: u64,
        /// Attempts made.
        attempts: u32,
        /// The last fault.
        last: String,
    },
    /// A fatal error of another request stopped the run before this request was sent.
    #[error("not sent because the run was stopped: {reason}")]
    Stopped {
        /// The message of the fatal error.
        reason: String,
    },
    /// The cache cannot be read or written.
    #[error("cannot use the reply cache {}; check that the folder is writable and the disk has free space", path.display())]
    Cache {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A batch failed as a whole.
    #[error("batch {id}: {message}")]
    Batch {
        /// The server's id of the batch.
        id: String,
        /// What happened.
        message: String,
    },
}

impl Error {
    pub(crate) fn config(message: impl Into<String>) -> Self {
        Self::Config { message: message.into(), source: None }
    }

    pub(crate) fn config_caused(message: impl Into<String>, source: impl Into<Cause>) -> Self {
        Self::Config { message: message.into(), source: Some(source.into()) }
    }

    /// Whether the run should stop because no other request could succeed either.
    #[must_use]
    pub fn is_fatal(&self) -> bool {
        !matches!(
            self,
            Self::ContextTooLong { .. }
                | Self::Filtered { .. }
                | Self::Rejected { .. }
                | Self::GaveUp { .. }
                | Self::Deadline { .. }
        )
    }

    /// A short machine-readable reason, for counts and exclusion tables.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Config { .. } => "config",
            Self::Connect { .. } => "connect",
            Self::Auth { .. } => "auth",
            Self::Quota { .. } => "quota",
            Self::AskedToWait { .. } => "asked_to_wait",
            Self::PutOff { .. } => "put_off",
            Self::Budget { .. } => "budget",
            Self::Unsupported { .. } => "unsupported",
            Self::ContextTooLong { .. } => "context_too_long",
            Self::Filtered { .. } => "content_filter",
            Self::Rejected { .. } => "rejected_by_server",
            Self::GaveUp { .. } => "gave_up",
            Self::Deadline { .. } => "deadline",
            Self::Stopped { .. } => "stopped",
            Self::Cache { .. } => "cache",
            Self::Batch { .. } => "batch",
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::error::Error as StdError;

    use super::*;

    /// The message of an error and those of its causes.
    pub(crate) fn messages(error: &dyn StdError) -> Vec<String> {
        let mut messages = vec![error.to_string()];
        let mut cause = error.source();
        while let Some(error) = cause {
            messages.push(error.to_string());
            cause = error.source();
        }
        messages
    }

    #[test]
    fn each_cause_is_shown_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("prices.toml");
        std::fs::write(&file, "models = 3").unwrap();
        let base_url = |url: &str| crate::ClientConfig::new(url).checked_base_url().unwrap_err();
        let cache = std::io::Error::other("no space left on device");
        for error in [
            crate::Prices::load(&file).unwrap_err(),
            crate::Prices::load(folder.path()).unwrap_err(),
            base_url("no address"),
            Error::Cache { path: file, source: cache },
        ] {
            let messages = messages(&error);
            assert!(messages.len() > 1, "{messages:?} has lost its cause");
            for pair in messages.windows(2) {
                assert!(!pair[0].contains(&pair[1]), "{messages:?}");
            }
        }
    }
}
