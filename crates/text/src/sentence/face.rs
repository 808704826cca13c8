//! Face marks: `(^_^;)`, `( ´Д｀)`, `m(_ _)m`, `ヽ(*´Д｀*)ﾉ`, `(^^ゝ`.

/// Characters between the brackets of a face mark, at most.
const INSIDE: usize = 16;

/// The end of the face mark whose bracket opens at `at`, with the arms and ornaments after it.
pub(super) fn face_mark(text: &str, at: usize) -> Option<usize> {
    let open = text[at..].chars().next()?;
    if !matches!(open, '(' | '（') {
        return None;
    }
    let from = at + open.len_utf8();
    let mut depth = 1_usize;
    for (count, (offset, c)) in text[from..].char_indices().enumerate() {
        if count > INSIDE || c == '\n' {
            break;
        }
        match c {
            // (((;^^) opens more often than it closes.
            '(' | '（' if text[from..from + offset].chars().all(|c| matches!(c, '(' | '（')) => depth += 1,
            ')' | '）' => {
                let inside = text[from..from + offset].trim_start_matches(['(', '（']);
                return is_face(inside).then(|| arms(text, from + offset + c.len_utf8()));
            }
            // A salute closes the bracket: (^^ゝ
            'ゝ' | 'ゞ' if depth == 1 && is_face(&text[from..from + offset]) => {
                return Some(arms(text, from + offset + c.len_utf8()));
            }
            _ => {}
        }
    }
    None
}

/// The end of a face mark at `at` that may have white space, arms or notes before its bracket.
pub(super) fn start_of_face(text: &str, at: usize) -> Option<usize> {
    decorated_face(text, at)
}

/// The end of a face mark that begins at `at` with up to four ornaments: `♪〜(￣ε￣；)`, ` ＼(^o^)／`.
pub(super) fn decorated_face(text: &str, at: usize) -> Option<usize> {
    for (count, (offset, c)) in text[at..].char_indices().enumerate() {
        if matches!(c, '(' | '（') {
            return face_mark(text, at + offset);
        }
        if count == 4
            || !(is_arm(c) || matches!(c, ' ' | '♪' | '〜' | '~' | '☆' | '★' | 'm' | 'd' | 'o' | 'φ'))
        {
            return None;
        }
    }
    None
}

/// Whether what stands between two brackets looks like a face.
fn is_face(inside: &str) -> bool {
    let compact: String = inside.chars().filter(|c| !c.is_whitespace()).collect();
    let count = compact.chars().count();
    if !(2..=INSIDE).contains(&count) || !compact.chars().all(is_part) {
        return compact == "ToT" || compact == "TT";
    }
    let strong = compact.chars().filter(|&c| is_strong(c)).count();
    if strong >= 1 && count >= 2 {
        let letters = compact.chars().filter(char::is_ascii_alphanumeric).count();
        return letters <= 3;
    }
    // Two eyes around a mouth, or a mouth alone: T_T, ;_;, _ _, ・・, -.-, =_=;
    let mouths = compact.chars().any(|c| matches!(c, '_' | '＿' | '.' | 'o' | 'O' | '-' | '0' | 'v' | 'w'));
    let eyes = compact
        .chars()
        .filter(|&c| {
            matches!(
                c,
                'T' | ';'
                    | '；'
                    | '・'
                    | '='
                    | '＝'
                    | '+'
                    | '＋'
                    | '@'
                    | '＠'
                    | '*'
                    | '＊'
                    | '-'
                    | '~'
                    | '/'
                    | '>'
                    | '<'
                    | 'x'
                    | 'X'
                    | 'Q'
                    | '･'
                    | 'ﾟ'
                    | '°'
                    | 'ー'
                    | '‐'
                    | '—'
                    | '|'
                    | '#'
            )
        })
        .count();
    let letters = compact.chars().filter(char::is_ascii_alphanumeric).count();
    let escaped = compact == "&gt;_&lt;";
    (escaped || eyes >= 2 && mouths && letters <= 2)
        || matches!(compact.as_str(), ".." | "__" | "・・" | "＿＿" | "･･" | "--" | "++")
}

