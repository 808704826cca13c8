//! Writes what the model of main text sees of pages, for `tests/fixtures/fit_main_text.py`.
//!
//! ```sh
//! cargo run --release -p tsumugi-page --example page_features -- WORDS.tsv OUT.f32 [P.jsonl] < FILES
//! ```
//!
//! Standard input names an HTML file a line. A JSON line for each goes to standard output (`file`, `columns`, `texts`,
//! `places`, `elements` as `[parent, unlinked width, words]`, `words`), the features of its text blocks as 32-bit floats to OUT.f32, row by row. P.jsonl has
//! for each file the list of what the first trees say of its blocks; then the columns are those of the second trees.

use std::io::{BufRead, BufReader, BufWriter, Write};

use anyhow::{Context, Result, bail};
use serde_json::json;
use tsumugi_page::fitting::features;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (Some(words), Some(out)) = (arguments.first(), arguments.get(1)) else {
        bail!("usage: page_features WORDS.tsv OUT.f32 [P.jsonl] < FILES");
    };
    let words = std::fs::read_to_string(words).with_context(|| words.clone())?;
    let mut out = BufWriter::new(std::fs::File::create(out).with_context(|| out.clone())?);
    let mut first = match arguments.get(2) {
        Some(path) => Some(BufReader::new(std::fs::File::open(path).with_context(|| path.clone())?).lines()),
        None => None,
    };
    let mut lines = BufWriter::new(std::io::stdout().lock());
    for file in std::io::stdin().lines() {
        let file = file?;
        let html = std::fs::read(&file).with_context(|| file.clone())?;
        let known: Option<Vec<f32>> = match &mut first {
            Some(lines) => Some(serde_json::from_str(&lines.next().context("P.jsonl is too short")??)?),
            None => None,
        };
        let Some(page) = features(&html, &words, known.as_deref()) else {
            writeln!(lines, "{}", json!({ "file": file, "texts": [] }))?;
            continue;
        };
        for (_, _, row) in &page.rows {
            for value in row {
                out.write_all(&value.to_le_bytes())?;
            }
        }
        let texts: Vec<&str> = page.rows.iter().map(|(text, _, _)| text.as_str()).collect();
        let places: Vec<usize> = page.rows.iter().map(|(_, place, _)| *place).collect();
        let elements: Vec<_> = page
            .elements
            .iter()
            .map(|element| json!([element.parent, element.unlinked, element.words]))
            .collect();
        let line = json!({
            "file": file, "columns": page.columns, "texts": texts, "places": places, "elements": elements,
            "words": page.words,
        });
        writeln!(lines, "{line}")?;
    }
    lines.flush()?;
    out.flush().context("cannot write the features")
}
