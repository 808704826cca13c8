//! What the letters of a block say about it, in any script.

/// Letters that name a currency after a number.
const CURRENCY_LETTERS: &str = include_str!("currency_letters.txt");

/// Counts over the text of a block.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Measure {
    /// Characters other than white space; wide ones count twice, as a kanji carries about as much as two Latin
    /// letters.
    pub(super) width: u32,
    /// Ends of sentences, and the commas of several scripts.
    pub(super) sentences: u32,
    pub(super) commas: u32,
    pub(super) digits: u32,
    /// Signs that stand between the entries of menus and breadcrumbs.
    pub(super) separators: u32,
    pub(super) lines: u32,
    /// Whether the text ends like a sentence.
    pub(super) is_ended: bool,
    pub(super) has_copyright: bool,
    pub(super) has_currency: bool,
    pub(super) has_question: bool,
}

impl Measure {
    pub(super) fn of(text: &str) -> Self {
        let mut measure = Self { lines: 1, ..Self::default() };
        let bytes = text.as_bytes();
        let (mut at, mut after_digit) = (0, false);
        while let Some(&byte) = bytes.get(at) {
            if byte.is_ascii_alphabetic() {
                measure.width += 1;
                after_digit = false;
                at += 1;
                continue;
            }
            let Some(c) = text[at..].chars().next() else { break };
            at += c.len_utf8();
            match c {
                '\n' => {
                    measure.lines += 1;
                    continue;
                }
                ' ' | '\t' | '\r' | '\u{a0}' | '\u{3000}' => continue,
                '0'..='9' | '\u{ff10}'..='\u{ff19}' => measure.digits += 1,
                // Kana and Han letters are most of what is not ASCII.
                '\u{3041}'..='\u{30fa}' | '\u{4e00}'..='\u{9fff}' if !after_digit => {}
                _ => {
                    measure.sign(c, &text[at..]);
                    measure.has_currency |= after_digit && CURRENCY_LETTERS.contains(c);
                }
            }
            after_digit = c.is_ascii_digit() || matches!(c, '\u{ff10}'..='\u{ff19}');
            measure.width += if c >= '\u{2e80}' || matches!(c, '\u{1100}'..='\u{11ff}') { 2 } else { 1 };
        }
        let last = |c: &char| !matches!(c, ')' | '"' | '\'' | '”' | '’' | '」' | '』' | '）' | ' ' | '\n');
        measure.is_ended = text
            .chars()
            .rev()
            .take(4)
            .find(last)
            .is_some_and(|c| matches!(c, '.' | '!' | '?' | '。' | '！' | '？' | '…' | ':' | '：'));
        measure
    }

    /// Counts a sign; `rest` is what follows it.
    fn sign(&mut self, c: char, rest: &str) {
        match c {
            '。' | '！' | '．' => self.sentences += 1,
            '？' => {
                self.sentences += 1;
                self.has_question = true;
            }
            '.' | '!' | '?'
                if rest
                    .chars()
                    .next()
                    .is_none_or(|next| next.is_whitespace() || matches!(next, '"' | ')' | '”')) =>
            {
                self.sentences += 1;
                self.has_question |= c == '?';
            }
            ',' | '、' | '，' | ';' => self.commas += 1,
            '|' | '/' | '»' | '›' | '>' | '·' | '•' | '｜' | '／' | '＞' | '・' => {
                self.separators += 1
            }
            '©' => self.has_copyright = true,
            '$' | '€' | '£' | '¥' | '￥' | '₩' | '₹' => self.has_currency = true,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_in_two_scripts() {
        let latin = Measure::of("Pour it, then wait. Is 3 (three) enough?\n$5 | ©");
        assert_eq!(
            (latin.sentences, latin.commas, latin.digits, latin.separators, latin.lines),
            (2, 1, 2, 1, 2)
        );
        assert!(latin.has_copyright && latin.has_currency && latin.has_question && !latin.is_ended);
        let japanese = Measure::of("湯を注ぎ、蒸らします。三分で足りますか？」");
        assert_eq!((japanese.sentences, japanese.commas, japanese.width), (2, 1, 42));
        assert!(japanese.is_ended && japanese.has_question);
        assert_eq!(Measure::of("version 1.5").sentences, 0);
        assert!(Measure::of("税込1,200円").has_currency && !Measure::of("円い窓").has_currency);
    }
}
