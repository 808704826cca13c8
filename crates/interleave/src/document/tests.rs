use tsumugi_images::PHash;
use tsumugi_record::{ImageSlot, Node};

use super::*;
use crate::config::Long;

fn words(text: &str) -> Node {
    Node { text: Some(text.into()), ..Default::default() }
}

fn image(url: &str) -> Node {
    Node { image: Some(ImageSlot { url: url.into(), ..Default::default() }), ..Default::default() }
}

fn find(url: &str) -> Option<ImageFacts> {
    let key = url.parse().ok()?;
    Some(ImageFacts {
        key,
        width: 200,
        height: 200,
        phash: PHash(0x1111_1111_1111 * key as u64 * key as u64),
    })
}

fn page() -> Document {
    let menu = Node { text: Some("メニュー".into()), role: Role::Boilerplate, image: None };
    Document {
        nodes: vec![
            menu,
            image("3"),
            words("見出し"),
            words("一つ目の文。二つ目の文。"),
            image("9"),
            words("＊＊＊"),
            words("三つ目の文。四つ目の文。"),
            image("14"),
        ],
        ..Default::default()
    }
}

fn draft(document: &Document, images: Vec<PageImage>) -> Draft {
    let pack = tsumugi_text::LanguagePack::embedded("ja").unwrap();
    Draft::new(document, images, pack.sentences())
}

fn show(parts: &[Part]) -> Vec<String> {
    let show = |part: &Part| match part {
        Part::Text(text) => text.clone(),
        Part::Image(image, similarity) => format!("[{}{}]", image.url, similarity.map_or("", |_| "!")),
    };
    parts.iter().map(show).collect()
}

#[test]
fn images_keep_their_place_without_a_scorer() {
    let config = InterleavedConfig::default();
    let (images, dropped) = page_images(&page(), &find, &config);
    assert!(dropped.is_empty(), "{dropped:?}");
    let draft = draft(&page(), images);
    assert_eq!(draft.sentences().len(), 5);
    assert_eq!(draft.check_text(&config), Err(DocumentDrop::FewSentences));
    let parts = draft.in_page_order();
    // The marks belong to the sentence before them, so the image follows them.
    assert_eq!(
        show(&parts),
        ["[3]", "見出し\n一つ目の文。二つ目の文。\n＊＊＊", "[9]", "三つ目の文。四つ目の文。", "[14]"]
    );
}

#[test]
fn images_go_to_the_sentences_they_fit() {
    let config = InterleavedConfig::default();
    let (images, _) = page_images(&page(), &find, &config);
    let draft = draft(&page(), images);
    let scores =
        Matrix::new(3, 5, vec![0.1, 0.9, 0.8, 0.1, 0.1, 0.1, 0.8, 0.1, 0.1, 0.1, 0.1, 0.1, 0.19, 0.1, 0.1])
            .unwrap();
    let mut dropped = Vec::new();
    let parts = draft.assigned(&scores, &config, &mut dropped).unwrap();
    assert_eq!(dropped, [("14".to_owned(), ImageDrop::LowSimilarity)]);
    assert_eq!(
        show(&parts),
        ["見出し", "[9!]", "一つ目の文。", "[3!]", "二つ目の文。\n＊＊＊\n三つ目の文。四つ目の文。"]
    );
}

#[test]
fn surplus_images_share_the_best_sentence_as_in_mmc4() {
    let document =
        Document { nodes: vec![words("文は一つ。"), image("3"), image("9")], ..Default::default() };
    let mut config = InterleavedConfig { surplus: Surplus::Best, min_images: 1, ..Default::default() };
    let (images, _) = page_images(&document, &find, &config);
    let draft = draft(&document, images);
    let scores = Matrix::new(2, 1, vec![0.3, 0.4]).unwrap();
    let mut dropped = Vec::new();
    let parts = draft.clone().assigned(&scores, &config, &mut dropped).unwrap();
    assert_eq!(show(&parts), ["[3!]", "[9!]", "文は一つ。"]);
    config.surplus = Surplus::Drop;
    let parts = draft.assigned(&scores, &config, &mut dropped).unwrap();
    assert_eq!(show(&parts), ["[9!]", "文は一つ。"]);
    assert_eq!(dropped, [("3".to_owned(), ImageDrop::Surplus)]);
}

fn caption(text: &str) -> Node {
    Node { role: Role::Caption, ..words(text) }
}

fn heading(text: &str) -> Node {
    Node { role: Role::Heading, ..words(text) }
}

fn captioned(url: &str, text: &str) -> Node {
    let mut node = image(url);
    node.image.as_mut().unwrap().caption = Some(text.into());
    node
}

