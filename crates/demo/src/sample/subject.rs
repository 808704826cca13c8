//! What is drawn, and the Japanese words for it.

use super::canvas::Colour;
use super::random::Random;

/// A colour with its names: before a noun, and alone.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paint {
    pub(super) before_noun: &'static str,
    pub(super) alone: &'static str,
    pub(super) rgb: Colour,
}

pub(super) const RED: Paint = Paint { before_noun: "赤い", alone: "赤", rgb: [214, 48, 49] };
pub(super) const BLUE: Paint = Paint { before_noun: "青い", alone: "青", rgb: [36, 92, 200] };
pub(super) const YELLOW: Paint = Paint { before_noun: "黄色い", alone: "黄色", rgb: [250, 205, 40] };
pub(super) const GREEN: Paint = Paint { before_noun: "緑の", alone: "緑", rgb: [52, 150, 76] };
pub(super) const WHITE: Paint = Paint { before_noun: "白い", alone: "白", rgb: [246, 246, 242] };
pub(super) const PURPLE: Paint = Paint { before_noun: "紫の", alone: "紫", rgb: [128, 70, 170] };
pub(super) const ORANGE: Paint = Paint { before_noun: "橙色の", alone: "橙色", rgb: [243, 140, 36] };
pub(super) const PINK: Paint = Paint { before_noun: "桃色の", alone: "桃色", rgb: [244, 150, 180] };
pub(super) const BLACK: Paint = Paint { before_noun: "黒い", alone: "黒", rgb: [44, 44, 52] };

/// The light of an outdoor scene.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Light {
    Day,
    Dusk,
    Night,
    Cloudy,
}

impl Light {
    /// The words before a place.
    pub(super) fn words(self) -> &'static str {
        match self {
            Light::Day => "晴れた日の",
            Light::Dusk => "夕焼けの",
            Light::Night => "月夜の",
            Light::Cloudy => "くもりの日の",
        }
    }

    /// The time that one sees, with the reason.
    pub(super) fn reason(self) -> &'static str {
        match self {
            Light::Day => "空が青く太陽が明るく光っているので、昼間のようすだと考えられます。",
            Light::Dusk => "空が橙色に染まり太陽が低いので、夕方のようすだと考えられます。",
            Light::Night => "空が暗く月と星が見えるので、夜のようすだと考えられます。",
            Light::Cloudy => "空が灰色の雲におおわれているので、くもりの日の昼間だと考えられます。",
        }
    }
}

/// The kinds of pictures.
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

/// The words for one kind: `place` is where, `particle` joins it to the verb, `verb` stands before a noun and
/// `verb_now` at a sentence's end.
pub(super) struct Words {
    noun: &'static str,
    counter: &'static str,
    place: &'static str,
    particle: &'static str,
    verb: &'static str,
    verb_now: &'static str,
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
    #[rustfmt::skip]
    fn words(self) -> Words {
        let words = |noun, counter, place, particle, verb, verb_now, most, paints, lights| {
            Words { noun, counter, place, particle, verb, verb_now, most, paints, lights }
        };
        match self {
            Kind::Boat => words("船", "隻", "海", "に", "浮かぶ", "浮かんでいる", 4, &[RED, BLUE, YELLOW, WHITE, GREEN], OUTDOORS),
            Kind::Flower => words("花", "輪", "野原", "に", "咲く", "咲いている", 7, &[RED, YELLOW, WHITE, PURPLE, PINK], BY_DAY),
            Kind::Lantern => words("提灯", "つ", "通り", "に", "ともる", "ともっている", 7, &[RED, YELLOW, WHITE, ORANGE], LIT),
            Kind::Fish => words("魚", "匹", "水の中", "を", "泳ぐ", "泳いでいる", 6, &[RED, YELLOW, ORANGE, PURPLE, WHITE], INDOORS),
            Kind::Apple => words("りんご", "つ", "皿の上", "に", "のる", "のっている", 4, &[RED, GREEN, YELLOW], INDOORS),
            Kind::House => words("屋根の家", "軒", "丘", "に", "建つ", "建っている", 4, &[RED, BLUE, GREEN, BLACK], OUTDOORS),
            Kind::Tree => words("葉の木", "本", "丘", "に", "立つ", "立っている", 5, &[GREEN, RED, YELLOW, PINK], BY_DAY),
            Kind::Circle => words("丸", "つ", "白い紙", "に", "描かれた", "描かれている", 7, &[RED, BLUE, YELLOW, GREEN, PURPLE, BLACK], INDOORS),
            Kind::Star => words("星", "つ", "黒い布", "に", "縫われた", "縫われている", 6, &[RED, BLUE, YELLOW, GREEN, WHITE, PINK], INDOORS),
            Kind::Carp => words("鯉のぼり", "匹", "空", "を", "泳ぐ", "泳いでいる", 3, &[RED, BLUE, BLACK, GREEN], BY_DAY),
            Kind::Umbrella => words("傘", "本", "雨の通り", "に", "開いた", "開いている", 4, &[RED, BLUE, YELLOW, GREEN, PURPLE], INDOORS),
            Kind::Cup => words("湯のみ", "つ", "木の机", "に", "置かれた", "置かれている", 4, &[WHITE, GREEN, BLUE, BLACK], INDOORS),
            Kind::Balloon => words("気球", "つ", "空", "に", "浮かぶ", "浮かんでいる", 5, &[RED, BLUE, YELLOW, GREEN, PURPLE], OUTDOORS),
            Kind::Train => words("電車", "両", "鉄橋", "を", "渡る", "渡っている", 3, &[RED, YELLOW, BLUE, GREEN, ORANGE], OUTDOORS),
            Kind::Mountain => words("山", "つ", "空の下", "に", "そびえる", "そびえている", 3, &[BLUE, GREEN, PURPLE], OUTDOORS),
            Kind::Bird => words("鳥", "羽", "空", "を", "飛ぶ", "飛んでいる", 7, &[WHITE, BLACK, RED], BY_DAY),
            Kind::Lighthouse => words("灯台", "基", "岬", "に", "立つ", "立っている", 1, &[WHITE, RED, YELLOW], OUTDOORS),
            Kind::Snowman => words("帽子の雪だるま", "つ", "雪の庭", "に", "立つ", "立っている", 3, &[RED, BLUE, GREEN, BLACK], INDOORS),
        }
    }
}

