//! The rows of every table, as plain types.

use serde::{Deserialize, Serialize};

use crate::page_type::PageType;
use crate::record;
use crate::role::Role;

record! {
    /// Where a row came from in an archive.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
    pub struct Provenance {
        /// Name of the archive file (no folders, so that a moved archive gives the same rows).
        pub warc: String,
        /// Byte offset of the record (of its compressed member, where compressed) in the archive.
        pub offset: u64,
        /// Bytes that the record (its member) takes in the archive; 0 where unknown.
        pub length: u64,
        /// `WARC-Record-ID`, without angle brackets; empty where the format has none.
        pub record_id: String,
        /// `WARC-Date` as written in the archive.
        pub date: String,
    }
}

record! {
    /// An image as Hugging Face's `Image` feature stores it.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
    pub struct Image as { "_type": "Image" } {
        /// The encoded file (JPEG, PNG, ...).
        pub bytes: Option<Vec<u8>>,
        /// A file name, by which readers guess the format.
        pub path: Option<String>,
    }
}

record! {
    /// A place on a page where an image stands.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
    pub struct ImageSlot {
        /// Absolute URL, without fragment.
        pub url: String,
        /// The `alt` attribute, as written.
        pub alt: Option<String>,
        /// Text of the enclosing figure's caption.
        pub caption: Option<String>,
        /// Text of the enclosing link.
        pub link_text: Option<String>,
        /// Declared width in CSS pixels.
        pub width: Option<u32>,
        /// Declared height in CSS pixels.
        pub height: Option<u32>,
        /// True where the page forbids the use of this image.
        pub opt_out: bool,
    }
}

record! {
    /// A block of text or an image, in reading order.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
    pub struct Node {
        /// The text of a text node.
        pub text: Option<String>,
        /// What the node is on its page.
        pub role: Role,
        /// The slot of an image node.
        pub image: Option<ImageSlot>,
    }
}

record! {
    /// A named number that a filter measured.
    #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
    pub struct Statistic {
        /// Name of the measure.
        pub name: String,
        /// Its value.
        pub value: f64,
    }
}

record! {
    /// Table `documents`: one row for each page.
    #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
    pub struct Document = "documents", 1 {
        /// Stable identifier, the same in every run.
        pub id: String,
        /// URL of the page.
        pub url: String,
        /// Its title.
        pub title: Option<String>,
        /// Language code such as `ja`.
        pub language: Option<String>,
        /// How sure the language is, 0 to 1.
        pub language_score: Option<f64>,
        /// Encoding the page was read in, by its WHATWG name.
        pub charset: String,
        /// What kind of page it was taken for; none where it has no text.
        pub page_type: Option<PageType>,
        /// The F1 that the choice of main text is expected to have, 0 to 1: how sure the page reader is.
        pub main_confidence: Option<f64>,
        /// Text and images in reading order.
        pub nodes: Vec<Node>,
        /// True where the page forbids its use for training.
        pub opt_out: bool,
        /// The signals found, such as `meta robots noai`.
        pub opt_out_signals: Vec<String>,
        /// Where the page stands in its archive.
        pub provenance: Provenance,
        /// Measures of the text filter; empty before `filter_documents`.
        pub statistics: Vec<Statistic>,
        /// MinHash signature; empty before `filter_documents`.
        pub signature: Vec<u32>,
        /// Keys of the signature's bands; empty before `filter_documents`.
        pub bands: Vec<i64>,
    }
}

record! {
    /// Projection of table `documents`: what the steps after the text filter read of a page.
    #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
    pub struct DocumentBody = "documents", 1 {
        /// Stable identifier, the same in every run.
        pub id: String,
        /// URL of the page.
        pub url: String,
        /// Language of the main text, a BCP 47 code.
        pub language: Option<String>,
        /// Encoding the page was read in, by its WHATWG name.
        pub charset: String,
        /// Text and images in reading order.
        pub nodes: Vec<Node>,
        /// True where the page forbids its use for training.
        pub opt_out: bool,
        /// Where the page stands in its archive.
        pub provenance: Provenance,
    }
}

record! {
    /// The address of an image slot.
    #[derive(Debug, Clone, Default, PartialEq, Eq)]
    pub struct ImageAddress {
        /// URL of the image.
        pub url: String,
    }
}

record! {
    /// The image of a node.
    #[derive(Debug, Clone, Default, PartialEq, Eq)]
    pub struct NodeImage {
        /// The slot of an image node.
        pub image: Option<ImageAddress>,
    }
}

