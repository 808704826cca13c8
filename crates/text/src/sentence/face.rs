//! Face marks such as `(^_^;)`, `(T_T)` and `m(_ _)m`.

use super::rules::{FULL_WIDTH_CLOSE, FULL_WIDTH_OPEN, FaceRules};

/// Characters between the brackets of a face mark, at most.
const INSIDE: usize = 16;

const fn opens(c: char) -> bool {
    matches!(c, '(' | FULL_WIDTH_OPEN)
}

impl FaceRules {
    /// The end of the face mark whose bracket opens at `at`, with the arms and ornaments after it.
    pub(super) fn face_mark(&self, text: &str, at: usize) -> Option<usize> {
        let open = text[at..].chars().next().filter(|c| opens(*c))?;
        let from = at + open.len_utf8();
        let mut depth = 1_usize;
        for (count, (offset, c)) in text[from..].char_indices().enumerate() {
            if count > INSIDE || c == '\n' {
                break;
            }
            let inside = &text[from..from + offset];
            match c {
                // (((;^^) opens more often than it closes.
                c if opens(c) && inside.chars().all(opens) => depth += 1,
                ')' | FULL_WIDTH_CLOSE => {
                    let is_face = self.is_face(inside.trim_start_matches(opens));
                    return is_face.then(|| self.arms(text, from + offset + c.len_utf8()));
                }
                c if depth == 1 && self.salutes.contains(c) && self.is_face(inside) => {
                    return Some(self.arms(text, from + offset + c.len_utf8()));
                }
                _ => {}
            }
        }
        None
    }

    /// The end of a face mark that begins at `at` with up to four ornaments, arms or white space before its bracket.
    pub(super) fn decorated_face(&self, text: &str, at: usize) -> Option<usize> {
        for (count, (offset, c)) in text[at..].char_indices().enumerate() {
            if opens(c) {
                return self.face_mark(text, at + offset);
            }
            if count == 4 || !(self.arms.contains(c) || self.ornaments.contains(c)) {
                return None;
            }
        }
        None
    }

    /// Whether what stands between two brackets looks like a face.
    fn is_face(&self, inside: &str) -> bool {
        let compact: String = inside.chars().filter(|c| !c.is_whitespace()).collect();
        let count = compact.chars().count();
        let whole = self.whole.contains(&compact);
        if !(2..=INSIDE).contains(&count) || !compact.chars().all(|c| self.is_part(c)) {
            return whole;
        }
        let letters = compact.chars().filter(char::is_ascii_alphanumeric).count();
        if compact.chars().any(|c| self.strong.contains(c)) {
            return letters <= 3;
        }
        // Two eyes around a mouth, or a mouth alone: T_T, ;_;, _ _, -.-, =_=;
        let mouth = compact.chars().any(|c| self.mouths.contains(c));
        let eyes = compact.chars().filter(|c| self.eyes.contains(*c)).count();
        whole || eyes >= 2 && mouth && letters <= 2
    }

    /// Whether a character may stand inside a face.
    fn is_part(&self, c: char) -> bool {
        let symbol = matches!(
            c,
            '!'..='/' | ':'..='@' | '['..='`' | '{'..='~' // ASCII punctuation
                | '\u{FF01}'..='\u{FF0F}' | '\u{FF1A}'..='\u{FF20}' | '\u{FF3B}'..='\u{FF40}' | '\u{FF5B}'..='\u{FF5E}' // full width
                | '\u{A1}'..='\u{FF}' | '\u{2B0}'..='\u{36F}' // Latin symbols, modifiers and combining marks
                | '\u{391}'..='\u{3C9}' | '\u{410}'..='\u{44F}' // Greek and Cyrillic letters
                | '\u{2010}'..='\u{2BFF}' // punctuation and symbols
                | '\u{FF66}'..='\u{FF9F}' // half-width katakana
        );
        symbol || self.strong.contains(c) || self.parts.contains(c)
    }

    /// The end of the hands, sleep and ornaments that follow a face.
    fn arms(&self, text: &str, at: usize) -> usize {
        let mut end = at;
        let mut count = 0;
        while let Some(c) = text[end..].chars().next() {
            let sleeps = matches!(c, 'z' | 'Z' | '\u{FF5A}' | '\u{FF3A}');
            let hand = self.arms.contains(c) || count == 0 && self.hands.contains(c);
            if count >= 6 || !(sleeps || hand) {
                break;
            }
            // A Latin letter that goes on as a word is not a hand.
            let next = text[end + c.len_utf8()..].chars().next();
            if c.is_ascii_alphabetic() && !sleeps && next.is_some_and(|n| n.is_ascii_alphanumeric()) {
                break;
            }
            end += c.len_utf8();
            count += 1;
        }
        // A salute, (^^)>, or the end of a bow, <m(__)m>.
        match text[end..].chars().next() {
            Some(c @ ('>' | '\u{FF1E}')) => end + c.len_utf8(),
            _ => end,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::LanguagePack;

    #[test]
    fn faces_are_told_from_brackets() {
        let pack = LanguagePack::embedded("ja").unwrap();
        let rules = pack.sentences().rules().faces.as_ref().unwrap();
        let face_mark = |text: &str| rules.face_mark(text, 0);
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
            assert_eq!(face_mark(face), Some(face.len()), "{face}");
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
            assert_eq!(face_mark(plain), None, "{plain}");
        }
    }
}