/// One picture's content: kind, number, colour and light.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subject {
    pub(super) kind: Kind,
    pub(super) count: usize,
    pub(super) paint: Paint,
    pub(super) light: Option<Light>,
}

const NUMERALS: [&str; 8] = ["", "一", "二", "三", "四", "五", "六", "七"];

impl Subject {
    pub(super) fn new(kind: Kind, random: &mut Random) -> Self {
        let words = kind.words();
        let count = 1 + random.below(words.most);
        let paint = *random.pick(words.paints);
        let light = (!words.lights.is_empty()).then(|| *random.pick(words.lights));
        Self { kind, count, paint, light }
    }

    /// Where: 「夕焼けの海」.
    pub(super) fn place(&self) -> String {
        format!("{}{}", self.light.map_or("", Light::words), self.kind.words().place)
    }

    /// How many: 「三隻」.
    pub(super) fn number(&self) -> String {
        format!("{}{}", NUMERALS[self.count], self.kind.words().counter)
    }

    /// What: 「赤い船」.
    pub(super) fn thing(&self) -> String {
        format!("{}{}", self.paint.before_noun, self.kind.words().noun)
    }

    /// What is counted, and what has the colour: of a house it is the roof.
    pub(super) fn counted_and_coloured(&self) -> (&'static str, &'static str) {
        match self.kind {
            Kind::House => ("家", "家の屋根"),
            Kind::Tree => ("木", "木の葉"),
            Kind::Snowman => ("雪だるま", "雪だるまの帽子"),
            other => (other.words().noun, other.words().noun),
        }
    }

    /// An alternative text in one of four wordings.
    pub(super) fn alt(&self, wording: usize) -> String {
        let words = self.kind.words();
        let (place, number, thing) = (self.place(), self.number(), self.thing());
        match wording % 4 {
            0 => format!("{place}{}{thing}が{number}{}", words.particle, words.verb_now),
            1 => format!("{place}{}{}{number}の{thing}", words.particle, words.verb),
            2 => format!("{thing}が{number}{}{place}", words.verb),
            _ => format!("{place}の{thing}{number}"),
        }
    }

    /// A polite sentence: 「夕焼けの海に赤い船が三隻浮かんでいます。」
    pub(super) fn sentence(&self) -> String {
        let words = self.kind.words();
        let polite = words.verb_now.strip_suffix('る').unwrap_or(words.verb_now);
        format!("{}{}{}が{}{polite}ます。", self.place(), words.particle, self.thing(), self.number())
    }
}
