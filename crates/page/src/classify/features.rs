//! What the model is told of each text block: the block, the elements around it, its neighbours and the page.

use super::alike::Alike;
use super::around::Around;
use super::forest::Matrix;
use super::names::Parts;
use super::outline::{Outline, Row};
use super::wording::Wording;
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
    // Its first words, and those of the headings above it.
    WordMean "word_mean", WordLeast "word_least", WordMost "word_most",
    HeadingMean "heading_mean", HeadingWorst "heading_worst", Headings "headings",
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
    // Shares of their blocks: prices, dates, headings, sentences and, as a ratio, images.
    Currencies2 "currencies_2", Dates2 "dates_2", Headings2 "headings_2", Ended2 "ended_2", Images2 "images_2",
    Currencies3 "currencies_3", Dates3 "dates_3", Headings3 "headings_3", Ended3 "ended_3", Images3 "images_3",
    // The largest part of the page around it.
    RegionWidth "region_width", RegionLink "region_link", RegionShare "region_share", RegionStart "region_start",
    // The smallest and the largest set of elements alike that it is in.
    InnerAlike "inner_alike", InnerUnit "inner_unit", InnerLink "inner_link", InnerShare "inner_share",
    OuterAlike "outer_alike", OuterUnit "outer_unit", OuterLink "outer_link", OuterShare "outer_share",
    OuterCurrencies "outer_currencies", OuterDates "outer_dates", OuterHeadings "outer_headings", OuterEnded "outer_ended",
    OuterImages "outer_images",
    // The texts whose elements have the same tags and classes from the top down, and those with the same tags.
    StyleCount "style_count", StyleWidth "style_width", StyleLink "style_link", StyleShare "style_share",
    TagCount "tag_count", TagWidth "tag_width", TagLink "tag_link", TagShare "tag_share",
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

/// What is known of the page's text blocks beside the outline.
pub(super) struct Known<'a> {
    pub(super) outline: &'a Outline,
    pub(super) arounds: &'a [Around],
    pub(super) said: &'a [Said],
    pub(super) wordings: &'a [Wording],
    pub(super) styles: &'a Alike,
    pub(super) tags: &'a Alike,
}

/// Where the parts of the page are that features of position refer to, and sums over its rows.
struct Page<'a> {
    outline: &'a Outline,
    widths: Running,
    links: Running,
    unlinked: Running,
    /// Rows with prices, dates, that are headings, that end like sentences.
    kinds: [Running; 4],
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
    fn new(known: &Known<'a>) -> Self {
        let outline = known.outline;
        let rows = &outline.rows;
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
        let count = |is: &dyn Fn(usize, &Row) -> bool| {
            Running::new(rows.iter().enumerate().map(|(at, row)| f64::from(u8::from(is(at, row)))))
        };
        Self {
            widths: Running::new(rows.iter().map(|row| f64::from(row.measure.width))),
            links: Running::new(rows.iter().map(|row| f64::from(row.linked))),
            unlinked: Running::new(rows.iter().map(|row| f64::from(row.unlinked()))),
            kinds: [
                count(&|_, row| row.measure.has_currency),
                count(&|at, _| known.said[at].is_date),
                count(&|_, row| row.heading > 0),
                count(&|_, row| row.measure.is_ended),
            ],
            h1: rows.iter().position(|row| row.heading == 1),
            first: rows.iter().position(Row::is_paragraph),
            last: rows.iter().rposition(Row::is_paragraph),
            before: distance(&mut (0..rows.len())),
            after: distance(&mut (0..rows.len()).rev()),
            sections: sections(rows),
            outline,
        }
    }

    /// The shares of an element's blocks that have prices and so on, and its images by its blocks.
    fn kinds(&self, place: usize) -> [f32; 5] {
        let item = &self.outline.items[place];
        let blocks = f64::from(item.blocks);
        let [currencies, dates, headings, ended] =
            self.kinds.each_ref().map(|kind| share(kind.between(item.first, item.last + 1), blocks));
        [currencies, dates, headings, ended, share(f64::from(item.images), blocks)]
    }
}

