//! Who answers for an API: the user's endpoint, or the stand-in where there is none.

use super::Api;
use crate::Error;
use tsumugi_demo::{MODEL, StandIn};

/// The endpoints of a run, with the stand-in alive as long as it is needed.
pub(super) struct Endpoints {
    /// Writes the instruction data.
    pub(super) writer: Api,
    /// Judges the answers.
    pub(super) judge: Api,
    /// True where the stand-in writes.
    pub(super) writer_is_stand_in: bool,
    /// True where the stand-in judges.
    pub(super) judge_is_stand_in: bool,
    _server: Option<StandIn>,
}

impl Endpoints {
    pub(super) fn start(writer: Option<&Api>, judge: Option<&Api>) -> Result<Endpoints, Error> {
        let server = if writer.is_none() || judge.is_none() {
            Some(StandIn::start().map_err(Error::step("pipeline", "stand-in"))?)
        } else {
            None
        };
        let stand_in = || {
            let base_url = server.as_ref().map(|s| s.base_url().to_owned()).unwrap_or_default();
            Api { base_url, model: MODEL.to_owned() }
        };
        Ok(Endpoints {
            writer: writer.cloned().unwrap_or_else(stand_in),
            judge: judge.cloned().unwrap_or_else(stand_in),
            writer_is_stand_in: writer.is_none(),
            judge_is_stand_in: judge.is_none(),
            _server: server,
        })
    }
}
