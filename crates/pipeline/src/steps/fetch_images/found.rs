//! What a source has, inspected and written.

use std::collections::HashSet;

use rayon::prelude::*;
use tsumugi_images::{Inspection, content_id, inspect};
use tsumugi_record::{Excluded, Fetch, Image, ImageRow};

use super::FetchImagesConfig;
use crate::Error;
use crate::runner::Outputs;

/// Images that are inspected at a time, each on its own thread.
const BATCH_IMAGES: usize = 64;
/// Bytes of images that are held at a time.
const BATCH_BYTES: usize = 64 << 20;

/// An answer that waits to be inspected.
pub(super) struct Capture {
    pub(super) fetch: Fetch,
    /// None where the answer is known to hold no image.
    pub(super) bytes: Option<Vec<u8>>,
}

/// Writes what a source has: contents once each, and every answer.
pub(super) struct Found<'a> {
    outputs: &'a mut Outputs,
    folder: &'static str,
    config: &'a FetchImagesConfig,
    seen: HashSet<String>,
    batch: Vec<Capture>,
    bytes: usize,
}

impl<'a> Found<'a> {
    /// Begins the shards of a source in one of the step's own folders.
    pub(super) fn new(
        config: &'a FetchImagesConfig,
        folder: &'static str,
        outputs: &'a mut Outputs,
    ) -> Result<Found<'a>, Error> {
        outputs.begin::<ImageRow>(folder)?;
        outputs.begin::<Fetch>(folder)?;
        outputs.begin::<Excluded>(folder)?;
        Ok(Found { outputs, folder, config, seen: HashSet::new(), batch: Vec::new(), bytes: 0 })
    }

    /// Counts beside the tables.
    pub(super) fn count(&mut self, name: &str) {
        self.outputs.count(name, 1);
    }

    /// Writes a file in which a site may reserve its content.
    pub(super) fn site_file(&mut self, row: Excluded) -> Result<(), Error> {
        self.outputs.write(self.folder, row)
    }

    pub(super) fn push(&mut self, capture: Capture) -> Result<(), Error> {
        self.bytes += capture.bytes.as_ref().map_or(0, Vec::len);
        self.batch.push(capture);
        if self.batch.len() >= BATCH_IMAGES || self.bytes >= BATCH_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    /// Inspects what waits, in parallel, and writes it in order.
    fn flush(&mut self) -> Result<(), Error> {
        self.bytes = 0;
        let limits = &self.config.limits;
        let done: Vec<(Fetch, Option<ImageRow>)> =
            std::mem::take(&mut self.batch).into_par_iter().map(|capture| look(capture, limits)).collect();
        for (fetch, image) in done {
            self.outputs.write(self.folder, fetch)?;
            if let Some(image) = image.filter(|image| self.seen.insert(image.id.clone())) {
                self.outputs.write(self.folder, image)?;
            }
        }
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<(), Error> {
        self.flush()
    }
}

fn look(capture: Capture, limits: &tsumugi_images::Limits) -> (Fetch, Option<ImageRow>) {
    let Capture { mut fetch, bytes } = capture;
    let Some(bytes) = bytes else { return (fetch, None) };
    match inspect(&bytes, limits) {
        Ok(facts) => {
            let row = image_row(bytes, &facts);
            fetch.image_id = Some(row.id.clone());
            (fetch, Some(row))
        }
        Err(error) => {
            fetch.reason = Some(error.reason().to_owned());
            (fetch, None)
        }
    }
}

fn image_row(bytes: Vec<u8>, facts: &Inspection) -> ImageRow {
    let id = content_id(&bytes);
    let format = facts.format.as_str();
    let path = Some(format!("{id}.{format}"));
    let (width, height, phash) = (facts.width, facts.height, facts.phash.to_string());
    let format = format.to_owned();
    let orientation = Some(u16::from(facts.orientation));
    ImageRow { id, image: Image { bytes: Some(bytes), path }, width, height, format, phash, orientation }
}
