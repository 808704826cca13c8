//! Step `filter_documents`: quality filters, masking of personal data, exact and near duplicates.
//!
//! The map phase treats a shard of documents: the main text goes through the chain of a profile, what stays is changed
//! as the profile says, personal data is masked in all texts, and kept documents get their statistics (of the text as
//! it came), MinHash signature and band keys. The global phase then drops duplicates: of documents with the same main
//! text the one of smallest id stays, and of what is left a document goes if one of smaller id shares a band key. What
//! was dropped is in table `excluded`.

use std::path::{Path, PathBuf};

use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tsumugi_record::{Document, Excluded, ImageSlot, Node, Role, ShardReader, Statistic, record};
use tsumugi_tables::Operator;
use tsumugi_text::{FilterChain, MinHash, MinHashConfig, Profile, exact_hash, mask_pii, mask_pii_strict};

use crate::runner::{Inputs, Outputs, Phase, Rule, Stage, Step, Work, order_key};
use crate::{Context, Error, Group};

/// Name of the step.
const STEP: &str = "filter_documents";
/// Folder of the documents that the map phase keeps.
const MAPPED: &str = "_mapped";
/// Folder of what is compared of them.
const KEYS: &str = "_keys";
/// Folder of what the map phase drops.
const DROPPED: &str = "_dropped";

/// The filters of the profile.
const QUALITY: Stage = Stage { name: "quality", unit: "documents" };
/// The comparison with all other documents.
const DUPLICATES: Stage = Stage { name: "duplicates", unit: "documents" };

record! {
    /// What is compared of a document.
    #[derive(Debug, Clone, PartialEq)]
    struct DocumentKeys = "document_keys", 1 {
        /// Order of the identifiers.
        id: [u8; 16],
        /// Hash of the main text.
        text: [u8; 16],
        /// Band keys of the signature.
        bands: Vec<i64>,
    }
}

/// Settings of the step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("x-flags" = {"mask-strict": "mask=strict"}))]
pub struct FilterDocumentsConfig {
    /// Folder with the table of documents.
    #[schemars(extend("x-role" = "input", "x-required" = true, "x-value-name" = "DIR"))]
    pub documents: PathBuf,
    /// Output folder.
    #[schemars(extend("x-role" = "output", "x-required" = true, "x-value-name" = "DIR"))]
    pub out: PathBuf,
    /// Name of a profile of `tsumugi-text`, or path of a TOML file.
    #[schemars(extend("x-role" = "input"))]
    pub profile: String,
    /// Folder of word lists and models that the profile may name; filters without their file are left out.
    #[schemars(extend("x-role" = "input"))]
    pub words: Option<PathBuf>,
    /// Personal data that is masked in texts, titles, alt texts and captions. By default `strict`, but what a profile that masks
    /// itself (`hojichar`) masks.
    pub mask: Option<Mask>,
    /// Keep documents whose page forbids its use for training.
    pub keep_opt_out: bool,
    /// Signatures and bands; without them as the profile has it, or [`MinHashConfig::default`].
    #[schemars(extend("x-role" = "input"))]
    pub minhash: Option<MinHashConfig>,
    /// Drop documents that share a band key with one of smaller id.
    pub near_duplicates: bool,
}

/// Which personal data is masked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mask {
    /// Nothing, or what the profile masks.
    None,
    /// Telephone numbers and mail addresses by HojiChar's rules.
    Contact,
    /// Telephone numbers and mail addresses in every notation, postal addresses, My Number and card numbers.
    Strict,
}

impl Default for FilterDocumentsConfig {
    fn default() -> Self {
        Self {
            documents: PathBuf::new(),
            out: PathBuf::new(),
            profile: "paper".into(),
            words: None,
            mask: None,
            keep_opt_out: false,
            minhash: None,
            near_duplicates: true,
        }
    }
}

/// A document that the map phase keeps.
struct Kept {
    document: Document,
    keys: DocumentKeys,
    /// Texts of which the profile has left nothing.
    removed: u64,
}

