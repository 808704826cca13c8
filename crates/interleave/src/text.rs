//! Rules that look at the text of a pair only.

use regex::Regex;
use tsumugi_text::language::{Script, script_of};
use tsumugi_text::{Evidence, LanguageIdentifier, LanguagePack, Matching, WordList};

use crate::config::{PairConfig, TextRules};
use crate::error::{Error, Result};

/// Why a text makes no pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum TextDrop {
    /// The image has no text.
    NoText,
    /// No letter of the language, or another language with the same letters.
    WrongLanguage,
    /// Too few characters.
    TooShort,
    /// Too many characters.
    TooLong,
    /// A file name, an address or a camera's number.
    FileName,
    /// A text that stands for any image.
    Placeholder,
    /// Adult words.
    Adult,
    /// The image already has this text, apart from digits and punctuation.
    Repeated,
}

impl TextDrop {
    /// The reason as tables and funnels write it.
    pub fn as_str(self) -> &'static str {
        match self {
            TextDrop::NoText => "no_text",
            TextDrop::WrongLanguage => "wrong_language",
            TextDrop::TooShort => "too_short",
            TextDrop::TooLong => "too_long",
            TextDrop::FileName => "file_name",
            TextDrop::Placeholder => "placeholder",
            TextDrop::Adult => "adult",
            TextDrop::Repeated => "repeated",
        }
    }
}

/// The text rules of a recipe, with the language pack, patterns and word lists loaded.
#[derive(Debug, Clone)]
pub struct TextChecker {
    rules: TextRules,
    pack: LanguagePack,
    must_match: Option<Regex>,
    file_name: Option<Regex>,
    adult: Option<WordList>,
    identifier: LanguageIdentifier,
    /// Codes of the languages that are written with letters of the pack's language.
    similar: Vec<String>,
}

impl TextChecker {
    /// Loads what the text rules of `config` name.
    ///
    /// # Errors
    /// [`Error::Text`] if the language pack or the word list cannot be loaded, [`Error::Pattern`] if a pattern is wrong.
    pub fn new(config: &PairConfig) -> Result<TextChecker> {
        let rules = config.text.clone();
        let compile = |field, pattern: &Option<String>| {
            let compiled = pattern.as_deref().map(Regex::new).transpose();
            compiled.map_err(|source| Error::Pattern { field, source: Box::new(source) })
        };
        let pack = LanguagePack::open(&config.language)?;
        let adult = rules.adult_words.as_deref().map(|path| WordList::read(path, Matching::First));
        Ok(TextChecker {
            similar: if rules.same_language { similar_languages(&pack) } else { Vec::new() },
            identifier: LanguageIdentifier::default(),
            pack,
            must_match: compile("must_match", &rules.must_match)?,
            file_name: compile("file_name", &rules.file_name)?,
            adult: adult.transpose()?,
            rules,
        })
    }

    /// The language pack of the recipe.
    pub fn pack(&self) -> &LanguagePack {
        &self.pack
    }

    /// Whether a text that [`tidy`] returned may make a pair. `page_language` is that of the page that it stands on, a BCP 47 code.
    ///
    /// # Errors
    /// The reason why not.
    pub fn check(&self, text: &str, page_language: Option<&str>) -> std::result::Result<(), TextDrop> {
        let characters = text.chars().filter(|c| !c.is_whitespace()).count();
        if characters == 0 {
            Err(TextDrop::NoText)
        } else if self.is_file_name(text) {
            Err(TextDrop::FileName)
        } else if !self.has_letters(text) || self.is_in_similar_language(text, page_language) {
            Err(TextDrop::WrongLanguage)
        } else if weight(text) < self.rules.min_characters {
            Err(TextDrop::TooShort)
        } else if characters > self.rules.max_characters {
            Err(TextDrop::TooLong)
        } else if self.adult.as_ref().is_some_and(|words| words.hits(text) >= self.rules.adult_hits.max(1)) {
            Err(TextDrop::Adult)
        } else if self.rules.drop_placeholders && self.pack.is_placeholder(text) {
            Err(TextDrop::Placeholder)
        } else {
            Ok(())
        }
    }

