//! Versions of a remote object.

use object_store::ObjectMeta;

use crate::error::RemoteFault;

/// What a server reports about the version of an object.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Version {
    /// Length in bytes; `None` if the server does not report it.
    pub length: Option<u64>,
    /// The `ETag` header as the server wrote it.
    pub etag: Option<String>,
    /// `Last-Modified` in seconds since 1970; `None` if the server does not report it.
    pub modified: Option<i64>,
}

impl Version {
    pub(crate) fn of(meta: &ObjectMeta, length_known: bool) -> Self {
        Self {
            length: length_known.then_some(meta.size),
            etag: meta.e_tag.clone(),
            // The store reports the year 1970 if the header is missing.
            modified: Some(meta.last_modified.timestamp()).filter(|seconds| *seconds > 0),
        }
    }

    /// Fails if `now` is another version than this one. A field that is missing on either side is not compared, and
    /// `Last-Modified` only if there is no ETag, because servers behind one name may disagree about it.
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

    /// One line that identifies the version: length and ETag, or the fields that are known.
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
    fn finds_the_field_that_changed() {
        let was = version(Some(10), Some("a"), Some(5));
        let changed = |now: Version| match was.check(&now) {
            Err(RemoteFault::Changed { what, .. }) => what,
            other => panic!("{other:?}"),
        };
        assert_eq!(changed(version(Some(11), Some("a"), Some(5))), "length");
        assert_eq!(changed(version(Some(10), Some("b"), Some(5))), "ETag");
        assert_eq!(changed(version(Some(10), None, Some(6))), "Last-Modified");
        assert!(was.check(&version(Some(10), Some("a"), Some(6))).is_ok());
        assert!(was.check(&version(None, None, None)).is_ok());
        assert_eq!(was.identity(), "10:a");
        assert_eq!(version(Some(10), None, Some(6)).identity(), "10:@6");
    }
}
