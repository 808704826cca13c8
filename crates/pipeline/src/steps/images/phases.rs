//! The phases that find the images of each shard of documents.

use std::collections::BTreeSet;
use std::path::PathBuf;

use tsumugi_images::{PHash, canonical_url};
use tsumugi_record::{DocumentImages, FetchedImage, ImageFacts, ShardReader, record};

use super::{ImageTables, key};
use crate::Error;
use crate::runner::{LookupColumns, LookupTable, Outputs, Phase, Work};
use crate::steps::build_pairs::place_of;

/// Name of the lookup phase.
pub(super) const LOOKUP: &str = "images";
/// Folder of the addresses of each shard of documents.
const ADDRESSES: &str = "_addresses";
/// Folder of the addresses that were fetched, and what came.
const FETCHED: &str = "_fetched";
/// Folder of what is known of the contents.
const CONTENTS: &str = "_contents";

record! {
    /// The address of an image on a page.
    #[derive(Debug, Clone, PartialEq)]
    struct AddressKeys = "address_keys", 1 {
        /// Hash of the address.
        address: [u8; 16],
    }
}

record! {
    /// An address that gave an image.
    #[derive(Debug, Clone, PartialEq)]
    struct FetchKeys = "fetch_keys", 1 {
        /// Hash of the address.
        address: [u8; 16],
        /// Hash of the content's identifier.
        image: [u8; 16],
    }
}

record! {
    /// What is known of a content.
    #[derive(Debug, Clone, PartialEq)]
    struct ContentKeys = "content_keys", 1 {
        /// Hash of the content's identifier.
        image: [u8; 16],
        /// Place among all contents: shard and row.
        place: i64,
        /// Width (the upper half) and height.
        size: i64,
        /// Perceptual hash.
        phash: i64,
    }
}

/// A step that reads the images on the pages of documents.
pub(in crate::steps) trait HasImages: Send + Sync + 'static {
    /// The shards of documents.
    fn documents(&self) -> &[PathBuf];
    /// The tables of images.
    fn tables(&self) -> &ImageTables;
}

/// The phases after which [`ShardImages`](super::ShardImages) can be read.
pub(in crate::steps) fn phases<S: HasImages>() -> Vec<Phase<S>> {
    let documents = |step: &S, _: &Work| Ok(step.documents().len());
    let fetches = |step: &S, _: &Work| Ok(step.tables().fetches.len());
    let contents = |step: &S, _: &Work| Ok(step.tables().images.len());
    vec![
        Phase::map("addresses", documents, addresses::<S>),
        Phase::map("fetched", fetches, fetched::<S>),
        Phase::map("contents", contents, self::contents::<S>),
        Phase::Lookup {
            name: LOOKUP,
            wanted: LookupTable::new::<AddressKeys>(ADDRESSES, documents),
            links: LookupTable::new::<FetchKeys>(FETCHED, fetches),
            contents: LookupTable::new::<ContentKeys>(CONTENTS, contents),
            columns: LookupColumns { key: "address", target: "image", values: ["place", "size", "phash"] },
        },
    ]
}

/// Writes the addresses of the images of a shard of documents, each once, as they stand and in their canonical form.
fn addresses<S: HasImages>(step: &S, _: &Work, number: usize, outputs: &mut Outputs) -> Result<(), Error> {
    outputs.begin::<AddressKeys>(ADDRESSES)?;
    let mut keys = BTreeSet::new();
    for batch in ShardReader::<DocumentImages>::open(&step.documents()[number])? {
        for document in batch?.into_iter().filter(|document| !document.opt_out) {
            for image in document.nodes.into_iter().filter_map(|node| node.image) {
                keys.insert(key(&image.url));
                keys.extend(canonical_url(&image.url).map(|url| key(&url)));
            }
        }
    }
    keys.into_iter().try_for_each(|address| outputs.write(ADDRESSES, AddressKeys { address }))
}

/// Writes the addresses of a shard of fetches that gave an image.
fn fetched<S: HasImages>(step: &S, _: &Work, number: usize, outputs: &mut Outputs) -> Result<(), Error> {
    outputs.begin::<FetchKeys>(FETCHED)?;
    for batch in ShardReader::<FetchedImage>::open(&step.tables().fetches[number])? {
        for fetch in batch? {
            if let Some(id) = fetch.image_id {
                outputs.write(FETCHED, FetchKeys { address: key(&fetch.url), image: key(&id) })?;
            }
        }
    }
    Ok(())
}

/// Writes what is known of a shard of images.
fn contents<S: HasImages>(step: &S, _: &Work, number: usize, outputs: &mut Outputs) -> Result<(), Error> {
    let path = &step.tables().images[number];
    outputs.begin::<ContentKeys>(CONTENTS)?;
    let mut row = 0;
    for batch in ShardReader::<ImageFacts>::open(path)? {
        for image in batch? {
            let phash: PHash = image.phash.parse().map_err(|_| {
                let wrong = format!("`{}` is not a perceptual hash", image.phash);
                Error::config(path.display().to_string(), wrong)
            })?;
            let keys = ContentKeys {
                image: key(&image.id),
                place: place_of(number, row),
                size: i64::from(image.width) << 32 | i64::from(image.height),
                phash: phash.0.cast_signed(),
            };
            outputs.write(CONTENTS, keys)?;
            row += 1;
        }
    }
    Ok(())
}
