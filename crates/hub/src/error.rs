//! Why a repository is not there.

use std::path::PathBuf;

/// Why the files of a repository cannot be had. No message holds the access token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text is not the name of a repository.
    #[error(
        "{name:?} is not the name of a repository; it should look like owner/name or owner/name@revision"
    )]
    Name {
        /// The name.
        name: String,
    },
    /// The hub refuses access.
    #[error(
        "the hub refuses {repository} (HTTP {status}): it is private, it asks for a licence to be accepted, or it does not exist. {}; where there is a licence, accept it with that account at {page}",
        if *has_token { "Set HF_TOKEN to a token of an account that may read it" } else { "No token was sent: set HF_TOKEN to one of an account that may read it" }
    )]
    Refused {
        /// The repository.
        repository: String,
        /// 401 or 403.
        status: u16,
        /// The repository's page, where its licence is accepted.
        page: String,
        /// Whether a token was sent.
        has_token: bool,
    },
    /// There is no such repository or revision.
    #[error(
        "the hub knows no {repository} at revision {revision:?} (HTTP 404); check the name and the revision at {page}"
    )]
    NotFound {
        /// The repository.
        repository: String,
        /// The revision.
        revision: String,
        /// The repository's page.
        page: String,
    },
    /// The hub cannot be reached, and the cache does not have the files.
    #[error(
        "cannot fetch {repository} from {endpoint} ({reason}), and the cache {} does not hold all of it; check the network and HF_ENDPOINT", cache.display()
    )]
    Unreachable {
        /// The repository.
        repository: String,
        /// Address of the hub.
        endpoint: String,
        /// What went wrong.
        reason: String,
        /// The cache.
        cache: PathBuf,
    },
    /// The hub is not to be asked, and the cache does not have the files.
    #[error(
        "the cache {} does not hold all of {repository} at revision {revision:?}, and HF_HUB_OFFLINE is set; fetch it once with a network, or set HF_HOME or HF_HUB_CACHE to the cache that has it", cache.display()
    )]
    Offline {
        /// The repository.
        repository: String,
        /// The revision.
        revision: String,
        /// The cache.
        cache: PathBuf,
    },
    /// The repository does not hold what is looked for.
    #[error("{repository}: {reason}")]
    Contents {
        /// The repository.
        repository: String,
        /// What it lacks, and the remedy.
        reason: String,
    },
    /// A file cannot be written into the cache.
    #[error("cannot write into the cache {}", cache.display())]
    Write {
        /// The cache.
        cache: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
}
