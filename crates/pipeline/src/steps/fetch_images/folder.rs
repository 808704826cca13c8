//! Images out of a folder that is laid out as mirroring tools lay it out: `HOST/PATH`, with `?QUERY` in the name.

use std::path::Path;

use tsumugi_images::{match_keys, mirror_paths};
use tsumugi_record::Fetch;

use super::found::{Capture, Found};
use super::wanted::Wanted;
use super::{FOUND, FetchImagesConfig, STEP, site_files};
use crate::Error;
use crate::runner::Outputs;

/// Looks up every wanted image, in the order of their URLs: as the page has it, then in other spellings.
pub(super) fn read(
    folder: &Path,
    wanted: &Wanted,
    config: &FetchImagesConfig,
    outputs: &mut Outputs,
) -> Result<(), Error> {
    let mut found = Found::new(config, FOUND, outputs)?;
    for file in site_files::of_folder(folder, wanted, config)? {
        found.site_file(file)?;
    }
    for url in wanted.sorted() {
        let spellings = std::iter::once(url.to_owned()).chain(match_keys(url));
        let mut paths = spellings.flat_map(|url| mirror_paths(&url)).map(|name| folder.join(name));
        let Some(path) = paths.find(|path| path.is_file()) else { continue };
        let place = || path.display().to_string();
        let length = std::fs::metadata(&path).map_err(|e| Error::step(STEP, place())(e))?.len();
        let mut fetch =
            Fetch { url: url.to_owned(), final_url: url.to_owned(), status: 200, ..Fetch::default() };
        if length > config.limits.max_bytes {
            fetch.reason = Some("too_many_bytes".into());
            found.push(Capture { fetch, bytes: None })?;
            continue;
        }
        let bytes = std::fs::read(&path).map_err(|e| Error::step(STEP, place())(e))?;
        found.push(Capture { fetch, bytes: Some(bytes) })?;
    }
    found.finish()
}
