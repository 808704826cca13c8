//! The normalisation that mecab-ipadic-NEologd asks for before its dictionary is looked up.

use unicode_normalization::UnicodeNormalization as _;

use crate::language::LONG_VOWEL_MARK;

/// Rewrites `text` as mecab-ipadic-NEologd's wiki page "Regexp.ja" does: letters, digits and punctuation in half width,
/// katakana in full width, one kind of hyphen and of long vowel mark (runs of them become one), no tildes, and no
/// white space beside Japanese characters. Other compatibility characters (㍿, ①) stay, unlike in [`super::nfkc`].
///
/// ```
/// assert_eq!(tsumugi_text::normalize_neologd("ﾃｽﾄ　の １００ ％"), "テストの100%");
/// ```
#[must_use]
pub fn normalize_neologd(text: &str) -> String {
    let trimmed = text.trim_matches(super::is_python_space);
    let folded = one_kind_of_mark(&nfkc_of(trimmed, is_width_variant).replace('－', "-"));
    // ASCII punctuation is made wide first, so that spaces beside it go as beside Japanese characters.
    let wide: String = folded.chars().map(widen).collect();
    let closed = without_spaces(&wide);
    let narrow = nfkc_of(&closed, is_wide_punctuation).replace('－', "-");
    narrow.replace('’', "'").replace('”', "\"")
}

fn is_width_variant(c: char) -> bool {
    matches!(c, '０'..='９' | 'Ａ'..='Ｚ' | 'ａ'..='ｚ' | '\u{FF61}'..='\u{FF9F}')
}

/// Full-width punctuation, except ＝, the middle dot and the brackets 「 and 」.
fn is_wide_punctuation(c: char) -> bool {
    "！”＃＄％＆’（）＊＋，－．／：；＜＞？＠［￥］＾＿｀｛｜｝〜".contains(c)
}

/// Converts each run of characters of a class to NFKC by itself.
fn nfkc_of(text: &str, class: fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(class) {
        out.push_str(&rest[..start]);
        rest = &rest[start..];
        let end = rest.find(|c| !class(c)).unwrap_or(rest.len());
        out.extend(rest[..end].nfkc());
        rest = &rest[end..];
    }
    out.push_str(rest);
    out
}

/// Hyphens, long vowel marks and tildes.
fn one_kind_of_mark(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before = None;
    for c in text.chars() {
        let mark = match c {
            '˗' | '֊' | '‐' | '‑' | '‒' | '–' | '⁃' | '⁻' | '₋' | '−' => Some('-'),
            '﹣' | '－' | '\u{FF70}' | '—' | '―' | '─' | '━' | LONG_VOWEL_MARK => {
                Some(LONG_VOWEL_MARK)
            }
            '~' | '∼' | '∾' | '〜' | '〰' | '～' => continue,
            _ => None,
        };
        if mark.is_none() || mark != before {
            out.push(mark.unwrap_or(c));
        }
        before = mark;
    }
    out
}

fn widen(c: char) -> char {
    const NARROW: &str = "!\"#$%&'()*+,-./:;<=>?@[¥]^_`{|}~｡､･｢｣";
    const WIDE: &str = "！”＃＄％＆’（）＊＋，－．／：；＜＝＞？＠［￥］＾＿｀｛｜｝〜。、\u{30FB}「」";
    if c.is_ascii_alphanumeric() || c.is_ascii_control() || c == ' ' {
        return c;
    }
    NARROW.chars().zip(WIDE.chars()).find(|(narrow, _)| *narrow == c).map_or(c, |(_, wide)| wide)
}

/// Reduces each run of white space to one space, and to none between two Japanese characters or a Japanese and an ASCII one.
fn without_spaces(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if !is_space(c) {
            out.push(c);
            continue;
        }
        while chars.next_if(|next| is_space(*next)).is_some() {}
        let japanese = |c: Option<char>| c.is_some_and(is_japanese);
        let known = |c: Option<char>| c.is_some_and(|c| c.is_ascii() || is_japanese(c));
        let (before, after) = (out.chars().next_back(), chars.peek().copied());
        let closes = (japanese(before) && known(after)) || (known(before) && japanese(after));
        if !closes {
            out.push(' ');
        }
    }
    out
}

const fn is_space(c: char) -> bool {
    matches!(c, ' ' | '　')
}

const fn is_japanese(c: char) -> bool {
    matches!(c, '\u{3000}'..='\u{30FF}' | '\u{4E00}'..='\u{9FFF}' | '\u{FF00}'..='\u{FFEF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_the_wiki_page_has_it() {
        let check = |text: &str, expected: &str| assert_eq!(normalize_neologd(text), expected, "{text}");
        check("０１２３４５６７８９", "0123456789");
        check("ＡＢＣａｂｃ", "ABCabc");
        check("！”＃＄％＆’（）＊＋，−．／：；＜＞？＠［￥］＾＿｀｛｜｝", "!\"#$%&'()*+,-./:;<>?@[¥]^_`{|}");
        check("＝。、・「」", "＝。、・「」");
        check("ﾊﾝｶｸ", "ハンカク");
        check("o₋o", "o-o");
        check("majika━", "majikaー");
        check("わ〰い", "わい");
        check("スーパーーーー", "スーパー");
        check("ゼンカク　スペース", "ゼンカクスペース");
        check("お             お", "おお");
        check("      おお", "おお");
        check("検索 エンジン 自作 入門 を 買い ました!!!", "検索エンジン自作入門を買いました!!!");
        check("アルゴリズム C", "アルゴリズムC");
        check("　　　ＰＲＭＬ　　副　読　本　　　", "PRML副読本");
        check("Coding the Matrix", "Coding the Matrix");
        check("ﾞ－¥㍿①", "\u{3099}-¥㍿①");
    }
}
