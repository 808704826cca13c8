//! Small images within sentences: emoji, smileys, characters that fonts lack, formulas, icons.

use crate::classify::names::has_word;
use crate::dom::{Data, Dom, Id, NONE};
use crate::html::attribute::Attr;
use crate::line::Line;
use crate::tag::Tag;

/// Sides up to this many CSS pixels are those of emoji and icons (ours: twice the size of the text around them).
const SMALL: f64 = 32.0;
/// An image with a longer side is not an emoji, whatever its class says (ours).
const LARGE: f64 = 64.0;
/// Height of the text in CSS pixels, by which sizes in `em` are reckoned: what browsers start from.
const EM: f64 = 16.0;
/// Longest `alt` in characters of an image that the address alone shows to be an emoji (ours).
const LABEL: usize = 12;
/// Longest `alt` in characters that stands for a letter of the sentence around it (ours).
const LETTER: usize = 4;

/// Whether an image belongs to the sentence it stands in: by its class, its size, its address, or by an `alt` of few
/// characters. `line` is the text before it.
pub(crate) fn is_inline(dom: &Dom<'_>, id: Id, address: &str, line: &Line) -> bool {
    let alt = dom.attribute(id, Attr::Alt).map(str::trim).unwrap_or_default();
    let class = dom.attribute(id, Attr::Class).unwrap_or_default();
    let sides = [side(dom, id, Attr::Width, "width"), side(dom, id, Attr::Height, "height")];
    // A formula is as wide as it is long, but no higher than a few lines.
    if has_word(class, is_formula) && sides[1].is_none_or(|height| height <= LARGE) {
        return true;
    }
    if sides.iter().flatten().any(|side| *side > LARGE) {
        return false;
    }
    if has_word(class, is_emoji) || is_marked_inline(dom, id) {
        return true;
    }
    if sides.iter().any(Option::is_some) {
        return sides.iter().flatten().all(|side| *side <= SMALL);
    }
    if is_photograph(address) || alt.chars().take(LABEL + 1).count() > LABEL {
        return false;
    }
    is_symbol(alt)
        || address_tells(address)
        || (is_letter(alt)
            && ((line.is_in_word() && text_follows(dom, id, char::is_alphanumeric))
                // Old emoji are GIF files. One amid a line is part of it, whatever punctuation stands beside it.
                || (ends_with(address, ".gif")
                    && line.is_begun()
                    && text_follows(dom, id, |c| !c.is_whitespace()))))
}

/// What an image gives to the sentence: its `alt` where that is text, and not the name of a file.
pub(crate) fn text(alt: Option<&str>) -> &str {
    alt.map(str::trim).filter(|alt| !is_file(alt)).unwrap_or_default()
}

/// The same for an element that may be a small image.
pub(crate) fn text_of<'d>(dom: &'d Dom<'_>, id: Id, line: &Line) -> &'d str {
    let address = dom.attribute(id, Attr::Src).unwrap_or_default();
    if is_inline(dom, id, address, line) { text(dom.attribute(id, Attr::Alt)) } else { "" }
}

fn is_emoji(word: &[u8]) -> bool {
    matches!(
        word,
        b"emoji"
            | b"emojis"
            | b"emojione"
            | b"emote"
            | b"emotes"
            | b"emoticon"
            | b"emoticons"
            | b"emotion"
            | b"gaiji"
            | b"inlineimg"
            | b"kaomoji"
            | b"pictogram"
            | b"pictograph"
            | b"smile"
            | b"smiley"
            | b"smileys"
            | b"smilie"
            | b"smilies"
            | b"twemoji"
    )
}

/// Whether an element around an image says that it stands within a line, as DocBook writes it.
fn is_marked_inline(dom: &Dom<'_>, id: Id) -> bool {
    // Words of names are cut after 16 letters.
    let marks = |word: &[u8]| word == b"guiicon" || word.starts_with(b"inlinemedia");
    dom.ancestors(id)
        .take(2)
        .filter(|up| dom.tag(*up) == Tag::Span)
        .filter_map(|up| dom.attribute(up, Attr::Class))
        .any(|class| has_word(class, marks))
}

