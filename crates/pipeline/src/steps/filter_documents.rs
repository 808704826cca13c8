//! Step `filter_documents`: quality filters, masking of personal data, exact and near duplicates.
//!
//! The map phase treats a shard of documents: the main text goes through the chain of a profile, what stays is changed
//! as the profile says, personal data is masked in all texts, and kept documents get their statistics (of the text as
//! it came), MinHash signature and band keys. The global phase then drops duplicates: of documents with the same main
//! text the one of smallest id stays, and of what is left a document goes if one of smaller id shares a band key. What
//! was dropped is in table `excluded`.

use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use tsumugi_record::{Document, Excluded, ImageSlot, Node, Record, Role, ShardReader, Statistic, shard_name};
use tsumugi_tables::{keep_first, near_duplicates};
use tsumugi_text::{FilterChain, MinHash, MinHashConfig, Profile, exact_hash, mask_pii, mask_pii_strict};

use crate::runner::{Opened, Outputs, Step, Summary, input_table};
use crate::{Error, Progress};

/// Name of the step.
const STEP: &str = "filter_documents";
/// Folder of the documents that the map phase keeps.
const MAPPED: &str = "_mapped";
/// Folder of what the map phase drops.
const DROPPED: &str = "_dropped";

/// Settings of the step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FilterDocumentsConfig {
    /// Folder with the table of documents.
    pub documents: PathBuf,
    /// Output folder.
    pub out: PathBuf,
    /// Name of a profile of `tsumugi-text`, or path of a TOML file.
    pub profile: String,
    /// Folder of word lists and models that the profile may name; filters without their file are left out.
    pub words: Option<PathBuf>,
    /// Personal data that is masked in texts, titles, alt texts and captions.
    pub mask: Mask,
    /// Keep documents whose page forbids its use for training.
    pub keep_opt_out: bool,
    /// Signatures and bands; without them as the profile has it, or [`MinHashConfig::default`].
    pub minhash: Option<MinHashConfig>,
    /// Drop documents that share a band key with one of smaller id.
    pub near_duplicates: bool,
}

/// Which personal data is masked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mask {
    /// Nothing.
    None,
    /// Phone numbers and mail addresses (HojiChar's rules).
    #[default]
    Contact,
    /// These, postal addresses, My Number and card numbers.
    Strict,
}

impl Default for FilterDocumentsConfig {
    fn default() -> Self {
        Self {
            documents: PathBuf::new(),
            out: PathBuf::new(),
            profile: "paper".into(),
            words: None,
            mask: Mask::default(),
            keep_opt_out: false,
            minhash: None,
            near_duplicates: true,
        }
    }
}

/// Runs the step.
///
/// # Errors
/// Where the profile is unknown or wrong, the input is missing, or files cannot be read or written.
pub fn filter_documents(config: &FilterDocumentsConfig, progress: &Progress) -> Result<Summary, Error> {
    let filter = DocumentFilter::new(config, progress)?;
    let table = input_table(&config.documents, Document::KIND)?;
    let step = match Step::open(STEP, &config.out, &filter.identity(config), table.identity)? {
        Opened::Finished(summary) => return Ok(summary),
        Opened::Work(step) => step,
    };
    step.phase("map", &table.shards, progress, |_, shard, outputs| filter.map(shard, outputs))?;
    let mapped: Vec<PathBuf> = (0..table.shards.len())
        .map(|n| step.out().join(MAPPED).join(shard_name(Document::KIND, n)))
        .collect();
    let verdicts = duplicates(&mapped, config.near_duplicates)?;
    step.phase("reduce", &mapped, progress, |number, shard, outputs| {
        let dropped = step.out().join(DROPPED).join(shard_name(Excluded::KIND, number));
        reduce(shard, &dropped, &verdicts[number], outputs)
    })?;
    step.finish()
}

/// What the map phase needs.
struct DocumentFilter {
    chain: FilterChain,
    minhash: MinHash,
    mask: Mask,
    keep_opt_out: bool,
}

