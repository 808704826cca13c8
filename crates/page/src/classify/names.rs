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

    /// What a tag says.
    fn of_tag(tag: Tag) -> Self {
        match tag {
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
        }
    }

    /// What the attribute `role` says.
    fn of_role(role: &str) -> Self {
        match role {
            "navigation" | "menu" | "menubar" | "tablist" => Self::NAVIGATION,
            "banner" => Self::HEADER,
            "contentinfo" => Self::FOOTER,
            "complementary" => Self::ASIDE,
            "search" => Self::FORM,
            "dialog" | "alert" | "alertdialog" | "toolbar" | "button" => Self::CONTROL,
            "main" => Self::MAIN,
            "article" => Self::ARTICLE,
            _ => Self::default(),
        }
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
/// Words at the beginning of a text that are looked at, and the bytes that they stand in.
const TEXT_WORDS: usize = 10;
const TEXT: usize = 120;
/// Names of captions and credits.
const CAPTIONS: [&[u8]; 5] = [b"caption", b"captions", b"credit", b"credits", b"figcaption"];

/// A word of up to [`WORD`] letters as a number; longer ones are cut.
type Packed = u128;

/// Packs a word of lower-case letters.
fn pack(word: &[u8]) -> Packed {
    let mut bytes = [0; WORD];
    let length = word.len().min(WORD);
    bytes[..length].copy_from_slice(&word[..length]);
    Packed::from_le_bytes(bytes)
}

/// Calls `take` with each word of a text or of class names: they are split at everything that is not an ASCII letter or
/// digit and before capitals, and handed over in lower case. `take` says whether to go on.
#[inline]
fn split(names: &[u8], mut take: impl FnMut(&[u8]) -> bool) {
    let mut word = [0_u8; WORD];
    let mut length = 0;
    let mut before = 0_u8;
    for byte in names.iter().copied().chain([0]) {
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

/// The first bytes of names or of a text.
fn first(text: &str, limit: usize) -> &[u8] {
    &text.as_bytes()[..text.len().min(limit)]
}

/// Whether one of the words of class names fits.
pub(crate) fn has_word(names: &str, fits: impl Fn(&[u8]) -> bool) -> bool {
    let mut found = false;
    split(first(names, NAMES), |word| {
        found = fits(word);
        !found
    });
    found
}

/// Calls `take` with each of the first words of a text.
pub(super) fn each_text_word(text: &str, mut take: impl FnMut(&[u8])) {
    let mut left = TEXT_WORDS;
    split(first(text, TEXT), |word| {
        take(word);
        left -= 1;
        left > 0
    });
}

/// What the attributes of an element say.
#[derive(Debug, Clone, Copy)]
pub(super) struct Names {
    pub(super) parts: Parts,
    /// A number that elements of the same tag and class share.
    pub(super) style: u64,
    pub(super) is_caption: bool,
}

impl Names {
    /// Reads an element's attributes once, and calls `take` with each word of its class, id and `itemprop`.
    pub(super) fn read(dom: &Dom<'_>, id: Id, tag: Tag, mut take: impl FnMut(&[u8])) -> Self {
        let mut names = Self {
            parts: Parts::of_tag(tag),
            style: mix(0, tag as u64 + 1),
            is_caption: matches!(tag, Tag::Figcaption | Tag::Caption),
        };
        for attribute in dom.attributes(id) {
            match attribute.name {
                Attr::Role => names.parts = names.parts.and(Parts::of_role(dom.str(attribute.value))),
                Attr::Class => {
                    let class = dom.str(attribute.value);
                    names.style = first(class, NAMES)
                        .iter()
                        .fold(names.style, |hash, byte| mix(hash, u64::from(*byte)));
                    split(first(class, NAMES), |word| {
                        names.is_caption |= CAPTIONS.contains(&word);
                        take(word);
                        true
                    });
                }
                Attr::Id | Attr::Itemprop => split(first(dom.str(attribute.value), NAMES), |word| {
                    take(word);
                    true
                }),
                _ => {}
            }
        }
        names
    }
}

/// Adds a number to a hash.
pub(super) fn mix(hash: u64, value: u64) -> u64 {
    (hash ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23)
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
                slot = (slot + 1) & (words.table.len() - 1);
            }
            words.table[slot] = (word, number);
        }
        Some(words)
    }

    fn slot(&self, word: Packed) -> usize {
        let folded = (word >> 64) as u64 ^ word as u64;
        // The table's length is a power of two.
        (folded.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize & (self.table.len() - 1)
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
            slot = (slot + 1) & (self.table.len() - 1);
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
    has_word(names, |word| CAPTIONS.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_names() {
        let words = |names: &str| {
            let mut found = Vec::new();
            split(names.as_bytes(), |word| {
                found.push(String::from_utf8(word.to_vec()).unwrap());
                true
            });
            found
        };
        assert_eq!(words("postBody entry-content__x2"), ["post", "body", "entry", "content", "x2"]);
        assert_eq!(words("averyveryverylongword"), ["averyveryverylon"]);
        assert!(has_word("wp-caption aligncenter", |word| word == b"caption"));
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