fn is_formula(word: &[u8]) -> bool {
    matches!(word, b"latex" | b"math" | b"mwe" | b"tex")
}

/// Whether a folder, the file or the host of an address is named after emoji.
fn address_tells(address: &str) -> bool {
    let path = address.split(['?', '#']).next().unwrap_or_default();
    // The last parts tell; data addresses are long.
    let path = &path[path.ceil_char_boundary(path.len().saturating_sub(160))..];
    !address.starts_with("data:")
        && has_word(path, |word| is_emoji(word) && !matches!(word, b"smile" | b"emotion"))
}

/// Whether the file is of a kind that no emoji has.
fn is_photograph(address: &str) -> bool {
    ends_with(address, ".jpg") || ends_with(address, ".jpeg")
}

/// Whether the path of an address ends with some letters, in any case.
fn ends_with(address: &str, suffix: &str) -> bool {
    let path = address.split(['?', '#']).next().unwrap_or_default();
    path.len() >= suffix.len()
        && path.as_bytes()[path.len() - suffix.len()..].eq_ignore_ascii_case(suffix.as_bytes())
}

/// Emoji, signs such as `♪`, smileys such as `:-)` and `^^`, and their names such as `:lol:`.
fn is_symbol(alt: &str) -> bool {
    let is_pictorial = |c: char| {
        matches!(c, '\u{203c}' | '\u{2049}' | '\u{2139}' | '\u{2190}'..='\u{2bff}' | '\u{3030}' | '\u{303d}' | '\u{3297}'
            | '\u{3299}' | '\u{e000}'..='\u{f8ff}' | '\u{1f000}'..='\u{1faff}' | '\u{fe000}'..='\u{ff000}')
    };
    if alt.contains(is_pictorial) {
        return !alt.contains(char::is_alphabetic);
    }
    let bytes = alt.as_bytes();
    if !alt.is_ascii() || bytes.len() < 2 {
        return false;
    }
    if let Some(name) = alt.strip_prefix(':').and_then(|rest| rest.strip_suffix(':')) {
        return !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-+".contains(&byte));
    }
    let letters = bytes.iter().filter(|byte| byte.is_ascii_alphanumeric()).count();
    bytes.len() <= 5 && letters <= 1 && bytes.iter().any(|byte| b":;=^".contains(byte)) && !alt.contains(' ')
}

/// One or a few letters, as of a name that the fonts of its time lacked.
fn is_letter(alt: &str) -> bool {
    !alt.is_empty()
        && alt.chars().take(LETTER + 1).count() <= LETTER
        && alt.chars().all(char::is_alphanumeric)
}

/// Whether a character of some kind stands directly behind an element.
fn text_follows(dom: &Dom<'_>, id: Id, fits: impl Fn(char) -> bool) -> bool {
    let next = dom.node(id).map_or(NONE, |node| node.next);
    match dom.node(next).map(|node| node.data) {
        Some(Data::Text(text)) => dom.str(text).starts_with(fits),
        _ => false,
    }
}

fn is_file(alt: &str) -> bool {
    let extension = alt.rsplit_once('.').map(|(_, extension)| extension).unwrap_or_default();
    ["gif", "png", "jpg", "jpeg", "svg", "webp", "bmp"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(extension))
        || alt.starts_with("http")
}

/// A side in CSS pixels as the attribute or the style says.
fn side(dom: &Dom<'_>, id: Id, name: Attr, property: &str) -> Option<f64> {
    let attribute = dom.attribute(id, name).filter(|_| !is_ratio(dom, id)).and_then(length);
    attribute.or_else(|| {
        let style = dom.attribute(id, Attr::Style)?;
        let style = &style[..style.floor_char_boundary(512)];
        let mut parts = style.split(';').filter_map(|part| part.split_once(':'));
        parts.find(|(key, _)| key.trim().eq_ignore_ascii_case(property)).and_then(|(_, value)| length(value))
    })
}

