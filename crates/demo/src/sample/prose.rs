//! The site's Japanese text: sentences of `prose.txt` by topic, with names and numbers filled in.

use super::random::Random;
use super::subject::Kind;
use std::sync::LazyLock;

/// One topic: its title and its sentences with blanks (`{人}`, `{年}`, `{月}`, `{数}`, `{地}`).
#[derive(Debug)]
pub(super) struct Topic {
    pub(super) title: &'static str,
    sentences: Vec<&'static str>,
}

/// The topics; the last one (「ことば」) fits everywhere.
static ALL: LazyLock<Vec<Topic>> = LazyLock::new(|| {
    let mut topics = Vec::new();
    for section in include_str!("prose.txt").split("# ").skip(1) {
        let mut lines = section.lines();
        topics.push(Topic { title: lines.next().unwrap_or_default(), sentences: lines.collect() });
    }
    topics
});

const PEOPLE: [&str; 16] = [
    "浜口",
    "糸井",
    "早瀬",
    "真鍋",
    "小野寺",
    "瀬戸",
    "水谷",
    "片桐",
    "望月",
    "千葉",
    "島田",
    "野々村",
    "岸本",
    "桐生",
    "高峰",
    "梅原",
];
const PLACES: [&str; 8] =
    ["上の谷", "浜通り", "北の集落", "川向こう", "糸川地区", "岬の村", "丘の上の地区", "古い宿場"];
const NUMERALS: [&str; 10] = ["一", "二", "三", "四", "五", "六", "七", "八", "九", "十"];

/// How many topics have pages of their own.
pub(super) fn topics() -> usize {
    ALL.len() - 1
}

/// A topic's title.
pub(super) fn title(topic: usize) -> &'static str {
    ALL[topic % topics()].title
}

/// What pictures go with a topic.
pub(super) fn kinds(topic: usize) -> &'static [Kind] {
    use Kind::{
        Apple, Balloon, Bird, Boat, Carp, Circle, Cup, Fish, Flower, House, Lantern, Lighthouse, Mountain,
        Snowman, Star, Train, Tree, Umbrella,
    };
    const KINDS: [&[Kind]; 14] = [
        &[Boat, Fish, Lighthouse, Bird, House],
        &[Lantern, Star, Balloon, Boat, Carp],
        &[Circle, Star, Flower, House, Cup],
        &[Cup, Fish, Apple, Umbrella, Boat],
        &[Lighthouse, Boat, Bird, Flower, Mountain],
        &[Flower, Tree, Mountain, Bird, Carp],
        &[Apple, Tree, House, Mountain, Balloon],
        &[Snowman, House, Mountain, Train, Umbrella],
        &[Train, Mountain, Tree, House, Bird],
        &[Cup, House, Tree, Circle, Star],
        &[House, Star, Circle, Tree, Umbrella],
        &[Mountain, House, Lantern, Snowman, Cup],
        &[Apple, Umbrella, Flower, Fish, Balloon],
        &[Fish, Lantern, Tree, Carp, Flower],
    ];
    KINDS[topic % KINDS.len()]
}

/// `own` sentences of a topic, `guests` of another and `common` of those that fit everywhere; no sentence twice.
pub(super) fn article(
    topic: usize,
    own: usize,
    guests: usize,
    common: usize,
    random: &mut Random,
) -> Vec<String> {
    let topic = topic % topics();
    let guest = (topic + 1 + random.below(topics() - 1)) % topics();
    let mut templates = random.sample(&ALL[topic].sentences, own);
    templates.extend(random.sample(&ALL[guest].sentences, guests));
    templates.extend(random.sample(&ALL[topics()].sentences, common));
    templates.into_iter().map(|template| fill(template, random)).collect()
}

fn fill(template: &str, random: &mut Random) -> String {
    let year = (1890 + random.below(120)).to_string();
    let number = format!("{}十", NUMERALS[1 + random.below(8)]);
    template
        .replace("{人}", random.word(&PEOPLE))
        .replace("{地}", random.word(&PLACES))
        .replace("{月}", random.word(&NUMERALS))
        .replace("{年}", &year)
        .replace("{数}", &number)
}