impl DocumentFilter {
    fn new(config: &FilterDocumentsConfig, progress: &Progress) -> Result<Self, Error> {
        let profile = Profile::named(&config.profile).map_err(Error::setting("profile"))?;
        if let Some(words) = config.words.as_ref().filter(|words| !words.is_dir()) {
            return Err(Error::config("words", format!("{} is no folder", words.display())));
        }
        let chain = FilterChain::new(&profile, config.words.as_deref()).map_err(Error::setting("profile"))?;
        if !chain.missing_lists().is_empty() && config.words.is_some() {
            progress.line(&format!("word lists that are not there: {}", chain.missing_lists().join(", ")));
        }
        let minhash = MinHash::new(config.minhash.or(profile.minhash).unwrap_or_default());
        Ok(Self { chain, minhash, mask: config.mask, keep_opt_out: config.keep_opt_out })
    }

    /// All that decides the result: the profile itself and not its name, and no folders.
    fn identity(&self, config: &FilterDocumentsConfig) -> serde_json::Value {
        serde_json::json!({
            "profile": self.chain.profile(),
            "missing_lists": self.chain.missing_lists(),
            "files": self.chain.files().iter().map(|(name, hash)| (name, format!("{hash:032x}"))).collect::<Vec<_>>(),
            "mask": config.mask,
            "keep_opt_out": config.keep_opt_out,
            "minhash": self.minhash.config(),
            "near_duplicates": config.near_duplicates,
        })
    }

    fn map(&self, shard: &Path, outputs: &mut Outputs) -> Result<(), Error> {
        let mut kept = outputs.create::<Document>(MAPPED)?;
        let mut dropped = outputs.create::<Excluded>(DROPPED)?;
        for batch in ShardReader::<Document>::open(shard)? {
            let judged: Vec<Result<Document, Box<Excluded>>> =
                batch?.into_par_iter().map(|document| self.judge(document)).collect();
            for result in judged {
                let stage = outputs.funnel().stage("quality", "documents");
                match result {
                    Ok(document) => {
                        stage.keep();
                        kept.push(document)?;
                    }
                    Err(excluded) => {
                        stage.drop(&excluded.reason);
                        dropped.push(*excluded)?;
                    }
                }
            }
        }
        outputs.finish(kept)?;
        outputs.finish(dropped)
    }

    fn judge(&self, mut document: Document) -> Result<Document, Box<Excluded>> {
        if document.opt_out && !self.keep_opt_out {
            let value = document.opt_out_signals.first().cloned();
            return Err(Box::new(excluded(&document, "opt_out", value)));
        }
        let text = main_text(&document);
        let decision = self.chain.apply_on_page(&text, document.language.as_deref());
        if let Some(reason) = decision.reasons.first() {
            let value = reason.value.map(|value| value.to_string());
            return Err(Box::new(excluded(&document, &reason.rule, value)));
        }
        self.modify(&mut document);
        // What came without text is for the profile alone to drop.
        if !text.trim().is_empty() && main_text(&document).trim().is_empty() {
            return Err(Box::new(excluded(&document, "empty", None)));
        }
        self.mask_document(&mut document);
        // The signature is of the text as it is written, so that masking is part of what is compared.
        document.signature = self.minhash.signature(&main_text(&document));
        document.bands = self.minhash.bands(&document.signature);
        let statistics = decision.statistics.into_iter();
        document.statistics = statistics.map(|(name, value)| Statistic { name, value }).collect();
        document.language = Some(decision.language.code.to_owned());
        document.language_score = Some(decision.language.score);
        Ok(document)
    }

    /// Writes the main text as the profile wants it. Nodes of which nothing is left become boilerplate, with their text;
    /// so do pictures that follow the last text that stays, in a footer that goes.
    fn modify(&self, document: &mut Document) {
        let is_main = |node: &Node| node.role != Role::Boilerplate && node.text.is_some();
        let mut nodes: Vec<&mut Node> = document.nodes.iter_mut().collect();
        let places: Vec<usize> = (0..nodes.len()).filter(|&at| is_main(nodes[at])).collect();
        let mut texts: Vec<String> = places.iter().filter_map(|&at| nodes[at].text.clone()).collect();
        self.chain.modify_blocks(&mut texts);
        let mut footer = None;
        for (&at, text) in places.iter().zip(texts) {
            let node = &mut nodes[at];
            let is_filled = |text: &str| !text.trim().is_empty();
            if is_filled(&text) {
                node.text = Some(text);
                footer = None;
            } else if node.text.as_deref().is_some_and(is_filled) {
                node.role = Role::Boilerplate;
                footer = footer.or(Some(at));
            }
        }
        for node in nodes.into_iter().skip(footer.unwrap_or(usize::MAX)) {
            node.role = Role::Boilerplate;
        }
    }