record! {
    /// Projection of table `documents`: the addresses of the images on a page.
    #[derive(Debug, Clone, Default, PartialEq, Eq)]
    pub struct DocumentImages = "documents", 1 {
        /// Text and images in reading order.
        pub nodes: Vec<NodeImage>,
        /// True where the page forbids its use for training.
        pub opt_out: bool,
    }
}

impl From<DocumentBody> for Document {
    fn from(body: DocumentBody) -> Document {
        let DocumentBody { id, url, language, charset, nodes, opt_out, provenance } = body;
        Document { id, url, language, charset, nodes, opt_out, provenance, ..Document::default() }
    }
}

record! {
    /// Table `images`: one row for each content.
    ///
    /// Version 2 added `orientation`; files of version 1 are read as having none.
    #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
    pub struct ImageRow = "images", 2 {
        /// SHA-256 of the bytes, in hex.
        pub id: String,
        /// The encoded image.
        pub image: Image,
        /// Width in pixels, as stored.
        pub width: u32,
        /// Height in pixels, as stored.
        pub height: u32,
        /// Format such as `jpeg`.
        pub format: String,
        /// Perceptual hash of the stored pixels, 16 hex digits.
        pub phash: String,
        /// EXIF orientation, 1 (upright) to 8: how viewers turn the stored pixels.
        pub orientation: Option<u16>,
    }
}

record! {
    /// Projection of table `images`: what is known of an image besides its bytes.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
    pub struct ImageFacts = "images", 2 {
        /// SHA-256 of the bytes, in hex.
        pub id: String,
        /// Width in pixels.
        pub width: u32,
        /// Height in pixels.
        pub height: u32,
        /// Format such as `jpeg`.
        pub format: String,
        /// Perceptual hash, 16 hex digits.
        pub phash: String,
    }
}

record! {
    /// Projection of table `fetches`: which content answered an address.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
    pub struct FetchedImage = "fetches", 1 {
        /// URL that the page names.
        pub url: String,
        /// The content in table `images`; none where the fetch failed.
        pub image_id: Option<String>,
    }
}

record! {
    /// Table `fetches`: one row for each occurrence of an image on a page.
    #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
    pub struct Fetch = "fetches", 1 {
        /// URL that the page names.
        pub url: String,
        /// URL that answered, after redirects; empty where the address itself holds the image.
        pub final_url: String,
        /// URL of the page.
        pub page_url: String,
        /// The content in table `images`; none where the fetch failed.
        pub image_id: Option<String>,
        /// HTTP status; 0 where there was no answer.
        pub status: u16,
        /// Why there is no image.
        pub reason: Option<String>,
        /// `ETag` of the answer.
        pub etag: Option<String>,
        /// `Last-Modified` of the answer.
        pub last_modified: Option<String>,
        /// When it was fetched (the archive's date, where it came from one).
        pub date: String,
        /// Where the answer stands in its archive; empty where it came from elsewhere.
        pub provenance: Provenance,
    }
}

record! {
    /// How well an image and a text fit, by one scorer.
    #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
    pub struct Similarity {
        /// Name of the scorer.
        pub scorer: String,
        /// Its score (cosine similarity).
        pub value: f64,
    }
}

record! {
    /// Table `pairs`: an image and a text about it.
    #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
    pub struct Pair = "pairs", 1 {
        /// Stable identifier.
        pub id: String,
        /// The image.
        pub image: Image,
        /// The text.
        pub text: String,
        /// Where the text stood: `alt` or `caption`.
        pub text_source: String,
        /// URL of the image.
        pub image_url: String,
        /// URL of the page.
        pub page_url: String,
        /// Width in pixels.
        pub width: u32,
        /// Height in pixels.
        pub height: u32,
        /// Perceptual hash, 16 hex digits.
        pub phash: String,
        /// Scores of each scorer.
        pub similarities: Vec<Similarity>,
        /// Where the page stands in its archive.
        pub provenance: Provenance,
    }
}

record! {
    /// Projection of table `pairs`: the text, and what is known of the image.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
    pub struct PairText = "pairs", 1 {
        /// Stable identifier.
        pub id: String,
        /// The text.
        pub text: String,
        /// Perceptual hash of the image, 16 hex digits.
        pub phash: String,
    }
}

