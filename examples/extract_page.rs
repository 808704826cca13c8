//! Reads HTML files and prints a JSON line each: title, charset, language, main text, pictures, opt-out.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use serde_json::{Value, json};
use tsumugi::page::{PageHeaders, parse};

/// Read HTML pages (plain or gzip), one JSON line each.
#[derive(Parser)]
struct Arguments {
    /// HTML files; `.gz` is unpacked; `-` is standard input.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// URL of the page, for relative addresses.
    #[arg(long, default_value = "")]
    url: String,
    /// The HTTP header Content-Type.
    #[arg(long)]
    content_type: Option<String>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let (mut pages, mut errors, mut opted_out) = (0_u64, 0_u64, 0_u64);
    for file in &arguments.files {
        match read(file) {
            Ok(bytes) => {
                let line = describe(&bytes, &arguments);
                opted_out += u64::from(line["opt_out"] == true);
                pages += 1;
                println!("{line}");
            }
            Err(error) => {
                eprintln!("{}: {error}", file.display());
                errors += 1;
                println!("{}", json!({"error": error.to_string()}));
            }
        }
    }
    println!("{}", json!({"pages": pages, "opted_out": opted_out, "errors": errors}));
    if errors > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if path == Path::new("-") {
        std::io::stdin().lock().read_to_end(&mut bytes)?;
    } else {
        std::fs::File::open(path)?.read_to_end(&mut bytes)?;
    }
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let mut unpacked = Vec::new();
        flate2::read::MultiGzDecoder::new(&bytes[..]).read_to_end(&mut unpacked)?;
        return Ok(unpacked);
    }
    Ok(bytes)
}

fn describe(bytes: &[u8], arguments: &Arguments) -> Value {
    let headers = PageHeaders { content_type: arguments.content_type.as_deref(), ..PageHeaders::default() };
    let page = parse(bytes, &headers, &arguments.url);
    let images: Vec<Value> = page
        .nodes
        .iter()
        .filter_map(|node| node.image.as_ref())
        .map(|slot| json!({"url": slot.url, "alt": slot.alt, "caption": slot.caption}))
        .collect();
    json!({
        "title": page.title,
        "charset": page.charset,
        "language": page.language.best(),
        "text": page.main_text(),
        "images": images,
        "opt_out": page.opt_out.page,
    })
}
