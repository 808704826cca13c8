//! Names of repositories.

use std::fmt;

use hf_hub::{Repo, RepoType};

use crate::Error;

/// A repository at one of its revisions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    name: String,
    revision: String,
    is_dataset: bool,
}

impl Repository {
    /// A model by `owner/name`, at `main`, or by `owner/name@revision`: a branch, a tag or a commit.
    ///
    /// # Errors
    /// [`Error::Name`].
    pub fn model(name: &str) -> Result<Self, Error> {
        Self::parse(name, false)
    }

    /// A dataset, named as a model is.
    ///
    /// # Errors
    /// [`Error::Name`].
    pub fn dataset(name: &str) -> Result<Self, Error> {
        Self::parse(name, true)
    }

    fn parse(text: &str, is_dataset: bool) -> Result<Self, Error> {
        let (name, revision) = text.split_once('@').unwrap_or((text, "main"));
        let is_part = |part: &str| {
            let is_allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
            !part.is_empty() && part.chars().all(is_allowed) && !part.starts_with('.') && part != ".."
        };
        let parts: Vec<&str> = name.split('/').collect();
        let is_revision = !revision.is_empty() && revision.split('/').all(is_part);
        if parts.len() != 2 || !parts.iter().all(|part| is_part(part)) || !is_revision {
            return Err(Error::Name { name: text.to_owned() });
        }
        Ok(Self { name: name.to_owned(), revision: revision.to_owned(), is_dataset })
    }

    /// `owner/name`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The branch, tag or commit.
    #[must_use]
    pub fn revision(&self) -> &str {
        &self.revision
    }

    /// Whether the revision is a commit, which never changes.
    pub(crate) fn is_pinned(&self) -> bool {
        self.revision.len() == 40 && self.revision.bytes().all(|byte| byte.is_ascii_hexdigit())
    }

    /// The repository's page at a hub.
    pub(crate) fn page(&self, endpoint: &str) -> String {
        let kind = if self.is_dataset { "datasets/" } else { "" };
        format!("{endpoint}/{kind}{}", self.name)
    }

    /// In hf-hub's type, at this revision.
    pub(crate) fn at(&self, revision: &str) -> Repo {
        let kind = if self.is_dataset { RepoType::Dataset } else { RepoType::Model };
        Repo::with_revision(self.name.clone(), kind, revision.to_owned())
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if self.revision == "main" { Ok(()) } else { write!(f, "@{}", self.revision) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_two_parts_and_a_revision() {
        for (text, expected) in [
            ("a/b", Some(("a/b", "main"))),
            ("lab-1/m_2.0@v1.0", Some(("lab-1/m_2.0", "v1.0"))),
            ("a/b@refs/pr/3", Some(("a/b", "refs/pr/3"))),
            ("a", None),
            ("a/b/c", None),
            ("/a/b", None),
            ("../b", None),
            ("a/..", None),
            ("a/b@", None),
            ("a/b@../x", None),
            ("a/b c", None),
            ("", None),
        ] {
            let found = Repository::model(text).ok();
            let found = found.as_ref().map(|found| (found.name(), found.revision()));
            assert_eq!(found, expected, "{text}");
        }
        let pinned = Repository::dataset(&format!("a/b@{}", "0f".repeat(20))).unwrap();
        assert!(pinned.is_pinned() && pinned.page("https://h") == "https://h/datasets/a/b");
    }
}