/// For each row the row of the heading before and of the next.
pub(super) fn sections(rows: &[Row]) -> Vec<(usize, usize)> {
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
    sections
}

/// Sets the features of a page's text blocks in the columns of [`NAMES`].
pub(super) fn fill(known: &Known<'_>, matrix: &mut Matrix) {
    let outline = known.outline;
    let page = Page::new(known);
    for (at, row) in outline.rows.iter().enumerate() {
        let around = &known.arounds[row.place];
        let mut set = |feature: Feature, value: f32| matrix.set(feature as usize, at, value);
        text(row, &known.said[at], &mut set);
        words(&known.wordings[at], &mut set);
        elements(outline, row, &mut set);
        groups(&page, around, &mut set);
        sets(&page, around, &mut set);
        alike(known, at, &mut set);
        position(&page, at, around, &mut set);
        neighbours(&page, at, &mut set);
    }
}

fn text(row: &Row, said: &Said, set: &mut impl FnMut(Feature, f32)) {
    use Feature as F;
    let measure = &row.measure;
    let width = f64::from(measure.width.max(1));
    set(F::Width, measure.width as f32);
    set(F::Unlinked, row.unlinked() as f32);
    set(F::LinkDensity, share(f64::from(row.linked), width));
    set(F::Sentences, measure.sentences as f32);
    set(F::Commas, share(f64::from(measure.commas) * 100.0, width));
    set(F::SentenceWidth, share(width, f64::from(measure.sentences.max(1))));
    set(F::Digits, share(f64::from(measure.digits), width));
    set(F::Separators, share(f64::from(measure.separators) * 100.0, width));
    set(F::Lines, measure.lines as f32);
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
    set(F::Repeated, said.times as f32);
    set(F::InTitle, f32::from(said.in_title));
}

fn words(wording: &Wording, set: &mut impl FnMut(Feature, f32)) {
    use Feature as F;
    set(F::WordMean, wording.mean);
    set(F::WordLeast, wording.least);
    set(F::WordMost, wording.most);
    set(F::HeadingMean, wording.heading);
    set(F::HeadingWorst, wording.worst_heading);
    set(F::Headings, wording.headings);
}

