//! Reads HTML files and prints a JSON line each: title, charset, language, main text, pictures, opt-out.

use std::io::{ErrorKind, Read, Write};
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
    match run(&arguments, &mut std::io::stdout().lock()) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        // Whoever reads the lines has seen enough, as `head` has.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("standard output: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Writes a line for each file and one with the sums; gives how many files could not be read.
fn run(arguments: &Arguments, out: &mut impl Write) -> std::io::Result<u64> {
    let (mut pages, mut errors, mut opted_out, mut images_opted_out) = (0_u64, 0_u64, 0_u64, 0_u64);
    for file in &arguments.files {
        match read(file) {
            Ok(bytes) => {
                let line = describe(&bytes, arguments);
                opted_out += u64::from(line["opt_out"] == true);
                images_opted_out += u64::from(line["opt_out_images"] == true);
                pages += 1;
                writeln!(out, "{line}")?;
            }
            Err(error) => {
                eprintln!("{}: {error}", file.display());
                errors += 1;
                writeln!(out, "{}", json!({"error": error.to_string()}))?;
            }
        }
    }
    let sums = json!({"pages": pages, "opted_out": opted_out, "images_opted_out": images_opted_out, "errors": errors});
    writeln!(out, "{sums}")?;
    Ok(errors)
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
        .map(|slot| {
            json!({"url": slot.url, "alt": slot.alt, "caption": slot.caption, "opt_out": slot.opt_out})
        })
        .collect();
    json!({
        "title": page.title,
        "charset": page.charset,
        "language": page.language.best(),
        "text": page.main_text(),
        "images": images,
        "opt_out": page.opt_out.page,
        "opt_out_images": page.opt_out.images,
        "opt_out_signals": page.opt_out.signals,
        "limited": page.limited,
    })
}
