//! Compares every fact about the committed images with the results of Pillow and ImageHash.
#![expect(clippy::unwrap_used, reason = "helpers of tests, where a failure is a failed test")]

use std::path::PathBuf;

use serde_json::Value;
use tsumugi_images::{Filter, Limits, PHash, Rgb, content_id, decode_rgb, inspect, resize};

fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

fn cases() -> Vec<(String, Vec<u8>, Value)> {
    let cases: Vec<Value> =
        serde_json::from_str(&std::fs::read_to_string(fixtures().join("cases.json")).unwrap()).unwrap();
    cases
        .into_iter()
        .map(|case| {
            let name = case["file"].as_str().unwrap().to_owned();
            let bytes = std::fs::read(fixtures().join("cases").join(&name)).unwrap();
            (name, bytes, case)
        })
        .collect()
}

/// Decoders of lossy formats may differ in the last bit, so only the hash is compared, with a tolerance.
fn is_lossy(name: &str) -> bool {
    name.ends_with(".jpg") || name == "lossy.webp"
}

#[test]
fn facts_equal_those_of_pillow() {
    let limits = Limits::default();
    for (name, bytes, case) in cases() {
        let facts = inspect(&bytes, &limits).unwrap();
        assert_eq!(Value::from(facts.width), case["width"], "{name}");
        assert_eq!(Value::from(facts.height), case["height"], "{name}");
        assert_eq!(Value::from(facts.animated), case["animated"], "{name}");
        assert_eq!(Value::from(facts.orientation), case["orientation"], "{name}");
        let hash: PHash = case["phash"].as_str().unwrap().parse().unwrap();
        if is_lossy(&name) {
            assert!(facts.phash.distance(hash) <= 2, "{name}: {} for {hash}", facts.phash);
        } else {
            assert_eq!(facts.phash.to_string(), hash.to_string(), "{name}");
            assert_eq!(Value::from(facts.colours), case["colours"], "{name}");
        }
    }
}

#[test]
fn pixels_equal_those_of_pillow() {
    for (name, bytes, case) in cases() {
        if is_lossy(&name) {
            continue;
        }
        let rgb = decode_rgb(&bytes, &Limits::default()).unwrap();
        assert_eq!(content_id(&rgb.data), case["rgb"].as_str().unwrap(), "{name}");
        for to in case["resized"].as_array().unwrap() {
            let filter = if to["filter"] == "bicubic" { Filter::Bicubic } else { Filter::Lanczos };
            let side = |key: &str| u32::try_from(to[key].as_u64().unwrap()).unwrap();
            let small: Rgb = resize(&rgb, side("width"), side("height"), filter).unwrap();
            assert_eq!(content_id(&small.data), to["rgb"].as_str().unwrap(), "{name} {to}");
        }
    }
}

#[test]
fn enforces_limits() {
    let bytes = std::fs::read(fixtures().join("cases/rgb.png")).unwrap();
    let reason = |limits: Limits| inspect(&bytes, &limits).unwrap_err().reason();
    assert_eq!(reason(Limits { max_bytes: 100, ..Limits::default() }), "too_many_bytes");
    assert_eq!(reason(Limits { max_side: 149, ..Limits::default() }), "too_many_pixels");
    assert_eq!(reason(Limits { max_pixels: 1000, ..Limits::default() }), "too_many_pixels");
    assert_eq!(reason(Limits { max_memory: 1000, ..Limits::default() }), "too_many_pixels");
}

#[test]
fn distinguishes_damaged_files() {
    let limits = Limits::default();
    let reason = |bytes: &[u8]| inspect(bytes, &limits).unwrap_err().reason();
    assert_eq!(reason(b""), "empty");
    assert_eq!(reason(b"<html>404</html>"), "not_an_image");
    assert_eq!(reason(b"<svg xmlns='http://www.w3.org/2000/svg'/>"), "svg");
    assert_eq!(reason(b"\0\0\0\x1cftypavif\0\0\0\0"), "avif");
    for (name, bytes, _) in cases() {
        // A cut file is damaged or, as in browsers, still decodes to an image; it never panics.
        let _ = inspect(&bytes[..bytes.len() / 2], &limits);
        assert_eq!(reason(&bytes[..20.min(bytes.len())]), "broken", "{name}");
    }
}

proptest::proptest! {
    #[test]
    fn no_bytes_panic(case in 0usize..40, at in 0usize..2000, byte: u8, cut in 0usize..8000) {
        let cases = cases();
        let (_, mut bytes, _) = cases[case % cases.len()].clone();
        let at = at % bytes.len();
        bytes[at] = byte;
        bytes.truncate(cut.max(1));
        let limits = Limits { max_pixels: 1_000_000, max_memory: 16 << 20, ..Limits::default() };
        let _ = inspect(&bytes, &limits);
    }
}