/// Whether the declared sides of an AMP image give its proportions alone.
pub(crate) fn is_ratio(dom: &Dom<'_>, id: Id) -> bool {
    dom.attribute(id, Attr::Layout).is_some_and(|layout| layout.trim().eq_ignore_ascii_case("responsive"))
}

/// A length in CSS pixels: a bare number, `px` or `em`. Other units say nothing of the size.
fn length(value: &str) -> Option<f64> {
    let value = value.trim();
    let value = value.strip_suffix("!important").unwrap_or(value).trim_end();
    let end = value.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(value.len());
    let number = value[..end].parse::<f64>().ok().filter(|number| *number >= 0.0)?;
    match value[end..].trim().to_ascii_lowercase().as_str() {
        "" | "px" => Some(number),
        "em" | "rem" => Some(number * EM),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::{PageHeaders, parse};

    /// The blocks of a page: texts, and images in brackets.
    fn blocks(html: &str) -> String {
        let page = parse(
            html.as_bytes(),
            &PageHeaders { content_type: Some("text/html; charset=utf-8"), ..Default::default() },
            "http://a.test/",
        );
        let block = |node: tsumugi_record::Node| match node.image {
            Some(image) => format!("[{}]", image.alt.unwrap_or_default()),
            None => node.text.unwrap_or_default(),
        };
        page.nodes.into_iter().map(block).collect::<Vec<_>>().join("|")
    }

    #[test]
    fn small_images_are_part_of_the_sentence() {
        for (image, expected) in [
            // Blogs of portals.
            ("<img class=emoji src=/char3/1.png alt=ニコニコ width=16 height=16>", "ニコニコ"),
            ("<img src='http://emoji.ameba.test/img/u/2.gif' alt=ラブラブ>", "ラブラブ"),
            ("<img class='emoji' style='border:none;' src=/e/257.gif width=14 height=14 alt=''>", ""),
            ("<img class=pict src=/p/1.gif width=20 height=20 alt='音符'>", "音符"),
            // Programs for blogs and forums.
            ("<img draggable=false role=img class=emoji alt='😀' src='/core/emoji/svg/1f600.svg'>", "😀"),
            ("<img src='/wp-includes/images/smilies/icon_smile.gif' alt=':)' class='wp-smiley'>", ":)"),
            (
                "<img src='/wp-includes/images/smilies/mrgreen.png' alt=':mrgreen:' class='wp-smiley' style='height: 1em; max-height: 1em;'>",
                ":mrgreen:",
            ),
            ("<img class=smilies src=./s/icon_e_smile.gif width=15 height=17 alt=':D' title=x>", ":D"),
            ("<img src=images/smilies/wink.gif border=0 alt='' class='inlineimg'>", ""),
            ("<img class='Emoji Emoji--forText' src='/emoji/v2/72x72/2764.png' alt='❤'>", "❤"),
            ("<img src=/a/1f44d.png alt='👍🏽'>", "👍🏽"),
            ("<img src=x.gif alt='(^^)'>", "(^^)"),
            ("<img src=x.gif alt='♪'>", "♪"),
            ("！<img src=/i/heart.gif alt=ハート>", "！ハート"),
            // Characters that fonts lack, and formulas.
            ("<img class=gaiji src=../gaiji/1-84.png alt='※(「火＋欣」)'>", "※(「火＋欣」)"),
            ("<img src=g01.gif alt=髙>", "髙"),
            (
                "<img class='mwe-math-fallback-image-inline' src=/m.svg style='width:24ex; height:3ex;' alt='{\\displaystyle x^{2}}'>",
                "{\\displaystyle x^{2}}",
            ),
            ("<img class=tex src=m.png width=210 height=19 alt='a^2+b^2'>", "a^2+b^2"),
            // Icons and what counts visitors.
            ("<img src=new.gif width=28 height=11 alt=NEW>", "NEW"),
            ("<img src=i.png style='width: 1.2em' alt=鍵>", "鍵"),
            ("<img src=i.png height=12 alt='icon.png'>", ""),
            ("<span class=guiicon>\n<span class=inlinemediaobject><img src=tab.png></span>\n</span>", ""),
            ("<span class=inlinemediaobject><img src=tab.png alt=しるし></span>", "しるし"),
            ("<img src=count.cgi width=1 height=1>", ""),
        ] {
            assert_eq!(
                blocks(&format!("<p>今日は{image}です。</p>")),
                format!("今日は{expected}です。"),
                "{image}"
            );
        }
    }

    #[test]
    fn other_images_are_blocks_of_their_own() {
        for image in [
            "<img src=a.jpg alt=山>",
            "<img src=a.png alt=富士山の写真>",
            "<img src=a.png width=300 height=200 alt=山>",
            "<img src=a.png width=300 height=16 alt=線>",
            "<img class=emoji src=a.png width=160 height=160 alt=ニコニコ>",
            "<img src=/blog/emoji/photo.jpg alt=犬>",
            "<img src=/blog/emoji/zukan.png alt=絵文字の歴史を示した年表の図>",
            "<img src=a.png width='50%' alt=山々を望む丘>",
            "<img src=a.png style='max-width: 16px' alt=山々を望む丘>",
            "<img src=a.png alt='->'>",
            "<img src=zu1.gif alt=山々の図面>",
            "<amp-img src=a.png width=16 height=9 layout=responsive alt=山を望む丘>",
        ] {
            let alt = if image.contains("'->'") {
                "->"
            } else {
                image.rsplit("alt=").next().unwrap().trim_end_matches('>')
            };
            assert_eq!(
                blocks(&format!("<p>今日は{image}です。</p>")),
                format!("今日は|[{alt}]|です。"),
                "{image}"
            );
        }
    }

    #[test]
    fn small_images_alone_are_images() {
        assert_eq!(
            blocks("<p><img class=emoji src=a.png alt=山><img class=emoji src=b.png alt=川></p><p>海</p>"),
            "[山]|[川]|海"
        );
        assert_eq!(
            blocks("<div><img src=a.png width=16 height=16 alt=利用者></div><p>海です。</p>"),
            "[利用者]|海です。"
        );
        assert_eq!(blocks("<pre>\n <img src=a.png width=16 height=16 alt=山>\n</pre>"), "[山]");
        assert_eq!(blocks("<td><span class=inlinemediaobject><img src=a.png alt=山></span></td>"), "[山]");
        // Few letters, but between sentences.
        assert_eq!(
            blocks("<p>今日は山です。<img src=a.png alt=山>海です。</p>"),
            "今日は山です。|[山]|海です。"
        );
        // The figure behind a sentence.
        assert_eq!(blocks("<p>図を見て下さい。<img src=a.gif alt=図1></p>"), "図を見て下さい。|[図1]");
        assert_eq!(blocks("<p>見て下さい。<br><img src=a.gif alt=図1>図1</p>"), "見て下さい。|[図1]|図1");
        // One letter beside nothing is the image of what it names.
        assert_eq!(blocks("<p><img src=a.png alt=山>\n<img src=b.png alt=川></p>"), "[山]|[川]");
        assert_eq!(blocks("<p>今日は<br><img src=a.png alt=山><br>です。</p>"), "今日は|[山]|です。");
    }

    #[test]
    fn captions_and_links_read_them_too() {
        let page = parse(
            "<figure><a href=x>大<img src=a.png alt=富士山の写真>きく</a><figcaption>これは<img class=emoji alt=山 src=b.png>\n<b>です</b><br>二行目<p>H<sub>2</sub>O</p></figcaption></figure>".as_bytes(),
            &PageHeaders { content_type: Some("text/html; charset=utf-8"), ..Default::default() },
            "http://a.test/",
        );
        let image = page.nodes.iter().find_map(|node| node.image.as_ref()).unwrap();
        assert_eq!(image.link_text.as_deref(), Some("大きく"));
        assert_eq!(image.caption.as_deref(), Some("これは山です 二行目 H₂O"));
    }
}
