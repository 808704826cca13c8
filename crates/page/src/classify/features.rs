//! What the model is told of each text block: the block, the elements around it, its neighbours and the page.

use super::forest::Matrix;
use super::names::Parts;
use super::outline::{Item, Outline, Row};
use super::page_features::PageFeatures;
use crate::tag::Tag;

macro_rules! features {
    ($($variant:ident $name:literal),* $(,)?) => {
        /// A column of the matrix.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(usize)]
        pub(super) enum Feature { $($variant,)* }

        /// The names of the columns, as the model's file has them.
        pub(super) const NAMES: &[&str] = &[$($name),*];
    };
}

features! {
    // The text.
    Width "width", Unlinked "unlinked", LinkDensity "link_density", Sentences "sentences", Commas "commas",
    SentenceWidth "sentence_width", Digits "digits", Separators "separators", Lines "lines", Ended "ended",
    Copyright "copyright", Currency "currency", Question "question", Date "date", Repeated "repeated",
    InTitle "in_title", Described "described", Hidden "hidden",
    // Its element and those above.
    Rank "rank", Paragraph "paragraph", Item "item", Cell "cell", Term "term", Quote "quote", Pre "pre", Caption "caption",
    Navigation "navigation", Header "header", Footer "footer", Aside "aside", Form "form", Control "control",
    Main "main", Article "article", Figure "figure", Details "details", Depth "depth",
    // Names.
    OwnAgainst "own_against", OwnPro "own_pro", Against "against", Pro "pro", Names "names",
    // The three smallest groups of blocks around it.
    Width1 "width_1", Link1 "link_1", Blocks1 "blocks_1", Share1 "share_1", Alike1 "alike_1",
    Width2 "width_2", Link2 "link_2", Blocks2 "blocks_2", Share2 "share_2", Alike2 "alike_2",
    Width3 "width_3", Link3 "link_3", Blocks3 "blocks_3", Share3 "share_3", Alike3 "alike_3",
    // The largest part of the page around it.
    RegionWidth "region_width", RegionLink "region_link", RegionShare "region_share", RegionStart "region_start",
    // The smallest and the largest set of elements alike that it is in.
    InnerAlike "inner_alike", InnerUnit "inner_unit", InnerLink "inner_link", InnerShare "inner_share",
    OuterAlike "outer_alike", OuterUnit "outer_unit", OuterLink "outer_link", OuterShare "outer_share",
    // The elements that hold half and four fifths of all paragraphs.
    InHalf "in_half", InMost "in_most", OutOf "out_of",
    // Position.
    At "at", AtWidth "at_width", FromH1 "from_h1", FromFirst "from_first", FromLast "from_last",
    Before "before", After "after",
    // Neighbours.
    PreviousWidth "previous_width", PreviousLink "previous_link", PreviousRank "previous_rank",
    NextWidth "next_width", NextLink "next_link", NextRank "next_rank",
    NearWidth "near_width", NearLink "near_link", FarWidth "far_width", FarLink "far_link",
    // From the heading before to the next.
    SectionUnlinked "section_unlinked", SectionLink "section_link", SectionBlocks "section_blocks",
    SectionRank "section_rank", SectionAt "section_at",
}

/// Blocks on each side that are near, and those that are far.
const NEAR: usize = 3;
const FAR: usize = 10;

/// A logarithm that is 0 at 0.
pub(super) fn log(value: f64) -> f32 {
    (1.0 + value as f32).ln()
}

fn share(part: f64, of: f64) -> f32 {
    if of > 0.0 { (part / of) as f32 } else { 0.0 }
}

/// What a block's text says beside its measures.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Said {
    pub(super) is_date: bool,
    pub(super) is_caption: bool,
    pub(super) is_hidden: bool,
    /// Whether the page's description of itself says it too.
    pub(super) is_described: bool,
    /// How often the page says it.
    pub(super) times: u32,
    /// 1 where the title holds it, 2 where it says the same.
    pub(super) in_title: u8,
}

/// Sums over the rows before each row.
pub(super) struct Running(Vec<f64>);

impl Running {
    pub(super) fn new(values: impl Iterator<Item = f64>) -> Self {
        let mut sums = vec![0.0];
        let mut sum = 0.0;
        for value in values {
            sum += value;
            sums.push(sum);
        }
        Self(sums)
    }

