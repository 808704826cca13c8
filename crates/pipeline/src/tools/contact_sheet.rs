//! `contact_sheet`: random items that a builder kept or dropped, with their images.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::report::contact_sheet;
use crate::{Context, Error, Group, Tool};

/// Writes a page with random items that build_pairs or build_interleaved kept, and random ones that it dropped by reason, with
/// their images.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Folder that build_pairs or build_interleaved wrote.
    #[schemars(extend("x-required" = true, "x-value-name" = "DIR"))]
    pub built: PathBuf,
    /// Folder with the tables of images and fetches.
    #[schemars(extend("x-required" = true, "x-value-name" = "DIR"))]
    pub images: PathBuf,
    /// HTML file that is written.
    #[schemars(extend("x-required" = true, "x-value-name" = "FILE"))]
    pub out: PathBuf,
    /// Items of each kind.
    pub count: usize,
    /// Seed of the draw.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        let [built, images, out] = [const { PathBuf::new() }; 3];
        Settings { built, images, out, count: 24, seed: 1 }
    }
}

/// The command `contact_sheet`.
pub struct ContactSheet;

impl Tool for ContactSheet {
    const NAME: &'static str = "contact_sheet";
    const GROUP: Group = Group::Tools;
    const ABOUT: &'static str = "Shows random kept and dropped items with their images on a page";
    type Settings = Settings;

    fn run(settings: Settings, _: &Context) -> Result<Value, Error> {
        run(&settings)
    }
}

fn run(settings: &Settings) -> Result<Value, Error> {
    let page = contact_sheet(&settings.built, &settings.images, settings.count, settings.seed)?;
    page.write(&settings.out).map_err(Error::step("contact_sheet", settings.out.display().to_string()))?;
    Ok(json!({"out": settings.out}))
}
