//! Contrastive encoders against OpenCLIP and transformers: `tests/fixtures/make_contrastive_cases.py` makes the values.

use std::path::{Path, PathBuf};

use tch::{Kind, Tensor};
use tsumugi_vlm::checkpoint::{read_safetensors, write_safetensors};
use tsumugi_vlm::{ContrastiveEncoder, Error};

use super::{device, relative};

const CASES: [&str; 4] = ["open_clip", "open_clip_linear", "siglip", "siglip_bilinear"];

fn folder(case: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/contrastive").join(case)
}

fn images() -> Vec<Vec<u8>> {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("../images/tests/fixtures/cases");
    ["wide.png", "large.png", "grey.png"].map(|name| std::fs::read(cases.join(name)).unwrap()).to_vec()
}

fn texts() -> Vec<String> {
    serde_json::from_str(&std::fs::read_to_string(folder("texts.json")).unwrap()).unwrap()
}

fn open(case: &str) -> ContrastiveEncoder {
    ContrastiveEncoder::open(folder(case), device(), Kind::Float).unwrap()
}

#[test]
fn vectors_are_those_of_the_reference() {
    let (images, texts) = (images(), texts());
    for case in CASES {
        let encoder = open(case);
        let expected: std::collections::BTreeMap<String, Tensor> =
            read_safetensors(&folder(case).join("expected.safetensors")).unwrap().into_iter().collect();
        for (what, found, expected) in [
            ("pixels to vectors", encoder.embed_pixels(&expected["pixels"]), &expected["images"]),
            ("ids to vectors", encoder.embed_ids(&expected["ids"]), &expected["texts"]),
            ("files to vectors", encoder.embed_images(&images), &expected["images"]),
            ("texts to vectors", encoder.embed_texts(&texts), &expected["texts"]),
        ] {
            let far = relative(&found.unwrap(), expected);
            assert!(far < 1e-5, "{case}, {what}: {far}");
        }
    }
}

#[test]
fn vectors_do_not_depend_on_what_else_is_embedded() {
    let (images, texts) = (images(), texts());
    for case in CASES {
        let encoder = open(case);
        let many: Vec<&Vec<u8>> = images.iter().cycle().take(40).collect();
        let (all, one) = (encoder.embed_images(&many).unwrap(), encoder.embed_images(&images[..1]).unwrap());
        assert!(relative(&all.narrow(0, 39, 1), &one) < 1e-6, "{case}");
        let (all, one) = (encoder.embed_texts(&texts).unwrap(), encoder.embed_texts(&texts[1..2]).unwrap());
        assert!(relative(&all.narrow(0, 1, 1), &one) < 1e-6, "{case}");
        let length = all.norm_scalaropt_dim(2.0, [-1_i64], false);
        assert!((length - 1.0).abs().max().double_value(&[]) < 1e-6);
        let none: [&str; 0] = [];
        assert_eq!(encoder.embed_texts(&none).unwrap().size()[0], 0);
        let broken = encoder.embed_images(&[images[0].as_slice(), b"not an image"]);
        assert!(matches!(broken, Err(Error::Image { index: 1, .. })));
    }
}

/// Opens a copy of a case in which something was changed.
fn changed(case: &str, change: impl FnOnce(&Path)) -> String {
    let home = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(folder(case)).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, home.path().join(path.file_name().unwrap())).unwrap();
    }
    change(home.path());
    ContrastiveEncoder::open(home.path(), device(), Kind::Float).unwrap_err().with_causes()
}

fn rewrite(path: &Path, change: impl FnOnce(&mut Vec<(String, Tensor)>)) {
    let mut all = read_safetensors(path).unwrap();
    change(&mut all);
    std::fs::remove_file(path).unwrap();
    write_safetensors(path, all.iter().map(|(name, tensor)| (name.as_str(), tensor))).unwrap();
}

fn replace(path: &Path, from: &str, to: &str) {
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{text}");
    std::fs::write(path, text.replace(from, to)).unwrap();
}

#[test]
fn tensors_and_settings_that_do_not_fit_are_named() {
    for (case, file, tensor) in [
        ("open_clip", "open_clip_model.safetensors", "visual.ln_post.weight"),
        ("siglip", "model.safetensors", "vision_model.head.probe"),
    ] {
        let missing =
            changed(case, |home| rewrite(&home.join(file), |all| all.retain(|(name, _)| name != tensor)));
        assert!(missing.contains(&format!("missing tensors: {tensor}")), "{missing}");
        let extra = changed(case, |home| {
            rewrite(&home.join(file), |all| all.push(("other".into(), Tensor::from(1.0_f32))))
        });
        assert!(extra.contains("unexpected tensors: other"), "{extra}");
        let shape = changed(case, |home| {
            rewrite(&home.join(file), |all| {
                all.iter_mut()
                    .filter(|(name, _)| name == tensor)
                    .for_each(|(_, value)| *value = value.narrow(-1, 0, 3));
            })
        });
        assert!(shape.contains(&format!("{tensor} (expected [")), "{shape}");
    }
    let config = "open_clip_config.json";
    for (from, to, named) in [
        ("\"pool_type\": \"tok\"", "\"pool_type\": \"none\"", "pool_type none"),
        ("\"mean_pooler\"", "\"cls_pooler\"", "hf_pooler_type cls_pooler"),
        ("\"layers\": 2", "\"layers\": 2, \"timm_model_name\": \"eva\"", "timm_model_name"),
        ("\"shortest\"", "\"longest\"", "resize_mode longest"),
    ] {
        let error = changed("open_clip", |home| replace(&home.join(config), from, to));
        assert!(error.contains(named), "{error}");
    }
    let error = changed("siglip", |home| {
        replace(&home.join("config.json"), "\"model_type\": \"siglip\"", "\"model_type\": \"clip\"")
    });
    assert!(error.contains("model_type clip"), "{error}");
    let error = changed("open_clip", |home| {
        std::fs::rename(home.join("open_clip_model.safetensors"), home.join("open_clip_pytorch_model.bin"))
            .unwrap();
    });
    assert!(error.contains("to safetensors first"), "{error}");
}