    /// The sum from `from` up to and without `to`.
    pub(super) fn between(&self, from: usize, to: usize) -> f64 {
        let last = self.0.len() - 1;
        let (from, to) = (from.min(last), to.min(last));
        self.0[to] - self.0[from.min(to)]
    }

    /// The sum of the rows up to `reach` away.
    pub(super) fn around(&self, at: usize, reach: usize) -> f64 {
        self.between(at.saturating_sub(reach), at + reach + 1)
    }
}

/// The places around a row that its features are drawn from.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Around {
    /// The three smallest groups: elements with more blocks than the row, each with half as many again as the last.
    pub(super) groups: [usize; 3],
    /// The largest element that holds at most four fifths of the page's text.
    pub(super) region: usize,
    /// Of the smallest and the largest set of three and more elements alike, the element that the row is in.
    pub(super) inner: Option<usize>,
    pub(super) outer: Option<usize>,
}

impl Around {
    pub(super) fn of(outline: &Outline, row: &Row) -> Self {
        let page = outline.items[0].width;
        let mut around = Self { region: row.place, groups: [0; 3], ..Self::default() };
        let mut level = 0;
        let mut blocks = 1;
        for place in outline.chain(row.place) {
            let item = &outline.items[place];
            if level < 3 && item.blocks > blocks {
                around.groups[level] = place;
                level += 1;
                blocks = item.blocks + item.blocks / 2;
            }
            if f64::from(item.width) <= 0.8 * f64::from(page) {
                around.region = place;
            }
            if item.alike >= 3 {
                around.inner = around.inner.or(Some(place));
                around.outer = Some(place);
            }
        }
        around
    }
}

/// Where the parts of the page are that features of position refer to.
struct Page<'a> {
    outline: &'a Outline,
    widths: Running,
    links: Running,
    unlinked: Running,
    /// Whether each element holds half and four fifths of the paragraphs.
    half: usize,
    most: usize,
    h1: Option<usize>,
    first: Option<usize>,
    last: Option<usize>,
    /// For each row the row of the heading before and of the next.
    sections: Vec<(usize, usize)>,
    /// For each row the distance to the nearest paragraph before and after.
    before: Vec<usize>,
    after: Vec<usize>,
}

impl<'a> Page<'a> {
    fn new(outline: &'a Outline) -> Self {
        let rows = &outline.rows;
        let widths = Running::new(rows.iter().map(|row| f64::from(row.measure.width)));
        let links = Running::new(rows.iter().map(|row| f64::from(row.linked)));
        let unlinked = Running::new(rows.iter().map(|row| f64::from(row.unlinked())));
        let mut sections = vec![(0, rows.len()); rows.len()];
        let mut start = 0;
        for (at, row) in rows.iter().enumerate() {
            if row.heading > 0 {
                start = at;
            }
            sections[at].0 = start;
        }
        let mut end = rows.len();
        for (at, row) in rows.iter().enumerate().rev() {
            sections[at].1 = end;
            if row.heading > 0 {
                end = at;
            }
        }
        let far = rows.len().max(1);
        let distance = |order: &mut dyn Iterator<Item = usize>| {
            let mut distances = vec![far; rows.len()];
            let mut since = far;
            for at in order {
                distances[at] = since;
                since = if rows[at].is_paragraph() { 1 } else { (since + 1).min(far) };
            }
            distances
        };
        Self {
            half: core(outline, 0.5),
            most: core(outline, 0.8),
            h1: rows.iter().position(|row| row.heading == 1),
            first: rows.iter().position(Row::is_paragraph),
            last: rows.iter().rposition(Row::is_paragraph),
            before: distance(&mut (0..rows.len())),
            after: distance(&mut (0..rows.len()).rev()),
            outline,
            widths,
            links,
            unlinked,
            sections,
        }
    }
}

/// The smallest element that holds this share of the paragraphs.
fn core(outline: &Outline, part: f64) -> usize {
    let least = f64::from(outline.items[0].paragraphs) * part;
    let holds = |item: &Item| item.paragraphs > 0 && f64::from(item.paragraphs) >= least;
    // Elements come after those above them, and no two apart hold more than half; of equal ones the last is the inner.
    outline.items.iter().rposition(holds).unwrap_or(0)
}

