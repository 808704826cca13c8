//! What tags, roles, class names and ids say about an element.

use crate::dom::{Dom, Id};
use crate::html::attribute::Attr;
use crate::tag::Tag;

/// The kinds of parts of a page that an element stands in, as its tag and role and those above say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Parts(u32);

impl Parts {
    pub(super) const NAVIGATION: Self = Self(1);
    pub(super) const HEADER: Self = Self(1 << 1);
    pub(super) const FOOTER: Self = Self(1 << 2);
    pub(super) const ASIDE: Self = Self(1 << 3);
    pub(super) const FORM: Self = Self(1 << 4);
    pub(super) const CONTROL: Self = Self(1 << 5);
    pub(super) const MAIN: Self = Self(1 << 6);
    pub(super) const ARTICLE: Self = Self(1 << 7);
    pub(super) const FIGURE: Self = Self(1 << 8);
    pub(super) const TABLE: Self = Self(1 << 9);
    pub(super) const LIST: Self = Self(1 << 10);
    pub(super) const DETAILS: Self = Self(1 << 11);
    /// Those that are seldom main text.
    const BOILERPLATE: u32 = 0b11_1111;

    /// What an element says of itself.
    pub(super) fn of(dom: &Dom<'_>, id: Id) -> Self {
        let by_tag = match dom.tag(id) {
            Tag::Nav | Tag::Menu => Self::NAVIGATION,
            Tag::Header => Self::HEADER,
            Tag::Footer => Self::FOOTER,
            Tag::Aside => Self::ASIDE,
            Tag::Form | Tag::Search => Self::FORM,
            Tag::Button | Tag::Label | Tag::Legend | Tag::Dialog | Tag::Noscript => Self::CONTROL,
            Tag::Main => Self::MAIN,
            Tag::Article => Self::ARTICLE,
            Tag::Figure | Tag::Figcaption => Self::FIGURE,
            Tag::Td | Tag::Th => Self::TABLE,
            Tag::Li => Self::LIST,
            Tag::Details => Self::DETAILS,
            _ => Self::default(),
        };
        let by_role = match dom.attribute(id, Attr::Role) {
            Some("navigation" | "menu" | "menubar" | "tablist") => Self::NAVIGATION,
            Some("banner") => Self::HEADER,
            Some("contentinfo") => Self::FOOTER,
            Some("complementary") => Self::ASIDE,
            Some("search") => Self::FORM,
            Some("dialog" | "alert" | "alertdialog" | "toolbar" | "button") => Self::CONTROL,
            Some("main") => Self::MAIN,
            Some("article") => Self::ARTICLE,
            _ => Self::default(),
        };
        by_tag.and(by_role)
    }

    pub(super) fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) fn has(self, part: Self) -> bool {
        self.0 & part.0 != 0
    }

    pub(super) fn without_boilerplate(self) -> Self {
        Self(self.0 & !Self::BOILERPLATE)
    }
}

/// Whole themes name the body's parts by many words; the first bytes say enough.
pub(crate) const NAMES: usize = 256;
/// Letters of a word that count.
const WORD: usize = 16;

/// A word of up to [`WORD`] letters as a number; longer ones are cut.
pub(super) type Packed = u128;

/// Packs a word of lower-case letters.
pub(super) fn pack(word: &[u8]) -> Packed {
    word.iter().take(WORD).fold(0, |packed, byte| packed << 8 | Packed::from(*byte))
}

/// Calls `take` with each word of class names: they are split at everything that is not a letter or digit and before
/// capitals, and handed over in lower case. `take` says whether to go on.
fn split(names: &str, take: &mut dyn FnMut(&[u8]) -> bool) {
    let bytes = &names.as_bytes()[..names.len().min(NAMES)];
    let mut word = [0_u8; WORD];
    let mut length = 0;
    let mut before = 0_u8;
    for byte in bytes.iter().copied().chain([0]) {
        let counts = byte.is_ascii_alphanumeric();
        if !counts || (byte.is_ascii_uppercase() && before.is_ascii_lowercase()) {
            if length > 0 && !take(&word[..length.min(WORD)]) {
                return;
            }
            length = 0;
        }
        if counts {
            if let Some(place) = word.get_mut(length) {
                *place = byte.to_ascii_lowercase();
            }
            length += 1;
        }
        before = byte;
    }
}

/// Whether one of the words of class names fits.
pub(crate) fn has_word(names: &str, fits: impl Fn(&str) -> bool) -> bool {
    let mut found = false;
    split(names, &mut |word| {
        found = std::str::from_utf8(word).is_ok_and(&fits);
        !found
    });
    found
}

