//! From one captured page to a document, or the reason why it is none.

use sha2::{Digest, Sha256};
use tsumugi_page::{Page, PageConfig, PageHeaders, is_mojibake, parse_with};
use tsumugi_record::{Document, Excluded, Node, Provenance, Role};
use tsumugi_text::{Evidence, Language, LanguageIdentifier};
use tsumugi_warc::MediaType;

/// Main text shorter than this says too little about its language: then all text of the page is asked.
const TELLING_CHARS: usize = 40;

/// A block shorter than this does not show that a page is translated in part.
const TRANSLATED_CHARS: usize = 20;

/// Highest score of a page that is in the wanted language only in part.
const FOREIGN_TEXT: f64 = 0.5;

/// A page as it stands in an archive.
pub(super) struct Capture {
    pub(super) url: String,
    /// Decompressed bytes of the member before the record.
    pub(super) within: u64,
    pub(super) provenance: Provenance,
    /// All headers of this name; empty where there is none.
    pub(super) content_type: String,
    pub(super) content_language: Option<String>,
    pub(super) robots: Vec<String>,
    pub(super) tdm_reservation: Vec<String>,
    pub(super) content_signal: Vec<String>,
    pub(super) content_usage: Vec<String>,
    pub(super) bytes: Vec<u8>,
}

pub(super) enum Verdict {
    Keep {
        document: Box<Document>,
        /// Whether the page was over a limit of the page reader.
        limited: bool,
        /// How many characters were replaced by U+FFFD, since they are not in the page's charset.
        replaced: usize,
    },
    Drop(Box<Excluded>),
}

/// Whether a payload of a declared type may be HTML: XML may be XHTML, and of unknown types the bytes decide.
pub(super) fn may_be_html(declared: &MediaType) -> bool {
    declared.is_html() || declared.is_xml() || declared.is_unknown()
}

pub(super) fn judge(
    config: &PageConfig,
    identifier: &LanguageIdentifier,
    wanted: &str,
    capture: Capture,
) -> Verdict {
    let headers = PageHeaders {
        content_type: Some(capture.content_type.as_str()).filter(|value| !value.is_empty()),
        content_language: capture.content_language.as_deref(),
        robots: &capture.robots,
        tdm_reservation: &capture.tdm_reservation,
        content_signal: &capture.content_signal,
        content_usage: &capture.content_usage,
    };
    let page = parse_with(config, &capture.bytes, &headers, &capture.url);
    let id = id(&capture);
    let text = telling_text(&page);
    if text.trim().is_empty() {
        return exclude(id, capture.provenance, "empty".into(), None);
    }
    if is_mojibake(&text) {
        return exclude(id, capture.provenance, "mojibake".into(), Some(page.charset));
    }
    let mut language = identifier.identify_on_page(&text, page.language.best());
    if !is_wanted(language.code, wanted) {
        let Some(part) = translated_part(&page, identifier, wanted) else {
            return exclude(id, capture.provenance, format!("language:{}", language.code), Some(capture.url));
        };
        language = Language { score: part.score.min(FOREIGN_TEXT), ..part };
    }
    let (limited, replaced) = (page.limited, page.replaced);
    let document = Document {
        id,
        url: capture.url,
        title: page.title,
        language: Some(language.code.to_owned()),
        language_score: Some(language.score),
        charset: page.charset,
        page_type: page.page_type,
        main_confidence: page.main_confidence,
        nodes: page.nodes,
        opt_out: page.opt_out.page,
        opt_out_signals: page.opt_out.signals,
        provenance: capture.provenance,
        ..Document::default()
    };
    Verdict::Keep { document: Box::new(document), limited, replaced }
}

/// The language of a page that is only in part in the wanted language, as manuals have them whose translation is not
/// finished; what to do with these is left to the filters. One longer block is enough on a page that declares itself to
/// be in that language, and on a page that declares nothing if the block's letters alone tell; there the title, headings
/// and menus may decide as well.
fn translated_part(page: &Page, identifier: &LanguageIdentifier, wanted: &str) -> Option<Language> {
    let declared = page.language.best();
    if declared.is_some_and(|code| !is_wanted(code, wanted)) {
        return None;
    }
    let blocks = page.nodes.iter().filter(|node| node.role != Role::Boilerplate);
    let long = |text: &&str| text.chars().filter(|c| c.is_alphabetic()).count() >= TRANSLATED_CHARS;
    let block = blocks
        .filter_map(|node| node.text.as_deref())
        .filter(long)
        .map(|text| identifier.identify_on_page(text, declared))
        .filter(|language| declared.is_some() || language.evidence == Evidence::Script)
        .find(|language| is_wanted(language.code, wanted));
    let around = || identifier.identify(&text_around(page));
    block.or_else(|| declared.is_none().then(around).filter(|around| is_wanted(around.code, wanted)))
}