/// The matrix of a page's text blocks: the features, then those of the page.
pub(super) fn matrix(
    outline: &Outline,
    said: &[Said],
    page: &PageFeatures,
    extra: usize,
) -> (Matrix, Vec<Around>) {
    let mut matrix = Matrix::new(NAMES.len() + page.values.len() + extra, outline.rows.len());
    let whole = Page::new(outline);
    let mut arounds = Vec::with_capacity(outline.rows.len());
    for (at, row) in outline.rows.iter().enumerate() {
        let around = Around::of(outline, row);
        let mut set = |feature: Feature, value: f32| matrix.set(feature as usize, at, value);
        text(row, &said[at], &mut set);
        elements(outline, row, &mut set);
        groups(outline, &around, &mut set);
        position(&whole, at, row, &mut set);
        neighbours(&whole, at, &mut set);
        for (column, value) in page.values.iter().enumerate() {
            matrix.set(NAMES.len() + column, at, *value);
        }
        arounds.push(around);
    }
    (matrix, arounds)
}

type Set<'a> = &'a mut dyn FnMut(Feature, f32);

fn text(row: &Row, said: &Said, set: Set<'_>) {
    use Feature as F;
    let measure = &row.measure;
    let width = f64::from(measure.width.max(1));
    set(F::Width, log(width));
    set(F::Unlinked, log(f64::from(row.unlinked())));
    set(F::LinkDensity, share(f64::from(row.linked), width));
    set(F::Sentences, measure.sentences as f32);
    set(F::Commas, share(f64::from(measure.commas) * 100.0, width));
    set(F::SentenceWidth, log(width / f64::from(measure.sentences.max(1))));
    set(F::Digits, share(f64::from(measure.digits), width));
    set(F::Separators, share(f64::from(measure.separators) * 100.0, width));
    set(F::Lines, log(f64::from(measure.lines)));
    let flags = [
        (F::Ended, measure.is_ended),
        (F::Copyright, measure.has_copyright),
        (F::Currency, measure.has_currency),
        (F::Question, measure.has_question),
        (F::Date, said.is_date),
        (F::Caption, said.is_caption),
        (F::Hidden, said.is_hidden),
        (F::Described, said.is_described),
    ];
    for (feature, flag) in flags {
        set(feature, f32::from(u8::from(flag)));
    }
    set(F::Repeated, log(f64::from(said.times)));
    set(F::InTitle, f32::from(said.in_title));
}

fn elements(outline: &Outline, row: &Row, set: Set<'_>) {
    use Feature as F;
    let item = &outline.items[row.place];
    set(F::Rank, f32::from(row.heading));
    set(F::Depth, item.depth as f32);
    let tags: [(F, &[Tag]); 6] = [
        (F::Paragraph, &[Tag::P]),
        (F::Item, &[Tag::Li]),
        (F::Cell, &[Tag::Td, Tag::Th]),
        (F::Term, &[Tag::Dt, Tag::Dd]),
        (F::Quote, &[Tag::Blockquote]),
        (F::Pre, &[Tag::Pre]),
    ];
    for (feature, tags) in tags {
        let near =
            outline.chain(row.place).take(3).position(|place| tags.contains(&outline.items[place].tag));
        set(feature, near.map_or(0.0, |near| 3.0 - near as f32));
    }
    let parts = [
        (F::Navigation, Parts::NAVIGATION),
        (F::Header, Parts::HEADER),
        (F::Footer, Parts::FOOTER),
        (F::Aside, Parts::ASIDE),
        (F::Form, Parts::FORM),
        (F::Control, Parts::CONTROL),
        (F::Main, Parts::MAIN),
        (F::Article, Parts::ARTICLE),
        (F::Figure, Parts::FIGURE),
        (F::Details, Parts::DETAILS),
    ];
    for (feature, part) in parts {
        set(feature, f32::from(u8::from(item.parts.has(part))));
    }
    set(F::OwnAgainst, item.against);
    set(F::OwnPro, item.pro);
    set(F::Against, item.path.against);
    set(F::Pro, item.path.pro);
    set(F::Names, item.path.sum);
}