/// Calls `take` with each word of an element's class, id and `itemprop`.
pub(super) fn each_word(dom: &Dom<'_>, id: Id, take: &mut dyn FnMut(&[u8])) {
    for attribute in dom.attributes(id) {
        if matches!(attribute.name, Attr::Class | Attr::Id | Attr::Itemprop) {
            split(dom.str(attribute.value), &mut |word| {
                take(word);
                true
            });
        }
    }
}

/// A number that elements of the same tag and class share.
pub(super) fn signature(tag: Tag, class: Option<&str>) -> u64 {
    let bytes = class.unwrap_or_default().as_bytes();
    bytes
        .iter()
        .take(NAMES)
        .fold(tag as u64 + 1, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The words that say something, with what they say.
#[derive(Debug, Clone)]
pub(super) struct Words {
    /// Open addressing by a multiplicative hash: packed word and its number.
    table: Vec<(Packed, u16)>,
    weights: Vec<f32>,
    /// For each word its evidence for each type of page.
    types: Vec<Vec<f32>>,
}

impl Words {
    /// Reads a line `WORD WEIGHT TYPE...` for each word.
    pub(super) fn read(text: &str) -> Option<Self> {
        let lines: Vec<&str> =
            text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).collect();
        let mut words = Self {
            table: vec![(0, 0); (lines.len() * 2 + 1).next_power_of_two()],
            weights: Vec::new(),
            types: Vec::new(),
        };
        for line in lines {
            let mut fields = line.split_ascii_whitespace();
            let word = pack(fields.next()?.as_bytes());
            let mut numbers = fields.map(|field| field.parse::<f32>().ok());
            let number = u16::try_from(words.weights.len()).ok()?;
            words.weights.push(numbers.next()??);
            words.types.push(numbers.collect::<Option<_>>()?);
            let mut slot = words.slot(word);
            while words.table[slot].0 != 0 {
                slot = (slot + 1) % words.table.len();
            }
            words.table[slot] = (word, number);
        }
        Some(words)
    }

    fn slot(&self, word: Packed) -> usize {
        let folded = (word >> 64) as u64 ^ word as u64;
        (folded.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize % self.table.len()
    }

    /// The number of a word.
    pub(super) fn find(&self, word: &[u8]) -> Option<u16> {
        let packed = pack(word);
        let mut slot = self.slot(packed);
        loop {
            let (known, number) = self.table[slot];
            if known == packed {
                return (packed != 0).then_some(number);
            }
            if known == 0 {
                return None;
            }
            slot = (slot + 1) % self.table.len();
        }
    }

    pub(super) fn len(&self) -> usize {
        self.weights.len()
    }

    /// Evidence for main text, below 0 against it.
    pub(super) fn weight(&self, word: u16) -> f32 {
        self.weights[usize::from(word)]
    }

    /// Evidence for each type of page.
    pub(super) fn types(&self, word: u16) -> &[f32] {
        &self.types[usize::from(word)]
    }
}

/// Whether an element says that it holds a caption or a credit.
pub(crate) fn is_caption(dom: &Dom<'_>, id: Id) -> bool {
    if matches!(dom.tag(id), Tag::Figcaption | Tag::Caption) {
        return true;
    }
    let names = dom.attribute(id, Attr::Class).unwrap_or_default();
    has_word(names, |word| matches!(word, "caption" | "captions" | "credit" | "credits" | "figcaption"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_names() {
        let words = |names: &str| {
            let mut found = Vec::new();
            split(names, &mut |word| {
                found.push(String::from_utf8(word.to_vec()).unwrap());
                true
            });
            found
        };
        assert_eq!(words("postBody entry-content__x2"), ["post", "body", "entry", "content", "x2"]);
        assert_eq!(words("averyveryverylongword"), ["averyveryverylon"]);
        assert!(has_word("wp-caption aligncenter", |word| word == "caption"));
    }

    #[test]
    fn finds_words() {
        let words = Words::read("# names\nmenu -1.5 0 1\nentry 2 1 0\n").unwrap();
        assert_eq!(words.find(b"menu").map(|word| words.weight(word)), Some(-1.5));
        assert_eq!(words.find(b"entry").map(|word| words.types(word)), Some(&[1.0, 0.0][..]));
        assert_eq!(words.find(b"other"), None);
        assert!(Words::read("menu x").is_none());
    }
}
