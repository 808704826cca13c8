//! `{% generation %}` blocks, in which transformers' templates write what the model says.
//!
//! The engine has no such tag. Each becomes a filter block whose filter puts a mark before and after the block's text; the
//! marks, two noncharacters of Unicode, are taken out of the rendered text again.

use std::ops::Range;

/// Name of the filter.
pub(super) const FILTER: &str = "tsumugi_generation";

const OPEN: char = '\u{fdd0}';
const CLOSE: char = '\u{fdd1}';

/// The text of a block between its marks.
pub(super) fn mark(text: &str) -> String {
    format!("{OPEN}{text}{CLOSE}")
}

/// True if a text has a mark before any is put there.
pub(super) fn has_marks(text: &str) -> bool {
    text.contains([OPEN, CLOSE])
}

/// The source with filter blocks in place of generation blocks, and whether there is any. Line ends become `\n`, as in
/// jinja2.
pub(super) fn rewrite(source: &str) -> (String, bool) {
    let source = source.replace("\r\n", "\n").replace('\r', "\n");
    let mut out = String::with_capacity(source.len());
    let mut rest = source.as_str();
    let mut any = false;
    while let Some(start) = rest.find("{%") {
        out.push_str(&rest[..start]);
        rest = &rest[start..];
        match tag(rest) {
            Some((text, length)) => {
                out.push_str(&text);
                rest = &rest[length..];
                any = true;
            }
            None => {
                out.push_str("{%");
                rest = &rest[2..];
            }
        }
    }
    out.push_str(rest);
    (out, any)
}

/// The block that stands for a generation tag at the start of a source, and the tag's length.
fn tag(source: &str) -> Option<(String, usize)> {
    let sign = |text: &str| usize::from(text.starts_with(['-', '+']));
    let inner = source.strip_prefix("{%")?;
    let opening = sign(inner);
    let word = inner[opening..].trim_start();
    let (name, after) = word.split_at(word.find(|c: char| !c.is_ascii_alphabetic())?);
    let block = match name {
        "generation" => format!("filter {FILTER}"),
        "endgeneration" => "endfilter".to_owned(),
        _ => return None,
    };
    let after = after.trim_start();
    let closing = sign(after);
    let end = after[closing..].strip_prefix("%}")?;
    let tag = format!("{{%{} {block} {}%}}", &inner[..opening], &after[..closing]);
    Some((tag, source.len() - end.len()))
}

/// The text without marks, and the byte ranges that were between them.
pub(super) fn take_marks(marked: &str) -> (String, Vec<Range<usize>>) {
    let mut text = String::with_capacity(marked.len());
    let mut ranges = Vec::new();
    let (mut depth, mut start) = (0_usize, 0);
    for letter in marked.chars() {
        match letter {
            OPEN => {
                if depth == 0 {
                    start = text.len();
                }
                depth += 1;
            }
            CLOSE => {
                depth = depth.saturating_sub(1);
                if depth == 0 && text.len() > start {
                    ranges.push(start..text.len());
                }
            }
            other => text.push(other),
        }
    }
    (text, ranges)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_become_filter_blocks_and_keep_their_signs() {
        let (found, any) =
            rewrite("a{%- generation -%}b{% endgeneration %}{% generations %}{%+generation%}\r\n");
        let expected = format!(
            "a{{%- filter {FILTER} -%}}b{{% endfilter %}}{{% generations %}}{{%+ filter {FILTER} %}}\n"
        );
        assert_eq!((found, any), (expected, true));
        assert_eq!(rewrite("{% if x %}{{ y }}"), ("{% if x %}{{ y }}".to_owned(), false));
        assert_eq!(rewrite("{%").0, "{%");
    }

    #[test]
    fn marks_are_taken_out() {
        let marked = format!("é{}x{}", mark("いa"), mark(""));
        let taken = |text: &str| {
            let (text, ranges) = take_marks(text);
            (text, ranges.into_iter().map(|range| (range.start, range.end)).collect::<Vec<_>>())
        };
        assert_eq!(taken(&marked), ("éいax".to_owned(), vec![(2, 6)]));
        assert_eq!(taken(&mark(&mark("a"))).1, [(0, 1)]);
    }
}
