//! The elements that matter for reading a page.

macro_rules! tags {
    ($($variant:ident $name:literal),* $(,)?) => {
        /// An element's kind.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub(crate) enum Tag {
            $($variant,)*
            Other,
        }

        /// All names with their kinds.
        const NAMES: &[(&str, Tag)] = &[$(($name, Tag::$variant)),*];
    };
}

tags! {
    A "a", Address "address", AnnotationXml "annotation-xml", Applet "applet", Area "area", Article "article",
    Aside "aside", Audio "audio", B "b", Base "base", Basefont "basefont", Bgsound "bgsound", Big "big",
    Blockquote "blockquote", Body "body", Br "br", Button "button", Canvas "canvas", Caption "caption",
    Center "center", Code "code", Col "col", Colgroup "colgroup", Datalist "datalist", Dd "dd", Desc "desc",
    Details "details", Dialog "dialog", Dir "dir", Div "div", Dl "dl", Dt "dt", Em "em", Embed "embed",
    Fieldset "fieldset", Figcaption "figcaption", Figure "figure", Font "font", Footer "footer",
    ForeignObject "foreignobject", Form "form", Frame "frame", Frameset "frameset", H1 "h1", H2 "h2", H3 "h3",
    H4 "h4", H5 "h5", H6 "h6", Head "head", Header "header", Hgroup "hgroup", Hr "hr", Html "html", I "i",
    Iframe "iframe", Image "image", Img "img", Input "input", Keygen "keygen", Label "label", Legend "legend",
    Li "li", Link "link", Listing "listing", Main "main", Malignmark "malignmark", Map "map",
    Marquee "marquee", Math "math", Menu "menu", Meta "meta", Mglyph "mglyph", Mi "mi", Mn "mn", Mo "mo",
    Ms "ms", Mtext "mtext", Nav "nav", Nobr "nobr", Noembed "noembed", Noframes "noframes",
    Noscript "noscript", Object "object", Ol "ol", Optgroup "optgroup", Option "option", P "p",
    Param "param", Picture "picture", Plaintext "plaintext", Pre "pre", Progress "progress", Rb "rb",
    Rp "rp", Rt "rt", Rtc "rtc", Ruby "ruby", S "s", Script "script", Search "search", Section "section",
    Select "select", Small "small", Source "source", Span "span", Strike "strike", Strong "strong",
    Style "style", Sub "sub", Summary "summary", Sup "sup", Svg "svg", Table "table", Tbody "tbody", Td "td",
    Template "template", Textarea "textarea", Tfoot "tfoot", Th "th", Thead "thead", Title "title", Tr "tr",
    Track "track", Tt "tt", U "u", Ul "ul", Var "var", Video "video", Wbr "wbr", Xmp "xmp",
}

/// Slots of the hash table; a power of two.
const SLOTS: usize = 512;

/// Names of up to eight letters by their packed form, found by a multiplicative hash and linear probing.
static TABLE: [(u64, Tag); SLOTS] = table();

const fn table() -> [(u64, Tag); SLOTS] {
    let mut table = [(0, Tag::Other); SLOTS];
    let mut at = 0;
    while at < NAMES.len() {
        let name = NAMES[at].0.as_bytes();
        if name.len() <= 8 {
            let key = pack(name);
            let mut slot = slot(key);
            while table[slot].0 != 0 {
                slot = (slot + 1) % SLOTS;
            }
            table[slot] = (key, NAMES[at].1);
        }
        at += 1;
    }
    table
}

/// Up to eight bytes in lower case, with the length where there is room: never 0.
const fn pack(name: &[u8]) -> u64 {
    let mut key = 0_u64;
    let mut at = 0;
    while at < name.len() {
        key |= (name[at].to_ascii_lowercase() as u64) << (8 * at);
        at += 1;
    }
    if name.len() < 8 { key | (name.len() as u64) << 56 } else { key }
}

const fn slot(key: u64) -> usize {
    (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 55) as usize
}

/// Whether a custom element shows an image and is named after `<img>`, as `<amp-img>`, `<amp-anim>` and those of
/// frameworks. The images that such elements hold for browsers without scripts become siblings.
fn is_custom_image(name: &[u8]) -> bool {
    let ends = |suffix: &[u8]| {
        name.len() > suffix.len() && name[name.len() - suffix.len()..].eq_ignore_ascii_case(suffix)
    };
    ends(b"-img") || ends(b"-image") || name.eq_ignore_ascii_case(b"amp-anim")
}