    /// Whether a text is in a language that shares letters with the pack's. What the characters leave open is decided by the page
    /// only.
    fn is_in_similar_language(&self, text: &str, page_language: Option<&str>) -> bool {
        if self.similar.is_empty() {
            return false;
        }
        let found = self.identifier.identify_on_page(text, page_language);
        let is_certain = matches!(found.evidence, Evidence::Script | Evidence::Charset | Evidence::Prior);
        is_certain && self.similar.iter().any(|code| code == found.code)
    }

    fn is_file_name(&self, text: &str) -> bool {
        self.file_name.as_ref().map_or_else(|| self.pack.is_file_name(text), |pattern| pattern.is_match(text))
    }

    fn has_letters(&self, text: &str) -> bool {
        self.must_match.as_ref().map_or_else(|| self.pack.has_letters(text), |pattern| pattern.is_match(text))
    }
}

/// What languages with a pack share a script with that of `pack`, as the identifier names them.
fn similar_languages(pack: &LanguagePack) -> Vec<String> {
    let own = pack.manifest();
    let others = LanguagePack::codes().into_iter().filter(|code| *code != own.code);
    let others = others.filter_map(|code| LanguagePack::embedded(code).ok());
    let similar =
        others.filter(|other| other.manifest().scripts.iter().any(|script| own.scripts.contains(script)));
    similar.flat_map(|other| other.manifest().identified_as.clone()).collect()
}

/// Length of a text in characters without white space, a Han character counted as two.
fn weight(text: &str) -> usize {
    let weight = |c: char| 1 + usize::from(script_of(c) == Script::Han);
    text.chars().filter(|c| !c.is_whitespace()).map(weight).sum()
}

/// The letters of a text without digits and punctuation, by which repeated texts are recognised.
pub(crate) fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphabetic()).collect()
}