/// The step.
pub struct FilterDocuments {
    settings: FilterDocumentsConfig,
    documents: Vec<PathBuf>,
    chain: FilterChain,
    minhash: MinHash,
    mask: Mask,
}

impl Step for FilterDocuments {
    const NAME: &'static str = STEP;
    const GROUP: Group = Group::Data;
    const ABOUT: &'static str =
        "Filters documents by quality, masks personal data, drops exact and near duplicates";
    type Settings = FilterDocumentsConfig;

    fn out(settings: &FilterDocumentsConfig) -> &Path {
        &settings.out
    }

    fn open(settings: FilterDocumentsConfig, inputs: &mut Inputs, context: &Context) -> Result<Self, Error> {
        let profile = Profile::named(&settings.profile).map_err(Error::setting("profile"))?;
        if let Some(words) = settings.words.as_ref().filter(|words| !words.is_dir()) {
            return Err(Error::config("words", format!("{} is not a folder", words.display())));
        }
        let chain =
            FilterChain::new(&profile, settings.words.as_deref()).map_err(Error::setting("profile"))?;
        if !chain.missing_lists().is_empty() && settings.words.is_some() {
            context
                .progress
                .line(&format!("word lists that are missing: {}", chain.missing_lists().join(", ")));
        }
        let minhash = MinHash::new(settings.minhash.or(profile.minhash).unwrap_or_default());
        let mask = settings.mask.unwrap_or(if chain.masks() { Mask::None } else { Mask::Strict });
        inputs.resolved("mask", &mask)?;
        inputs.resolved("profile", &profile)?;
        inputs.resolved("minhash", minhash.config())?;
        inputs.resolved("missing_lists", &chain.missing_lists())?;
        inputs.hashes(
            "words",
            chain.files().iter().map(|(name, hash)| (name.to_string(), format!("{hash:032x}"))),
        );
        let documents = inputs.table::<Document>("documents", &settings.documents)?;
        Ok(FilterDocuments { settings, documents, chain, minhash, mask })
    }

    fn phases(&self) -> Vec<Phase<Self>> {
        let shards = |step: &Self, _: &Work| Ok(step.documents.len());
        vec![
            Phase::map("map", shards, Self::map),
            Phase::compare::<DocumentKeys>("duplicates", KEYS, shards, Self::rules),
            Phase::map("reduce", shards, Self::reduce),
        ]
    }
}

impl FilterDocuments {
    /// What drops a document by others: an equal text, or a shared band, of a document of smaller id.
    fn rules(&self) -> Vec<Rule> {
        let names = |name: &str| vec![name.to_owned()];
        let exact = Operator::KeepFirst { id: "id".into(), key: names("text"), order: names("id") };
        let mut rules = vec![Rule { stage: DUPLICATES, reason: "exact_duplicate", operator: exact }];
        if self.settings.near_duplicates {
            let near = Operator::NearDuplicates { id: "id".into(), bands: "bands".into() };
            rules.push(Rule { stage: DUPLICATES, reason: "near_duplicate", operator: near });
        }
        rules
    }

    fn map(&self, _: &Work, number: usize, outputs: &mut Outputs) -> Result<(), Error> {
        outputs.begin::<Document>(MAPPED)?;
        outputs.begin::<Excluded>(DROPPED)?;
        outputs.begin::<DocumentKeys>(KEYS)?;
        for batch in ShardReader::<Document>::open(&self.documents[number])? {
            let judged: Vec<Result<Kept, Box<Excluded>>> =
                batch?.into_par_iter().map(|document| self.judge(document)).collect();
            for result in judged {
                match result {
                    Ok(kept) => {
                        if kept.removed > 0 {
                            outputs.count("texts removed by the profile", kept.removed);
                        }
                        outputs.write(KEYS, kept.keys)?;
                        outputs.keep(QUALITY, MAPPED, kept.document)?;
                    }
                    Err(excluded) => outputs.exclude(QUALITY, *excluded)?,
                }
            }
        }
        Ok(())
    }

