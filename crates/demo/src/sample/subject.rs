//! What is drawn, and the words for it.

use super::canvas::Colour;
use super::random::Random;
use crate::language::{Language, fill};

/// A colour of things.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paint {
    /// By which languages name it.
    name: &'static str,
    pub(super) rgb: Colour,
}

const RED: Paint = Paint { name: "red", rgb: [214, 48, 49] };
const BLUE: Paint = Paint { name: "blue", rgb: [36, 92, 200] };
const YELLOW: Paint = Paint { name: "yellow", rgb: [250, 205, 40] };
const GREEN: Paint = Paint { name: "green", rgb: [52, 150, 76] };
const WHITE: Paint = Paint { name: "white", rgb: [246, 246, 242] };
const PURPLE: Paint = Paint { name: "purple", rgb: [128, 70, 170] };
const ORANGE: Paint = Paint { name: "orange", rgb: [243, 140, 36] };
const PINK: Paint = Paint { name: "pink", rgb: [244, 150, 180] };
const BLACK: Paint = Paint { name: "black", rgb: [44, 44, 52] };

/// The light of an outdoor scene.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Light {
    Day,
    Dusk,
    Night,
    Cloudy,
}

impl Light {
    fn name(self) -> &'static str {
        match self {
            Light::Day => "day",
            Light::Dusk => "dusk",
            Light::Night => "night",
            Light::Cloudy => "cloudy",
        }
    }
}

/// The kinds of images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Boat,
    Flower,
    Lantern,
    Fish,
    Apple,
    House,
    Tree,
    Circle,
    Star,
    Carp,
    Umbrella,
    Cup,
    Balloon,
    Train,
    Mountain,
    Bird,
    Lighthouse,
    Snowman,
}

pub(super) const KINDS: [Kind; 18] = [
    Kind::Boat,
    Kind::Flower,
    Kind::Lantern,
    Kind::Fish,
    Kind::Apple,
    Kind::House,
    Kind::Tree,
    Kind::Circle,
    Kind::Star,
    Kind::Carp,
    Kind::Umbrella,
    Kind::Cup,
    Kind::Balloon,
    Kind::Train,
    Kind::Mountain,
    Kind::Bird,
    Kind::Lighthouse,
    Kind::Snowman,
];

/// How many things an image of a kind has at most, their colours and lights.
struct Range {
    most: usize,
    paints: &'static [Paint],
    lights: &'static [Light],
}

const OUTDOORS: &[Light] = &[Light::Day, Light::Dusk, Light::Night, Light::Cloudy];
const BY_DAY: &[Light] = &[Light::Day, Light::Cloudy];
const LIT: &[Light] = &[Light::Night, Light::Dusk];
/// Indoors: the light has no name.
const INDOORS: &[Light] = &[];

impl Kind {
    /// By which languages name it.
    fn name(self) -> String {
        format!("{self:?}").to_lowercase()
    }

    #[rustfmt::skip]
    fn range(self) -> Range {
        let range = |most, paints, lights| Range { most, paints, lights };
        match self {
            Kind::Boat => range(4, &[RED, BLUE, YELLOW, WHITE, GREEN], OUTDOORS),
            Kind::Flower => range(7, &[RED, YELLOW, WHITE, PURPLE, PINK], BY_DAY),
            Kind::Lantern => range(7, &[RED, YELLOW, WHITE, ORANGE], LIT),
            Kind::Fish => range(6, &[RED, YELLOW, ORANGE, PURPLE, WHITE], INDOORS),
            Kind::Apple => range(4, &[RED, GREEN, YELLOW], INDOORS),
            Kind::House => range(4, &[RED, BLUE, GREEN, BLACK], OUTDOORS),
            Kind::Tree => range(5, &[GREEN, RED, YELLOW, PINK], BY_DAY),
            Kind::Circle => range(7, &[RED, BLUE, YELLOW, GREEN, PURPLE, BLACK], INDOORS),
            Kind::Star => range(6, &[RED, BLUE, YELLOW, GREEN, WHITE, PINK], INDOORS),
            Kind::Carp => range(3, &[RED, BLUE, BLACK, GREEN], BY_DAY),
            Kind::Umbrella => range(4, &[RED, BLUE, YELLOW, GREEN, PURPLE], INDOORS),
            Kind::Cup => range(4, &[WHITE, GREEN, BLUE, BLACK], INDOORS),
            Kind::Balloon => range(5, &[RED, BLUE, YELLOW, GREEN, PURPLE], OUTDOORS),
            Kind::Train => range(3, &[RED, YELLOW, BLUE, GREEN, ORANGE], OUTDOORS),
            Kind::Mountain => range(3, &[BLUE, GREEN, PURPLE], OUTDOORS),
            Kind::Bird => range(7, &[WHITE, BLACK, RED], BY_DAY),
            Kind::Lighthouse => range(1, &[WHITE, RED, YELLOW], OUTDOORS),
            Kind::Snowman => range(3, &[RED, BLUE, GREEN, BLACK], INDOORS),
        }
    }
}