impl Tag {
    /// The kind of the element with this name, in any case.
    pub(crate) fn from_name(name: &[u8]) -> Self {
        match Self::known(name) {
            Self::Other if is_custom_image(name) => Self::Img,
            tag => tag,
        }
    }

    fn known(name: &[u8]) -> Self {
        if name.is_empty() {
            return Self::Other;
        }
        if name.len() > 8 {
            let known = NAMES.iter().find(|(known, _)| known.as_bytes().eq_ignore_ascii_case(name));
            return if name.len() > 14 { Self::Other } else { known.map_or(Self::Other, |(_, tag)| *tag) };
        }
        let key = pack(name);
        let mut at = slot(key);
        loop {
            let (found, tag) = TABLE[at];
            if found == key {
                return tag;
            }
            if found == 0 {
                return Self::Other;
            }
            at = (at + 1) % SLOTS;
        }
    }

    /// Begins a new line when shown.
    pub(crate) fn is_block(self) -> bool {
        matches!(
            self,
            Self::Address
                | Self::Article
                | Self::Aside
                | Self::Blockquote
                | Self::Body
                | Self::Caption
                | Self::Center
                | Self::Dd
                | Self::Details
                | Self::Dialog
                | Self::Dir
                | Self::Div
                | Self::Dl
                | Self::Dt
                | Self::Fieldset
                | Self::Figcaption
                | Self::Figure
                | Self::Footer
                | Self::Form
                | Self::Header
                | Self::Hgroup
                | Self::Hr
                | Self::Html
                | Self::Legend
                | Self::Li
                | Self::Listing
                | Self::Main
                | Self::Menu
                | Self::Nav
                | Self::Noscript
                | Self::Ol
                | Self::P
                | Self::Plaintext
                | Self::Pre
                | Self::Search
                | Self::Section
                | Self::Summary
                | Self::Table
                | Self::Tbody
                | Self::Td
                | Self::Tfoot
                | Self::Th
                | Self::Thead
                | Self::Tr
                | Self::Ul
                | Self::Xmp
        ) || self.is_heading()
    }

    pub(crate) fn is_heading(self) -> bool {
        matches!(self, Self::H1 | Self::H2 | Self::H3 | Self::H4 | Self::H5 | Self::H6)
    }

    /// White space counts as it stands.
    pub(crate) fn is_preformatted(self) -> bool {
        matches!(self, Self::Pre | Self::Listing | Self::Plaintext | Self::Xmp)
    }

    /// Holds nothing that a reader sees as text.
    pub(crate) fn is_unread(self) -> bool {
        matches!(
            self,
            Self::Applet
                | Self::Audio
                | Self::Canvas
                | Self::Datalist
                | Self::Head
                | Self::Iframe
                | Self::Math
                | Self::Noembed
                | Self::Noframes
                | Self::Object
                | Self::Optgroup
                | Self::Option
                | Self::Progress
                | Self::Rp
                | Self::Rt
                | Self::Rtc
                | Self::Script
                | Self::Select
                | Self::Style
                | Self::Svg
                | Self::Template
                | Self::Textarea
                | Self::Title
                | Self::Video
        )
    }

    /// Has no content and no end tag (the standard's void elements and their forerunners).
    pub(crate) fn is_void(self) -> bool {
        matches!(
            self,
            Self::Area
                | Self::Base
                | Self::Basefont
                | Self::Bgsound
                | Self::Br
                | Self::Col
                | Self::Embed
                | Self::Frame
                | Self::Hr
                | Self::Image
                | Self::Img
                | Self::Input
                | Self::Keygen
                | Self::Link
                | Self::Meta
                | Self::Param
                | Self::Source
                | Self::Track
                | Self::Wbr
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_every_name() {
        for (name, tag) in NAMES {
            assert_eq!(Tag::from_name(name.as_bytes()), *tag, "{name}");
            assert_eq!(Tag::from_name(name.to_ascii_uppercase().as_bytes()), *tag, "{name}");
        }
        for name in ["amp-img", "AMP-Anim", "v-img", "nuxt-image"] {
            assert_eq!(Tag::from_name(name.as_bytes()), Tag::Img, "{name}");
        }
        for name in [
            "",
            "-img",
            "x",
            "divv",
            "di",
            "a\0",
            "annotation-xm",
            "h7",
            "blockquotes",
            "custom-element-name",
        ] {
            assert_eq!(Tag::from_name(name.as_bytes()), Tag::Other, "{name}");
        }
    }
}
