//! What can be checked of an evaluation before there is a model.

use tsumugi_chat::{Client, ClientConfig};
use tsumugi_eval::Registry;

use super::{Evaluate, EvaluateConfig};
use crate::Error;
use crate::runner::Inputs;

/// Loads the benchmark, what its scorers need and the judge's prompt. Asks nobody. Errors name `key`, under which a configuration
/// names the benchmark.
///
/// # Errors
/// Where the evaluation would be refused.
pub(crate) fn check_settings(key: &str, config: &EvaluateConfig) -> Result<(), Error> {
    let opened = Evaluate::with_registry(config.clone(), Registry::default(), &mut Inputs::default());
    opened.map(drop).map_err(|error| match error {
        // A hub that does not answer now may answer later.
        Error::Step { ref source, .. }
            if matches!(source.downcast_ref(), Some(tsumugi_eval::Error::Hub { .. })) =>
        {
            error
        }
        error => Error::setting(key)(error),
    })
}

/// Checks the address of an endpoint, by default that of the environment.
///
/// # Errors
/// Where it is none; the error names `key`.
pub(crate) fn check_endpoint(key: &str, base_url: Option<&str>) -> Result<(), Error> {
    ClientConfig::from_env(base_url).and_then(Client::new).map(drop).map_err(Error::setting(key))
}