    fn mask_document(&self, document: &mut Document) {
        let mask = |text: &mut Option<String>| {
            if let Some(masked) = text.as_deref().and_then(|text| self.chain.mask(text)) {
                *text = Some(masked);
            }
            let masked = match (self.mask, text.as_deref()) {
                (Mask::Contact, Some(text)) => mask_pii(text),
                (Mask::Strict, Some(text)) => mask_pii_strict(text),
                _ => None,
            };
            if masked.is_some() {
                *text = masked;
            }
        };
        mask(&mut document.title);
        for node in &mut document.nodes {
            mask(&mut node.text);
            if let Some(ImageSlot { alt, caption, link_text, .. }) = &mut node.image {
                mask(alt);
                mask(caption);
                mask(link_text);
            }
        }
    }
}

/// All text but the boilerplate, a line for each block.
fn main_text(document: &Document) -> String {
    let main = document.nodes.iter().filter(|node| node.role != Role::Boilerplate);
    main.filter_map(|node| node.text.as_deref()).collect::<Vec<_>>().join("\n")
}

fn excluded(document: &Document, reason: &str, value: Option<String>) -> Excluded {
    Excluded {
        id: document.id.clone(),
        step: STEP.into(),
        reason: reason.to_owned(),
        value,
        provenance: document.provenance.clone(),
    }
}

/// Whether a document of the map phase stays, and why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Keep,
    ExactDuplicate,
    NearDuplicate,
}

/// What the global phase compares of each document.
struct Keys {
    id: String,
    text: u128,
    bands: Vec<i64>,
}

/// The verdict on each document of each mapped shard.
fn duplicates(mapped: &[PathBuf], near: bool) -> Result<Vec<Vec<Verdict>>, Error> {
    let shards = mapped.par_iter().map(|shard| read_keys(shard)).collect::<Result<Vec<_>, _>>()?;
    let lengths: Vec<usize> = shards.iter().map(Vec::len).collect();
    let keys: Vec<Keys> = shards.into_iter().flatten().collect();
    let ids: Vec<&str> = keys.iter().map(|key| key.id.as_str()).collect();
    let texts: Vec<u128> = keys.iter().map(|key| key.text).collect();
    let first = keep_first(&texts, &ids).map_err(Error::step(STEP, "exact duplicates"))?;
    let mut verdicts: Vec<Verdict> =
        first.iter().map(|keep| if *keep { Verdict::Keep } else { Verdict::ExactDuplicate }).collect();
    if near {
        let rows: Vec<usize> = (0..keys.len()).filter(|&row| first[row]).collect();
        let row_ids: Vec<&str> = rows.iter().map(|&row| ids[row]).collect();
        let bands: Vec<&[i64]> = rows.iter().map(|&row| keys[row].bands.as_slice()).collect();
        let keep = near_duplicates(&row_ids, &bands).map_err(Error::step(STEP, "near duplicates"))?;
        for (&row, keep) in rows.iter().zip(keep) {
            if !keep {
                verdicts[row] = Verdict::NearDuplicate;
            }
        }
    }
    let mut rest = verdicts.into_iter();
    Ok(lengths.into_iter().map(|length| rest.by_ref().take(length).collect()).collect())
}

fn read_keys(shard: &Path) -> Result<Vec<Keys>, Error> {
    let mut keys = Vec::new();
    for batch in ShardReader::<Document>::open(shard)? {
        keys.extend(batch?.into_iter().map(|document| {
            let text = exact_hash(&main_text(&document));
            Keys { text, id: document.id, bands: document.bands }
        }));
    }
    Ok(keys)
}