fn elements(outline: &Outline, row: &Row, set: &mut impl FnMut(Feature, f32)) {
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

fn groups(page: &Page<'_>, around: &Around, set: &mut impl FnMut(Feature, f32)) {
    use Feature as F;
    let outline = page.outline;
    let paragraphs = f64::from(outline.items[0].paragraphs);
    let columns = [
        [F::Width1, F::Link1, F::Blocks1, F::Share1, F::Alike1],
        [F::Width2, F::Link2, F::Blocks2, F::Share2, F::Alike2],
        [F::Width3, F::Link3, F::Blocks3, F::Share3, F::Alike3],
    ];
    for (place, columns) in around.groups.into_iter().zip(columns) {
        let item = &outline.items[place];
        let values = [
            item.unlinked() as f32,
            item.link_density(),
            item.blocks as f32,
            share(f64::from(item.paragraphs), paragraphs),
            item.alike as f32,
        ];
        for (column, value) in columns.into_iter().zip(values) {
            set(column, value);
        }
    }
    let columns = [
        [F::Currencies2, F::Dates2, F::Headings2, F::Ended2, F::Images2],
        [F::Currencies3, F::Dates3, F::Headings3, F::Ended3, F::Images3],
    ];
    for (place, columns) in around.groups[1..].iter().zip(columns) {
        for (column, value) in columns.into_iter().zip(page.kinds(*place)) {
            set(column, value);
        }
    }
}

fn sets(page: &Page<'_>, around: &Around, set: &mut impl FnMut(Feature, f32)) {
    use Feature as F;
    let outline = page.outline;
    let top = &outline.items[0];
    let (width, paragraphs) = (f64::from(top.width), f64::from(top.paragraphs));
    let region = &outline.items[around.region];
    set(F::RegionWidth, share(f64::from(region.width), width));
    set(F::RegionLink, region.link_density());
    set(F::RegionShare, share(f64::from(region.paragraphs), paragraphs));
    set(F::RegionStart, share(region.first as f64, f64::from(top.blocks)));
    let sets = [
        (around.inner, [F::InnerAlike, F::InnerUnit, F::InnerLink, F::InnerShare]),
        (around.outer, [F::OuterAlike, F::OuterUnit, F::OuterLink, F::OuterShare]),
    ];
    for (place, columns) in sets {
        let Some(item) = place.map(|place| &outline.items[place]) else { continue };
        let above = &outline.items[item.parent];
        let values = [
            item.alike as f32,
            share(f64::from(above.width), f64::from(item.alike)),
            above.link_density(),
            share(f64::from(above.width), width),
        ];
        for (column, value) in columns.into_iter().zip(values) {
            set(column, value);
        }
    }
    let Some(outer) = around.outer else { return };
    let columns = [F::OuterCurrencies, F::OuterDates, F::OuterHeadings, F::OuterEnded, F::OuterImages];
    for (column, value) in columns.into_iter().zip(page.kinds(outline.items[outer].parent)) {
        set(column, value);
    }
}

fn alike(known: &Known<'_>, at: usize, set: &mut impl FnMut(Feature, f32)) {
    use Feature as F;
    let page = f64::from(known.outline.items[0].width);
    let sets = [
        (known.styles, [F::StyleCount, F::StyleWidth, F::StyleLink, F::StyleShare]),
        (known.tags, [F::TagCount, F::TagWidth, F::TagLink, F::TagShare]),
    ];
    for (alike, columns) in sets {
        let kind = alike.kind(at);
        let width = f64::from(kind.width);
        let values = [
            kind.count as f32,
            share(width, f64::from(kind.count)),
            share(f64::from(kind.linked), width),
            share(width, page),
        ];
        for (column, value) in columns.into_iter().zip(values) {
            set(column, value);
        }
    }
}

fn position(page: &Page<'_>, at: usize, around: &Around, set: &mut impl FnMut(Feature, f32)) {
    use Feature as F;
    let count = page.outline.rows.len() as f64;
    set(F::InHalf, f32::from(u8::from(around.in_half)));
    set(F::InMost, f32::from(u8::from(around.in_most)));
    set(F::OutOf, around.out as f32);
    set(F::At, share(at as f64, count));
    let total = page.widths.between(0, usize::MAX);
    set(F::AtWidth, share(page.widths.between(0, at), total));
    let from = |mark: Option<usize>| {
        // Far before, where there is none.
        mark.map_or(-1e6, |mark| at as f32 - mark as f32)
    };
    set(F::FromH1, from(page.h1));
    set(F::FromFirst, from(page.first));
    set(F::FromLast, from(page.last));
    set(F::Before, page.before[at] as f32);
    set(F::After, page.after[at] as f32);
}

fn neighbours(page: &Page<'_>, at: usize, set: &mut impl FnMut(Feature, f32)) {
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
            [width as f32, share(f64::from(row.linked), width), f32::from(row.heading)]
        });
        for (column, value) in columns.into_iter().zip(values) {
            set(column, value);
        }
    }
    for (reach, width, link) in [(NEAR, F::NearWidth, F::NearLink), (FAR, F::FarWidth, F::FarLink)] {
        set(width, (page.unlinked.around(at, reach) / (2 * reach + 1) as f64) as f32);
        set(link, share(page.links.around(at, reach), page.widths.around(at, reach)));
    }
    let (from, to) = page.sections[at];
    set(F::SectionUnlinked, page.unlinked.between(from, to) as f32);
    set(F::SectionLink, share(page.links.between(from, to), page.widths.between(from, to)));
    set(F::SectionBlocks, (to - from) as f32);
    set(F::SectionRank, f32::from(rows[from].heading));
    set(F::SectionAt, (at - from) as f32);
}