/// Removes white space at both ends and makes each run of it one space; the ideographic space is white space too.
///
/// ```
/// assert_eq!(tsumugi_interleave::tidy("\u{3000}春の \n 空 "), "春の 空");
/// ```
pub fn tidy(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_told_from_file_names() {
        let checker = TextChecker::new(&PairConfig::default()).unwrap();
        let cases: &[(&str, std::result::Result<(), TextDrop>)] = &[
            ("東京タワーの夜景", Ok(())),
            ("桜の写真.jpg", Err(TextDrop::FileName)),
            ("images/桜2019.PNG", Err(TextDrop::FileName)),
            ("画像 001", Err(TextDrop::FileName)),
            ("写真 (2)", Err(TextDrop::FileName)),
            ("IMG_2034", Err(TextDrop::FileName)),
            ("https://example.jp/桜の木の下で", Err(TextDrop::FileName)),
            ("写真は夜の東京タワー", Ok(())),
            ("a photograph of a tower", Err(TextDrop::WrongLanguage)),
            ("桜", Err(TextDrop::TooShort)),
            ("夜の桜", Err(TextDrop::TooShort)),
            ("彩度タブ", Ok(())),
            ("東京都庁", Ok(())),
            ("タワー", Err(TextDrop::TooShort)),
            ("スクリーンショット 2024-05-01 12.34.56", Err(TextDrop::FileName)),
            ("スクリーンショット_20240501-123456_Chrome", Err(TextDrop::FileName)),
            ("アートボード 1 のコピー 2", Err(TextDrop::FileName)),
            ("夏の 海 (3).jpg", Err(TextDrop::FileName)),
            ("写真展_2024", Ok(())),
            ("スライド式の書棚と机", Ok(())),
            ("代替テキスト", Err(TextDrop::Placeholder)),
            ("この画像には alt 属性が指定されておらず、ファイル名は a.b です", Err(TextDrop::Placeholder)),
            ("この画像には代替テキストが設定されていません", Err(TextDrop::Placeholder)),
            ("画像に代替テキストはありません", Err(TextDrop::Placeholder)),
            ("写真の説明はありません。", Err(TextDrop::Placeholder)),
            ("画像の代替テキストを入力してください", Err(TextDrop::Placeholder)),
            ("ここにキャプションを入れてください", Err(TextDrop::Placeholder)),
            ("グラフ, 折れ線グラフ 自動的に生成された説明", Err(TextDrop::Placeholder)),
            ("画像に含まれている可能性があるもの:空、屋外", Err(TextDrop::Placeholder)),
            ("写真には山の説明を添えた", Ok(())),
            ("代替テキストの書き方の例", Ok(())),
            ("", Err(TextDrop::NoText)),
            ("保存形式は .png です", Ok(())),
        ];
        for (text, expected) in cases {
            assert_eq!(checker.check(text, None), *expected, "{text}");
        }
        assert_eq!(checker.check(&"長".repeat(1001), None), Err(TextDrop::TooLong));
    }

    #[test]
    fn chinese_texts_are_told_by_the_page_and_by_script() {
        let checker = TextChecker::new(&PairConfig::default()).unwrap();
        let wrong = Err(TextDrop::WrongLanguage);
        for (text, page, expected) in [
            ("夜晚的东京塔", None, wrong),
            ("夜晚的东京塔", Some("ja"), wrong),
            ("他也不知道這件事", Some("ja"), wrong),
            ("東京都庁舎", Some("ja"), Ok(())),
            ("東京都庁舎", None, Ok(())),
            ("会議室予約状況", Some("ja"), Ok(())),
            ("山水風景名勝", Some("zh"), wrong),
            ("한국어 漢字 제목", Some("ja"), Ok(())),
            ("画像を開く画面", Some("zh"), Ok(())),
        ] {
            assert_eq!(checker.check(text, page), expected, "{text} {page:?}");
        }
        let chinese = PairConfig { language: "zh".into(), ..PairConfig::default() };
        let checker = TextChecker::new(&chinese).unwrap();
        assert_eq!(checker.check("画像を開く画面です", Some("zh")), wrong);
        assert_eq!(checker.check("夜晚的东京塔", Some("zh")), Ok(()));
        let any = TextRules { same_language: false, ..TextRules::default() };
        let checker = TextChecker::new(&PairConfig { text: any, ..PairConfig::default() }).unwrap();
        assert_eq!(checker.check("夜晚的东京塔", Some("zh")), Ok(()));
    }

    #[test]
    fn the_pack_of_the_recipe_decides() {
        let text = TextRules { drop_placeholders: true, ..TextRules::default() };
        let checker = |language: &str| {
            TextChecker::new(&PairConfig {
                language: language.into(),
                text: text.clone(),
                ..PairConfig::default()
            })
        };
        let korean = checker("ko").unwrap();
        assert_eq!(korean.check("밤에 본 서울의 다리", None), Ok(()));
        assert_eq!(korean.check("夜の東京タワーの写真", None), Err(TextDrop::WrongLanguage));
        assert_eq!(korean.check("사진 20240101", None), Err(TextDrop::FileName));
        assert_eq!(korean.check("이미지가 없습니다", None), Err(TextDrop::Placeholder));
        assert_eq!(checker("en").unwrap().check("A bridge at night", None), Ok(()));
        assert!(matches!(checker("xx"), Err(Error::Text(_))));
    }

    #[test]
    fn patterns_of_the_recipe_come_before_those_of_the_pack() {
        let text =
            TextRules { must_match: Some("^A".into()), file_name: Some("B$".into()), ..TextRules::default() };
        let checker = TextChecker::new(&PairConfig { text, ..PairConfig::default() }).unwrap();
        assert_eq!(checker.check("A letter and no more", None), Ok(()));
        assert_eq!(checker.check("東京タワーの夜景", None), Err(TextDrop::WrongLanguage));
        assert_eq!(checker.check("All of image 001 B", None), Err(TextDrop::FileName));
        let text = TextRules { must_match: Some("(".into()), ..TextRules::default() };
        let error = TextChecker::new(&PairConfig { text, ..PairConfig::default() }).unwrap_err();
        assert!(matches!(error, Error::Pattern { field: "must_match", .. }));
    }
}
