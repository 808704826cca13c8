//! What the hub holds.

use std::fs;
use std::io::ErrorKind;

use hf_hub::Cache;
use hf_hub::api::sync::{Api, ApiBuilder, ApiError};

use crate::Error;
use crate::cached::{Snapshot, home};
use crate::files::Files;
use crate::place::Place;
use crate::repository::Repository;

/// Further attempts at a file whose transfer breaks.
const RETRIES: usize = 2;

/// Fetches what the cache does not have of the revision's present commit.
pub(crate) fn download(place: &Place, repository: &Repository, files: Files<'_>) -> Result<Snapshot, Error> {
    let fail = |error: ApiError| fault(place, repository, &error);
    let api = api(place).map_err(fail)?;
    let info = api.repo(repository.at(repository.revision())).info().map_err(fail)?;
    let all: Vec<String> = info.siblings.into_iter().map(|file| file.rfilename).collect();
    if let Some(reason) = files.missing_at_the_hub(&all) {
        return Err(Error::Contents { repository: repository.to_string(), reason });
    }
    let names = files.wanted(&all);
    let commit = if info.sha.is_empty() { repository.revision().to_owned() } else { info.sha };
    let home = home(&place.cache, repository);
    let folder = home.join("snapshots").join(&commit);
    // By the commit and not by the branch, which may move between two files.
    let pinned = api.repo(repository.at(&commit));
    for name in &names {
        if !folder.join(name).is_file() {
            pinned.download(name).map_err(fail)?;
        }
    }
    if commit != repository.revision() {
        // The branch is noted last, so that half a download is not found by its name.
        let cache = Cache::new(place.cache.clone()).repo(repository.at(repository.revision()));
        cache.create_ref(&commit).map_err(|source| Error::Write { cache: place.cache.clone(), source })?;
        // A reference of a commit to itself, which hf-hub leaves.
        let _ = fs::remove_file(home.join("refs").join(&commit));
    }
    Ok(Snapshot { folder, names })
}

fn api(place: &Place) -> Result<Api, ApiError> {
    ApiBuilder::from_cache(Cache::new(place.cache.clone()))
        .with_endpoint(place.endpoint.clone())
        .with_token(place.token.clone())
        .with_retries(RETRIES)
        .build()
}

/// What an error of hf-hub means, and what to do about it.
fn fault(place: &Place, repository: &Repository, error: &ApiError) -> Error {
    let (name, page) = (repository.name().to_owned(), repository.page(&place.endpoint));
    let unreachable = |reason: String| Error::Unreachable {
        repository: repository.to_string(),
        endpoint: place.endpoint.clone(),
        reason: place.without_token(&reason),
        cache: place.cache.clone(),
    };
    match error {
        ApiError::TooManyRetries(error) => fault(place, repository, error),
        ApiError::RequestError(error) => match **error {
            ureq::Error::StatusCode(status @ (401 | 403)) => {
                Error::Refused { repository: name, status, page, has_token: place.token.is_some() }
            }
            ureq::Error::StatusCode(404) => {
                Error::NotFound { repository: name, revision: repository.revision().to_owned(), page }
            }
            ref other => unreachable(other.to_string()),
        },
        ApiError::IoError(error) if is_of_disk(error.kind()) => {
            let source = std::io::Error::new(error.kind(), error.to_string());
            Error::Write { cache: place.cache.clone(), source }
        }
        other => unreachable(other.to_string()),
    }
}

/// Whether it is the disk that failed and not the network.
fn is_of_disk(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::StorageFull
            | ErrorKind::QuotaExceeded
            | ErrorKind::ReadOnlyFilesystem
            | ErrorKind::PermissionDenied
            | ErrorKind::NotADirectory
    )
}
