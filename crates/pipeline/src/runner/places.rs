//! Whether a command would overwrite what it reads.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::Error;

/// Refuses settings whose output `out` is the same file or folder as one that another setting names, however it is written.
///
/// # Errors
/// [`Error::Overwrites`].
pub fn refuse_overwrite(settings: &Value) -> Result<(), Error> {
    let Some(out) = settings["out"].as_str().filter(|out| !out.is_empty()).map(PathBuf::from) else {
        return Ok(());
    };
    for (key, value) in settings.as_object().into_iter().flatten().filter(|(key, _)| *key != "out") {
        let texts: Vec<&str> = match value {
            Value::String(text) => vec![text],
            Value::Array(values) => values.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        for text in texts {
            // Sources of images name their kind first.
            let path = text.strip_prefix("warc:").or_else(|| text.strip_prefix("dir:")).unwrap_or(text);
            if is_same(Path::new(path), &out) {
                return Err(Error::Overwrites { out, input: key.clone() });
            }
        }
    }
    Ok(())
}

/// Whether two paths lead to the same existing file or folder, over links too.
fn is_same(one: &Path, other: &Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(first), Ok(second)) => first == second || is_same_inode(&first, &second),
        _ => false,
    }
}

#[cfg(unix)]
fn is_same_inode(one: &Path, other: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;

    match (one.metadata(), other.metadata()) {
        (Ok(one), Ok(other)) => (one.dev(), one.ino()) == (other.dev(), other.ino()),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_same_inode(_: &Path, _: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_input_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.warc");
        std::fs::write(&file, "x").unwrap();
        let refused = |settings: Value| refuse_overwrite(&settings).is_err();
        let dotted = folder.path().join(".").join("a.warc");
        assert!(refused(json!({"input": &file, "out": &dotted})));
        assert!(refused(json!({"from": [format!("warc:{}", file.display())], "out": &file})));
        assert!(refused(json!({"documents": folder.path(), "out": folder.path()})));
        assert!(!refused(json!({"input": &file, "out": folder.path().join("b.warc")})));
        assert!(!refused(json!({"input": &file, "out": folder.path()})));
        assert!(!refused(json!({"input": "", "out": ""})));
        #[cfg(unix)]
        {
            let link = folder.path().join("link.warc");
            std::fs::hard_link(&file, &link).unwrap();
            assert!(refused(json!({"input": &file, "out": &link})));
        }
    }
}
