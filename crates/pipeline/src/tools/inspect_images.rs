//! `inspect_images`: size, format and perceptual hash of image files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tsumugi_images::{Limits, inspect};

use super::{Lines, files_of};
use crate::{Context, Error, Group, Tool};

/// Inspects image files and prints a JSON line each: size, format, perceptual hash, or why the file is unusable.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Image files, and folders: of these all files whose names end as those of images do.
    #[schemars(extend("x-positional" = true, "x-required" = true, "x-value-name" = "FILE"))]
    pub files: Vec<PathBuf>,
}

/// Ends of the names of image files in a folder.
const ENDINGS: [&str; 14] = [
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".gif", ".webp", ".bmp", ".tif", ".tiff", ".avif",
    ".ico", ".svg",
];

/// The command `inspect_images`.
pub struct InspectImages;

impl Tool for InspectImages {
    const NAME: &'static str = "inspect_images";
    const GROUP: Group = Group::Data;
    const ABOUT: &'static str = "Shows size, format and perceptual hash of image files";
    type Settings = Settings;

    fn run(settings: Settings, _: &Context) -> Result<Value, Error> {
        let mut out = Lines::new();
        let result = run(&settings, &mut out);
        // What was found before a failure is shown too.
        out.finish().and(result)
    }
}

fn run(settings: &Settings, out: &mut Lines) -> Result<Value, Error> {
    let limits = Limits::default();
    let mut images = 0;
    let mut errors: BTreeMap<String, u64> = BTreeMap::new();
    let files = files_of(&settings.files, &ENDINGS)?;
    for file in &files {
        match line(file, &limits) {
            Ok(line) => {
                images += 1;
                out.write(&line)?;
            }
            Err((reason, error)) => {
                *errors.entry(reason.to_owned()).or_default() += 1;
                out.write(&json!({"file": file, "error": error, "reason": reason}))?;
            }
        }
    }
    let files = files.len();
    let counts = json!({"files": files, "images": images, "errors": errors});
    Error::incomplete("files", files - images, files, counts)
}

fn line(file: &Path, limits: &Limits) -> Result<Value, (&'static str, String)> {
    let bytes = std::fs::read(file).map_err(|error| ("unreadable", error.to_string()))?;
    let facts = inspect(&bytes, limits).map_err(|error| (error.reason(), error.to_string()))?;
    Ok(json!({
        "file": file,
        "width": facts.width,
        "height": facts.height,
        "format": facts.format.as_str(),
        "phash": facts.phash.to_string(),
        "animated": facts.animated,
        "colours": facts.colours,
        "orientation": facts.orientation,
    }))
}
