//! The tables of `fetch_images`.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use tsumugi_images::canonical_url;
use tsumugi_record::{Fetch, FetchedImage, ImageFacts, ImageRow, Record, ShardReader, shards};

use crate::Error;
use crate::runner::Inputs;
use crate::steps::build_pairs::place_of;

/// Where the tables of `fetch_images` are.
#[derive(Debug, Clone)]
pub(crate) struct ImageTables {
    pub(super) images: Vec<PathBuf>,
    pub(super) fetches: Vec<PathBuf>,
}

impl ImageTables {
    /// Finds the tables where they are no input of a step.
    pub(crate) fn find(folder: &Path) -> Result<ImageTables, Error> {
        ImageTables::declare(folder, &mut Inputs::default())
    }

    /// Declares the tables as the input `images`.
    pub(in crate::steps) fn declare(folder: &Path, inputs: &mut Inputs) -> Result<ImageTables, Error> {
        let images = inputs.table::<ImageRow>("images", folder)?;
        let mut fetches = inputs.optional_table::<Fetch>("images", folder)?;
        // A folder without a manifest, made elsewhere: the table is in a folder of its own.
        if fetches.is_empty() {
            fetches = shards(folder.join(Fetch::KIND), Fetch::KIND)?;
        }
        Ok(ImageTables { images, fetches })
    }
}

/// The places of the images behind some addresses, for [`load`](super::load). It reads the tables once and holds no more than
/// what it finds.
pub(crate) fn by_address(
    tables: &ImageTables,
    addresses: &HashSet<String>,
) -> Result<HashMap<String, usize>, Error> {
    let mut wanted: HashMap<String, Vec<&String>> = HashMap::new();
    for url in addresses {
        wanted.entry(url.clone()).or_default().push(url);
        if let Some(canonical) = canonical_url(url).filter(|canonical| canonical != url) {
            wanted.entry(canonical).or_default().push(url);
        }
    }
    let mut contents: HashMap<String, Vec<&String>> = HashMap::new();
    let mut seen = HashSet::new();
    for shard in &tables.fetches {
        for batch in ShardReader::<FetchedImage>::open(shard)? {
            for fetch in batch? {
                let (Some(urls), Some(id)) = (wanted.get(&fetch.url), fetch.image_id) else { continue };
                contents.entry(id).or_default().extend(urls.iter().filter(|url| seen.insert(url.as_str())));
            }
        }
    }
    let mut places = HashMap::new();
    for (number, shard) in tables.images.iter().enumerate() {
        let mut row = 0;
        for batch in ShardReader::<ImageFacts>::open(shard)? {
            for image in batch? {
                for url in contents.remove(&image.id).unwrap_or_default() {
                    places.insert(url.clone(), place_of(number, row) as usize);
                }
                row += 1;
            }
        }
    }
    Ok(places)
}
