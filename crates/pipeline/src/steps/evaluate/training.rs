//! The benchmark's questions and pictures, looked for in training tables.

use std::path::{Path, PathBuf};

use tsumugi_eval::bench::Benchmark;
use tsumugi_eval::contamination::{Contaminated, Contamination, ContaminationConfig, picture_hash};
use tsumugi_record::{Conversation, Interleaved, Pair, Record, ShardReader};

use crate::runner::input_table;
use crate::{Error, Progress};

/// Looks for a benchmark in folders with tables of pairs, interleaved documents or conversations.
pub(super) fn search(
    benchmark: &Benchmark,
    folders: &[PathBuf],
    config: ContaminationConfig,
    progress: &Progress,
) -> Result<Contaminated, Error> {
    let mut search = Contamination::new(&benchmark.questions, config, picture_hash);
    let bar = progress.bar("evaluate contamination", None, "rows");
    let mut seen = |row: &str, texts: &[&str], hashes: &[u64]| {
        texts.iter().for_each(|text| search.text(row, text));
        hashes.iter().for_each(|hash| search.picture(row, *hash));
        bar.inc(1);
    };
    for folder in folders {
        let found = [
            rows(folder, None, |row: Pair| {
                seen(&row.id, &[&row.text], hash(&row.phash).as_slice());
            })?,
            rows(
                folder,
                Some(&["id", "texts", "image_info", "page_url", "provenance"]),
                |row: Interleaved| {
                    // The whole document at once, since a question may be cut into sentences.
                    let text: String = row.texts.iter().flatten().map(String::as_str).collect();
                    let hashes: Vec<u64> =
                        row.image_info.iter().filter_map(|info| hash(&info.phash)).collect();
                    seen(&row.id, &[&text], &hashes);
                },
            )?,
            rows(folder, None, |row: Conversation| {
                let contents = row.messages.iter().flat_map(|message| &message.content);
                let texts: Vec<&str> = contents.filter_map(|content| content.text.as_deref()).collect();
                let bytes = row.images.iter().filter_map(|image| image.bytes.as_deref());
                let hashes: Vec<u64> = bytes.filter_map(hash_of).collect();
                seen(&row.id, &texts, &hashes);
            })?,
        ];
        if !found.contains(&true) {
            let reason = "it holds no table of pairs, interleaved documents or conversations";
            return Err(Error::config(folder.display().to_string(), reason));
        }
    }
    bar.finish();
    Ok(search.finish())
}

/// Reads a table, or some of its columns; false where the folder has no such table.
fn rows<R: Record>(folder: &Path, columns: Option<&[&str]>, mut each: impl FnMut(R)) -> Result<bool, Error> {
    let table = match input_table(folder, R::KIND) {
        Err(Error::NoTable { .. }) => return Ok(false),
        other => other?,
    };
    for shard in &table.shards {
        let reader = match columns {
            Some(columns) => ShardReader::<R>::open_columns(shard, columns)?,
            None => ShardReader::open(shard)?,
        };
        for batch in reader {
            batch?.into_iter().for_each(&mut each);
        }
    }
    Ok(true)
}

/// A perceptual hash as tables hold it.
fn hash(digits: &str) -> Option<u64> {
    u64::from_str_radix(digits, 16).ok()
}

fn hash_of(bytes: &[u8]) -> Option<u64> {
    let limits = tsumugi_images::Limits::default();
    Some(tsumugi_images::inspect(bytes, &limits).ok()?.phash.0)
}
