//! Times optimiser steps on a checkpoint and a stored batch, for holding the engine against another implementation.
//!
//! `step_speed MODEL [f32|bf16|bf16-stochastic] [THREADS] [STEPS] [RECOMPUTE] [cpu|cuda]`. MODEL is a LLaVA checkpoint with a
//! `batch.safetensors` beside it: `input_ids`, `labels`, `pixel_values`, image tokens expanded. The vision tower is
//! frozen. Prints one JSON line; the first two steps are not counted.

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use tch::{Device, Kind, Tensor};
use tsumugi_train::TokenMean;
use tsumugi_train::collate::{Batch, Counts};
use tsumugi_train::engine::Engine;
use tsumugi_train::metrics::peak_memory_mib;
use tsumugi_train::recipe::{OptimizerConfig, Precision, StageConfig};
use tsumugi_vlm::Vlm;
use tsumugi_vlm::checkpoint::{Checkpoint, read_safetensors};

const WARM_UP: usize = 2;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let argument = |n: usize| arguments.get(n).map(String::as_str);
    let folder = Path::new(argument(0).ok_or("give the folder of a checkpoint")?);
    let precision = match argument(1) {
        None | Some("f32") => Precision::F32,
        Some("bf16") => Precision::Bf16,
        Some("bf16-stochastic") => Precision::Bf16Stochastic,
        Some(other) => return Err(format!("{other}: possible are f32, bf16, bf16-stochastic").into()),
    };
    let number = |n: usize, usual: usize| argument(n).map_or(Ok(usual), str::parse);
    let (threads, steps, recompute) = (number(2, 2)?, number(3, 5)?, number(4, 0)?);
    tch::set_num_threads(threads as i32);
    tsumugi_torch_ext::keep_freed_memory();
    let device = match argument(5) {
        Some("cuda") => {
            tsumugi_torch_ext::load_cuda()?;
            tsumugi_torch_ext::set_numerics(false, false)?;
            Device::Cuda(0)
        }
        _ => Device::Cpu,
    };

    let mut engine = engine(folder, precision, recompute, device)?;
    let batch = batch(&folder.join("batch.safetensors"))?;
    let config = OptimizerConfig { lr: 1e-4, weight_decay: 0.01, ..OptimizerConfig::default() };
    let (mut losses, mut seconds, mut passes, mut cpu) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let flops = engine.flops(&batch.counts);
    for step in 0..WARM_UP + steps {
        let (began, cpu_began) = (Instant::now(), cpu_seconds());
        let targets = batch.counts.targets as f64;
        let loss = engine.accumulate(&batch, 1.0 / targets)? / targets;
        let passed = began.elapsed().as_secs_f64();
        engine.update(&config, config.lr, loss, step as u64)?;
        if let Device::Cuda(index) = device {
            tch::Cuda::synchronize(index as i64);
        }
        losses.push(loss);
        if step >= WARM_UP {
            passes.push(passed);
            seconds.push(began.elapsed().as_secs_f64());
            cpu.push(cpu_seconds() - cpu_began);
        }
    }
    let began = Instant::now();
    engine.evaluate(&batch)?;
    let forward = began.elapsed().as_secs_f64();
    let (step, passes, cpu) = (median(&mut seconds), median(&mut passes), median(&mut cpu));
    let tokens = batch.counts.tokens as f64;
    println!(
        "{}",
        serde_json::json!({
            "precision": arguments.get(1), "device": format!("{device:?}"), "threads": threads, "recompute": recompute,
            "step_s": step, "passes_s": passes, "forward_s": forward, "cpu_s_per_step": cpu, "tokens_per_s": tokens / step, "tflops": flops / step / 1e12, "step_tflop": flops / 1e12, "tokens_per_cpu_s": tokens / cpu,
            "peak_rss_mib": peak_memory_mib(), "losses": losses,
        })
    );
    Ok(())
}

fn engine(
    folder: &Path,
    precision: Precision,
    recompute: usize,
    device: Device,
) -> Result<Engine, Box<dyn Error>> {
    let checkpoint = Checkpoint::open(folder)?;
    let model = Vlm::new(checkpoint.vlm_config()?.clone())?;
    let defs: Vec<_> = model.parameters().into_iter().map(|(.., def)| def).collect();
    let weights = checkpoint.load(&defs, device, Kind::Float)?;
    let tune = vec!["projector".to_owned(), "language".to_owned()];
    let stage = StageConfig { tune, precision, recompute, ..StageConfig::default() };
    Ok(Engine::new(model, &weights, &stage, Box::new(TokenMean), device)?)
}

fn batch(path: &Path) -> Result<Batch, Box<dyn Error>> {
    let mut tensors: std::collections::HashMap<String, Tensor> =
        read_safetensors(path)?.into_iter().collect();
    let mut take = |name: &str| tensors.remove(name).ok_or_else(|| format!("{}: no {name}", path.display()));
    let (input_ids, labels, pixels) = (take("input_ids")?, take("labels")?, take("pixel_values")?);
    let targets =
        labels.f_narrow(1, 1, labels.size()[1] - 1)?.f_ne(tsumugi_vlm::IGNORE)?.f_sum(Kind::Int64)?;
    let counts = Counts {
        samples: input_ids.size()[0] as u64,
        images: pixels.size()[0] as u64,
        tokens: input_ids.numel() as u64,
        targets: i64::try_from(targets)? as u64,
        slots: input_ids.numel() as u64,
        pairs: (input_ids.numel() as i64 * input_ids.size()[1]) as u64,
    };
    let model = tsumugi_vlm::Batch {
        labels: Some(labels),
        pixel_values: Some(pixels),
        ..tsumugi_vlm::Batch::of_ids(input_ids)
    };
    Ok(Batch { model, counts })
}

/// Processor time of this process, user and system, as Linux counts it (in hundredths of a second).
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name in brackets may hold spaces; the fields after it do not.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |n: usize| fields.get(n).and_then(|f| f.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
