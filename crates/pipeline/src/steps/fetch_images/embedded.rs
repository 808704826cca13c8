//! Images that documents hold themselves, in `data:` URLs.

use std::collections::HashSet;
use std::path::PathBuf;

use tsumugi_images::{content_id, decode_data_url, is_data_url};
use tsumugi_record::{DocumentBody, Fetch, ShardReader};

use super::found::{Capture, Found};
use super::{FOUND, FetchImagesConfig, wanted};
use crate::Error;
use crate::runner::Outputs;

/// Decodes each such URL once, in the order of the documents. An answer has the date and the place of the first page that
/// holds it, and no final URL: nothing was asked.
pub(super) fn read(
    shards: &[PathBuf],
    config: &FetchImagesConfig,
    outputs: &mut Outputs,
) -> Result<(), Error> {
    let mut found = Found::new(config, FOUND, outputs)?;
    let mut seen = HashSet::new();
    for shard in shards {
        for batch in ShardReader::<DocumentBody>::open(shard)? {
            for document in batch? {
                for slot in wanted::slots(&document) {
                    let is_wanted = slot.refused.is_none() && is_data_url(&slot.url);
                    if is_wanted && seen.insert(content_id(slot.url.as_bytes())) {
                        found.push(capture(slot.url, &document))?;
                    }
                }
            }
        }
    }
    found.finish()
}

fn capture(url: String, document: &DocumentBody) -> Capture {
    let bytes = decode_data_url(&url);
    let reason = bytes.is_none().then(|| "broken".to_owned());
    let provenance = document.provenance.clone();
    let fetch =
        Fetch { url, status: 200, reason, date: provenance.date.clone(), provenance, ..Fetch::default() };
    Capture { fetch, bytes }
}

#[cfg(test)]
mod tests {
    use tsumugi_record::{Document, ImageRow, ImageSlot, Node, Record, ShardWriter, shards};

    use super::super::FetchImages;
    use super::*;
    use crate::{Context, runner};

    const ICON: &[u8] = include_bytes!("../../../../images/tests/fixtures/cases/icon.png");
    const TURNED: &[u8] = include_bytes!("../../../../images/tests/fixtures/cases/turned.jpg");

    fn rows<R: Record>(folder: &std::path::Path) -> Vec<R> {
        let shards = shards(folder, R::KIND).unwrap();
        shards.iter().flat_map(|path| ShardReader::<R>::open(path).unwrap().read_all().unwrap()).collect()
    }

    #[test]
    fn images_within_pages_are_kept() {
        let url = |mime: &str, bytes| format!("data:{mime};base64,{}", data_encoding::BASE64.encode(bytes));
        let (icon, turned) = (url("image/png", ICON), url("image/png", TURNED));
        let node = |url: &str, opt_out| Node {
            image: Some(ImageSlot { url: url.to_owned(), opt_out, ..ImageSlot::default() }),
            ..Node::default()
        };
        let page = |id: &str, nodes| Document {
            id: id.into(),
            url: format!("http://a.test/{id}"),
            nodes,
            ..Document::default()
        };
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let mut writer = ShardWriter::create(path("documents/documents-00000.parquet")).unwrap();
        let broken = "data:image/png;base64,R";
        let second = [node(&icon, false), node(&turned, false), node(broken, false), node("data:,x", false)];
        let third = vec![node(&icon, true)];
        writer
            .write(&[page("1", vec![node(&icon, false)]), page("2", second.to_vec()), page("3", third)])
            .unwrap();
        writer.finish().unwrap();
        std::fs::create_dir(path("mirror")).unwrap();
        let config = FetchImagesConfig {
            documents: path("documents"),
            from: vec![format!("dir:{}", path("mirror").display())],
            out: path("images"),
            ..FetchImagesConfig::default()
        };
        runner::run::<FetchImages>(config, &Context::hidden()).unwrap();
        let images: Vec<ImageRow> = rows(&path("images"));
        let found: Vec<_> = images.iter().map(|row| (row.id.clone(), row.orientation)).collect();
        assert_eq!(found, [(content_id(ICON), Some(1)), (content_id(TURNED), Some(6))]);
        let fetches: Vec<Fetch> = rows(&path("images/fetches"));
        let reasons: Vec<_> = fetches.iter().map(|row| row.reason.as_deref().unwrap_or("-")).collect();
        assert_eq!(reasons, ["-", "-", "-", "broken", "not_an_image", "opt_out"]);
        assert!(
            fetches.iter().all(|row| row.final_url.is_empty() || row.reason.as_deref() == Some("opt_out"))
        );
    }
}
