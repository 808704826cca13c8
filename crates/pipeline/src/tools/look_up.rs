//! `look_up`: what became of an item, and why.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tsumugi_record::{Excluded, Manifest, Record as _, ShardReader, ids, shards};

use super::Lines;
use crate::runner::input_table;
use crate::{Context, Error, Group, Tool};

/// Looks up what became of an item: a JSON line for each table that holds it, and for each row of the tables of excluded rows
/// that has its identifier. The last line sums up: dropped, kept, or unknown.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Identifier of a document, image, pair or question; or, where the values are searched, a piece of one (a URL, a text).
    #[schemars(extend("x-positional" = true, "x-required" = true))]
    pub id: String,
    /// Folders that steps wrote.
    #[schemars(extend("x-positional" = true, "x-required" = true, "x-value-name" = "DIR"))]
    pub folders: Vec<PathBuf>,
    /// Search the values of excluded rows rather than the identifiers.
    pub value: bool,
}

/// The command `look_up`.
pub struct LookUp;

impl Tool for LookUp {
    const NAME: &'static str = "look_up";
    const GROUP: Group = Group::Tools;
    const ABOUT: &'static str = "Looks up whether an item was kept, or which step dropped it and why";
    type Settings = Settings;

    fn run(settings: Settings, _: &Context) -> Result<Value, Error> {
        let mut out = Lines::new();
        let result = run(&settings, &mut out);
        // What was found before a failure is shown too.
        out.finish().and(result)
    }
}

/// Tables whose rows a later step may use, which have identifiers.
const KEPT: [&str; 5] = ["documents", "images", "pairs", "interleaved", "conversations"];

fn run(settings: &Settings, out: &mut Lines) -> Result<Value, Error> {
    let (mut dropped, mut kept) = (Vec::new(), Vec::new());
    for folder in &settings.folders {
        for shard in shards_of(folder, &[Excluded::KIND])? {
            for batch in ShardReader::<Excluded>::open(&shard)? {
                for row in batch?.iter().filter(|row| is_wanted(row, settings)) {
                    dropped.push(format!("{} ({})", row.step, row.reason));
                    out.write(row)?;
                }
            }
        }
        if settings.value {
            continue;
        }
        for shard in shards_of(folder, &KEPT)? {
            if ids(&shard)?.contains(&settings.id) {
                out.write(&json!({"id": settings.id, "kept_in": shard}))?;
                kept.push(shard.display().to_string());
            }
        }
    }
    let answer = match (&kept[..], &dropped[..]) {
        ([], []) if settings.value => "no such value".to_owned(),
        ([], []) => "unknown id".to_owned(),
        ([], dropped) => format!("dropped by {}", dropped.join(", ")),
        (kept, []) => format!("kept, in {}", kept.join(", ")),
        (kept, dropped) => format!("kept, in {}; dropped by {}", kept.join(", "), dropped.join(", ")),
    };
    Ok(json!({"found": dropped.len() + kept.len(), "answer": answer}))
}

/// The shards of some tables in a folder: what the manifest of its step names, else what lies there.
fn shards_of(folder: &Path, kinds: &[&str]) -> Result<Vec<PathBuf>, Error> {
    if Manifest::read(folder)?.is_none() && folder.is_dir() {
        let found = kinds.iter().map(|kind| Ok(shards(folder, kind)?)).collect::<Result<Vec<_>, Error>>()?;
        return Ok(found.concat());
    }
    let mut found = Vec::new();
    for kind in kinds {
        match input_table(folder, kind) {
            Ok(table) => found.extend(table.shards),
            Err(Error::NoTable { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

fn is_wanted(row: &Excluded, settings: &Settings) -> bool {
    match &row.value {
        Some(value) if settings.value => value.contains(&settings.id),
        _ => !settings.value && row.id == settings.id,
    }
}
