//! Writes what the model of main text sees of pages, for `tests/fixtures/fit_main_text.py`.
//!
//! ```sh
//! cargo run --release -p tsumugi-page --example page_features -- OUT.f32 [--bare] < PAGES
//! ```
//!
//! Standard input has a line for each page: the HTML file, the table of words of names, that of words of texts and, for the
//! columns of the second trees, a list in JSON of what the first trees say of its blocks, with tabs between them. The
//! features of its text blocks go to OUT.f32 as 32-bit floats, row by row. A JSON line for each page goes to standard
//! output: `rows` (their number), `columns` and, without `--bare`, `texts` as `[text, place, words, heading]`, `elements` as
//! `[parent, unlinked width, words]` and `words`.

use std::collections::HashMap;
use std::io::{BufWriter, Write};

use anyhow::{Context, Result, bail};
use serde_json::json;
use tsumugi_page::fitting::{Tables, features};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some(out) = arguments.first() else { bail!("usage: page_features OUT.f32 [--bare] < PAGES") };
    let bare = arguments.iter().any(|argument| argument == "--bare");
    let mut out = BufWriter::new(std::fs::File::create(out).with_context(|| out.clone())?);
    let mut tables: HashMap<(String, String), Tables> = HashMap::new();
    let mut lines = BufWriter::new(std::io::stdout().lock());
    for line in std::io::stdin().lines() {
        let line = line?;
        let fields: Vec<&str> = line.split('\t').collect();
        let [file, names, texts, first @ ..] = fields.as_slice() else { bail!("not a page: {line}") };
        let key = ((*names).to_owned(), (*texts).to_owned());
        if !tables.contains_key(&key) {
            let [names, texts] =
                [names, texts].map(|path| std::fs::read_to_string(path).context((*path).to_owned()));
            let read = Tables::read(&names?, &texts?)
                .context("a table has a line that is not a word with numbers")?;
            tables.insert(key.clone(), read);
        }
        let first: Option<Vec<f32>> = first.first().map(|list| serde_json::from_str(list)).transpose()?;
        let html = std::fs::read(file).with_context(|| (*file).to_owned())?;
        let Some(page) = features(&html, &tables[&key], first.as_deref()) else {
            writeln!(lines, "{}", json!({ "rows": 0 }))?;
            continue;
        };
        for value in page.rows.iter().flatten() {
            out.write_all(&value.to_le_bytes())?;
        }
        let mut line = json!({ "rows": page.rows.len(), "columns": page.columns });
        if !bare {
            let texts =
                page.texts.iter().map(|text| json!([text.text, text.place, text.words, text.heading]));
            let elements =
                page.elements.iter().map(|element| json!([element.parent, element.unlinked, element.words]));
            line["texts"] = texts.collect();
            line["elements"] = elements.collect();
            line["words"] = json!(page.words);
        }
        writeln!(lines, "{line}")?;
    }
    lines.flush()?;
    out.flush().context("cannot write the features")
}
