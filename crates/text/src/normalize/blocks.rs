//! Changes of a text that comes in blocks, as a page's does: the same as of the text that the blocks make together, a
//! line after the other.

use super::{Modification, majority_punctuation};

impl Modification {
    /// Changes the blocks. One that belongs to a footer or header as a whole is empty afterwards.
    pub(crate) fn apply_to_blocks(&self, blocks: &mut [String]) {
        match self {
            // What the punctuation is, and where the footer begins, is seen in the whole text alone.
            Self::MajorityPunctuation {} => spread(blocks, |text| Some(majority_punctuation(text))),
            Self::Footer(footer) => keep_lines(blocks, |text| {
                let kept = footer.trim(text)?;
                let count = if kept.is_empty() { 0 } else { kept.split('\n').count() };
                Some(text.split('\n').enumerate().map(|(at, _)| at < count).collect())
            }),
            Self::HeaderFooter(edges) => keep_lines(blocks, |text| edges.kept_lines(text)),
            Self::OwnLanguage(own) => keep_lines(blocks, |text| own.kept_lines(text)),
            _ => {
                for block in blocks {
                    if let Some(changed) = self.apply(block) {
                        *block = changed;
                    }
                }
            }
        }
    }
}

/// Replaces the text of all blocks by one of as many lines.
fn spread(blocks: &mut [String], change: impl FnOnce(&str) -> Option<String>) {
    let Some(changed) = change(&blocks.join("\n")) else { return };
    let mut lines = changed.split('\n');
    for block in blocks {
        let count = block.split('\n').count();
        *block = lines.by_ref().take(count).collect::<Vec<_>>().join("\n");
    }
}

/// Leaves out lines of the text of all blocks.
fn keep_lines(blocks: &mut [String], choose: impl FnOnce(&str) -> Option<Vec<bool>>) {
    let Some(kept) = choose(&blocks.join("\n")) else { return };
    let mut kept = kept.into_iter();
    for block in blocks {
        let lines = block.split('\n').filter(|_| kept.next().unwrap_or(true));
        *block = lines.collect::<Vec<_>>().join("\n");
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::{FilterChain, Profile};

    /// A chain with every change that looks at a whole text, and lists for those that need one.
    fn chain(kinds: &[&str]) -> (tempfile::TempDir, FilterChain) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("list"), "コメント\n次の記事\n").unwrap();
        let list = |kind: &str| if kind.contains("footer") { "list = \"list\"\n" } else { "" };
        let toml: String =
            kinds.iter().map(|kind| format!("[[modify]]\ntype = \"{kind}\"\n{}", list(kind))).collect();
        let chain = FilterChain::new(&Profile::parse("test", &toml).unwrap(), Some(folder.path())).unwrap();
        (folder, chain)
    }

    fn changed(kinds: &[&str], blocks: &[&str]) -> Vec<String> {
        let mut blocks: Vec<String> = blocks.iter().map(|&b| b.to_owned()).collect();
        chain(kinds).1.modify_blocks(&mut blocks);
        blocks
    }

    #[test]
    fn the_majority_is_that_of_all_blocks() {
        let blocks = ["春，夏，秋，冬。", "一、二。", "山\n川，谷。"];
        assert_eq!(
            changed(&["majority-punctuation"], &blocks),
            ["春、夏、秋、冬。", "一、二。", "山\n川、谷。"]
        );
    }

    #[test]
    fn a_footer_ends_the_blocks() {
        let blocks = ["本文。\nつづき。", "おわり。\nコメント (0)", "残り", "また残り"];
        assert_eq!(changed(&["footer"], &blocks), ["本文。\nつづき。", "おわり。", "", ""]);
        assert_eq!(changed(&["footer"], &["コメント"]), [""]);
        let edges = changed(&["header-footer"], &["次の記事", "一\n二", "三\n四", "次の記事：桜"]);
        assert_eq!(edges, ["", "一\n二", "三\n四", ""]);
    }

    #[test]
    fn paragraphs_in_another_language_go() {
        let blocks = [
            "画像を開く方法を説明します。",
            "Choose the file that you want to open from the list and press the button.\n次に保存します。",
            "GNU Image Manipulation Program",
            "git clone https://example.org/gimp-help.git --depth 1",
            "이 장에서는 이미지를 여는 방법을 설명합니다. 파일을 고르세요.",
            "请从列表中选择要打开的文件，然后按下按钮。请注意这里的说明。",
        ];
        let expected = [blocks[0], "次に保存します。", blocks[2], blocks[3], "", ""];
        assert_eq!(changed(&["own-language"], &blocks), expected);
    }

    proptest! {
        #[test]
        fn blocks_give_what_their_text_gives(blocks in prop::collection::vec("[あ，、．。\n]{0,6}|コメント|次の記事", 1..12)) {
            for kind in ["majority-punctuation", "footer", "header-footer"] {
                let chain = chain(&[kind]).1;
                let text = blocks.join("\n");
                let expected = chain.modify(&text).unwrap_or(text);
                let mut blocks = blocks.clone();
                chain.modify_blocks(&mut blocks);
                // Blocks that went as a whole leave an empty line; what else is there is the same.
                let filled = |text: &str| text.split('\n').filter(|l| !l.is_empty()).collect::<Vec<_>>().join("\n");
                prop_assert_eq!(filled(&blocks.join("\n")), filled(&expected));
            }
        }
    }
}
