//! Hidden states, logits, losses, gradients.

use std::sync::Arc;

use tch::{Kind, Tensor};
use tsumugi_vlm::parity::{ParityOptions, run};
use tsumugi_vlm::{
    Acts, Batch, Checkpoint, Context, LlamaConfig, Output, Params, ProjectorConfig, ProjectorKind, Unit,
    VilaProjector, VisionConfig, Vlm, VlmConfig, Weights, torch_ext,
};

use super::{defs, device, fixture, llava, relative, tensors};

#[test]
fn llava_batch_agrees_with_transformers() {
    let home = tempfile::tempdir().unwrap();
    let out = home.path().join("out.safetensors");
    let options = ParityOptions { gradients: true, device: device(), ..ParityOptions::default() };
    run(&fixture("llava"), &fixture("llava_batch.safetensors"), &out, &options).unwrap();
    let expected = tensors("llava_batch.safetensors");
    let found: std::collections::BTreeMap<_, _> =
        tsumugi_vlm::checkpoint::read_safetensors(&out).unwrap().into_iter().collect();
    let global = expected
        .iter()
        .filter(|(name, _)| name.starts_with("grad."))
        .map(|(_, g)| g.to_kind(Kind::Double).square().sum(Kind::Double).double_value(&[]))
        .sum::<f64>()
        .sqrt();
    let mut compared = 0;
    for (name, value) in &expected {
        let Some(other) = found.get(name) else {
            assert!(
                ["input_ids", "attention_mask", "labels", "pixel_values"].contains(&name.as_str()),
                "{name}"
            );
            continue;
        };
        compared += 1;
        if name.starts_with("grad.") {
            // The bias of the keys has no true gradient, only noise: hence a share of the norm of all.
            let far = (other - value).norm().double_value(&[]);
            let own = value.norm().double_value(&[]);
            assert!(far <= 1e-4 * own + 1e-5 * global, "{name}: {far} of {own}");
        } else {
            assert!(relative(other, value) < 1e-5, "{name}: {}", relative(other, value));
        }
    }
    assert!(compared > 60, "{compared}");
}

#[test]
fn bfloat16_stays_near() {
    let home = tempfile::tempdir().unwrap();
    let out = home.path().join("out.safetensors");
    let options = ParityOptions { kind: Kind::BFloat16, device: device(), ..ParityOptions::default() };
    run(&fixture("llava"), &fixture("llava_batch.safetensors"), &out, &options).unwrap();
    let found = tsumugi_vlm::checkpoint::read_safetensors(&out).unwrap();
    let loss = &found.iter().find(|(name, _)| name == "loss").unwrap().1;
    let far = (loss - &tensors("llava_batch.safetensors")["loss"]).abs().double_value(&[0]);
    assert!(far < 0.02, "{far}");
}

#[test]
fn rotary_variants_and_packed_rows() {
    let expected = tensors("llama_logits.safetensors");
    let home = tempfile::tempdir().unwrap();
    for name in ["default", "linear", "llama3"] {
        let folder = home.path().join(name);
        std::fs::create_dir(&folder).unwrap();
        std::fs::copy(fixture(&format!("llama/{name}.json")), folder.join("config.json")).unwrap();
        std::fs::copy(fixture("llama/model.safetensors"), folder.join("model.safetensors")).unwrap();
        let checkpoint = Checkpoint::open(&folder).unwrap();
        let vlm = checkpoint.vlm().unwrap();
        let weights = checkpoint.load(&defs(&vlm), device(), Kind::Float).unwrap();
        let forward = |batch: &Batch, output| {
            let context = Context::new(vlm.config(), batch, output, device(), Kind::Float).unwrap();
            (vlm.forward(&weights, None, &context).unwrap(), context.target_count)
        };
        let ids = &expected["input_ids"];
        let (logits, _) = forward(&Batch::of_ids(ids.shallow_clone()), Output::Logits);
        let far = relative(&logits, &expected[&format!("logits.{name}")]);
        assert!(far < 1e-5, "{name}: {far}");
        if name == "default" {
            let lengths: Vec<i64> = Vec::try_from(&expected["seqlens"]).unwrap();
            let batch = Batch {
                labels: Some(ids.shallow_clone()),
                segments: Some(vec![lengths]),
                ..Batch::of_ids(ids.shallow_clone())
            };
            assert!(relative(&forward(&batch, Output::Logits).0, &expected["packed_logits"]) < 1e-5);
            let (sum, count) = forward(&batch, Output::Loss);
            assert_eq!(count, 24 - 3);
            let mean = sum.double_value(&[]) / count as f64;
            assert!((mean - expected["packed_loss"].double_value(&[0])).abs() < 1e-5);
        }
    }
}

/// Sizes of the projector fixture: 3 x 3 features of width 6, to width 10.
fn projector(kind: ProjectorKind) -> VilaProjector {
    VilaProjector::new(&VlmConfig {
        vision: VisionConfig { hidden_size: 6, image_size: 42, patch_size: 14, ..VisionConfig::default() },
        projector: ProjectorConfig { kind },
        language: LlamaConfig { hidden_size: 10, ..LlamaConfig::default() },
        ..VlmConfig::default()
    })
}

