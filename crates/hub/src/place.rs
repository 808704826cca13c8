//! Where a hub is and how it is accessed.

use std::path::PathBuf;

/// Address, cache and access.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) endpoint: String,
    pub(crate) cache: PathBuf,
    pub(crate) token: Option<String>,
}

impl Place {
    /// No message may show the token, whatever a server put into its answer.
    pub(crate) fn without_token(&self, text: &str) -> String {
        match self.token.as_deref().map(str::trim).filter(|token| !token.is_empty()) {
            Some(token) => text.replace(token, "(token)"),
            None => text.to_owned(),
        }
    }
}
