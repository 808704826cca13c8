//! The attributes that matter for reading a page.

macro_rules! attributes {
    ($($variant:ident $name:literal),* $(,)?) => {
        /// The name of an attribute.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u8)]
        pub(crate) enum Attr {
            $($variant,)*
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
    Height "height", Hidden "hidden", Srcset "srcset",
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
}

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