#[test]
fn projectors_of_vila() {
    let values = tensors("projectors.safetensors");
    let (_, any) = llava_context();
    for (kind, name, names) in [
        (ProjectorKind::Linear, "linear", vec![("linear_1", "layers")]),
        (
            ProjectorKind::MlpDownsample,
            "mlp_downsample",
            vec![("norm", "layers.1"), ("linear_1", "layers.2"), ("linear_2", "layers.4")],
        ),
    ] {
        let unit = projector(kind);
        let mut params = Params::new();
        for (own, theirs) in names {
            for end in ["weight", "bias"] {
                let value = values[&format!("{name}.{theirs}.{end}")].shallow_clone();
                params.insert(format!("multi_modal_projector.{own}.{end}"), value.to_device(device()));
            }
        }
        let acts = Acts::new(values["features"].to_device(device()));
        let found = unit.forward(&params, acts, &any).unwrap().x;
        assert!(relative(&found, &values[&format!("{name}.out")]) < 1e-6, "{name}");
    }
}

fn llava_context() -> (Vlm, Context) {
    let (vlm, _) = llava();
    let batch = Batch::of_ids(Tensor::from_slice(&[1_i64]).view([1, 1]));
    let context = Context::new(vlm.config(), &batch, Output::Loss, device(), Kind::Float).unwrap();
    (vlm, context)
}

#[test]
fn units_cut_apart_give_the_gradients_of_one_graph() {
    let (vlm, weights) = llava();
    let given = tensors("llava_batch.safetensors");
    let batch = Batch {
        attention_mask: Some(given["attention_mask"].shallow_clone()),
        labels: Some(given["labels"].shallow_clone()),
        ..Batch::of_ids(given["input_ids"].shallow_clone())
    };
    let context = Context::new(vlm.config(), &batch, Output::Loss, device(), Kind::Float).unwrap();
    // Forward, keeping only each unit's input; parameters as views of one flat leaf a unit.
    let mut acts = Acts::new(given["pixel_values"].to_device(device()));
    let mut kept = Vec::new();
    for (_, unit) in vlm.units() {
        kept.push(acts.detach());
        acts = tch::no_grad(|| {
            unit.forward(&weights.params_of(unit.as_ref()).unwrap(), acts, &context).unwrap()
        });
    }
    // Backward, unit by unit from the last, running each again.
    let mut upstream = Tensor::from(1.0_f32 / context.target_count as f32).to_device(device());
    for ((_, unit), input) in vlm.units().iter().zip(kept).rev() {
        let flat = flat_of(unit, &weights).set_requires_grad(true);
        let params = Params::split(&unit.spec(), &flat).unwrap();
        let x = input.x.set_requires_grad(true);
        let again = unit.forward(&params, Acts::new(x.shallow_clone()), &context).unwrap().x;
        let found = torch_ext::grad(&[&again], &[&upstream], &[&x, &flat]).unwrap();
        let mut found = found.into_iter();
        upstream = found.next().unwrap().unwrap();
        let gradient = found.next().unwrap().unwrap();
        let mut start = 0;
        for def in &unit.spec() {
            let piece = gradient.narrow(0, start, def.numel()).view(&def.shape[..]);
            start += def.numel();
            let expected = &given[&format!("grad.{}", def.name)].to_device(device());
            let far = (piece - expected).norm().double_value(&[]);
            assert!(far <= 1e-4 * expected.norm().double_value(&[]) + 1e-5, "{}: {far}", def.name);
        }
    }
}

fn flat_of(unit: &Arc<dyn Unit>, weights: &Weights) -> Tensor {
    let pieces: Vec<Tensor> =
        unit.spec().iter().map(|def| weights.get(&def.name).unwrap().reshape([-1])).collect();
    Tensor::cat(&pieces, 0)
}

#[test]
fn features_and_places_have_to_agree() {
    let (vlm, weights) = llava();
    let image = Tensor::zeros([1, 3, 28, 28], (Kind::Float, device()));
    let run = |ids: &[i64], pixels: Option<&Tensor>| {
        let batch = Batch::of_ids(Tensor::from_slice(ids).view([1, -1]));
        let context = Context::new(vlm.config(), &batch, Output::Logits, device(), Kind::Float).unwrap();
        vlm.forward(&weights, pixels, &context)
    };
    assert!(run(&[1, 4, 4, 4, 4, 9], Some(&image)).is_ok());
    assert!(run(&[1, 4, 4, 4, 9], Some(&image)).is_err());
    assert!(run(&[1, 4, 4, 4, 4, 9], None).is_err());
    // A dummy image without places changes nothing.
    let (with, without) = (run(&[1, 8, 9], Some(&image)).unwrap(), run(&[1, 8, 9], None).unwrap());
    assert_eq!(with, without);
    // Seventeen images in one row.
    let many = Tensor::zeros([17, 3, 28, 28], (Kind::Float, device()));
    let ids: Vec<i64> = std::iter::once(1).chain(std::iter::repeat_n(4, 17 * 4)).collect();
    assert!(run(&ids, Some(&many)).is_ok());
}

#[test]
fn random_weights_depend_on_the_seed_alone() {
    let (vlm, _) = llava();
    let init = |seed| vlm.init(seed, device(), Kind::Float).unwrap();
    let (a, b, c) = (init(1), init(1), init(2));
    let name = "language_model.lm_head.weight";
    assert_eq!(a.get(name).unwrap(), b.get(name).unwrap());
    assert_ne!(a.get(name).unwrap(), c.get(name).unwrap());
    let spread = a.get(name).unwrap().std(true).double_value(&[]);
    assert!((spread - 0.02).abs() < 0.002, "{spread}");
}