record! {
    /// What is known of one image of an interleaved document.
    #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
    pub struct ImageInfo {
        /// URL of the image.
        pub url: String,
        /// Width in pixels.
        pub width: u32,
        /// Height in pixels.
        pub height: u32,
        /// Perceptual hash, 16 hex digits.
        pub phash: String,
        /// Similarity to its assigned sentence.
        pub similarity: Option<f64>,
    }
}

record! {
    /// Table `interleaved`: texts and images in reading order.
    #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
    pub struct Interleaved = "interleaved", 1 {
        /// Stable identifier: that of the document. The windows of a long document add their number to it (`-00`).
        pub id: String,
        /// Texts; null where an image stands.
        pub texts: Vec<Option<String>>,
        /// Images; null where a text stands. As long as `texts`.
        pub images: Vec<Option<Image>>,
        /// Facts of the images, in their order.
        pub image_info: Vec<ImageInfo>,
        /// URL of the page.
        pub page_url: String,
        /// Where the page stands in its archive.
        pub provenance: Provenance,
    }
}

record! {
    /// Projection of table `interleaved`: the texts, and what is known of the images.
    #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
    pub struct InterleavedTexts = "interleaved", 1 {
        /// Stable identifier.
        pub id: String,
        /// Texts; null where an image stands.
        pub texts: Vec<Option<String>>,
        /// What is known of the images, in their order.
        pub image_info: Vec<ImageInfo>,
    }
}

record! {
    /// One part of a message.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
    pub struct Content {
        /// `text` or `image`; column `type`.
        #[serde(rename = "type")]
        pub kind as "type": String,
        /// The text of a text part.
        pub text: Option<String>,
    }
}

record! {
    /// One turn of a conversation.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
    pub struct Message {
        /// `system`, `user` or `assistant`.
        pub role: String,
        /// Its parts; image parts take the conversation's images in order.
        pub content: Vec<Content>,
    }
}

record! {
    /// What wrote a conversation.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
    pub struct Generator {
        /// Model name.
        pub model: String,
        /// Version of the prompt file.
        pub prompt_version: String,
        /// Tokens sent.
        pub prompt_tokens: u64,
        /// Tokens received.
        pub completion_tokens: u64,
    }
}

record! {
    /// Table `conversations`: instruction data.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
    pub struct Conversation = "conversations", 1 {
        /// Stable identifier.
        pub id: String,
        /// The images, in the order of the image parts.
        pub images: Vec<Image>,
        /// The turns.
        pub messages: Vec<Message>,
        /// Kind of task, such as `detail`.
        pub task: String,
        /// What wrote it.
        pub generator: Generator,
    }
}

record! {
    /// Table `excluded`: what a step dropped.
    ///
    /// Version 2 renamed reasons: `not_japanese` is `wrong_language`, `no_japanese_letter` is `no_letter_of_language`, and
    /// `no_picture` is `no_image`. Files of version 1 are read as they are.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
    pub struct Excluded = "excluded", 2 {
        /// Identifier of the dropped item.
        pub id: String,
        /// The step (and filter) that dropped it.
        pub step: String,
        /// Why, as one word or code.
        pub reason: String,
        /// The value that decided.
        pub value: Option<String>,
        /// Where the item came from.
        pub provenance: Provenance,
    }
}

record! {
    /// Table `predictions`: a model's answers.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
    pub struct Prediction = "predictions", 1 {
        /// Name of the benchmark.
        pub benchmark: String,
        /// Question within the benchmark.
        pub question_id: String,
        /// Category of the question; empty where there is none.
        pub category: String,
        /// The question as asked.
        pub question: String,
        /// The reference answer.
        pub reference: String,
        /// The model's answer.
        pub answer: String,
        /// Name of the model.
        pub model: String,
        /// Generation settings as JSON.
        pub settings: String,
    }
}

record! {
    /// Table `judgements`: a judge's opinion on one answer.
    #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
    pub struct Judgement = "judgements", 1 {
        /// Name of the benchmark.
        pub benchmark: String,
        /// Question within the benchmark.
        pub question_id: String,
        /// Number of the judge run, from 0.
        pub run: u32,
        /// Name of the judge.
        pub judge: String,
        /// Evaluation profile.
        pub profile: String,
        /// The judge's words.
        pub reply: String,
        /// Score of the answer.
        pub score: Option<f64>,
        /// Score of the reference, where the judge gives one.
        pub reference_score: Option<f64>,
        /// Why there is no score.
        pub error: Option<String>,
    }
}