    fn judge(&self, mut document: Document) -> Result<Kept, Box<Excluded>> {
        if document.opt_out && !self.settings.keep_opt_out {
            let value = document.opt_out_signals.first().cloned();
            return Err(Box::new(excluded(&document, "opt_out", value)));
        }
        let text = main_text(&document);
        let decision = self.chain.apply_on_page(&text, document.language.as_deref());
        if let Some(reason) = decision.reasons.first() {
            let value = reason.value.map(|value| value.to_string());
            return Err(Box::new(excluded(&document, &reason.rule, value)));
        }
        let removed = self.modify(&mut document);
        // What came without text is for the profile alone to drop.
        if !text.trim().is_empty() && main_text(&document).trim().is_empty() {
            return Err(Box::new(excluded(&document, "empty", None)));
        }
        self.mask_document(&mut document);
        // The signature is of the text as it is written, so that masking is part of what is compared.
        let text = main_text(&document);
        document.signature = self.minhash.signature(&text);
        document.bands = self.minhash.bands(&document.signature);
        let statistics = decision.statistics.into_iter();
        document.statistics = statistics.map(|(name, value)| Statistic { name, value }).collect();
        document.language = Some(decision.language.code.to_owned());
        document.language_score = Some(decision.language.score);
        let keys = DocumentKeys {
            id: order_key(&document.id),
            text: exact_hash(&text).to_be_bytes(),
            bands: document.bands.clone(),
        };
        Ok(Kept { document, keys, removed })
    }

    /// Changes the main text as the profile says. Nodes of which nothing is left become boilerplate, with their text; so do images
    /// that follow the last text that stays, in a footer that goes. Returns the number of such texts.
    fn modify(&self, document: &mut Document) -> u64 {
        let is_main = |node: &Node| node.role != Role::Boilerplate && node.text.is_some();
        let mut nodes: Vec<&mut Node> = document.nodes.iter_mut().collect();
        let places: Vec<usize> = (0..nodes.len()).filter(|&at| is_main(nodes[at])).collect();
        let mut texts: Vec<String> = places.iter().filter_map(|&at| nodes[at].text.clone()).collect();
        self.chain.modify_blocks(&mut texts);
        let (mut footer, mut removed) = (None, 0);
        for (&at, text) in places.iter().zip(texts) {
            let node = &mut nodes[at];
            let is_filled = |text: &str| !text.trim().is_empty();
            if is_filled(&text) {
                node.text = Some(text);
                footer = None;
            } else if node.text.as_deref().is_some_and(is_filled) {
                node.role = Role::Boilerplate;
                footer = footer.or(self.chain.trims_ends().then_some(at));
                removed += 1;
            }
        }
        for node in nodes.into_iter().skip(footer.unwrap_or(usize::MAX)) {
            node.role = Role::Boilerplate;
        }
        removed
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

    /// Writes the documents that stay, and what both phases drop.
    fn reduce(&self, work: &Work, number: usize, outputs: &mut Outputs) -> Result<(), Error> {
        outputs.begin::<Document>("")?;
        outputs.begin::<Excluded>("excluded")?;
        for batch in ShardReader::<Excluded>::open(work.shard::<Excluded>(DROPPED, number))? {
            batch?.into_iter().try_for_each(|row| outputs.write("excluded", row))?;
        }
        let mut verdicts = work.verdicts("duplicates", number)?.into_iter();
        for batch in ShardReader::<Document>::open(work.shard::<Document>(MAPPED, number))? {
            for document in batch? {
                match verdicts.next().flatten() {
                    Some(reason) => outputs.exclude(DUPLICATES, excluded(&document, &reason, None))?,
                    None => outputs.keep(DUPLICATES, "", document)?,
                }
            }
        }
        Ok(())
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

#[cfg(test)]
mod tests;
