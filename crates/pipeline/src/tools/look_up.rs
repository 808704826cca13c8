//! `look_up`: which step dropped an item, and why.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tsumugi_record::{Excluded, Record as _, ShardReader};

use super::Lines;
use crate::runner::input_table;
use crate::{Context, Error, Group, Tool};

/// Looks up which step dropped an item, and why: a JSON line for each row of the tables of excluded rows that has its
/// identifier.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Identifier of a document, image, pair or question; or, where the values are searched, a piece of one (a URL, a text).
    #[schemars(extend("x-positional" = true, "x-required" = true))]
    pub id: String,
    /// Folders that steps wrote.
    #[schemars(extend("x-positional" = true, "x-required" = true, "x-value-name" = "DIR"))]
    pub folders: Vec<PathBuf>,
    /// Search the values rather than the identifiers.
    pub value: bool,
}

/// The command `look_up`.
pub struct LookUp;

impl Tool for LookUp {
    const NAME: &'static str = "look_up";
    const GROUP: Group = Group::Tools;
    const ABOUT: &'static str = "Looks up which step dropped an item, and why";
    type Settings = Settings;

    fn run(settings: Settings, _: &Context) -> Result<Value, Error> {
        let mut out = Lines::new();
        let result = run(&settings, &mut out);
        // What was found before a failure is shown too.
        out.finish().and(result)
    }
}

fn run(settings: &Settings, out: &mut Lines) -> Result<Value, Error> {
    let mut found = 0_u64;
    for folder in &settings.folders {
        for shard in input_table(folder, Excluded::KIND)?.shards {
            for batch in ShardReader::<Excluded>::open(&shard)? {
                for row in batch?.iter().filter(|row| is_wanted(row, settings)) {
                    found += 1;
                    out.write(row)?;
                }
            }
        }
    }
    Ok(json!({"found": found}))
}

fn is_wanted(row: &Excluded, settings: &Settings) -> bool {
    match &row.value {
        Some(value) if settings.value => value.contains(&settings.id),
        _ => !settings.value && row.id == settings.id,
    }
}
