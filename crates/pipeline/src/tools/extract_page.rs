//! `extract_page`: what a single HTML page holds.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tsumugi_page::{PageHeaders, parse};

use super::{Lines, files_of};
use crate::{Context, Error, Group, Tool};

/// Reads HTML pages and prints a JSON line each: title, charset, language, main text, images, opt-out.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// HTML files, plain or gzip, and folders of them (all files that end in .html, .htm, .xhtml or one of these with .gz); `-` is
    /// standard input.
    #[schemars(extend("x-positional" = true, "x-required" = true, "x-value-name" = "FILE"))]
    pub files: Vec<PathBuf>,
    /// URL of the page, by which relative addresses are resolved.
    pub url: String,
    /// The HTTP header Content-Type, which may name a charset.
    pub content_type: Option<String>,
}

/// Ends of the names of pages in a folder.
const ENDINGS: [&str; 6] = [".html", ".htm", ".xhtml", ".html.gz", ".htm.gz", ".xhtml.gz"];

/// The command `extract_page`.
pub struct ExtractPage;

impl Tool for ExtractPage {
    const NAME: &'static str = "extract_page";
    const GROUP: Group = Group::Data;
    const ABOUT: &'static str = "Extracts single HTML pages, a JSON line each";
    type Settings = Settings;

    fn run(settings: Settings, _: &Context) -> Result<Value, Error> {
        let mut out = Lines::new();
        let result = run(&settings, &mut out);
        // What was found before a failure is shown too.
        out.finish().and(result)
    }
}

/// Writes a line for each file and returns the counts.
fn run(settings: &Settings, out: &mut Lines) -> Result<Value, Error> {
    let (mut pages, mut errors, mut opted_out, mut images_opted_out) = (0_u64, 0, 0_u64, 0_u64);
    let files = files_of(&settings.files, &ENDINGS)?;
    for file in &files {
        match read(file) {
            Ok(bytes) => {
                let mut line = describe(&bytes, settings);
                if files.len() > 1 {
                    line["file"] = json!(file);
                }
                opted_out += u64::from(line["opt_out"] == true);
                images_opted_out += u64::from(line["opt_out_images"] == true);
                pages += 1;
                out.write(&line)?;
            }
            Err(error) => {
                tracing::error!("{}: {error}", file.display());
                errors += 1;
                out.write(&json!({"file": file, "error": error.to_string()}))?;
            }
        }
    }
    let counts = json!({"pages": pages, "opted_out": opted_out, "images_opted_out": images_opted_out, "errors": errors});
    Error::incomplete("files", errors, files.len(), counts)
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if path == Path::new("-") {
        std::io::stdin().lock().read_to_end(&mut bytes)?;
    } else {
        std::fs::File::open(path)?.read_to_end(&mut bytes)?;
    }
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let mut decompressed = Vec::new();
        flate2::read::MultiGzDecoder::new(&bytes[..]).read_to_end(&mut decompressed)?;
        return Ok(decompressed);
    }
    Ok(bytes)
}

fn describe(bytes: &[u8], settings: &Settings) -> Value {
    let headers = PageHeaders { content_type: settings.content_type.as_deref(), ..PageHeaders::default() };
    let page = parse(bytes, &headers, &settings.url);
    let images = page.nodes.iter().filter_map(|node| node.image.as_ref()).map(
        |slot| json!({"url": slot.url, "alt": slot.alt, "caption": slot.caption, "opt_out": slot.opt_out}),
    );
    json!({
        "title": page.title,
        "charset": page.charset,
        "language": page.language.best(),
        "page_type": page.page_type,
        "main_confidence": page.main_confidence,
        "text": page.main_text(),
        "images": images.collect::<Vec<Value>>(),
        "opt_out": page.opt_out.page,
        "opt_out_images": page.opt_out.images,
        "opt_out_signals": page.opt_out.signals,
        "limited": page.limited,
    })
}
