//! What is asked about: the shards of a table, or the items of annotation files.

use std::ops::Range;
use std::path::{Path, PathBuf};

use tsumugi_record::{ImageRow, Pair, ShardReader};
use tsumugi_synth::sources::LeftOut;
use tsumugi_synth::{Item, Task, sources};

use super::{STEP, SynthesizeConfig};
use crate::Error;
use crate::runner::Inputs;

/// Items of annotation files that are one shard.
const CHUNK: usize = 512;

/// Items that are held at once with their images, unless more are asked about at once.
const GROUP: usize = 32;

/// A unit of work.
enum Shard {
    Pairs(PathBuf),
    Images(PathBuf),
    /// Items of the annotation files.
    Items(Range<usize>),
}

/// What is asked about.
pub(super) struct Items {
    shards: Vec<Shard>,
    items: Vec<Item>,
    /// Where the annotations' images are.
    folder: Option<PathBuf>,
    /// Items handed over at once.
    group: usize,
    /// What the annotation files hold to no use, in words.
    pub(super) left_out: Option<String>,
}

impl Items {
    /// Finds what the settings name, and declares it.
    pub(super) fn find(config: &SynthesizeConfig, inputs: &mut Inputs) -> Result<Self, Error> {
        check_flags(config)?;
        let mut found = Self {
            shards: Vec::new(),
            items: Vec::new(),
            folder: None,
            group: config.concurrency.unwrap_or(GROUP).max(GROUP),
            left_out: None,
        };
        let annotated = config.captions.is_some() || config.instructions.is_some();
        if let Some(folder) = &config.images {
            if !folder.is_dir() {
                return Err(Error::config("images", format!("{} is not a folder", folder.display())));
            }
            found.folder = Some(folder.clone());
            found.add_table(folder, annotated, inputs)?;
        }
        found.add_annotations(config, inputs)?;
        for path in &config.keep_out {
            inputs.file("keep_out", path)?;
        }
        Ok(found)
    }

    /// Number of shards.
    pub(super) fn shards(&self) -> usize {
        self.shards.len()
    }

    fn add_table(&mut self, folder: &Path, annotated: bool, inputs: &mut Inputs) -> Result<(), Error> {
        match inputs.table::<Pair>("images", folder) {
            Err(Error::NoTable { .. }) => {}
            pairs => {
                self.shards.extend(pairs?.into_iter().map(Shard::Pairs));
                return Ok(());
            }
        }
        // Beside annotation files it may be a plain folder of images.
        let images = match annotated {
            true => inputs.optional_table::<ImageRow>("images", folder)?,
            false => inputs.table::<ImageRow>("images", folder)?,
        };
        self.shards.extend(images.into_iter().map(Shard::Images));
        Ok(())
    }

    /// How many requests the tasks make of all items, second calls apart.
    pub(super) fn requests(&self, tasks: &[Task]) -> Result<u64, Error> {
        let asked = tasks.iter().filter(|task| **task != Task::Translate).count() as u64;
        let of_items = |items: &[Item]| {
            items.iter().map(|item| tasks.iter().filter(|task| item.suits(**task)).count() as u64).sum()
        };
        self.shards.iter().try_fold(0, |sum, shard| {
            Ok(sum
                + match shard {
                    Shard::Pairs(path) => asked * ShardReader::<Pair>::open(path)?.rows(),
                    Shard::Images(path) => asked * ShardReader::<ImageRow>::open(path)?.rows(),
                    Shard::Items(range) => of_items(&self.items[range.clone()]),
                })
        })
    }

    /// Hands over the items of a shard, some at a time.
    pub(super) fn read(
        &self,
        shard: usize,
        mut each: impl FnMut(Vec<Item>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let Some(shard) = self.shards.get(shard) else { return Ok(()) };
        match shard {
            Shard::Pairs(path) => {
                ShardReader::<Pair>::open(path)?.try_for_each(|rows| self.groups(rows?, &mut each))
            }
            Shard::Images(path) => {
                ShardReader::<ImageRow>::open(path)?.try_for_each(|rows| self.groups(rows?, &mut each))
            }
            Shard::Items(range) => self.items[range.clone()].chunks(self.group).try_for_each(|items| {
                let mut items = items.to_vec();
                for item in &mut items {
                    if let Some(folder) = &self.folder {
                        item.load_image(folder).map_err(Error::step(STEP, item.id.clone()))?;
                    }
                }
                each(items)
            }),
        }
    }

    fn groups<R: Into<Item>>(
        &self,
        rows: Vec<R>,
        each: &mut impl FnMut(Vec<Item>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut rows = rows.into_iter().map(Into::<Item>::into).peekable();
        while rows.peek().is_some() {
            each(rows.by_ref().take(self.group).collect())?;
        }
        Ok(())
    }

    fn add_annotations(&mut self, config: &SynthesizeConfig, inputs: &mut Inputs) -> Result<(), Error> {
        let wrong = |error: tsumugi_synth::Error| Error::setting(STEP)(error);
        for (key, path) in
            [("captions", &config.captions), ("boxes", &config.boxes), ("instructions", &config.instructions)]
        {
            if let Some(path) = path {
                inputs.file(key, path)?;
            }
        }
        if let Some(captions) = &config.captions {
            let (items, left_out) = sources::coco(captions, config.boxes.as_deref()).map_err(wrong)?;
            self.items.extend(items);
            if left_out != LeftOut::default() {
                self.left_out = Some(format!(
                    "{}: left out {} entries that cannot be read and {} of unknown images",
                    captions.display(),
                    left_out.unreadable,
                    left_out.orphans
                ));
            }
        }
        if let Some(instructions) = &config.instructions {
            self.items.extend(sources::instructions(instructions).map_err(wrong)?);
        }
        let count = self.items.len();
        self.shards.extend((0..count).step_by(CHUNK).map(|from| Shard::Items(from..count.min(from + CHUNK))));
        Ok(())
    }
}

fn check_flags(config: &SynthesizeConfig) -> Result<(), Error> {
    if config.tasks.is_empty() {
        return Err(Error::config("task", "names no task"));
    }
    if config.images.is_none() && config.captions.is_none() && config.instructions.is_none() {
        return Err(Error::config("synthesize", "needs `images`, `captions` or `instructions`"));
    }
    if config.boxes.is_some() && config.captions.is_none() {
        return Err(Error::config("boxes", "need `captions` beside them"));
    }
    if config.tasks.contains(&Task::Translate) && config.instructions.is_none() {
        return Err(Error::config("task", "translate needs `instructions`"));
    }
    let sees = config.tasks.iter().any(|task| task.sees());
    if sees && config.images.is_none() {
        return Err(Error::config("task", "photo, vqa and ocr look at images and need `images`"));
    }
    Ok(())
}
