//! The engine against one graph of separate tensors, and against itself in other arrangements.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, also in its helpers")]

#[path = "common/device.rs"]
mod device;

use tch::{Device, Kind, Tensor};
use tsumugi_train::TokenMean;
use tsumugi_train::collate::{Batch, BatchShape, Collator, Packed, Padded};
use tsumugi_train::engine::Engine;
use tsumugi_train::prepare::{Prepared, SpecialIds};
use tsumugi_train::recipe::{OptimizerConfig, Precision, StageConfig};
use tsumugi_vlm::{Context, IGNORE, LlamaConfig, Output, VisionConfig, Vlm, VlmConfig, Weights};

const IDS: SpecialIds = SpecialIds { eos: 2, pad: 3, image: 4, image_tokens: 4 };

fn model(tied: bool) -> Vlm {
    let vision = VisionConfig {
        hidden_size: 16,
        intermediate_size: 24,
        num_hidden_layers: 2,
        num_attention_heads: 2,
        image_size: 28,
        patch_size: 14,
        ..VisionConfig::default()
    };
    let language = LlamaConfig {
        hidden_size: 32,
        intermediate_size: 48,
        num_hidden_layers: 3,
        num_attention_heads: 4,
        num_key_value_heads: 2,
        vocab_size: 64,
        pad_token_id: IDS.pad,
        tie_word_embeddings: tied,
        initializer_range: 0.2,
        ..LlamaConfig::default()
    };
    let image_token_id = tsumugi_vlm::ImageTokenId(IDS.image);
    Vlm::new(VlmConfig { vision, language, image_token_id, ..VlmConfig::default() }).unwrap()
}

/// A image that is like no other. LibTorch's generator is one for the whole process, and tests run at the same time.
fn image(n: i64) -> Tensor {
    let waves = Tensor::arange(3 * 28 * 28, (Kind::Float, Device::Cpu)) * (0.37 + 0.11 * n as f64);
    waves.sin().view([3, 28, 28])
}

/// Samples of different lengths, with none, one and two images.
fn samples() -> Vec<Prepared> {
    (0..5_i64)
        .map(|i| {
            let images = (i % 3) as usize;
            let mut ids = vec![1_i64];
            ids.extend(std::iter::repeat_n(IDS.image, images * IDS.image_tokens));
            ids.extend((0..4 + i).map(|k| 5 + (7 * i + 11 * k) % 59));
            let before = 2 + images * IDS.image_tokens;
            let label = |(at, id): (usize, &i64)| if at < before { IGNORE } else { *id };
            let labels = ids.iter().enumerate().map(label).collect();
            let pixels = (0..images).map(|k| image(i * 3 + k as i64)).collect();
            Prepared { ids, labels, pixels }
        })
        .collect()
}

fn batches(mut collator: impl Collator) -> Vec<Batch> {
    let mut ready: Vec<Batch> = samples().into_iter().flat_map(|s| collator.push(s).unwrap()).collect();
    ready.extend(collator.flush().unwrap());
    ready
}

fn shape(rows: usize, length: usize) -> BatchShape {
    BatchShape { rows, step_rows: rows, length, ids: IDS }
}

fn stage(tune: &[&str]) -> StageConfig {
    StageConfig { tune: tune.iter().map(|t| (*t).to_owned()).collect(), ..StageConfig::default() }
}

fn engine(vlm: &Vlm, weights: &Weights, stage: &StageConfig) -> Engine {
    Engine::new(vlm.clone(), weights, stage, Box::new(TokenMean), device::device()).unwrap()
}

/// Mean loss over batches, and gradients by group.
fn learn(engine: &mut Engine, batches: &[Batch]) -> (f64, Vec<(String, Option<Tensor>)>) {
    let targets: u64 = batches.iter().map(|b| b.counts.targets).sum();
    let scale = 1.0 / targets as f64;
    let loss: f64 = batches.iter().map(|b| engine.accumulate(b, scale).unwrap()).sum();
    let grads = engine.groups().map(|g| (g.name.clone(), g.grad.as_ref().map(Tensor::copy))).collect();
    (loss * scale, grads)
}

fn far(a: &Tensor, b: &Tensor) -> f64 {
    let scale = b.abs().max().double_value(&[]).max(1e-3);
    (a - b).abs().max().double_value(&[]) / scale
}

