//! Text that was read in a wrong encoding before it came here, and text that nothing can read.

use encoding_rs::WINDOWS_1252;

/// Characters that are looked at.
const SAMPLE: usize = 20_000;
/// Telling characters from which a text may be mojibake.
const LEAST: usize = 4;

/// ASCII letters for each telling character from which a text is readable in spite of these.
const READABLE: usize = 25;

/// Whether a text is mojibake: most of it was read in a wrong encoding, by us or by whoever made the page.
///
/// Each pair of encodings leaves characters that ordinary texts do not have in such numbers. The shares (ours) lie between
/// those of mojibake, of which a fifth to a half are such characters, and those of texts that quote some.
///
/// ```
/// use tsumugi_page::is_mojibake;
///
/// assert!(is_mojibake("縺薙ｓ縺ｫ縺｡縺ｯ縲∽ｸ也阜"));
/// assert!(!is_mojibake("こんにちは、世界"));
/// ```
#[must_use]
pub fn is_mojibake(text: &str) -> bool {
    let counts = Counts::of(text);
    let Counts { foreign, letters, .. } = counts;
    // At least one of so many characters outside of ASCII.
    let one_in = |share: usize, found: usize| found >= LEAST && found * share > foreign;
    // English with some quotation marks lost, or French with a word from elsewhere, is still readable.
    let few = |found: usize| found * READABLE <= letters;
    (one_in(4, counts.replaced) && !few(counts.replaced))
        || one_in(12, counts.utf8_as_shift_jis)
        || one_in(12, counts.utf8_as_gbk)
        || one_in(6, counts.replaced_as_chinese)
        || (counts.half_width * 2 > foreign
            && counts.kana_leads * 5 > counts.half_width
            && counts.kana_leads >= LEAST
            && counts.kana_pairs * 5 > counts.kana_leads)
        || (foreign > letters && one_in(5, counts.utf8_leads))
        || (one_in(4, counts.utf8_pairs) && !few(counts.utf8_pairs))
        || (one_in(6, counts.shift_jis_leads) && !few(counts.shift_jis_leads))
        || (one_in(8, counts.euc_leads) && !few(counts.euc_leads))
        || (counts.dollars > 2 * LEAST && counts.dollars * 8 > counts.all && text.contains("(B"))
}

/// How often telling characters come.
#[derive(Debug, Default)]
struct Counts {
    /// All characters; those outside of ASCII; letters of ASCII.
    all: usize,
    foreign: usize,
    letters: usize,
    replaced: usize,
    /// UTF-8 read as Shift_JIS, or as GBK: what the first bytes of kana become.
    utf8_as_shift_jis: usize,
    utf8_as_gbk: usize,
    /// U+FFFD in UTF-8 read as GBK or Big5.
    replaced_as_chinese: usize,
    /// EUC-JP read as Shift_JIS: half-width katakana, of which two stand for the first bytes of kana.
    half_width: usize,
    kana_leads: usize,
    /// Of these, those with another one two characters before them, as two kana in a row have.
    kana_pairs: usize,
    /// UTF-8 read as Latin-1 or windows-1252: first bytes of Japanese and Chinese, and pairs that stand for a letter
    /// with an accent or a quotation mark.
    utf8_leads: usize,
    utf8_pairs: usize,
    /// Shift_JIS read as windows-1252, EUC-JP read as Latin-1: first bytes of kana.
    shift_jis_leads: usize,
    euc_leads: usize,
    /// ISO-2022-JP without its escape characters: first bytes of hiragana.
    dollars: usize,
}

impl Counts {
    fn of(text: &str) -> Self {
        let mut counts = Self::default();
        let (mut before, mut second) = (' ', ' ');
        for c in text.chars().take(SAMPLE) {
            counts.all += 1;
            match c {
                'a'..='z' | 'A'..='Z' => counts.letters += 1,
                '$' => counts.dollars += 1,
                _ => {}
            }
            if !c.is_ascii() {
                counts.foreign += 1;
                counts.add(c, before);
                counts.kana_pairs += usize::from(is_kana_lead(c) && is_kana_lead(second));
            }
            (before, second) = (c, before);
        }
        counts
    }