/// Signs that stand in faces and next to nowhere else in brackets.
fn is_strong(c: char) -> bool {
    matches!(
        c,
        '^' | '＾'
            | '´'
            | '｀'
            | '`'
            | '￣'
            | 'ω'
            | '∀'
            | 'Д'
            | 'д'
            | '□'
            | 'ε'
            | '▽'
            | '◇'
            | '≧'
            | '≦'
            | '˘'
            | '◕'
            | '艸'
            | '∇'
            | 'Ｔ'
            | 'Å'
            | 'з'
            | '∩'
            | '∪'
            | '¯'
            | '◎'
            | '●'
            | '¬'
            | '益'
            | '皿'
            | 'ﾟ'
            | '゜'
            | 'ﾉ'
            | 'ヾ'
            | '△'
    )
}

/// Signs that may stand inside a face.
fn is_part(c: char) -> bool {
    is_strong(c)
        || matches!(
            c,
            '!' ..='/' | ':'..='@' | '['..='`' | '{'..='~' | '！'..='／' | '：'..='＠' | '［'..='｀' | '｛'..='～'
                | '\u{A1}'..='\u{FF}' | '\u{2B0}'..='\u{36F}' | 'Α'..='ω' | 'А'..='я' | '\u{2010}'..='\u{2BFF}' | '・' | '･'
                | 'ｰ' | 'ー' | '\u{FF66}'..='\u{FF9F}' | 'ヽ' | 'ヾ' | 'ゝ' | 'ノ' | 'メ' | 'へ' | 'ヘ' | '〃' | '〜' | '￣' | '￤'
                | 'o' | 'O' | 'ｏ' | 'T' | 'v' | 'V' | 'w' | 'x' | 'X' | 'u' | 'Q' | 'q' | 'n' | 'p' | 'g' | 't' | 'l' | '0' | '3' | '6' | '9' | '人' | '口' | 'ロ'
        )
}

/// Hands, sleep and ornaments that follow a face.
fn arms(text: &str, at: usize) -> usize {
    let mut end = at;
    let mut count = 0;
    while let Some(c) = text[end..].chars().next() {
        let sleeps = matches!(c, 'z' | 'Z' | 'ｚ' | 'Ｚ');
        let hand = is_arm(c)
            || (matches!(c, 'm' | 'd' | 'b' | 'o' | 'σ' | 'φ' | 'ゞ' | 'シ' | '彡' | 'U') && count == 0);
        if count >= 6 || !(sleeps || hand) {
            break;
        }
        // A Latin letter that goes on as a word is no hand.
        let next = text[end + c.len_utf8()..].chars().next();
        if c.is_ascii_alphabetic() && !sleeps && next.is_some_and(|n| n.is_ascii_alphanumeric()) {
            break;
        }
        end += c.len_utf8();
        count += 1;
    }
    // A salute, (^^)>, or the end of a bow, <m(__)m>.
    match text[end..].chars().next() {
        Some(c @ ('>' | '＞')) => end + c.len_utf8(),
        _ => end,
    }
}

fn is_arm(c: char) -> bool {
    matches!(
        c,
        'ﾉ' | 'ノ'
            | 'ヽ'
            | 'ヾ'
            | 'ゝ'
            | '／'
            | '＼'
            | '/'
            | '\\'
            | '☆'
            | '★'
            | '♪'
            | '-'
            | '－'
            | '~'
            | '〜'
            | '～'
            | '='
            | '┘'
            | '└'
            | '∠'
            | '↑'
            | '↓'
            | '*'
            | '＊'
            | '♡'
            | '♥'
            | '∑'
            | 'Σ'
            | '⌒'
            | 'ｼ'
            | '凸'
            | '゛'
            | '\''
            | ';'
            | '；'
            | '旦'
            | '"'
            | '｡'
            | 'ﾟ'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faces_are_told_from_brackets() {
        let faces = [
            "(^_^)",
            "(*´ｰ`)",
            "( ・_・)",
            "(T_T)",
            "(/_;)",
            "(_ _)",
            "(&gt;_&lt;)",
            "(+д+)",
            "(=_=;)",
            "( ..)",
            "(o-_-o)",
            "（＾◇＾）",
            "(ﾉдヽ)",
            "(＠_＠;)",
            "(-_-メ)",
            "(((;^^)",
            "(^^)>",
            "(__)m>",
        ];
        for face in faces {
            assert_eq!(face_mark(face, 0), Some(face.len()), "{face}");
        }
        for plain in [
            "(2020-01-02)",
            "(例)",
            "(a+b)",
            "(GIMP)",
            "(--help)",
            "(*)",
            "(e-mail)",
            "（税込）",
            "(-)",
            "(ほげ。)",
            "(1)",
            "(*.png)",
        ] {
            assert_eq!(face_mark(plain, 0), None, "{plain}");
        }
    }
}