/// Writes the documents that stay, and what both phases dropped.
fn reduce(shard: &Path, dropped: &Path, verdicts: &[Verdict], outputs: &mut Outputs) -> Result<(), Error> {
    let mut kept = outputs.create::<Document>("")?;
    let mut gone = outputs.create::<Excluded>(Excluded::KIND)?;
    for batch in ShardReader::<Excluded>::open(dropped)? {
        gone.write(&batch?)?;
    }
    let mut verdicts = verdicts.iter();
    for batch in ShardReader::<Document>::open(shard)? {
        for document in batch? {
            let stage = outputs.funnel().stage("duplicates", "documents");
            let reason = match verdicts.next() {
                Some(Verdict::ExactDuplicate) => "exact_duplicate",
                Some(Verdict::NearDuplicate) => "near_duplicate",
                _ => {
                    stage.keep();
                    kept.push(document)?;
                    continue;
                }
            };
            stage.drop(reason);
            gone.push(excluded(&document, reason, None))?;
        }
    }
    outputs.finish(kept)?;
    outputs.finish(gone)
}

#[cfg(test)]
mod tests {
    use tsumugi_record::{ShardWriter, shards};

    use super::*;

    const TEXT: &str = "春の朝、庭の梅に鶯がとまって鳴いていた。母は縁側に座り、湯気の立つ茶を両手で包んでいる。\
        隣の家からは味噌汁の匂いがして、遠くの線路を始発の電車が渡っていった。今日も穏やかな一日になりそうだ。";

    fn document(id: &str, texts: &[&str]) -> Document {
        let node = |text: &&str| Node { text: Some((*text).to_owned()), ..Node::default() };
        Document { id: id.into(), nodes: texts.iter().map(node).collect(), ..Document::default() }
    }

    fn run(documents: &[Vec<Document>], folder: &Path) -> (Summary, FilterDocumentsConfig) {
        let input = folder.join("documents");
        for (number, rows) in documents.iter().enumerate() {
            let mut writer = ShardWriter::create(input.join(shard_name(Document::KIND, number))).unwrap();
            writer.write(rows).unwrap();
            writer.finish().unwrap();
        }
        let config = FilterDocumentsConfig {
            documents: input,
            out: folder.join("out"),
            ..FilterDocumentsConfig::default()
        };
        (filter_documents(&config, &Progress::hidden()).unwrap(), config)
    }

    fn rows<R: Record>(folder: &Path) -> Vec<R> {
        let files = shards(folder, R::KIND).unwrap();
        files.into_iter().flat_map(|file| ShardReader::<R>::open(file).unwrap().read_all().unwrap()).collect()
    }

    #[test]
    fn bands_are_those_of_the_profile() {
        let folder = tempfile::tempdir().unwrap();
        let (_, config) = run(&[vec![document("a", &[TEXT])]], &folder.path().join("first"));
        let profile = folder.path().join("mine.toml");
        std::fs::write(&profile, "name = \"mine\"\n[minhash]\nbands = 2\nrows = 3\n").unwrap();
        let mine = FilterDocumentsConfig {
            profile: profile.display().to_string(),
            out: folder.path().join("second"),
            ..config
        };
        filter_documents(&mine, &Progress::hidden()).unwrap();
        let kept: Vec<Document> = rows(&mine.out);
        assert_eq!((kept[0].signature.len(), kept[0].bands.len()), (6, 2));
        // What the caller asks for goes before it.
        let minhash = Some(MinHashConfig { bands: 4, rows: 1, ..MinHashConfig::default() });
        let own = FilterDocumentsConfig { minhash, out: folder.path().join("third"), ..mine };
        filter_documents(&own, &Progress::hidden()).unwrap();
        assert_eq!(rows::<Document>(&own.out)[0].bands.len(), 4);
    }

    #[test]
    fn keeps_masks_and_drops_with_reasons() {
        let folder = tempfile::tempdir().unwrap();
        let near = format!("{TEXT}終");
        let mut refused = document("g", &[TEXT]);
        refused.opt_out = true;
        let shards = [
            vec![document("b", &[TEXT]), document("c", &["This page is in English and it is long enough."])],
            vec![
                document("a", &[TEXT]),
                document("d", &[&near]),
                document("e", &["電話は090-1234-5678です。"]),
                document("f", &[]),
                refused,
            ],
        ];
        let (summary, config) = run(&shards, folder.path());
        let kept: Vec<Document> = rows(&config.out);
        assert_eq!(kept.iter().map(|d| d.id.as_str()).collect::<Vec<_>>(), ["a", "e"]);
        assert_eq!(kept[1].nodes[0].text.as_deref(), Some("電話は090-1234-XXXXです。"));
        assert_eq!((kept[0].signature.len(), kept[0].bands.len()), (112, 14));
        assert_eq!(kept[0].language.as_deref(), Some("ja"));
        let gone: Vec<Excluded> = rows(&config.out.join("excluded"));
        let reasons: Vec<(&str, &str)> = gone.iter().map(|e| (e.id.as_str(), e.reason.as_str())).collect();
        let expected = [
            ("c", "language=en"),
            ("b", "exact_duplicate"),
            ("f", "empty"),
            ("g", "opt_out"),
            ("d", "near_duplicate"),
        ];
        assert_eq!(reasons, expected);
        assert_eq!((summary.rows["documents"], summary.rows["excluded"]), (2, 5));
        // Finished: a second run answers from the manifest.
        assert_eq!(filter_documents(&config, &Progress::hidden()).unwrap().rows, summary.rows);
    }