fn groups(outline: &Outline, around: &Around, set: Set<'_>) {
    use Feature as F;
    let page = &outline.items[0];
    let (width, paragraphs) = (f64::from(page.width), f64::from(page.paragraphs));
    let columns = [
        [F::Width1, F::Link1, F::Blocks1, F::Share1, F::Alike1],
        [F::Width2, F::Link2, F::Blocks2, F::Share2, F::Alike2],
        [F::Width3, F::Link3, F::Blocks3, F::Share3, F::Alike3],
    ];
    for (place, columns) in around.groups.into_iter().zip(columns) {
        let item = &outline.items[place];
        let values = [
            log(f64::from(item.unlinked())),
            item.link_density(),
            log(f64::from(item.blocks)),
            share(f64::from(item.paragraphs), paragraphs),
            log(f64::from(item.alike)),
        ];
        for (column, value) in columns.into_iter().zip(values) {
            set(column, value);
        }
    }
    let region = &outline.items[around.region];
    set(F::RegionWidth, share(f64::from(region.width), width));
    set(F::RegionLink, region.link_density());
    set(F::RegionShare, share(f64::from(region.paragraphs), paragraphs));
    set(F::RegionStart, share(region.first as f64, f64::from(page.blocks)));
    let sets = [
        (around.inner, [F::InnerAlike, F::InnerUnit, F::InnerLink, F::InnerShare]),
        (around.outer, [F::OuterAlike, F::OuterUnit, F::OuterLink, F::OuterShare]),
    ];
    for (place, columns) in sets {
        let Some(item) = place.map(|place| &outline.items[place]) else { continue };
        let above = &outline.items[item.parent];
        let values = [
            log(f64::from(item.alike)),
            log(f64::from(above.width) / f64::from(item.alike)),
            above.link_density(),
            share(f64::from(above.width), width),
        ];
        for (column, value) in columns.into_iter().zip(values) {
            set(column, value);
        }
    }
}

fn position(page: &Page<'_>, at: usize, row: &Row, set: Set<'_>) {
    use Feature as F;
    let count = page.outline.rows.len() as f64;
    let (mut out, mut half, mut most) = (0, false, false);
    for place in page.outline.chain(row.place) {
        half |= place == page.half;
        most |= place == page.most;
        let item = &page.outline.items[place];
        // Levels up to an element that most paragraphs stand in.
        if !most && f64::from(item.paragraphs) < 0.8 * f64::from(page.outline.items[0].paragraphs) {
            out += 1;
        }
    }
    set(F::InHalf, f32::from(u8::from(half)));
    set(F::InMost, f32::from(u8::from(most)));
    set(F::OutOf, out as f32);
    set(F::At, share(at as f64, count));
    let total = page.widths.between(0, usize::MAX);
    set(F::AtWidth, share(page.widths.between(0, at), total));
    let from = |mark: Option<usize>| {
        let Some(mark) = mark else { return -20.0 };
        let distance = log(at.abs_diff(mark) as f64);
        if at >= mark { distance } else { -distance }
    };
    set(F::FromH1, from(page.h1));
    set(F::FromFirst, from(page.first));
    set(F::FromLast, from(page.last));
    set(F::Before, log(page.before[at] as f64));
    set(F::After, log(page.after[at] as f64));
}

fn neighbours(page: &Page<'_>, at: usize, set: Set<'_>) {
    use Feature as F;
    let rows = &page.outline.rows;
    let sides = [
        (at.checked_sub(1), [F::PreviousWidth, F::PreviousLink, F::PreviousRank]),
        (Some(at + 1), [F::NextWidth, F::NextLink, F::NextRank]),
    ];
    for (other, columns) in sides {
        let other = other.and_then(|other| rows.get(other));
        let values = other.map_or([0.0; 3], |row| {
            let width = f64::from(row.measure.width);
            [log(width), share(f64::from(row.linked), width), f32::from(row.heading)]
        });
        for (column, value) in columns.into_iter().zip(values) {
            set(column, value);
        }
    }
    for (reach, width, link) in [(NEAR, F::NearWidth, F::NearLink), (FAR, F::FarWidth, F::FarLink)] {
        set(width, log(page.unlinked.around(at, reach) / (2 * reach + 1) as f64));
        set(link, share(page.links.around(at, reach), page.widths.around(at, reach)));
    }
    let (from, to) = page.sections[at];
    set(F::SectionUnlinked, log(page.unlinked.between(from, to)));
    set(F::SectionLink, share(page.links.between(from, to), page.widths.between(from, to)));
    set(F::SectionBlocks, log((to - from) as f64));
    set(F::SectionRank, f32::from(rows[from].heading));
    set(F::SectionAt, log((at - from) as f64));
}