/// One image's content: kind, number, colour and light.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subject {
    pub(super) kind: Kind,
    pub(super) count: usize,
    pub(super) paint: Paint,
    pub(super) light: Option<Light>,
}

impl Subject {
    pub(super) fn new(kind: Kind, random: &mut Random) -> Self {
        let range = kind.range();
        let count = 1 + random.below(range.most);
        let paint = *random.pick(range.paints);
        let light = (!range.lights.is_empty()).then(|| *random.pick(range.lights));
        Self { kind, count, paint, light }
    }

    /// The name of the colour alone.
    pub(super) fn colour(&self, language: &'static Language) -> &'static str {
        language.colours.get(self.paint.name).map_or("", |[_, alone]| alone)
    }

    /// How many, with a counter where the language has one.
    pub(super) fn number(&self, language: &'static Language) -> String {
        self.render(language, "{number}")
    }

    /// The time of day that one sees, with the reason.
    pub(super) fn reason(&self, language: &'static Language) -> Option<&'static str> {
        language.lights.get(self.light?.name()).map(|[_, reason]| reason.as_str())
    }

    /// What is counted, and what has the colour: of a house it is the roof.
    pub(super) fn counted_and_coloured(&self, language: &'static Language) -> (&'static str, &'static str) {
        let word =
            |names: &[&str]| names.iter().find_map(|name| self.word(language, name)).unwrap_or_default();
        (word(&["counted", "many", "noun"]), word(&["coloured", "noun"]))
    }

    /// An alternative text in one of four wordings.
    pub(super) fn alt(&self, language: &'static Language, wording: usize) -> String {
        self.render(language, &language.alts[wording % 4])
    }

    /// A sentence about the image.
    pub(super) fn sentence(&self, language: &'static Language) -> String {
        self.render(language, &language.sentence)
    }

    fn word(&self, language: &'static Language, name: &str) -> Option<&'static str> {
        language.kinds.get(&self.kind.name())?.get(name).map(String::as_str)
    }

    /// A template with the words for this subject.
    fn render(&self, language: &'static Language, template: &str) -> String {
        let word = |name| self.word(language, name).unwrap_or_default();
        let several = self.count > 1;
        let noun = self.word(language, "many").filter(|_| several).unwrap_or(word("noun"));
        let light = self.light.and_then(|light| language.lights.get(light.name()));
        let light = light.map_or("", |[words, _]| words);
        let colour = language.colours.get(self.paint.name).map_or("", |[before, _]| before);
        let numeral = language.numerals.get(self.count).map_or("", String::as_str);
        let place = fill(&language.place, &[("light", light), ("place", word("place"))]);
        let number = fill(&language.number, &[("numeral", numeral), ("counter", word("counter"))]);
        let thing = fill(&language.thing, &[("colour", colour), ("noun", noun)]);
        let own = ["particle", "subject", "verb", "verb_now", "polite", "scene"];
        let mut values: Vec<(&str, &str)> = own.iter().map(|name| (*name, word(name))).collect();
        values.extend([("light", light), ("place", &*place), ("number", &*number), ("thing", &*thing)]);
        values.push(("be", &language.be[usize::from(several)]));
        fill(template, &values)
    }
}