/// Title and all that is not main text.
fn text_around(page: &Page) -> String {
    let texts =
        page.nodes.iter().filter(|node| node.role != Role::Main).filter_map(|node| node.text.as_deref());
    page.title.as_deref().into_iter().chain(texts).collect::<Vec<_>>().join("\n")
}

/// The main text, or all of the text where the main text is short.
fn telling_text(page: &Page) -> String {
    let main = page.main_text();
    if main.chars().filter(|c| c.is_alphabetic()).count() >= TELLING_CHARS {
        return main;
    }
    let texts = page.nodes.iter().filter_map(|node: &Node| node.text.as_deref());
    page.title.as_deref().into_iter().chain(texts).collect::<Vec<_>>().join("\n")
}

fn is_wanted(code: &str, wanted: &str) -> bool {
    wanted == super::ANY
        || code == wanted
        || code.strip_prefix(wanted).is_some_and(|rest| rest.starts_with('-'))
}

fn exclude(id: String, provenance: Provenance, reason: String, value: Option<String>) -> Verdict {
    Verdict::Drop(Box::new(Excluded { id, step: super::STEP.to_owned(), reason, value, provenance }))
}

/// The same for the same place in the same archive: 32 hex digits of SHA-256.
fn id(capture: &Capture) -> String {
    let mut hash = Sha256::new();
    for part in [capture.provenance.warc.as_bytes(), b"\0", capture.url.as_bytes(), b"\0"] {
        hash.update(part);
    }
    hash.update(capture.provenance.offset.to_le_bytes());
    hash.update(capture.within.to_le_bytes());
    data_encoding::HEXLOWER.encode(&hash.finalize()[..16])
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENGLISH: &str = "The package tool keeps a database of every file that it has installed on the system, and it can be \
        asked about each of them. This paragraph was not translated yet, and it is much longer than the rest of the page.";
    const JAPANESE: &str = "この章ではパッケージの管理に使うコマンドの基本的な使い方を説明します。";

    fn verdict(lang: &str, paragraphs: &[&str]) -> Verdict {
        let body: String = paragraphs.iter().map(|text| format!("<p>{text}</p>")).collect();
        let html = format!(
            "<html lang=\"{lang}\"><head><meta charset=\"utf-8\"><title>手引き</title></head><body><nav><a href=\"/\">目次に戻る\
             </a> <a href=\"/2\">次の章へ進む</a></nav><article>{body}</article></body></html>"
        );
        let capture = Capture {
            url: "http://manual.test/1".into(),
            within: 0,
            provenance: Provenance::default(),
            content_type: "text/html".into(),
            content_language: None,
            robots: Vec::new(),
            tdm_reservation: Vec::new(),
            content_signal: Vec::new(),
            content_usage: Vec::new(),
            bytes: html.into_bytes(),
        };
        let identifier = LanguageIdentifier::new(Default::default());
        judge(&PageConfig::default(), &identifier, "ja", capture)
    }

    #[test]
    fn a_page_translated_in_part_is_kept_with_a_low_score() {
        let Verdict::Keep { document, limited: false, .. } = verdict("ja-JP", &[JAPANESE, ENGLISH, ENGLISH])
        else {
            panic!("the page was dropped")
        };
        assert!(document.language_score.is_some_and(|score| score <= FOREIGN_TEXT));
    }

    #[test]
    fn a_foreign_page_with_a_japanese_menu_is_dropped() {
        for lang in ["en", "ja"] {
            let Verdict::Drop(excluded) = verdict(lang, &[ENGLISH, ENGLISH]) else {
                panic!("the page was kept")
            };
            assert_eq!(excluded.reason, "language:en");
        }
    }
}
