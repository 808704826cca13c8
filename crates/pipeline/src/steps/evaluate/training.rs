//! The benchmark's questions and images, looked for in training tables.

use std::path::PathBuf;

use tsumugi_eval::bench::Benchmark;
use tsumugi_eval::contamination::{Contaminated, Contamination, ContaminationConfig, image_hash};
use tsumugi_record::{Conversation, InterleavedTexts, PairText};

use crate::runner::each_row;
use crate::{Error, Progress};

/// Looks for a benchmark in folders with tables of pairs, interleaved documents or conversations.
pub(super) fn search(
    benchmark: &Benchmark,
    folders: &[PathBuf],
    config: ContaminationConfig,
    progress: &Progress,
) -> Result<Contaminated, Error> {
    let mut search = Contamination::new(&benchmark.questions, config, image_hash);
    let bar = progress.bar("evaluate contamination", None, "rows");
    let mut seen = |row: &str, texts: &[&str], hashes: &[u64]| {
        texts.iter().for_each(|text| search.text(row, text));
        hashes.iter().for_each(|hash| search.image(row, *hash));
        bar.inc(1);
    };
    for folder in folders {
        let found = [
            each_row(folder, |row: PairText| {
                seen(&row.id, &[&row.text], hash(&row.phash).as_slice());
            })?,
            each_row(folder, |row: InterleavedTexts| {
                // The whole document at once, since a question may be cut into sentences.
                let text: String = row.texts.iter().flatten().map(String::as_str).collect();
                let hashes: Vec<u64> = row.image_info.iter().filter_map(|info| hash(&info.phash)).collect();
                seen(&row.id, &[&text], &hashes);
            })?,
            each_row(folder, |row: Conversation| {
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

/// A perceptual hash as tables hold it.
fn hash(digits: &str) -> Option<u64> {
    u64::from_str_radix(digits, 16).ok()
}

fn hash_of(bytes: &[u8]) -> Option<u64> {
    let limits = tsumugi_images::Limits::default();
    Some(tsumugi_images::inspect(bytes, &limits).ok()?.phash.0)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use tsumugi_eval::Registry;
    use tsumugi_eval::bench::LoadRequest;
    use tsumugi_eval::contamination::Part;
    use tsumugi_eval::profile::Profile;
    use tsumugi_record::{Content, Image, Message, Pair, Record, ShardWriter, shard_name};

    use super::*;

    fn write<R: Record>(folder: &Path, row: R) {
        let mut writer = ShardWriter::create(folder.join(shard_name(R::KIND, 0))).unwrap();
        writer.push(row).unwrap();
        writer.finish().unwrap();
    }

    #[test]
    fn planted_questions_and_images_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let [pairs, conversations, clean] = ["pairs", "conversations", "clean"].map(|name| {
            let path = folder.path().join(name);
            std::fs::create_dir(&path).unwrap();
            path
        });
        let file = tsumugi_demo::write_benchmark(folder.path(), "ja").unwrap();
        let request = LoadRequest::new(Profile::default());
        let mut benchmark =
            Registry::default().load_benchmark(&file.display().to_string(), &request).unwrap();
        benchmark.questions[0].reference = "夕焼けに染まった橙色の空が水面に映り込んでいます".into();
        let planted = &benchmark.questions[0];
        let image = planted.image.as_ref().unwrap();
        let phash = format!("{:016x}", image_hash(planted).unwrap());
        let text = format!("説明です。{}", planted.reference);
        write(&pairs, Pair { id: "pair".into(), text, phash, ..Pair::default() });
        let content = Content { kind: "text".into(), text: Some("別の話です。".into()) };
        let message = Message { role: "user".into(), content: vec![content] };
        let image = Image { bytes: Some(image.bytes.to_vec()), ..Image::default() };
        let conversation = Conversation {
            id: "conversation".into(),
            images: vec![image],
            messages: vec![message.clone()],
            ..Conversation::default()
        };
        write(&conversations, conversation.clone());
        write(&clean, Conversation { images: Vec::new(), ..conversation });

        let config = ContaminationConfig::default();
        let search = |folders: &[PathBuf]| search(&benchmark, folders, config, &Progress::hidden()).unwrap();
        let found = search(&[pairs, conversations]);
        let of_planted: BTreeSet<_> = found
            .findings
            .iter()
            .filter(|finding| finding.question_id == planted.id)
            .map(|finding| (finding.row.as_str(), finding.part == Part::Image))
            .collect();
        assert!(of_planted.contains(&("pair", false)), "the text: {:?}", found.findings);
        assert!(of_planted.contains(&("pair", true)) || of_planted.contains(&("conversation", true)));
        assert_eq!(search(&[clean]).questions, 0);
    }
}
