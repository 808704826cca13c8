//! Holds the models against values that transformers and tokenizers computed: `tests/fixtures/make_vlm_cases.py` and
//! `make_chat_cases.py` make them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod chats;
mod checkpoints;
mod contrastive;
mod generation;
mod numbers;
mod templates;

use std::collections::BTreeMap;
use std::path::PathBuf;

use tch::{Device, Kind, Tensor};
use tsumugi_vlm::checkpoint::read_safetensors;
use tsumugi_vlm::{Checkpoint, ParamDef, Vlm, Weights};

/// What the tests compute on: the CPU, or what `TSUMUGI_TEST_DEVICE=cuda` says.
fn device() -> Device {
    match std::env::var("TSUMUGI_TEST_DEVICE").as_deref() {
        Ok("cuda") => {
            tsumugi_vlm::torch_ext::load_cuda().unwrap();
            tsumugi_vlm::torch_ext::set_numerics(true, false).unwrap();
            Device::Cuda(0)
        }
        _ => Device::Cpu,
    }
}

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
    let vlm = checkpoint.vlm().unwrap();
    let weights = checkpoint.load(&defs(&vlm), device(), Kind::Float).unwrap();
    (vlm, weights)
}

/// Largest difference as a share of the largest value.
fn relative(found: &Tensor, expected: &Tensor) -> f64 {
    assert_eq!(found.size(), expected.size());
    let found = found.to_device(Device::Cpu);
    let far = (found.to_kind(Kind::Double) - expected.to_kind(Kind::Double)).abs().max();
    far.double_value(&[]) / expected.abs().max().double_value(&[]).max(1e-30)
}

fn rows(ids: &Tensor) -> Vec<Vec<i64>> {
    (0..ids.size()[0]).map(|row| Vec::try_from(ids.get(row)).unwrap()).collect()
}