    fn add(&mut self, c: char, before: char) {
        if matches!(before, '\u{c2}' | '\u{c3}' | '\u{e2}') && is_upper_half(c) {
            self.utf8_pairs += 1;
            return;
        }
        match c {
            '\u{fffd}' => self.replaced += 1,
            '\u{7e3a}' | '\u{7e67}' | '\u{7e5d}' => self.utf8_as_shift_jis += 1,
            '\u{9287}'..='\u{9289}' => self.utf8_as_gbk += 1,
            '\u{951f}' | '\u{62f7}' | '\u{5699}' => self.replaced_as_chinese += 1,
            '\u{ff61}'..='\u{ff9f}' => {
                self.half_width += 1;
                self.kana_leads += usize::from(is_kana_lead(c));
            }
            '\u{e3}'..='\u{e9}' | '\u{ef}' => self.utf8_leads += 1,
            '\u{201a}' | '\u{192}' => self.shift_jis_leads += 1,
            '\u{a4}' => self.euc_leads += 1,
            _ => {}
        }
    }
}

/// Whether a character is what the first byte of a kana in EUC-JP becomes in Shift_JIS: a half-width comma or middle dot.
fn is_kana_lead(c: char) -> bool {
    matches!(c, '\u{ff64}' | '\u{ff65}')
}

/// Whether a character is what windows-1252 makes of a byte between 0x80 and 0xBF, the second bytes of UTF-8.
fn is_upper_half(c: char) -> bool {
    let mut buffer = [0; 4];
    let (bytes, _, missing) = WINDOWS_1252.encode(c.encode_utf8(&mut buffer));
    !missing && matches!(bytes[..], [0x80..=0xbf])
}

#[cfg(test)]
mod tests {
    use encoding_rs::{EUC_JP, GBK, SHIFT_JIS, UTF_8};

    use super::*;

    const TEXT: &str = "山の話です。今日は川へ行きました。空が青いので、帰りは歩いて駅まで行きました。カメラのレンズも買った。";

    #[test]
    fn knows_what_wrong_encodings_make() {
        for (right, wrong) in [
            (UTF_8, SHIFT_JIS),
            (UTF_8, EUC_JP),
            (UTF_8, GBK),
            (UTF_8, WINDOWS_1252),
            (SHIFT_JIS, UTF_8),
            (SHIFT_JIS, WINDOWS_1252),
            (EUC_JP, UTF_8),
            (EUC_JP, SHIFT_JIS),
            (EUC_JP, WINDOWS_1252),
        ] {
            let (bytes, _, _) = right.encode(TEXT);
            let (text, _) = wrong.decode_without_bom_handling(&bytes);
            assert!(is_mojibake(&text), "{} read as {}: {text}", right.name(), wrong.name());
        }
        let (jis, _, _) = encoding_rs::ISO_2022_JP.encode(TEXT);
        assert!(is_mojibake(&String::from_utf8_lossy(&jis).replace('\u{1b}', "")));
        assert!(is_mojibake("Der GrÃ¶ÃŸte Ã¼ber allen hÃ¶rt die BÃ¤ume"));
        assert!(is_mojibake("它说：锟斤拷锟斤拷锟斤拷"));
    }

    #[test]
    fn knows_what_is_ordinary() {
        let some_lost = format!("{TEXT}\u{fffd}\u{fffd}\u{fffd}");
        for text in [
            TEXT,
            &some_lost,
            "ｱｲﾃﾑ･ｺﾚｸｼｮﾝのﾍﾟｰｼﾞ､ｶﾒﾗ､ﾚﾝｽﾞ",
            "São João não são só canções de avós à mão, porém não há razão.",
            "Đây là một câu tiếng Việt có rất nhiều dấu ở trên các chữ cái.",
            "Prices: ¥1,000 ¥2,000 ¥3,000 and €5, £6",
            "文字化けの例：縺薙ｓと表示されることがあります。そのときは文字コードを確かめてください。ほとんどの場合は直ります。",
            "ｱﾅ､ｲﾇ､ﾈｺ､ｳｼ､ｳﾏ､ｻﾙ､ﾄﾗ､ﾜﾆ",
            "The letter\u{fffd}s end \u{fffd}was\u{fffd} lost, but all that it says can still be read, and that is what counts here: \
             four of a hundred and fifty letters are gone\u{fffd}.",
            "He said that it didnâ€™t matter, and that it wouldnâ€™t be long, so they didnâ€™t wait for it. The rest of the page is \
             just what it should be, and nobody would call it unreadable. Itâ€™s fine.",
            "Er sagte: ‚Ja‘, ‚nein‘, ‚doch‘, ‚nun‘ und ‚gut‘. Danach ging er fort und kam nicht mehr, so dass alle sich fragten, \
             wo er denn nun geblieben war und ob er sich noch einmal melden werde.",
            "let $a = $b + $c; echo $d; $e = array($f, $g, $h, $i);",
            "\u{fffd}",
            "",
        ] {
            assert!(!is_mojibake(text), "{text}");
        }
    }
}