    #[test]
    fn a_profile_changes_what_stays() {
        let folder = tempfile::tempdir().unwrap();
        let words = folder.path().join("words");
        std::fs::create_dir(&words).unwrap();
        std::fs::write(words.join("footer"), "コメント\n").unwrap();
        let profile = folder.path().join("own.toml");
        let changes = ["majority-punctuation", "mask-pii", "footer\"\nlist = \"footer"];
        let toml: String = changes.iter().map(|kind| format!("[[modify]]\ntype = \"{kind}\"\n")).collect();
        std::fs::write(&profile, toml).unwrap();
        let picture = || Node {
            image: Some(ImageSlot { alt: Some("電話090-1234-5678".into()), ..ImageSlot::default() }),
            ..Node::default()
        };
        let mut page = document("a", &["春は，花，夏は，鳥。", "おわり。", "コメント (0)", " "]);
        page.nodes.insert(1, picture());
        page.nodes.push(picture());
        let album = Document { id: "c".into(), nodes: vec![picture()], ..Document::default() };
        let input = folder.path().join("documents");
        let mut writer = ShardWriter::create(input.join(shard_name(Document::KIND, 0))).unwrap();
        writer.write(&[page, document("b", &["コメント"]), album]).unwrap();
        writer.finish().unwrap();
        let config = FilterDocumentsConfig {
            documents: input,
            out: folder.path().join("out"),
            profile: profile.display().to_string(),
            words: Some(words.clone()),
            mask: Mask::None,
            ..FilterDocumentsConfig::default()
        };
        filter_documents(&config, &Progress::hidden()).unwrap();
        let kept: Vec<Document> = rows(&config.out);
        assert_eq!(kept.iter().map(|d| d.id.as_str()).collect::<Vec<_>>(), ["a", "c"]);
        assert_eq!(kept[1].nodes[0].role, Role::Main);
        let texts: Vec<&str> = kept[0].nodes.iter().filter_map(|node| node.text.as_deref()).collect();
        assert_eq!(texts, ["春は、花、夏は、鳥。", "おわり。", "コメント (0)", " "]);
        let dropped: Vec<bool> = kept[0].nodes.iter().map(|node| node.role == Role::Boilerplate).collect();
        assert_eq!(dropped, [false, false, false, true, true, true]);
        let image = kept[0].nodes[1].image.as_ref().unwrap();
        assert_eq!(image.alt.as_deref(), Some("電話090-1234-XXXX"));
        let gone: Vec<Excluded> = rows(&config.out.join("excluded"));
        assert_eq!((gone[0].id.as_str(), gone[0].reason.as_str()), ("b", "empty"));
        // Another list is another run.
        std::fs::write(words.join("footer"), "つぎへ\n").unwrap();
        let error = filter_documents(&config, &Progress::hidden()).unwrap_err();
        assert!(
            matches!(&error, Error::OtherRun { difference, .. } if difference.contains("files")),
            "{error}"
        );
    }

    #[test]
    fn a_wrong_profile_is_a_wrong_configuration() {
        let folder = tempfile::tempdir().unwrap();
        let config = FilterDocumentsConfig {
            profile: "papre".into(),
            out: folder.path().join("out"),
            ..FilterDocumentsConfig::default()
        };
        let error = filter_documents(&config, &Progress::hidden()).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains("swallow-v1"), "{error}");
        assert!(!config.out.exists());
    }
}