#[test]
fn a_caption_goes_with_its_image() {
    let document = Document {
        nodes: vec![
            words("一つ目の文。二つ目の文。"),
            captioned("3", "橋の 写真"),
            caption("橋の\n写真"),
            words("三つ目の文。"),
            // Two images of a figure share a caption, which may stand above them.
            caption("川の写真"),
            captioned("9", "川の写真"),
            captioned("14", "川の写真"),
            // The image of this one is not there.
            captioned("gone", "消えた写真"),
            caption("消えた写真"),
            caption("表の見出し"),
            words("四つ目の文。"),
        ],
        ..Default::default()
    };
    let config = InterleavedConfig { min_images: 1, min_sentences: 1, ..Default::default() };
    let (images, _) = page_images(&document, &find, &config);
    let draft = draft(&document, images);
    assert_eq!(
        draft.sentences(),
        ["一つ目の文。", "二つ目の文。", "三つ目の文。", "表の見出し", "四つ目の文。"]
    );
    assert_eq!(
        show(&draft.clone().in_page_order()),
        [
            "一つ目の文。二つ目の文。",
            "[3]",
            "橋の\n写真\n三つ目の文。",
            "[9]",
            "[14]",
            "川の写真\n表の見出し\n四つ目の文。"
        ]
    );
    // Image 3 fits the last sentence, 9 the first, and 14 none, so that 9 is the last image with its caption.
    let mut scores = vec![0.0; 15];
    (scores[4], scores[5]) = (0.9, 0.8);
    let scores = Matrix::new(3, 5, scores).unwrap();
    let parts = draft.assigned(&scores, &config, &mut Vec::new()).unwrap();
    assert_eq!(
        show(&parts),
        [
            "[9!]",
            "川の写真\n一つ目の文。二つ目の文。\n三つ目の文。\n表の見出し",
            "[3!]",
            "橋の\n写真\n四つ目の文。"
        ]
    );
}

fn long_page() -> Document {
    let mut nodes = Vec::new();
    for section in 0..3 {
        nodes.push(heading(&format!("第{section}節")));
        for step in 0..3 {
            nodes.push(words(&format!("{section}の{step}の文。続きの文。")));
            nodes.push(image(&(section * 3 + step + 1).to_string()));
        }
    }
    Document { nodes, ..Default::default() }
}

fn windows(document: &Document, config: &InterleavedConfig) -> Vec<Vec<String>> {
    let (images, _) = page_images(document, &find, config);
    let windows = draft(document, images).windows(config);
    windows.into_iter().map(|window| show(&window.in_page_order())).collect()
}

#[test]
fn long_documents_are_cut_at_headings() {
    let config = InterleavedConfig { long: Long::Split, phash_distance: 0, ..Default::default() };
    let one = InterleavedConfig { max_images: 9, ..config.clone() };
    assert_eq!(windows(&long_page(), &one).len(), 1);
    let dropped = InterleavedConfig { long: Long::Drop, ..config.clone() };
    assert_eq!(windows(&long_page(), &dropped).len(), 1);
    // Three sections of three images: with at most five, each is a window; with at most seven, the first two make one.
    let parts = windows(&long_page(), &config);
    let firsts: Vec<&str> = parts.iter().map(|parts| parts[0].as_str()).collect();
    assert_eq!(
        firsts,
        ["第0節\n0の0の文。続きの文。", "第1節\n1の0の文。続きの文。", "第2節\n2の0の文。続きの文。"]
    );
    assert!(parts.iter().all(|parts| parts.iter().filter(|part| part.starts_with('[')).count() == 3));
    let seven = InterleavedConfig { max_images: 7, ..config.clone() };
    assert_eq!(windows(&long_page(), &seven).iter().map(Vec::len).collect::<Vec<_>>(), [12, 6]);
    let sentences = InterleavedConfig { max_images: 9, max_sentences: 14, ..config };
    assert_eq!(windows(&long_page(), &sentences).iter().map(Vec::len).collect::<Vec<_>>(), [12, 6]);
}

#[test]
fn a_long_section_is_cut_between_paragraphs() {
    let config =
        InterleavedConfig { long: Long::Split, max_images: 2, phash_distance: 0, ..Default::default() };
    let parts = windows(&long_page(), &config);
    assert_eq!(parts.iter().map(Vec::len).collect::<Vec<_>>(), [4, 2, 4, 2, 4, 2]);
    assert_eq!(parts[1], ["0の2の文。続きの文。", "[3]"]);
    // One paragraph of more sentences than are allowed, and more images in one place than are allowed.
    let document = Document {
        nodes: vec![words(&"文。".repeat(7)), image("1"), image("2"), image("3")],
        ..Default::default()
    };
    let config = InterleavedConfig { max_sentences: 3, ..config };
    let parts = windows(&document, &config);
    assert_eq!(parts, [vec!["文。文。文。"], vec!["文。文。文。"], vec!["文。", "[1]", "[2]"], vec!["[3]"]]);
}
