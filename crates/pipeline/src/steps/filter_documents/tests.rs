use tsumugi_record::{Record, ShardWriter, shard_name, shards};

use super::*;
use crate::runner::{self, Summary};

fn run_step(settings: &FilterDocumentsConfig) -> Result<Summary, Error> {
    runner::run::<FilterDocuments>(settings.clone(), &Context::hidden())
}

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
    (run_step(&config).unwrap(), config)
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
    run_step(&mine).unwrap();
    let kept: Vec<Document> = rows(&mine.out);
    assert_eq!((kept[0].signature.len(), kept[0].bands.len()), (6, 2));
    // What the caller asks for goes before it.
    let minhash = Some(MinHashConfig { bands: 4, rows: 1, ..MinHashConfig::default() });
    let own = FilterDocumentsConfig { minhash, out: folder.path().join("third"), ..mine };
    run_step(&own).unwrap();
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
    assert_eq!(run_step(&config).unwrap().rows, summary.rows);
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
    let image = || Node {
        image: Some(ImageSlot { alt: Some("電話090-1234-5678".into()), ..ImageSlot::default() }),
        ..Node::default()
    };
    let mut page = document("a", &["春は，花，夏は，鳥。", "おわり。", "コメント (0)", " "]);
    page.nodes.insert(1, image());
    page.nodes.push(image());
    let album = Document { id: "c".into(), nodes: vec![image()], ..Document::default() };
    let input = folder.path().join("documents");
    let mut writer = ShardWriter::create(input.join(shard_name(Document::KIND, 0))).unwrap();
    writer.write(&[page, document("b", &["コメント"]), album]).unwrap();
    writer.finish().unwrap();
    let config = FilterDocumentsConfig {
        documents: input,
        out: folder.path().join("out"),
        profile: profile.display().to_string(),
        words: Some(words.clone()),
        mask: Some(Mask::None),
        ..FilterDocumentsConfig::default()
    };
    run_step(&config).unwrap();
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
    let error = run_step(&config).unwrap_err();
    assert!(matches!(&error, Error::OtherRun { difference, .. } if difference.contains("words")), "{error}");
}

/// Every text of a document is masked strictly unless told otherwise; a profile that masks itself keeps its own way.
#[test]
fn personal_data_is_masked_in_every_text() {
    let folder = tempfile::tempdir().unwrap();
    let page = || {
        let image = ImageSlot {
            alt: Some("店主 ０９０ー００００ー１１１１ の写真".into()),
            caption: Some("問い合わせは taro＠example.co.jp まで".into()),
            ..ImageSlot::default()
        };
        let mut page = document("a", &[&format!("{TEXT}電話は03.0000.1111です。")]);
        page.title = Some("連絡先 03―0000―1111".into());
        page.nodes.push(Node { image: Some(image), ..Node::default() });
        page
    };
    let (_, config) = run(&[vec![page()]], folder.path());
    let kept: Vec<Document> = rows(&config.out);
    let image = kept[0].nodes[1].image.as_ref().unwrap();
    assert_eq!(kept[0].title.as_deref(), Some("連絡先 03―0000―XXXX"));
    assert!(kept[0].nodes[0].text.as_ref().unwrap().ends_with("電話は03.0000.XXXXです。"));
    assert_eq!(image.alt.as_deref(), Some("店主 ０９０ー００００ーXXXX の写真"));
    assert_eq!(image.caption.as_deref(), Some("問い合わせは xxxx@yyy.jp まで"));

    let profile = folder.path().join("own.toml");
    std::fs::write(&profile, "name = \"own\"\n[[modify]]\ntype = \"mask-pii\"\n").unwrap();
    let own = FilterDocumentsConfig {
        profile: profile.display().to_string(),
        out: folder.path().join("own"),
        ..config.clone()
    };
    run_step(&own).unwrap();
    assert_eq!(rows::<Document>(&own.out)[0].title.as_deref(), Some("連絡先 03―0000―1111"));
    let strict = FilterDocumentsConfig { mask: Some(Mask::Strict), out: folder.path().join("both"), ..own };
    run_step(&strict).unwrap();
    assert_eq!(rows::<Document>(&strict.out)[0].title.as_deref(), Some("連絡先 03―0000―XXXX"));
}

#[test]
fn paragraphs_in_another_language_become_boilerplate() {
    let folder = tempfile::tempdir().unwrap();
    let english = "Choose the file that you want to open from the list and press the button.";
    let mut page = document("a", &[TEXT, english]);
    page.nodes.push(Node { image: Some(ImageSlot::default()), ..Node::default() });
    let (_, config) = run(&[vec![page]], folder.path());
    assert_eq!(rows::<Document>(&config.out)[0].nodes[1].role, Role::Main);
    let own = FilterDocumentsConfig {
        profile: "paper-own-language".into(),
        out: folder.path().join("own"),
        ..config
    };
    let summary = run_step(&own).unwrap();
    let roles: Vec<Role> = rows::<Document>(&own.out)[0].nodes.iter().map(|node| node.role).collect();
    assert_eq!(roles, [Role::Main, Role::Boilerplate, Role::Main]);
    assert_eq!(summary.counts["texts removed by the profile"], 1);
}

#[test]
fn a_wrong_profile_is_a_wrong_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let config = FilterDocumentsConfig {
        profile: "papre".into(),
        out: folder.path().join("out"),
        ..FilterDocumentsConfig::default()
    };
    let error = run_step(&config).unwrap_err();
    assert_eq!(error.exit_code(), 2);
    let message = crate::with_causes(&error);
    assert!(message.contains("swallow-v1"), "{message}");
    assert!(!config.out.exists());
}
