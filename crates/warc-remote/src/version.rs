//! What tells one version of an object from another.

use object_store::ObjectMeta;

use crate::error::RemoteFault;

/// What a server says of the version of an object.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Version {
    /// Length in bytes; `None` where the server does not tell.
    pub length: Option<u64>,
    /// `ETag` as written.
    pub etag: Option<String>,
    /// `Last-Modified` in seconds since 1970; `None` where the server does not tell.
    pub modified: Option<i64>,
}

impl Version {
    pub(crate) fn of(meta: &ObjectMeta, length_known: bool) -> Self {
        Self {
            length: length_known.then_some(meta.size),
            etag: meta.e_tag.clone(),
            // The store gives the year 1970 where the header is missing.
            modified: Some(meta.last_modified.timestamp()).filter(|seconds| *seconds > 0),
        }
    }

    /// Refuses another version than this. What one of the two does not tell is not compared, and
    /// `Last-Modified` only where there is no ETag: servers behind one name may differ in it.
    pub(crate) fn check(&self, now: &Self) -> Result<(), RemoteFault> {
        fn differ<T: PartialEq + ToString>(
            what: &'static str,
            was: &Option<T>,
            is: &Option<T>,
        ) -> Result<bool, RemoteFault> {
            match (was, is) {
                (Some(was), Some(is)) if was != is => {
                    Err(RemoteFault::Changed { what, was: was.to_string(), is: is.to_string() })
                }
                (Some(_), Some(_)) => Ok(true),
                _ => Ok(false),
            }
        }
        differ("length", &self.length, &now.length)?;
        if !differ("ETag", &self.etag, &now.etag)? {
            differ("Last-Modified", &self.modified, &now.modified)?;
        }
        Ok(())
    }

    /// One line that names the version: length and ETag, or what there is of them.
    #[must_use]
    pub fn identity(&self) -> String {
        let length = self.length.map_or_else(|| "?".to_owned(), |length| length.to_string());
        match (&self.etag, self.modified) {
            (Some(etag), _) => format!("{length}:{etag}"),
            (None, Some(seconds)) => format!("{length}:@{seconds}"),
            (None, None) => length,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(length: Option<u64>, etag: Option<&str>, modified: Option<i64>) -> Version {
        Version { length, etag: etag.map(str::to_owned), modified }
    }

    #[test]
    fn finds_what_has_changed() {
        let was = version(Some(10), Some("a"), Some(5));
        let changed = |now: Version| match was.check(&now) {
            Err(RemoteFault::Changed { what, .. }) => what,
            other => panic!("{other:?}"),
        };
        assert_eq!(changed(version(Some(11), Some("a"), Some(5))), "length");
        assert_eq!(changed(version(Some(10), Some("b"), Some(5))), "ETag");
        assert_eq!(changed(version(Some(10), None, Some(6))), "Last-Modified");
        assert_eq!(was.check(&version(Some(10), Some("a"), Some(6))), Ok(()));
        assert_eq!(was.check(&version(None, None, None)), Ok(()));
        assert_eq!(was.identity(), "10:a");
        assert_eq!(version(Some(10), None, Some(6)).identity(), "10:@6");
    }
}
