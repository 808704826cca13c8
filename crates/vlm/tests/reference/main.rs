//! Holds the models against values that transformers and tokenizers computed: `tests/fixtures/make_vlm_cases.py` makes
//! them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod checkpoints;
mod generation;
mod numbers;
mod templates;

use std::collections::BTreeMap;
use std::path::PathBuf;

use tch::{Device, Kind, Tensor};
use tsumugi_vlm::checkpoint::read_safetensors;
use tsumugi_vlm::{Checkpoint, ParamDef, Vlm, Weights};

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/vlm").join(name)
}

fn tensors(name: &str) -> BTreeMap<String, Tensor> {
    read_safetensors(&fixture(name)).unwrap().into_iter().collect()
}

fn defs(vlm: &Vlm) -> Vec<ParamDef> {
    vlm.parameters().into_iter().map(|(_, _, def)| def).collect()
}

/// The tiny LLaVA with the weights of the fixture.
fn llava() -> (Vlm, Weights) {
    let checkpoint = Checkpoint::open(fixture("llava")).unwrap();
    let vlm = Vlm::of(checkpoint.contents()).unwrap();
    let weights = checkpoint.load(&defs(&vlm), Device::Cpu, Kind::Float).unwrap();
    (vlm, weights)
}

/// Largest difference as a share of the largest value.
fn relative(found: &Tensor, expected: &Tensor) -> f64 {
    assert_eq!(found.size(), expected.size());
    let far = (found.to_kind(Kind::Double) - expected.to_kind(Kind::Double)).abs().max();
    far.double_value(&[]) / expected.abs().max().double_value(&[]).max(1e-30)
}

fn rows(ids: &Tensor) -> Vec<Vec<i64>> {
    (0..ids.size()[0]).map(|row| Vec::try_from(ids.get(row)).unwrap()).collect()
}
