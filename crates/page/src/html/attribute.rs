//! The attributes that matter for reading a page.

macro_rules! attributes {
    ($($variant:ident $name:literal),* $(,)?) => {
        /// The name of an attribute.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u8)]
        pub(crate) enum Attr {
            $($variant,)*
            /// Any other attribute of an image whose name says that it holds an address.
            Lazy,
            /// Any other attribute of an image whose value may be an address.
            Other,
            /// The same, with a name that speaks of a lesser image: a thumbnail, a stand-in.
            Spare,
        }

        /// All names, shorter ones first.
        const NAMES: &[(&str, Attr)] = &[$(($name, Attr::$variant)),*];
    };
}

attributes! {
    Id "id",
    Alt "alt", Src "src",
    Face "face", Href "href", Lang "lang", Name "name", Role "role", Size "size", Type "type",
    Class "class", Color "color", Style "style", Width "width",
    Height "height", Hidden "hidden", Layout "layout", Srcset "srcset",
    Charset "charset", Content "content",
    DataSrc "data-src", DataUrl "data-url", Encoding "encoding", Itemprop "itemprop", Property "property",
    XmlLang "xml:lang",
    DataEcho "data-echo", DataLazy "data-lazy",
    DataCfsrc "data-cfsrc", DataImage "data-image", HttpEquiv "http-equiv",
    AriaHidden "aria-hidden", DataLlSrc "data-ll-src", DataSrcset "data-srcset",
    DataImgSrc "data-img-src",
    DataFullSrc "data-full-src", DataLazyload "data-lazyload", DataLazySrc "data-lazy-src",
    DataOriginal "data-original",
    DataActualsrc "data-actualsrc", DataDeferSrc "data-defer-src", DataImageSrc "data-image-src",
    DataHiResSrc "data-hi-res-src",
    DataLazySrcset "data-lazy-srcset",
    DataOriginalSet "data-original-set", DataOriginalSrc "data-original-src",
}

/// Length of the longest name.
const LONGEST: usize = 17;

/// Where the names of each length begin in [`NAMES`].
static BEGINS: [u8; LONGEST + 2] = begins();

const fn begins() -> [u8; LONGEST + 2] {
    let mut begins = [0; LONGEST + 2];
    let mut length = 0;
    let mut at = 0;
    while length < begins.len() {
        while at < NAMES.len() && NAMES[at].0.len() < length {
            at += 1;
        }
        begins[length] = at as u8;
        length += 1;
    }
    begins
}

impl Attr {
    /// The attribute with this name, in any case; none if it does not matter.
    pub(crate) fn from_name(name: &[u8]) -> Option<Self> {
        if name.len() > LONGEST {
            return None;
        }
        let range = usize::from(BEGINS[name.len()])..usize::from(BEGINS[name.len() + 1]);
        NAMES[range]
            .iter()
            .find(|(known, _)| known.as_bytes().eq_ignore_ascii_case(name))
            .map(|(_, attribute)| *attribute)
    }

    /// The kind of an image's attribute that has no name of its own here; none if it cannot hold an address.
    pub(crate) fn of_image(name: &[u8], value: &[u8]) -> Option<Self> {
        if value.len() < 5 || !value.iter().any(|byte| matches!(byte, b'/' | b'.')) {
            return None;
        }
        let name = name.get(..name.len().min(40))?.to_ascii_lowercase();
        let says =
            |words: &[&str]| words.iter().any(|word| memchr::memmem::find(&name, word.as_bytes()).is_some());
        if name.starts_with(b"on") || name.starts_with(b"aria") || says(&OF_OTHER_THINGS) {
            None
        } else if says(&OF_LESSER_IMAGES) {
            Some(Self::Spare)
        } else if says(&OF_IMAGES) {
            Some(Self::Lazy)
        } else {
            Some(Self::Other)
        }
    }
}

/// Parts of the names of attributes that hold something else than an address of the image.
const OF_OTHER_THINGS: [&str; 17] = [
    "alt", "caption", "class", "comment", "desc", "filter", "href", "link", "longdesc", "meta", "name",
    "page-", "share", "size", "title", "type", "usemap",
];
/// Parts of the names of attributes that hold a lesser image: one that is shown before the right one, or instead of it.
const OF_LESSER_IMAGES: [&str; 16] = [
    "blur", "default", "error", "fallback", "holder", "hover", "load-img", "loading", "low", "lqip",
    "noimage", "preview", "rollover", "small", "thumb", "tiny",
];
/// Parts of the names of attributes that scripts keep addresses of images in.
const OF_IMAGES: [&str; 6] = ["image", "img", "lazy", "orig", "photo", "src"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_every_name() {
        for (name, attribute) in NAMES {
            assert_eq!(Attr::from_name(name.as_bytes()), Some(*attribute), "{name}");
            assert_eq!(Attr::from_name(name.to_ascii_uppercase().as_bytes()), Some(*attribute), "{name}");
        }
        for name in ["", "i", "onclick", "data-original-srcset", "classs"] {
            assert_eq!(Attr::from_name(name.as_bytes()), None, "{name}");
        }
    }
}
