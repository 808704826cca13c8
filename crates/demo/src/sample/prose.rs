//! The prose of the site: sentences of a topic, with names and numbers filled in.

use super::random::Random;
use super::subject::Kind;
use crate::language::{Language, fill};

/// What images go with a topic.
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
    language: &'static Language,
    topic: usize,
    own: usize,
    guests: usize,
    common: usize,
    random: &mut Random,
) -> Vec<String> {
    let (topics, all) = (language.own_topics(), &language.topics);
    let topic = topic % topics;
    let guest = (topic + 1 + random.below(topics - 1)) % topics;
    let mut templates = random.sample(&all[topic].sentences, own);
    templates.extend(random.sample(&all[guest].sentences, guests));
    templates.extend(random.sample(&all[topics].sentences, common));
    templates.into_iter().map(|template| complete(language, template, random)).collect()
}

/// Fills in the blanks of a sentence.
fn complete(language: &'static Language, template: &str, random: &mut Random) -> String {
    let site = &language.site;
    let year = (1890 + random.below(120)).to_string();
    let number = random.pick(&site.tens);
    let person = random.pick(&site.people);
    let place = random.pick(&site.places);
    let month = random.pick(&site.months);
    let values =
        [("person", person), ("place", place), ("month", month), ("year", &year), ("number", number)];
    fill(template, &values.map(|(name, value)| (name, value.as_str())))
}