fn assert_same(
    one: &(f64, Vec<(String, Option<Tensor>)>),
    two: &(f64, Vec<(String, Option<Tensor>)>),
    tolerance: f64,
) {
    assert!((one.0 - two.0).abs() < tolerance, "loss {} and {}", one.0, two.0);
    let mut off = Vec::new();
    for ((name, a), (_, b)) in one.1.iter().zip(&two.1) {
        match (a, b) {
            (Some(a), Some(b)) if far(a, b) >= tolerance => off.push(format!("{name} is {} off", far(a, b))),
            (Some(_), Some(_)) | (None, None) => {}
            _ => panic!("{name} has a gradient only once"),
        }
    }
    assert!(off.is_empty(), "{off:?}");
}

const ALL: [&str; 3] = ["vision", "projector", "language"];

#[test]
fn packed_rows_give_the_loss_and_gradients_of_single_rows() {
    for tied in [true, false] {
        let vlm = model(tied);
        let weights = vlm.init(1, device::device(), Kind::Float).unwrap();
        let run = |batches: &[Batch]| learn(&mut engine(&vlm, &weights, &stage(&ALL)), batches);
        let single = run(&batches(Padded::new(shape(1, 40))));
        assert_same(&run(&batches(Packed::new(shape(2, 40)))), &single, 2e-5);
        assert_same(&run(&batches(Packed::new(shape(1, 100)))), &single, 2e-5);
        // Padded rows and another grouping of the same samples change nothing either.
        assert_same(&run(&batches(Padded::new(shape(3, 40)))), &single, 2e-5);
        assert_same(&run(&batches(Padded::bucketed(shape(2, 40), 4, 1))), &single, 2e-5);
        // Nor does a last batch that is smaller than the others.
        for rows in [2, 3, 4] {
            let shape = BatchShape { step_rows: 5, ..shape(rows, 40) };
            for batches in [batches(Padded::new(shape)), batches(Padded::bucketed(shape, 2, 1))] {
                assert_eq!(batches.iter().map(|b| b.counts.samples).sum::<u64>(), 5);
                assert_eq!(batches.len(), 5_usize.div_ceil(rows));
                assert_same(&run(&batches), &single, 2e-5);
            }
        }
    }
}

#[test]
fn unit_by_unit_is_one_graph() {
    for (tied, tune) in
        [(true, &ALL[..]), (false, &ALL[..]), (false, &["projector"]), (true, &["projector", "*.layers.1.*"])]
    {
        let vlm = model(tied);
        let weights = vlm.init(1, device::device(), Kind::Float).unwrap();
        let batches = batches(Padded::new(shape(3, 40)));
        let stage = stage(tune);
        let mut engine = engine(&vlm, &weights, &stage);
        let (loss, grads) = learn(&mut engine, &batches);

        let leaves: Weights =
            weights.iter().map(|(n, t)| (n.clone(), t.copy().set_requires_grad(true))).collect();
        let targets: u64 = batches.iter().map(|b| b.counts.targets).sum();
        let mut expected = 0.0;
        for batch in &batches {
            let context =
                Context::new(vlm.config(), &batch.model, Output::Loss, device::device(), Kind::Float)
                    .unwrap();
            let sum = vlm
                .forward(
                    &leaves,
                    batch.model.pixel_values.as_ref().map(|p| p.to_device(device::device())).as_ref(),
                    &context,
                )
                .unwrap()
                / targets as f64;
            sum.backward();
            expected += sum.double_value(&[]);
        }
        assert!((loss - expected).abs() < 1e-5);
        for (group, (name, grad)) in engine.groups().zip(&grads) {
            let Some(grad) = grad else {
                assert!(!group.treatment.trained, "{name} has no gradient");
                continue;
            };
            let flat: Vec<Tensor> =
                group.defs.iter().map(|d| leaves.get(&d.name).unwrap().grad().view(-1)).collect();
            assert!(far(grad, &Tensor::cat(&flat, 0)) < 2e-5, "{name}");
        }
    }
}

#[test]
fn recomputed_units_give_the_same_bits() {
    let vlm = model(false);
    let weights = vlm.init(1, device::device(), Kind::Float).unwrap();
    let batches = batches(Packed::new(shape(2, 40)));
    let run =
        |recompute| learn(&mut engine(&vlm, &weights, &StageConfig { recompute, ..stage(&ALL) }), &batches);
    let kept = run(0);
    assert_same(&run(1), &kept, 1e-12);
    assert_same(&run(2), &kept, 1e-12);
}

#[test]
fn updates_are_those_of_adamw() {
    let vlm = model(true);
    let weights = vlm.init(1, device::device(), Kind::Float).unwrap();
    let batches = batches(Packed::new(shape(2, 40)));
    let config =
        OptimizerConfig { lr: 1e-2, weight_decay: 0.1, clip: Some(0.5), ..OptimizerConfig::default() };
    let mut engine = engine(&vlm, &weights, &stage(&ALL));
    let name = "language_model.model.layers.1.mlp.up_proj.weight";
    let mut w = weights.get(name).unwrap().to_kind(Kind::Double);
    let (mut m, mut v) = (w.zeros_like(), w.zeros_like());
    for step in 1..=3 {
        let (loss, _) = learn(&mut engine, &batches);
        let norm: f64 =
            engine.groups().filter_map(|g| g.grad.as_ref()).map(|g| g.norm().double_value(&[]).powi(2)).sum();
        let norm = norm.sqrt();
        let group = engine.groups().find(|g| g.place_of(name).is_some()).unwrap();
        let (start, def) = group.place_of(name).unwrap();
        let grad = group.grad.as_ref().unwrap().narrow(0, start, def.numel()).view(&def.shape[..]);
        let g = grad.to_kind(Kind::Double) * (0.5 / (norm + 1e-6)).min(1.0);
        w = &w * (1.0 - 1e-2 * 0.1);
        m = &m * 0.9 + &g * 0.1;
        v = &v * 0.999 + &g * &g * 0.001;
        let (c1, c2) = (1.0 - 0.9_f64.powi(step), 1.0 - 0.999_f64.powi(step));
        w = &w - (&m / c1) / ((&v / c2).sqrt() + 1e-8) * 1e-2;
        let updated = engine.update(&config, 1e-2, loss, 0).unwrap();
        assert!((updated.grad_norm - norm).abs() < 1e-4 * norm && !updated.skipped);
    }
    let found = engine.weights().unwrap();
    assert!((found.get(name).unwrap().to_kind(Kind::Double) - w).abs().max().double_value(&[]) < 1e-5);
}

#[test]
fn what_is_no_number_is_not_learned() {
    let vlm = model(true);
    let weights = vlm.init(1, device::device(), Kind::Float).unwrap();
    let batches = batches(Packed::new(shape(2, 40)));
    let mut engine = engine(&vlm, &weights, &stage(&ALL));
    learn(&mut engine, &batches);
    assert!(engine.update(&OptimizerConfig::default(), 1e-2, f64::NAN, 0).unwrap().skipped);
    for (name, tensor) in engine.weights().unwrap().iter() {
        assert_eq!(tensor, weights.get(name).unwrap(), "{name}");
    }
}

#[test]
fn states_go_to_disk_and_back() {
    let vlm = model(true);
    let weights = vlm.init(1, device::device(), Kind::Float).unwrap();
    let batches = batches(Packed::new(shape(2, 40)));
    let folder = tempfile::tempdir().unwrap();
    for precision in [Precision::F32, Precision::Bf16, Precision::Bf16Stochastic] {
        let stage = StageConfig { precision, ..stage(&["projector", "language"]) };
        let config = OptimizerConfig::default();
        let step = |engine: &mut Engine, n| {
            let (loss, _) = learn(engine, &batches);
            engine.update(&config, 1e-2, loss, n).unwrap();
        };
        let mut one = engine(&vlm, &weights, &stage);
        step(&mut one, 0);
        let path = folder.path().join("state.safetensors");
        let state = one.save(&path).unwrap();
        let mut two = engine(&vlm, &weights, &stage);
        two.load(&path, &state).unwrap();
        step(&mut one, 1);
        step(&mut two, 1);
        for (a, b) in one.groups().zip(two.groups()) {
            assert_eq!(a.weight, b.weight, "{precision:?} {}", a.name);
        }
        let mut other = engine(&vlm, &weights, &StageConfig { precision, ..self::stage(&["projector"]) });
        assert!(other.load(&path, &state).is_err());
    }
}
